"""Named statements on an SQLite connection; there is one writer at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from sms_milter.model import NewMail
from sms_milter.queue.database import Values
from sms_milter.queue.references import next_reference
from sms_milter.queue.statements import statements

_SQL = statements("sqlite")
_ROWS_AT_ONCE = 32


class SqliteDatabase:
    """See `database.Database`."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, name: str, values: Values = ()) -> sqlite3.Cursor:
        """Run a statement once."""
        return self._connection.execute(_SQL[name], values)

    def many(self, name: str, rows: Sequence[Values]) -> sqlite3.Cursor:
        """Run it for each of these."""
        return self._connection.executemany(_SQL[name], rows)

    def insert(self, name: str, rows: Sequence[Values]) -> None:
        """Insert all rows, many with one statement.

        SQLite lets go of the interpreter at each statement, and libmilter's threads are quick to take it:
        every further one would keep the other workers waiting for the writer's lock.
        """
        head, _, values = _SQL[name].rpartition("VALUES")
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[first : first + _ROWS_AT_ONCE]
            places = ",".join([values] * len(some))
            self._connection.execute(f"{head} VALUES {places}", list(chain.from_iterable(some)))

    def each(self, name: str, rows: Sequence[Values]) -> list[Any]:
        """The first row found for each of these."""
        sql = _SQL[name]
        return [self._connection.execute(sql, row).fetchone() for row in rows]

    def every(self, name: str, rows: Sequence[Values]) -> list[list[Any]]:
        """All rows found for each of these."""
        sql = _SQL[name]
        return [self._connection.execute(sql, row).fetchall() for row in rows]

    def listed(self, values: Sequence[int]) -> str:
        """As JSON."""
        return json.dumps(values)

    def entry(self, _mails: Sequence[NewMail], now: float, oldest: float) -> SqliteEntry:
        """Nobody else writes now."""
        return SqliteEntry(self, now, oldest)

    def alone(self, _chore: str) -> bool:
        """Nobody else writes now."""
        return True

    def tidy(self, before: float) -> None:
        """There is nothing."""

    def lock(self, kind: str, names: Iterable[str]) -> None:
        """Nobody else writes now."""


class SqliteEntry:
    """See `database.Entry`."""

    __slots__ = ("_db", "_now", "_oldest")

    def __init__(self, db: SqliteDatabase, now: float, oldest: float) -> None:
        self._db, self._now, self._oldest = db, now, oldest

    def place(self, _number: int, last_id: int) -> int:
        """Right behind the one before; 0: it is the first of the batch."""
        if last_id:
            return last_id
        before: int = self._db.execute("last_id").fetchone()[0]
        return before

    def known(self, fingerprint: bytes) -> int:
        """The mail with it within the retry window."""
        row = self._db.execute("find_fingerprint", (fingerprint, self._oldest)).fetchone()
        return row[0] if row else 0

    def reference(self, originator: str, destination: str) -> int:
        """The next one."""
        return next_reference(self._db, originator, destination, self._now)

    def finish(self, stored: Mapping[bytes, int]) -> None:
        """What is refused has left no trace."""
