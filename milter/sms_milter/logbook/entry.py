"""One line of a log, whoever wrote it: syslog with either kind of time stamp, our stderr, our JSON, or what
`journalctl -o json` prints. Knows no file and no clock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from sms_milter.logline import Said, of_record, read

# RFC 3339 as rsyslog and syslog-ng write it, or RFC 3164 §4.1.2, which knows no year.
_STAMP = r"(?:(?P<iso>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*)|(?P<old>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d))"
_LINE = re.compile(
    _STAMP + r" (?:(?P<host>[^\s\[]*[^\s\[:]) )?(?P<program>[^\s\[:]+)(?:\[(?P<pid>\d+)\])?: (?P<text>.*)"
)
_COOKIE = "@cee: "
_OURS = "sms-milter"


@dataclass(frozen=True, slots=True)
class Entry:
    """`at` is in seconds since the epoch, None where the line does not say. `text` is what the program wrote;
    `shown` the line as a person reads it.
    """

    at: float | None
    host: str
    program: str
    pid: str
    text: str
    shown: str

    @property
    def ours(self) -> bool:
        """Whether sms-milter wrote it."""
        return self.program.partition("/")[0] == _OURS

    @property
    def queue_id(self) -> str:
        """The MTA's queue id that it begins with, "" without one."""
        name, colon, _ = self.text.partition(": ")
        return name if colon and name.isalnum() and name != "NOQUEUE" else ""

    @property
    def said(self) -> Said:
        """What a line of ours says."""
        return read(self.text)


def read_entry(line: str, now: datetime) -> Entry | None:
    """One line of a log, without its line end; None if it is none. `now` gives what RFC 3164 leaves out, the
    year and the time zone.
    """
    if line.startswith("{"):
        return _of_json(line, now)
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    stamp = found["iso"]
    at = _moment(stamp) if stamp else _in_year(found["old"], now)
    text = found["text"]
    if text.startswith(_COOKIE):
        text = _text_of(_object(text.removeprefix(_COOKIE)), text)
        line = line[: found.start("text")] + text
    return Entry(at, found["host"] or "", found["program"], found["pid"] or "", text, line)


def _of_json(line: str, now: datetime) -> Entry | None:
    record = _object(line)
    if "__REALTIME_TIMESTAMP" in record:
        return _of_journal(record, now.tzinfo)
    if not str(record.get("program", "")).startswith(_OURS):
        return None
    program, pid = str(record["program"]), str(record.get("pid", ""))
    text = _text_of(record, "")
    at = _moment(str(record.get("at", "")))
    return _entry(at, "", program, pid, text, now.tzinfo)


def _of_journal(record: Mapping[str, Any], zone: tzinfo | None) -> Entry:
    """systemd.journal-fields(7); a message with odd octets is an array of numbers there."""
    text = record.get("MESSAGE") or ""
    if isinstance(text, list):
        text = bytes(text).decode("utf-8", "replace")
    if text.startswith(_COOKIE):
        text = _text_of(_object(text.removeprefix(_COOKIE)), text)
    program = str(record.get("SYSLOG_IDENTIFIER") or record.get("_COMM", ""))
    pid = str(record.get("SYSLOG_PID") or record.get("_PID", ""))
    at = int(record["__REALTIME_TIMESTAMP"]) / 1_000_000
    return _entry(at, str(record.get("_HOSTNAME", "")), program, pid, text, zone)


def _entry(at: float | None, host: str, program: str, pid: str, text: str, zone: tzinfo | None) -> Entry:
    stamp = "-" if at is None else datetime.fromtimestamp(at, zone).strftime("%b %d %H:%M:%S")
    where = f"{host} " if host else ""
    shown = f"{stamp} {where}{program}" + (f"[{pid}]" if pid else "") + f": {text}"
    return Entry(at, host, program, pid, text, shown)


def _text_of(record: Mapping[str, Any], otherwise: str) -> str:
    """What our JSON says, as the line that it would be."""
    return of_record(record) if record else otherwise


def _object(text: str) -> Mapping[str, Any]:
    try:
        record = json.loads(text)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _moment(stamp: str) -> float | None:
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return at.timestamp()


def _in_year(stamp: str, now: datetime) -> float | None:
    """The latest such moment that is not in the future, but for a clock that is a little ahead."""
    for year in (now.year + 1, now.year, now.year - 1):
        try:
            at = datetime.strptime(f"{year} {stamp}", "%Y %b %d %H:%M:%S").replace(tzinfo=now.tzinfo or UTC)
        except ValueError:  # the 29th of February
            continue
        if (at - now).total_seconds() < 86400:
            return at.timestamp()
    return None
