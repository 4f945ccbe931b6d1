"""The log's ways out: syslog or stderr, one line an event. What it says is decided where things happen."""

from __future__ import annotations

import os
import sys
import syslog
import time

from sms_milter.config.schema import LogSettings

_DEVICES = ("/dev/log", "/var/run/syslog", "/var/run/log")


class SyslogJournal:
    """Writes through syslog(3) as `sms-milter/NAME`. Open it after the fork."""

    def __init__(self, name: str, facility: str, *, debug: bool = False) -> None:
        syslog.openlog(f"sms-milter/{name}", syslog.LOG_PID, getattr(syslog, f"LOG_{facility.upper()}"))
        self._debug = debug

    def debug(self, line: str) -> None:
        """For developers."""
        if self._debug:
            syslog.syslog(syslog.LOG_DEBUG, line)

    def info(self, line: str) -> None:
        """It happened."""
        syslog.syslog(syslog.LOG_INFO, line)

    def warning(self, line: str) -> None:
        """Someone should look today."""
        syslog.syslog(syslog.LOG_WARNING, f"warning: {line}")

    def error(self, line: str) -> None:
        """One mail or part suffered."""
        syslog.syslog(syslog.LOG_ERR, f"error: {line}")

    def critical(self, line: str) -> None:
        """We stop."""
        syslog.syslog(syslog.LOG_CRIT, f"critical: {line}")


class StderrJournal:
    """Writes to stderr as syslog would show it; one write(2) a line, so that processes do not mix."""

    def __init__(self, name: str, *, debug: bool = False) -> None:
        self._tag = f"sms-milter/{name}[{os.getpid()}]: "
        self._debug = debug
        self._second = -1
        self._stamp = ""

    def _write(self, text: str) -> None:
        second = int(time.time())
        if second != self._second:
            self._second, self._stamp = second, time.strftime("%b %d %H:%M:%S ", time.localtime(second))
        os.write(2, f"{self._stamp}{self._tag}{text}\n".encode("ascii", "replace"))

    def debug(self, line: str) -> None:
        """For developers."""
        if self._debug:
            self._write(line)

    def info(self, line: str) -> None:
        """It happened."""
        self._write(line)

    def warning(self, line: str) -> None:
        """Someone should look today."""
        self._write(f"warning: {line}")

    def error(self, line: str) -> None:
        """One mail or part suffered."""
        self._write(f"error: {line}")

    def critical(self, line: str) -> None:
        """We stop."""
        self._write(f"critical: {line}")


def open_journal(log: LogSettings, name: str) -> SyslogJournal | StderrJournal:
    """The journal that the configuration asks for; says so on stderr where no syslog listens."""
    if log.to == "stderr":
        return StderrJournal(name)
    if name == "supervisor" and not any(map(os.path.exists, _DEVICES)):
        print(
            "sms-milter: warning: no syslog socket on this machine, log lines are lost; see log.to",
            file=sys.stderr,
        )
    return SyslogJournal(name, log.facility)
