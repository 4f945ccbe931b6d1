"""The log's ways out: syslog, systemd's journal or stderr, one line an event. What it says is decided where
things happen.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import syslog
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sms_milter.config.schema import LogSettings
from sms_milter.logline import as_record

_DEVICES = ("/dev/log", "/var/run/syslog", "/var/run/log")
_JOURNAL = Path("/run/systemd/journal/socket")
# By which rsyslog's mmjsonparse and others know that what follows is JSON.
_COOKIE = "@cee: "

# Writes a line of a priority as syslog(3) has it; one that begins with its severity.
Write = Callable[[int, str], None]


class Log:
    """`ports.Journal` over one way out."""

    def __init__(self, write: Write, *, debug: bool = False) -> None:
        self._write = write
        self._debug = debug

    def debug(self, line: str) -> None:
        """For developers."""
        if self._debug:
            self._write(syslog.LOG_DEBUG, line)

    def info(self, line: str) -> None:
        """It happened."""
        self._write(syslog.LOG_INFO, line)

    def warning(self, line: str) -> None:
        """Someone should look today."""
        self._write(syslog.LOG_WARNING, f"warning: {line}")

    def error(self, line: str) -> None:
        """One mail or part suffered."""
        self._write(syslog.LOG_ERR, f"error: {line}")

    def critical(self, line: str) -> None:
        """We stop."""
        self._write(syslog.LOG_CRIT, f"critical: {line}")


def to_syslog(name: str, facility: str, *, as_json: bool = False) -> Write:
    """Through syslog(3) as `sms-milter/NAME`. Open it after the fork."""
    syslog.openlog(f"sms-milter/{name}", syslog.LOG_PID, _facility(facility))
    if not as_json:
        return syslog.syslog
    return lambda priority, text: syslog.syslog(priority, _COOKIE + json.dumps(as_record(text)))


class ToStderr:
    """As syslog would show it; one write(2) a line, so that processes do not mix."""

    def __init__(self, name: str) -> None:
        self._tag = f"sms-milter/{name}[{os.getpid()}]: "
        self._second = -1
        self._stamp = ""

    def __call__(self, _: int, text: str) -> None:
        """One line."""
        second = int(time.time())
        if second != self._second:
            self._second, self._stamp = second, time.strftime("%b %d %H:%M:%S ", time.localtime(second))
        os.write(2, f"{self._stamp}{self._tag}{text}\n".encode("ascii", "replace"))


def to_stderr_as_json(name: str) -> Write:
    """An object a line, for containers."""
    head = {"program": f"sms-milter/{name}", "pid": os.getpid()}

    def write(_: int, text: str) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        os.write(2, json.dumps({"at": at, **head, **as_record(text)}).encode() + b"\n")

    return write


class ToSystemd:
    """To systemd's journal in its own protocol, with every pair of a line as a field: SMS_MILTER_ACCOUNT=acme
    (systemd.journal-fields(7)). While journald is away, to stderr behind the prefix of sd-daemon(3).
    """

    def __init__(self, name: str, facility: str, place: Path = _JOURNAL) -> None:
        self._head = f"SYSLOG_IDENTIFIER=sms-milter/{name}\nSYSLOG_FACILITY={_facility(facility) >> 3}\n"
        self._place = str(place)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    def __call__(self, priority: int, text: str) -> None:
        """One line."""
        text = text.replace("\n", " ")
        record = as_record(text)
        del record["severity"]  # PRIORITY says it
        pairs = "".join([f"SMS_MILTER_{name.upper()}={value}\n" for name, value in record.items()])
        datagram = f"MESSAGE={text}\nPRIORITY={priority}\n{self._head}{pairs}".encode("ascii", "replace")
        try:
            self._socket.sendto(datagram, self._place)
        except OSError:
            os.write(2, f"<{priority}>{text}\n".encode("ascii", "replace"))

    def close(self) -> None:
        """No more."""
        self._socket.close()


def _facility(name: str) -> int:
    number: int = getattr(syslog, f"LOG_{name.upper()}")
    return number


def stderr_is_the_journal() -> bool:
    """Whether systemd reads our stderr (systemd.exec(5), JOURNAL_STREAM)."""
    here = os.fstat(2)
    return os.environ.get("JOURNAL_STREAM") == f"{here.st_dev}:{here.st_ino}" and _JOURNAL.exists()


def open_journal(log: LogSettings, name: str) -> Log:
    """The journal that the configuration asks for; says so on stderr where no syslog listens."""
    as_json = log.format == "json"
    if log.to == "stderr" and stderr_is_the_journal():
        return Log(ToSystemd(name, log.facility))
    if log.to == "stderr":
        return Log(to_stderr_as_json(name) if as_json else ToStderr(name))
    if name == "supervisor" and not any(map(os.path.exists, _DEVICES)):
        print(
            "sms-milter: warning: no syslog socket on this machine, log lines are lost; see log.to",
            file=sys.stderr,
        )
    return Log(to_syslog(name, log.facility, as_json=as_json))
