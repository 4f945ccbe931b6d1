"""One writer at a time among all processes that use one database file.

SQLite's own waiting sleeps in growing steps; here the kernel wakes the next one at once. A lock ends with
its process, however that dies. There is no time limit: a holder that hangs is in the hands of the disk, and
we would be too; a milter worker's callers have deadlines of their own.
"""

from __future__ import annotations

import fcntl
import os

_MODE = 0o660


def hand_over(file: int, like: str) -> None:
    """Give what root made to the owner of `like`: the service itself does not run as root."""
    if os.geteuid() == 0:
        owner = os.stat(like)
        os.fchown(file, owner.st_uid, owner.st_gid)


class WriterLock:
    """The locked file `PATH.lock`. One thread at a time; made by the process that uses it, since a forked
    child would share the lock.
    """

    def __init__(self, path: str) -> None:
        self._file = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        hand_over(self._file, path)

    def acquire(self) -> None:
        """Wait for the lock and take it."""
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def release(self) -> None:
        """Let the next one write."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)
