"""Named statements on a PostgreSQL connection. What concerns many rows is one statement with a column of each
field; hosts agree by locks on rows, always asked for in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from psycopg import Connection
from psycopg.raw_cursor import RawCursor

from sms_milter.model import NewMail
from sms_milter.queue.database import Changed, Values
from sms_milter.queue.postgresql.arrays import ARRAYS, Array, Bigints, Texts
from sms_milter.queue.postgresql.entry import PostgresqlEntry
from sms_milter.queue.statements import statements

_NAMED = re.compile(r"(?<![:\w]):([a-z_]+)")
_NUMBERED = re.compile(r"\$(\d+)")
_COLUMN = re.compile(r"\$(\d+)::(\w+)\[\]")
_FINGERPRINTS_AT_ONCE = 10_000
_OWNER = "owner"  # the value that the connection itself knows


class Statement:
    """One statement with `$1`, `$2`, … for its values; `names` are theirs where they have some, the numbered
    ones come first. `columns` are the arrays among them.
    """

    __slots__ = ("columns", "names", "numbered", "sql")

    def __init__(self, sql: str) -> None:
        self.numbered = max(map(int, _NUMBERED.findall(sql)), default=0)
        self.names = tuple(dict.fromkeys(_NAMED.findall(sql)))
        places = {name: self.numbered + place for place, name in enumerate(self.names, 1)}
        self.sql = _NAMED.sub(lambda found: f"${places[found[1]]}", sql)
        self.columns: list[type[Array] | None] = [None] * (self.numbered + len(self.names))
        for place, element in _COLUMN.findall(self.sql):
            self.columns[int(place) - 1] = ARRAYS[element]

    def values(self, given: Values, owner: str) -> Sequence[Any]:
        """One row of values in the order of their numbers."""
        if not self.names:
            return given  # type: ignore[return-value]  # numbered values come in a sequence
        facts: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        named = [facts[name] if name in facts else {_OWNER: owner}[name] for name in self.names]
        return named if isinstance(given, Mapping) else [*given, *named]

    def batch(self, rows: Sequence[Values], owner: str) -> Sequence[Any]:
        """Many rows at once: a column of each value that is an array; of the others the first row's."""
        first = self.values(rows[0], owner)
        columns: list[Sequence[Any]]
        if isinstance(rows[0], Mapping):
            columns = [
                list(map(itemgetter(name), rows)) if column is not None else ()
                for name, column in zip(self.names, self.columns, strict=True)
            ]
        else:
            columns = [*zip(*rows, strict=True), *((),) * len(self.names)]
        return [
            value if column is None else column(values)
            for value, column, values in zip(first, self.columns, columns, strict=True)
        ]


@cache
def compiled() -> Mapping[str, Statement]:
    """The statements of the store by name."""
    return {name: Statement(sql) for name, sql in statements("postgresql").items()}


class _Cursor(RawCursor[Any]):
    """Waits for its own result when that is asked for."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""
        if self.pgresult is None:
            with self._conn.pipeline() as pipeline:
                pipeline.sync()
        return super().rowcount


class _Several:
    """What a statement did, run several times."""

    __slots__ = ("_cursors",)

    def __init__(self, cursors: Sequence[RawCursor[Any]]) -> None:
        self._cursors = cursors

    @property
    def rowcount(self) -> int:
        """How many rows were changed in all."""
        return sum(cursor.rowcount for cursor in self._cursors)


class PostgresqlDatabase:
    """See `database.Database`. `owner` names this process among those of all hosts."""

    __slots__ = ("_connection", "_owner", "_sql")

    def __init__(self, connection: Connection[Any], owner: str) -> None:
        self._connection, self._owner, self._sql = connection, owner, compiled()

    def execute(self, name: str, values: Values = ()) -> RawCursor[Any]:
        """Run a statement once."""
        statement = self._sql[name]
        return self._run(statement, statement.values(values, self._owner))

    def many(self, name: str, rows: Sequence[Values]) -> Changed:
        """Run it for all of these, at once if it takes columns."""
        statement = self._sql[name]
        if rows and any(statement.columns):
            return self._run(statement, statement.batch(rows, self._owner))
        return _Several([self._run(statement, statement.values(row, self._owner)) for row in rows])

    def insert(self, name: str, rows: Sequence[Values]) -> None:
        """Insert all rows."""
        self.many(name, rows)

    def each(self, name: str, rows: Sequence[Values]) -> list[Any]:
        """The first row found for each of these; the statement tells the place of each that it finds."""
        if not rows:
            return []
        statement = self._sql[name]
        found: list[Any] = [None] * len(rows)
        for place, *columns in self._run(statement, statement.batch(rows, self._owner)):
            found[place - 1] = columns
        return found

    def every(self, name: str, rows: Sequence[Values]) -> list[list[Any]]:
        """All rows found for each of these; they are asked for together."""
        statement = self._sql[name]
        cursors = [self._run(statement, statement.values(row, self._owner)) for row in rows]
        return [cursor.fetchall() for cursor in cursors]

    def listed(self, values: Sequence[int]) -> Bigints:
        """As an array."""
        return Bigints(values)

    def entry(self, mails: Sequence[NewMail], now: float, oldest: float) -> PostgresqlEntry:
        """Claim for these mails what other hosts could want too."""
        return PostgresqlEntry(self, mails, now, oldest)

    def alone(self, chore: str) -> bool:
        """By an advisory lock that ends with the transaction."""
        return self.execute("alone", (chore,)).fetchall() == [(True,)]

    def tidy(self, before: float) -> None:
        """Counts become one row; old fingerprints, and what dispatchers reported that are gone."""
        self.execute("fold_counts")
        self.execute("fold_flow")
        self.execute("forget_links")
        self.execute("forget_loads")
        self.execute("forget_fingerprints", (before, _FINGERPRINTS_AT_ONCE))

    def lock(self, kind: str, names: Iterable[str]) -> None:
        """Lock the row of each name, in the order that all keep to."""
        wanted = sorted(set(names))
        if wanted:
            self.execute("lock", (kind, Texts(wanted)))

    def _run(self, statement: Statement, values: Sequence[Any]) -> RawCursor[Any]:
        cursor = _Cursor(self._connection)
        cursor.execute(statement.sql, values, prepare=True, binary=True)
        return cursor
