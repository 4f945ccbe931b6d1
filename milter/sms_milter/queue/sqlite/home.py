"""Where the queue is a file: doorbells and locks beside it, the host's own clock."""

from __future__ import annotations

import time
from collections.abc import Callable

from sms_milter.ports import Doorbell
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.queue.sqlite.doorbell import (
    COURIER,
    DISPATCH,
    REPORT,
    Chime,
    DatagramDoorbell,
    DoorbellListener,
)
from sms_milter.queue.sqlite.role import RoleLock

_ENDS = {"dispatch": DISPATCH, "courier": COURIER, "report": REPORT}


class SqliteHome:
    """See `home.Home`; at `path`."""

    def __init__(self, path: str, host: str) -> None:
        self._path, self.host = path, host

    def queue(self) -> SqliteQueue:
        """On the file."""
        return SqliteQueue(self._path)

    def now(self) -> float:
        """The host's."""
        return time.time()

    def doorbell(self, *roles: str) -> Doorbell:
        """Datagram sockets."""
        return Chime(*(DatagramDoorbell(self._path, _ENDS[role]) for role in roles))

    def listener(self, role: str) -> DoorbellListener:
        """A datagram socket."""
        return DoorbellListener(self._path, _ENDS[role])

    def turn(self, role: str) -> Callable[[], bool]:
        """A lock on a file."""
        name = f"{role}.{self.host}" if role == "dispatch" else role
        return RoleLock(self._path, name).acquire

    def close(self) -> None:
        """They end with the process."""
