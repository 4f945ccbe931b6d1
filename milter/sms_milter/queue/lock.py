"""One writer at a time among all processes that use one database file, first come, first served.

SQLite's own waiting sleeps in growing steps and lets newcomers overtake; here the kernel wakes the next one
at once. A lock ends with its process, however that dies.
"""

from __future__ import annotations

import fcntl
import os
import threading

_MODE = 0o660


def hand_over(file: int, like: str) -> None:
    """Give what root made to the owner of `like`: the service itself does not run as root."""
    if os.geteuid() == 0:
        owner = os.stat(like)
        os.fchown(file, owner.st_uid, owner.st_gid)


def _open(path: str, like: str) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
    hand_over(file, like)
    return file


class WriterLock:
    """Two locked files: who is next stands at the gate (`PATH.turn`), who writes holds `PATH.lock`.

    A writer that is done and comes again finds the gate taken by the one who waits, and cannot overtake.
    One thread at a time; made by the process that uses it, because a forked child would share the lock.
    """

    def __init__(self, path: str) -> None:
        self._gate = _open(f"{path}.turn", path)
        try:
            self._lock = _open(f"{path}.lock", path)
        except OSError:
            os.close(self._gate)
            raise
        self._waiter: threading.Thread | None = None
        self._state = threading.Lock()
        self._start = threading.Semaphore(0)
        self._granted = threading.Semaphore(0)
        self._waiting = False  # the waiter is in the kernel on our behalf
        self._wanted = False

    def acquire(self, wait_seconds: float) -> bool:
        """Take the lock; False if others held it all the time."""
        if not self._waiting and self._at_once():
            return True
        with self._state:
            self._wanted = True
            if not self._waiting:
                self._waiting = True
                self._start.release()
        if self._waiter is None:
            self._waiter = threading.Thread(target=self._wait, name="queue-lock", daemon=True)
            self._waiter.start()
        if self._granted.acquire(timeout=wait_seconds):
            return True
        with self._state:
            if self._granted.acquire(blocking=False):
                return True
            self._wanted = False
            return False

    def release(self) -> None:
        """Let the next one write."""
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _at_once(self) -> bool:
        try:
            fcntl.flock(self._gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False  # the gate stays ours: we are next
        fcntl.flock(self._gate, fcntl.LOCK_UN)
        return True

    def _wait(self) -> None:
        while True:
            self._start.acquire()
            fcntl.flock(self._gate, fcntl.LOCK_EX)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            fcntl.flock(self._gate, fcntl.LOCK_UN)
            with self._state:
                self._waiting = False
                if self._wanted:
                    self._granted.release()
                else:
                    fcntl.flock(self._lock, fcntl.LOCK_UN)
