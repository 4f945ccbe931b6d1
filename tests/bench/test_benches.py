"""The benches run, count what arrives, and end with the object for programs. Not how fast anything is."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bench.harness import BenchFailure, Figures, cpu_seconds, ratios, rotated, smsc
from support.requirements import missing
from support.smpp_client import SmppClient, pdu, submit_body

_TESTS = Path(__file__).resolve().parents[1]
_BIND_TRANSCEIVER, _SUBMIT_SM, _UNBIND, _ENQUIRE_LINK = 9, 4, 6, 0x15
_BIND = b"bench\0bench\0\0\x34\0\0\0"


def run(bench: str, *options: str) -> tuple[str, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{bench}", "--json", *options],
        env={**os.environ, "PYTHONPATH": str(_TESTS)}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    table, _, last = done.stdout.rstrip("\n").rpartition("\n")
    return table, json.loads(last)


# --- the benches --------------------------------------------------------------------------------------------


@pytest.mark.mta
@pytest.mark.slow
@pytest.mark.skipif(bool(missing("postfix")), reason=missing("postfix") or "-")
def test_intake_compares_milters_behind_one_postfix() -> None:
    options = ("--queue", "postgresql", "--scraped", "--quick", "--mails", "60", "--rounds", "1")
    table, result = run("intake", *options)
    assert set(result) == {"figures", "ratios"}
    assert set(result["ratios"]) == {
        *("vs_c_do_nothing", "vs_c_same_steps", "vs_pymilter_do_nothing"),
        *("postgresql_vs_sqlite", "postgresql_vs_sqlite_100_recipients", "scraped_vs_not"),
    }
    for peer in (
        "sms_milter",
        "sms_milter_postgresql",
        "c_do_nothing",
        "c_same_steps",
        "pymilter_do_nothing",
    ):
        assert result["figures"][f"{peer}_mails_per_second"] > 0
        for process in ("postfix", "milter", "smtp_source"):
            assert f"{peer}_cpu_ms_per_mail_{process}" in result["figures"]
    assert "sms_milter_cpu_ms_per_mail_dispatcher" in result["figures"]
    assert "sms_milter_scraped_cpu_ms_per_mail_metrics" in result["figures"]
    assert {"idle_mail_to_wire_ms", "postgresql_idle_mail_to_wire_ms"} <= result["figures"].keys()
    assert all(name in table for name in result["figures"])


@pytest.mark.mta
@pytest.mark.slow
@pytest.mark.skipif(bool(missing("postfix")), reason=missing("postfix") or "-")
def test_latency_tells_median_and_99th_percentile() -> None:
    table, result = run("latency", "--mails", "20")
    figures = result["figures"]
    assert 0 < figures["median_ms"] <= figures["p99_ms"] <= figures["worst_ms"]
    assert all(name in table for name in figures)


@pytest.mark.slow
def test_logins_compares_customers_alone_with_customers_beside_guesses() -> None:
    table, result = run("logins", "--quick", "--rounds", "1", "--clients", "2", "--blocked", "100")
    assert set(result["ratios"]) == {"guessed_vs_alone", "blocked_vs_alone", "new_guessed_vs_alone"}
    assert result["figures"].keys() == {
        *("known_alone_ms", "known_guessed_ms", "known_blocked_ms", "new_alone_ms", "new_guessed_ms")
    }
    assert all(name in table for name in result["figures"])


@pytest.mark.slow
@pytest.mark.skipif(bool(missing("postfix")), reason=missing("postfix") or "-")
def test_receipts_compares_a_backlog_with_and_without_them() -> None:
    table, result = run("receipts", "--backlog", "3000", "--rounds", "1")
    assert set(result["ratios"]) == {"receipts_vs_quiet"}
    assert result["figures"]["receipts_parts_per_second"] > 0
    assert all(name in table for name in result["figures"])


@pytest.mark.slow
def test_window_tells_how_much_of_it_is_used() -> None:
    table, result = run("window", "--parts", "500")
    assert set(result["ratios"]) == {"of_what_the_window_allows", "beside_throttled_vs_alone"}
    # A clock decides here, as long as the machine keeps up.
    assert all(value > 0.7 for value in result["ratios"].values())
    assert all(name in table for name in result["figures"])


_SHIPPED = Path("/etc/kannel/kannel.conf")


@pytest.mark.skipif(not _SHIPPED.exists(), reason="Kannel is not installed")
def test_kannel_is_shipped_as_the_bench_runs_it() -> None:
    settings = set(re.findall(r"^([a-z-]+) *=", _SHIPPED.read_text(), re.MULTILINE))
    assert "log-file" in settings
    assert not settings & {"log-level", "store-type", "store-file", "store-location", "dlr-storage"}
    assert "/bearerbox -v 4" in Path("/etc/init.d/kannel").read_text()


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("bearerbox", path="/usr/sbin"), reason="Kannel is not installed")
def test_drain_compares_ours_with_kannel() -> None:
    table, result = run("drain", "--backlog", "300", "--rounds", "1")
    ways = {"vs_kannel", "vs_kannel_in_memory_quiet", "vs_kannel_spool_quiet", "vs_kannel_recorded"}
    assert set(result["ratios"]) >= ways
    for peer in ("sms_milter", "kannel"):
        assert result["figures"][f"{peer}_parts_per_second"] > 0
        assert f"{peer}_cpu_ms_per_part_sender" in result["figures"]
    assert all(name in table for name in result["figures"])


@pytest.mark.slow
def test_drain_compares_postgresql_with_sqlite_and_two_dispatchers_with_one() -> None:
    table, result = run("drain", "--queue", "postgresql", "--backlog", "300", "--rounds", "1")
    assert set(result["ratios"]) == {"postgresql_vs_sqlite", "two_dispatchers_vs_one"}
    assert result["figures"]["sms_milter_postgresql_parts_per_second"] > 0
    assert result["ratios"]["two_dispatchers_vs_one"] >= 1.6
    assert all(name in table for name in result["figures"])


def test_policy_compares_many_accounts_with_one_and_each_limit_with_none() -> None:
    table, result = run("policy", "--accounts", "20", "--mails", "100", "--rounds", "1")
    limits = {"quota", "duplicates", "flood", "credits", "all_of_them"}
    assert result["ratios"].keys() == {"many_vs_one_account"} | {f"{name}_vs_no_limit" for name in limits}
    assert result["figures"].keys() == {
        *("load_seconds", "gate_seconds", "rcpt_us_many_accounts", "rcpt_us_one_account", "store_us_none"),
        *("judge_us_many_accounts", "judge_us_one_account"),
        *(f"store_us_{name}" for name in limits),
    }
    assert all(name in table for name in result["figures"])


def test_dialects_judges_every_dialect_beside_the_mail_parser() -> None:
    table, result = run("dialects", "--mails", "40", "--rounds", "1")
    names = {"aspsms", "smscentre", "clickatell", "hsl"}
    assert result["figures"].keys() == names | {f"{name}_email_parser" for name in names}
    assert result["ratios"].keys() == {f"{name}_vs_email_parser" for name in names}
    assert all(value > 0 for value in result["figures"].values())
    assert all(name in table for name in result["figures"])


def test_encoding_plans_texts_beside_smpplib() -> None:
    table, result = run("encoding", "--texts", "2000", "--rounds", "1")
    assert set(result["figures"]) == {"short", "long", "smpplib_short", "smpplib_long"}
    assert set(result["ratios"]) == {"vs_smpplib_short", "vs_smpplib_long"}
    assert all(result["figures"].values())
    assert all(name in table for name in result["figures"])


# --- the SMSC -----------------------------------------------------------------------------------------------


def test_the_smsc_answers_each_submit_once_and_in_order(tmp_path: Path) -> None:
    with smsc(tmp_path) as center, SmppClient(center.port) as client:
        client.send(_BIND_TRANSCEIVER, _BIND)
        assert client.read().command == _BIND_TRANSCEIVER | 0x80000000
        body = submit_body("447973100000", b"x" * 140)
        octets = b"".join(pdu(_SUBMIT_SM, number, body) for number in range(1000))
        client.write(octets[:70_001])  # in the middle of a PDU
        client.write(octets[70_001:])
        answers = [client.read() for _ in range(1000)]
        assert [answer.sequence for answer in answers] == list(range(1000))
        assert len({answer.body for answer in answers}) == 1000
        assert (center.binds, center.submits) == (1, 1000)
        assert center.first_submit <= center.last_submit <= time.monotonic()


def test_the_smsc_answers_enquire_link_and_unbind(tmp_path: Path) -> None:
    with smsc(tmp_path) as center, SmppClient(center.port) as client:
        for command in (_ENQUIRE_LINK, _UNBIND):
            sequence = client.send(command)
            assert client.read() == (command | 0x80000000, 0, sequence, b"")


def test_the_smsc_ends_a_connection_that_talks_nonsense(tmp_path: Path) -> None:
    with smsc(tmp_path) as center, SmppClient(center.port) as client:
        client.write(b"GET / HTTP/1.0\r\n\r\n")
        with pytest.raises((EOFError, ConnectionResetError)):
            client.read()


def test_a_count_that_is_not_exact_is_a_failure(tmp_path: Path) -> None:
    with smsc(tmp_path) as center, SmppClient(center.port) as client:
        client.send(_SUBMIT_SM, submit_body("447973100000", b"x"))
        client.read()
        center.wait_for(1, seconds=5)
        with pytest.raises(BenchFailure, match="1 SMS instead of 2"):
            center.wait_for(2, seconds=0.1)
        with pytest.raises(BenchFailure, match="1 SMS instead of 0"):
            center.wait_for(0, seconds=0.1)


def test_the_smsc_has_ended_afterwards(tmp_path: Path) -> None:
    with smsc(tmp_path) as center:
        os.kill(center.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(center.pid, 0)


# --- figures ------------------------------------------------------------------------------------------------


def test_cpu_of_descendants_counts_after_their_end_too() -> None:
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]); print(); input()"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert cpu_seconds(process.pid) >= 0.4
        process.communicate(b"\n")


def test_figures_are_medians() -> None:
    figures = Figures()
    for value in (1, 100, 3):
        figures.add("speed", value)
    assert figures.medians() == {"speed": 3}


def test_ratios_are_ours_by_theirs_and_absent_without_one_of_them() -> None:
    figures = {"ours": 8.0, "theirs": 10.0}
    assert ratios(figures, {"vs": ("ours", "theirs"), "none": ("ours", "other")}) == {"vs": 0.8}


def test_each_round_begins_with_another_peer() -> None:
    assert [rotated("abc", turn)[0] for turn in range(4)] == ["a", "b", "c", "a"]
    assert sorted(rotated("abc", 2)) == ["a", "b", "c"]
