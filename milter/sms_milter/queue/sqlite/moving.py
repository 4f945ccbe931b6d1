"""A queue's file that everything leaves, or that everything comes into (`queue.move`)."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from sms_milter.errors import QueueError, QueueUnavailable
from sms_milter.queue.move import TABLES, Key, Row, read, written
from sms_milter.queue.sqlite.file import MOVING, SqliteFile
from sms_milter.queue.statements import migrations
from sms_milter.queue.states import STATES

_LEAVING, _LEFT, _FILLING = MOVING, 2 * MOVING, 3 * MOVING  # on top of the version of the tables
_PATIENCE_SECONDS = 3.0


class _File:
    """The only connection to the file at `path`: SQLite's own locks see to that until it is closed."""

    def __init__(self, path: str) -> None:
        self.path = path
        if _user_version(path) < MOVING:
            file = SqliteFile(path)
            with file.reading():
                pass  # it is made and migrated by that
            file.close()
        self._db = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
        try:
            self._take_alone()
        except sqlite3.OperationalError as error:
            self.close()
            raise QueueError(f"{path} is in use: stop sms-milter there first") from error
        found = _user_version(path, self._db)
        self._version = found % MOVING
        self.state = found - self._version
        if self._version != len(migrations("sqlite")):
            self.close()
            raise QueueError(f"{path}: the move was begun by another version of this program")

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def set_state(self, state: int) -> None:
        """Within a transaction: 0 is a queue that may be used."""
        self._db.execute(f"PRAGMA user_version = {self._version + state}")
        self.state = state

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Durable at its end, or not at all. Raises QueueUnavailable."""
        try:
            self._db.execute("BEGIN")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise QueueUnavailable(f"{self.path}: {error}") from error

    def use_again(self) -> None:
        """As `SqliteFile` has it."""
        self._db.execute("PRAGMA journal_mode = WAL").fetchone()

    def _take_alone(self) -> None:
        # SQLite refuses this while anybody else has the file open, and locks it for us alone with the next
        # transaction.
        if self._db.execute("PRAGMA journal_mode = DELETE").fetchone() != ("delete",):
            raise sqlite3.OperationalError("database is locked")
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE").fetchone()
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("BEGIN EXCLUSIVE")
        self._db.execute("COMMIT")


class OldFile:
    """See `queue.move.Old`."""

    def __init__(self, path: str) -> None:
        if not Path(path).exists():
            raise QueueUnavailable(f"there is no queue at {path}")
        self._file = _File(path)

    def close(self) -> None:
        """Let go of it."""
        self._file.close()

    @property
    def left(self) -> bool:
        """As it is marked."""
        return self._file.state == _LEFT

    def name(self) -> str:
        """Noted in a table of its own, which nobody else looks at."""
        if self._file.state == _FILLING:
            raise QueueError(f"{self._file.path}: a move into it is not finished")
        with self._file.transaction() as db:
            db.execute("CREATE TABLE IF NOT EXISTS move (name TEXT NOT NULL)")
            row = db.execute("SELECT name FROM move").fetchone()
            if row is None:
                row = (uuid.uuid4().hex,)
                db.execute("INSERT INTO move VALUES (?)", row)
        return str(row[0])

    def close_doors(self) -> None:
        """Mark it as being left."""
        if not self._file.state:
            with self._file.transaction():
                self._file.set_state(_LEAVING)

    def columns(self, table: str) -> list[str]:
        """From SQLite's catalogue."""
        return _columns(self._file, table)

    def count(self, table: str) -> int:
        """All of them."""
        with self._file.transaction() as db:
            count: int = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 — our own names
        return count

    def rows(
        self, table: str, columns: Sequence[str], after: Key | None, limit: int
    ) -> list[tuple[Key, Row]]:
        """In the order of the table's own key."""
        key = TABLES[table] or ("rowid",)
        names, places = ", ".join(key), ", ".join("?" * len(key))
        beyond = f"WHERE ({names}) > ({places})" if after else ""
        question = f"SELECT {names}, {_quoted(columns)} FROM {table} {beyond} ORDER BY {names} LIMIT ?"  # noqa: S608
        with self._file.transaction() as db:
            found = db.execute(question, (*(after or ()), limit)).fetchall()
        return [(list(row[: len(key)]), row[len(key) :]) for row in found]

    def last_id(self) -> int:
        """As it is counted."""
        with self._file.transaction() as db:
            last_id: int = db.execute("SELECT last_id FROM counter").fetchone()[0]
        return last_id

    def leave(self) -> None:
        """Mark it as left."""
        with self._file.transaction():
            self._file.set_state(_LEFT)

    def reopen(self) -> None:
        """Take the mark away."""
        with self._file.transaction() as db:
            db.execute("DROP TABLE IF EXISTS move")
            self._file.set_state(0)
        self._file.use_again()


class NewFile:
    """See `queue.move.New`. How far each table has come stands in a table of its own."""

    def __init__(self, path: str) -> None:
        self._file = _File(path)

    def close(self) -> None:
        """Let go of it."""
        self._file.close()

    def close_doors(self, name: str) -> None:
        """Mark it as being filled."""
        if self.filled_by(name):
            return
        if self._file.state:
            raise QueueError(f"{self._file.path}: another move is not finished")
        with self._file.transaction() as db:
            if any(db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in TABLES):  # noqa: S608
                raise QueueError(f"{self._file.path} is not empty")
            db.execute("DROP TABLE IF EXISTS move")  # of a move out of it that was never begun
            db.execute(
                "CREATE TABLE move (name TEXT NOT NULL, place TEXT PRIMARY KEY, count INTEGER, key TEXT)"
            )
            db.executemany("INSERT INTO move VALUES (?, ?, 0, NULL)", [(name, table) for table in TABLES])
            self._file.set_state(_FILLING)

    def filled_by(self, name: str) -> bool:
        """As it is marked."""
        if self._file.state != _FILLING:
            return False
        with self._file.transaction() as db:
            return db.execute("SELECT 1 FROM move WHERE name = ? LIMIT 1", (name,)).fetchone() is not None

    def columns(self, table: str) -> list[str]:
        """From SQLite's catalogue."""
        return _columns(self._file, table)

    def reached(self, table: str) -> tuple[int, Key | None]:
        """As `store` has left it."""
        with self._file.transaction() as db:
            count, key = db.execute("SELECT count, key FROM move WHERE place = ?", (table,)).fetchone()
        return count, read(key, TABLES[table] or ("rowid",))

    def store(self, table: str, columns: Sequence[str], rows: Sequence[Row], key: Key) -> None:
        """In one transaction."""
        names, places = _quoted(columns), ", ".join("?" * len(columns))
        with self._file.transaction() as db:
            db.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)  # noqa: S608
            db.execute(
                "UPDATE move SET count = count + ?, key = ? WHERE place = ?",
                (len(rows), written(key), table),
            )

    def open(self, last_id: int) -> None:
        """Count what has come, and take the mark away."""
        with self._file.transaction() as db:
            counts = dict(db.execute("SELECT state, count(*) FROM part GROUP BY state").fetchall())
            columns = ", ".join(f"{state} = ?" for state in STATES)
            numbers = [counts.get(number, 0) for number in range(len(STATES))]
            db.execute(f"UPDATE counter SET last_id = ?, {columns}", (last_id, *numbers))  # noqa: S608
            db.execute("DROP TABLE move")
            self._file.set_state(0)
        self._file.use_again()

    def clear(self) -> None:
        """Take out what has come."""
        with self._file.transaction() as db:
            for table in TABLES:
                db.execute(f"DELETE FROM {table}")  # noqa: S608
            db.execute("DROP TABLE move")
            self._file.set_state(0)
        self._file.use_again()


def _columns(file: _File, table: str) -> list[str]:
    with file.transaction() as db:
        return [name for (name,) in db.execute("SELECT name FROM pragma_table_info(?)", (table,))]


def _quoted(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _user_version(path: str, db: sqlite3.Connection | None = None) -> int:
    if db is None:
        if not Path(path).exists():
            return 0
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return _user_version(path, db)
    try:
        version: int = db.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise QueueUnavailable(f"{path}: {error}") from error
    return version
