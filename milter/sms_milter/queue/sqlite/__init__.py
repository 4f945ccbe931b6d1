"""The queue in one SQLite file.

Any number of processes use the file at the same time; each makes its own `SqliteQueue` after it was forked.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from sms_milter.queue.database import Database
from sms_milter.queue.sqlite.database import SqliteDatabase
from sms_milter.queue.sqlite.file import SqliteFile
from sms_milter.queue.store import Store


class SqliteQueue(Store):
    """All of a queue's ports on the file at `path`."""

    def __init__(self, path: str, *, retry_window_seconds: float = 5 * 86400.0) -> None:
        super().__init__(retry_window_seconds)
        self.path = path
        self._file = SqliteFile(path)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._file.close()

    def free_octets(self) -> int | None:
        """Space left for the file; None if its directory cannot be looked at."""
        try:
            space = os.statvfs(os.path.dirname(self.path) or ".")
        except OSError:
            return None
        return space.f_bavail * space.f_frsize

    @contextlib.contextmanager
    def _transaction(self, *, synced: bool = True) -> Iterator[Database]:
        with self._file.transaction(synced=synced) as connection:
            yield SqliteDatabase(connection)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Database]:
        with self._file.reading() as connection:
            yield SqliteDatabase(connection)
