from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from sms_milter.logbook.entry import read_entry
from sms_milter.logline import as_record

NOW = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
AT = datetime(2026, 11, 22, 3, 15, 1, tzinfo=UTC).timestamp()
TEXT = "4ABC: to=447973100000, queue=7, status=accepted (message_id=a,b)"


@pytest.mark.parametrize(
    ("line", "host"),
    [
        (f"Nov 22 03:15:01 mx sms-milter/dispatch[12]: {TEXT}", "mx"),
        (f"Nov 22 03:15:01 mx.example.com sms-milter/dispatch[12]: {TEXT}", "mx.example.com"),
        (f"Nov 22 03:15:01 sms-milter/dispatch[12]: {TEXT}", ""),  # our standard error
        (f"2026-11-22T03:15:01+00:00 mx sms-milter/dispatch[12]: {TEXT}", "mx"),
        (f"2026-11-22T04:15:01.000000+01:00 mx sms-milter/dispatch[12]: {TEXT}", "mx"),
        (f"2026-11-22T03:15:01Z mx sms-milter/dispatch[12]: @cee: {json.dumps(as_record(TEXT))}", "mx"),
        (
            json.dumps(
                {"at": "2026-11-22T03:15:01Z", "program": "sms-milter/dispatch", "pid": 12, **as_record(TEXT)}
            ),
            "",
        ),
        (
            json.dumps(
                {
                    "__REALTIME_TIMESTAMP": str(int(AT * 1e6)),
                    "_HOSTNAME": "mx",
                    "SYSLOG_IDENTIFIER": "sms-milter/dispatch",
                    "_PID": "12",
                    "MESSAGE": list(TEXT.encode()),
                }
            ),
            "mx",
        ),
    ],
)
def test_every_kind_of_line_says_the_same(line: str, host: str) -> None:
    entry = read_entry(line, NOW)
    assert entry is not None
    assert (entry.at, entry.host, entry.program, entry.pid) == (AT, host, "sms-milter/dispatch", "12")
    assert (entry.text, entry.queue_id, entry.ours) == (TEXT, "4ABC", True)
    assert entry.shown.endswith(f"sms-milter/dispatch[12]: {TEXT}")


def test_lines_of_the_mta() -> None:
    entry = read_entry("Nov 22 03:15:01 mx postfix/smtpd[9]: 4ABC: client=x[192.0.2.1]", NOW)
    assert entry is not None
    assert (entry.ours, entry.queue_id) == (False, "4ABC")
    entry = read_entry("Nov 22 03:15:01 mx postfix/smtpd[9]: NOQUEUE: reject: RCPT from x", NOW)
    assert entry is not None
    assert entry.queue_id == ""


@pytest.mark.parametrize(
    "line", ["", "Traceback (most recent call last):", "{", '{"program": "other"}', "{}"]
)
def test_what_is_no_line_of_a_log(line: str) -> None:
    assert read_entry(line, NOW) is None


def test_a_stamp_without_a_year_is_the_latest_that_can_be() -> None:
    january = datetime(2027, 1, 2, tzinfo=timezone(timedelta(hours=1)))
    for stamp, year in (("Dec 31 23:59:59", 2026), ("Jan  1 00:00:00", 2027), ("Jan  2 12:00:00", 2027)):
        entry = read_entry(f"{stamp} mx sms-milter/report[1]: stopped", january)
        assert entry is not None
        assert entry.at is not None
        assert datetime.fromtimestamp(entry.at, january.tzinfo).year == year
    leap = read_entry("Feb 29 12:00:00 mx sms-milter/report[1]: stopped", january)
    assert leap is not None
    assert leap.at is None
