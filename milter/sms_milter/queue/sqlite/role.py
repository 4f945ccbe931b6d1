"""One process at a time plays a role that only one may play, whoever else was started for it."""

from __future__ import annotations

import fcntl
import os

from sms_milter.errors import QueueUnavailable
from sms_milter.queue.sqlite.lock import hand_over

_MODE = 0o660


class RoleLock:
    """The role on the queue at `path`; the next process has it as soon as the one before ends or dies.

    Made by the process that uses it, because a forked child would share the lock.
    """

    def __init__(self, path: str, role: str) -> None:
        self._path, self._folder = f"{path}.{role}", os.path.dirname(path) or "."
        self._file = -1

    def acquire(self) -> bool:
        """Whether it is ours, from now on or already. Raises QueueUnavailable."""
        try:
            if self._file < 0:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
                hand_over(self._file, self._folder)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise QueueUnavailable(f"{self._path}: {error.strerror}") from error
        return True
