"""The log's ways out, at what reads them: stderr, and sockets in the place of syslogd and journald."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sms_milter import observe
from sms_milter.config.schema import LogSettings
from sms_milter.logbook.entry import read_entry
from sms_milter.observe import Log, ToSystemd, open_journal
from support.places import folder

LINE = "4ABC: to=447973100000, account=acme, status=accepted (message_id=7)"
RECORD = {
    "mta_queue_id": "4ABC",
    "to": "447973100000",
    "account": "acme",
    "status": "accepted",
    "why": "(message_id=7)",
}


@pytest.fixture
def place() -> Iterator[Path]:
    with folder("journal") as there:  # short enough for the name of a socket
        yield there / "socket"


def fields(datagram: bytes) -> dict[str, str]:
    return dict(one.split("=", 1) for one in datagram.decode().splitlines())


def test_systemds_journal_has_the_pairs_as_fields(place: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journald:
        journald.bind(str(place))
        write = ToSystemd("dispatch", "mail", place)
        Log(write).error(LINE)
        told = fields(journald.recv(65536))
        write.close()
    assert told == {
        "MESSAGE": f"error: {LINE}",
        "PRIORITY": "3",
        "SYSLOG_IDENTIFIER": "sms-milter/dispatch",
        "SYSLOG_FACILITY": "2",
        **{f"SMS_MILTER_{name.upper()}": value for name, value in RECORD.items()},
    }


def test_no_line_makes_a_field_of_its_own(place: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journald:
        journald.bind(str(place))
        write = ToSystemd("dispatch", "mail", place)
        Log(write).info("started\n_UID=0")
        assert fields(journald.recv(65536))["MESSAGE"] == "started _UID=0"
        write.close()


def test_without_journald_the_line_goes_to_stderr(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write = ToSystemd("dispatch", "mail", place)
    Log(write).warning(LINE)
    write.close()
    assert capfd.readouterr().err == f"<4>warning: {LINE}\n"


@pytest.mark.parametrize("severity", ["info", "warning", "error", "critical"])
@pytest.mark.parametrize("format", ["text", "json"])
def test_what_goes_to_stderr_is_read_back(
    format: str, severity: str, capfd: pytest.CaptureFixture[str]
) -> None:
    journal = open_journal(LogSettings(to="stderr", format=format), "dispatch")
    getattr(journal, severity)(LINE)
    journal.debug("for developers")
    written = capfd.readouterr().err
    entry = read_entry(written.rstrip("\n"), datetime.now(UTC))
    assert entry is not None
    assert (entry.program, entry.pid) == ("sms-milter/dispatch", str(os.getpid()))
    assert entry.text == ("" if severity == "info" else f"{severity}: ") + LINE
    if format == "json":
        record = json.loads(written)
        assert list(record) == ["at", "program", "pid", "severity", *RECORD]
        assert {name: record[name] for name in RECORD} == RECORD


def test_to_syslog_json_has_its_cookie(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[int, str]] = []
    monkeypatch.setattr(observe.syslog, "openlog", lambda *_: None)
    monkeypatch.setattr(observe.syslog, "syslog", lambda *given: said.append(given))
    open_journal(LogSettings(format="json"), "dispatch").warning(LINE)
    ((priority, text),) = said
    assert priority == observe.syslog.LOG_WARNING
    assert text.startswith("@cee: ")
    assert json.loads(text.removeprefix("@cee: ")) == {"severity": "warning", **RECORD}


ASK = """
import pathlib, sys
from sms_milter import observe
observe._JOURNAL = pathlib.Path(sys.argv[1])
sys.exit(not observe.stderr_is_the_journal())
"""


@pytest.mark.parametrize(("stream", "journal"), [("", False), ("1:2", False), ("ours", True)])
def test_only_the_journals_own_stream_is_the_journal(tmp_path: Path, stream: str, journal: bool) -> None:
    """JOURNAL_STREAM is inherited by those whose stderr goes elsewhere."""
    with (tmp_path / "stderr").open("wb") as stderr:
        here = os.fstat(stderr.fileno())
        stream = f"{here.st_dev}:{here.st_ino}" if stream == "ours" else stream
        done = subprocess.run(
            [sys.executable, "-c", ASK, str(tmp_path)],
            env={**os.environ, "JOURNAL_STREAM": stream},
            stderr=stderr,
            check=False,
        )
    assert (done.returncode == 0) is journal
