"""deploy/quickstart on this machine, as a person runs it."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from support.places import DEPLOY, folder, free_port
from support.requirements import missing

pytestmark = [
    pytest.mark.mta,
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing("postfix")), reason=missing("postfix") or "-"),
]


def quickstart(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([DEPLOY / "quickstart", *options], capture_output=True, text=True, timeout=300)


def started_from(place: Path) -> list[bytes]:
    """The command lines of what runs there."""
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            lines.append(entry.read_bytes())
    return [line for line in lines if bytes(place) in line]


def test_once_shows_mail_sms_receipt_and_report_and_leaves_nothing_running() -> None:
    with folder("quickstart") as place:
        done = quickstart("--once", "--dir", str(place), "--port", str(free_port()))
        assert done.returncode == 0, done.stderr
        assert started_from(place) == []
    mail, sms, receipt, report = done.stdout.split("\n=== ")[1:]
    assert "Subject: db3" in mail
    assert "250 2.0.0 Ok: queued as" in mail
    assert "ACME → 447973100000" in sms
    assert "(db3) Disk /var is 91 % full. Cleaning up costs 0 €" in sms
    assert "1 part" in sms
    assert "state: delivered" in receipt
    assert "Subject: Delivery Status Notification (Delivered)" in report
    assert "To: alerts@acme.example" in report


def test_without_once_it_goes_on_running_until_stopped() -> None:
    with folder("quickstart") as parent:
        place = parent / "here"
        done = quickstart("--dir", str(place))
        try:
            assert done.returncode == 0, done.stderr
            assert f"Stop       {place}/stop" in done.stdout
            assert started_from(place) != []
        finally:
            subprocess.run([place / "stop"], timeout=60, capture_output=True)
        assert started_from(place) == []


def test_a_folder_that_postfix_may_not_enter_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    done = quickstart("--once", "--dir", str(closed / "here"))
    assert done.returncode == 73
    assert f"may not enter {closed}/here" in done.stderr


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    done = quickstart("--once", "--dir", str(tmp_path))
    assert done.returncode == 73
    assert "not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_an_unknown_option_shows_the_usage() -> None:
    done = quickstart("--bogus")
    assert done.returncode == 64
    assert "--once" in done.stderr
