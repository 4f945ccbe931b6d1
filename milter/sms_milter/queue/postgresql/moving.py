"""A database that everything leaves, or that everything comes into (`queue.move`)."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.errors import LockNotAvailable

from sms_milter.errors import QueueError, QueueUnavailable
from sms_milter.queue.move import TABLES, Key, Row, read, written
from sms_milter.queue.postgresql import schema
from sms_milter.queue.postgresql.server import PostgresqlServer
from sms_milter.queue.states import STATES

_STOPPED_SECONDS = 3  # within which the server notices that whoever used it has ended
_LEAVING, _LEFT, _FILLING = schema.MOVING, 2 * schema.MOVING, 3 * schema.MOVING
# The mails of which the newest with a fingerprint is taken for the one that is sent again.
_FINGERPRINTS = """
INSERT INTO fingerprint (fingerprint, mail_id, at)
SELECT DISTINCT ON (fingerprint) fingerprint, id, received_at FROM mail WHERE fingerprint IS NOT NULL
ORDER BY fingerprint, id DESC
"""
# The ids of tables that number their own rows go on behind those that have come.
_NUMBERED = """
SELECT attrelid::regclass::text FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE attidentity <> '' AND attname = 'id' AND relkind = 'r' AND relnamespace = current_schema()::regnamespace
"""
# Each transaction has counted in a row of its own.
_ONE_ROW_A_MINUTE = """
WITH counted AS (DELETE FROM flow RETURNING minute, stored, refused, sent, delivered, failed)
INSERT INTO flow (minute, stored, refused, sent, delivered, failed, folded)
SELECT minute, sum(stored), sum(refused), sum(sent), sum(delivered), sum(failed), true FROM counted
GROUP BY minute
"""
_NEXT_ID = "SELECT setval(pg_get_serial_sequence({}, 'id'), coalesce(max(id), 0) + 1, false) FROM {}"


class _Database:
    """The only connection to the database at `url` that works on the queue, until it is closed."""

    def __init__(self, url: str) -> None:
        server = PostgresqlServer(url, "move")
        self.place = server.place
        try:
            self._connection = server.connect()
            self._connection.silence_seconds = 0.0  # to count or to delete a table takes as long as it takes
            self._connection.execute("SET statement_timeout = 0; SET enable_seqscan = on")
            if schema.mark(self._connection) < schema.MOVING:
                schema.prepare(self._connection)
            with self._connection.transaction():
                self._connection.execute(f"SET LOCAL lock_timeout = '{_STOPPED_SECONDS}s'")
                self._connection.execute(f"SELECT pg_advisory_lock({schema.USE})")  # not the transaction's
        except LockNotAvailable as error:
            self.close()
            raise QueueError(f"{self.place} is in use: stop sms-milter on all hosts first") from error
        except psycopg.Error as error:
            raise self._unavailable(error) from error
        mark = schema.mark(self._connection)
        self.state = mark - mark % schema.MOVING

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def set_state(self, state: int) -> None:
        """Within a transaction: 0 is a queue that may be used."""
        self._connection.execute(
            "UPDATE schema_version SET removed = removed % $1 + $2", (schema.MOVING, state)
        )
        self.state = state

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection[Any]]:
        """Durable at its end, or not at all. Raises QueueUnavailable."""
        try:
            with self._connection.transaction():
                yield self._connection
        except psycopg.Error as error:
            raise self._unavailable(error) from error

    def columns(self, table: str) -> list[str]:
        """Of a table, from the server's catalogue."""
        with self.transaction() as db:
            cursor = db.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(sql.Identifier(table)))
            return [column.name for column in cursor.description or ()]

    def _unavailable(self, error: psycopg.Error) -> QueueUnavailable:
        return QueueUnavailable(
            f"{self.place}: {error.diag.message_primary or str(error).partition(chr(10))[0]}"
        )


class OldDatabase:
    """See `queue.move.Old`."""

    def __init__(self, url: str) -> None:
        self._database = _Database(url)

    def close(self) -> None:
        """Let go of it."""
        self._database.close()

    @property
    def left(self) -> bool:
        """As it is marked."""
        return self._database.state == _LEFT

    def name(self) -> str:
        """Noted in a table of its own, which nobody else looks at."""
        if self._database.state == _FILLING:
            raise QueueError(f"{self._database.place}: a move into it is not finished")
        with self._database.transaction() as db:
            db.execute("CREATE TABLE IF NOT EXISTS move (name text NOT NULL)")
            row = db.execute("SELECT name FROM move").fetchone()
            if row is None:
                row = (uuid.uuid4().hex,)
                db.execute("INSERT INTO move VALUES ($1)", row)
        return str(row[0])

    def close_doors(self) -> None:
        """Mark it as being left."""
        if not self._database.state:
            with self._database.transaction() as db:
                db.execute(_ONE_ROW_A_MINUTE)
                self._database.set_state(_LEAVING)

    def columns(self, table: str) -> list[str]:
        """From the server's catalogue."""
        return self._database.columns(table)

    def count(self, table: str) -> int:
        """All of them."""
        with self._database.transaction() as db:
            row = db.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
        assert row is not None
        count: int = row[0]
        return count

    def rows(
        self, table: str, columns: Sequence[str], after: Key | None, limit: int
    ) -> list[tuple[Key, Row]]:
        """In the order of the table's own key."""
        key = TABLES[table] or ("id",)
        names = _names(key)
        beyond = sql.SQL("WHERE ({}) > ({})").format(names, _places(len(key))) if after else sql.SQL("")
        question = sql.SQL("SELECT {}, {} FROM {} {} ORDER BY {} LIMIT {}").format(
            names, _names(columns), sql.Identifier(table), beyond, names, sql.Literal(limit)
        )
        with self._database.transaction() as db:
            found = db.execute(question, after or ()).fetchall()
        return [(list(row[: len(key)]), row[len(key) :]) for row in found]

    def last_id(self) -> int:
        """As the sequence has it."""
        with self._database.transaction() as db:
            row = db.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM part_id").fetchone()
        assert row is not None
        last_id: int = row[0]
        return last_id

    def leave(self) -> None:
        """Mark it as left."""
        with self._database.transaction():
            self._database.set_state(_LEFT)

    def reopen(self) -> None:
        """Take the mark away."""
        with self._database.transaction() as db:
            db.execute("DROP TABLE IF EXISTS move")
            self._database.set_state(0)


class NewDatabase:
    """See `queue.move.New`. How far each table has come stands in a table of its own."""

    def __init__(self, url: str) -> None:
        self._database = _Database(url)

    def close(self) -> None:
        """Let go of it."""
        self._database.close()

    def close_doors(self, name: str) -> None:
        """Mark it as being filled."""
        if self.filled_by(name):
            return
        place = self._database.place
        if self._database.state:
            raise QueueError(f"{place}: another move is not finished")
        with self._database.transaction() as db:
            for table in TABLES:
                if db.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(table))).fetchone():
                    raise QueueError(f"{place} is not empty")
            db.execute("DROP TABLE IF EXISTS move")  # of a move out of it that was never begun
            db.execute(
                "CREATE TABLE move (name text NOT NULL, place text PRIMARY KEY, count bigint, key text)"
            )
            for table in TABLES:
                db.execute("INSERT INTO move VALUES ($1, $2, 0, NULL)", (name, table))
            self._database.set_state(_FILLING)

    def filled_by(self, name: str) -> bool:
        """As it is marked."""
        if self._database.state != _FILLING:
            return False
        with self._database.transaction() as db:
            return db.execute("SELECT 1 FROM move WHERE name = $1 LIMIT 1", (name,)).fetchone() is not None

    def columns(self, table: str) -> list[str]:
        """From the server's catalogue."""
        return self._database.columns(table)

    def reached(self, table: str) -> tuple[int, Key | None]:
        """As `store` has left it."""
        with self._database.transaction() as db:
            row = db.execute("SELECT count, key FROM move WHERE place = $1", (table,)).fetchone()
        assert row is not None
        return row[0], read(row[1], TABLES[table] or ("id",))

    def store(self, table: str, columns: Sequence[str], rows: Sequence[Row], key: Key) -> None:
        """In one transaction."""
        question = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), _names(columns))
        with self._database.transaction() as db:
            with db.cursor().copy(question) as copy:
                for row in rows:
                    copy.write_row(row)
            db.execute(
                "UPDATE move SET count = count + $1, key = $2 WHERE place = $3",
                (len(rows), written(key), table),
            )

    def open(self, last_id: int) -> None:
        """Make what is not moved, and take the mark away."""
        with self._database.transaction() as db:
            db.execute(_FINGERPRINTS)
            db.execute("SELECT setval('part_id', greatest($1, 1), $1 > 0)", (last_id,))
            for (table,) in db.execute(_NUMBERED).fetchall():
                next_id = sql.SQL(_NEXT_ID).format(sql.Literal(table), sql.Identifier(table))
                db.execute(next_id)
            # Whoever was about to send a part is gone.
            db.execute("UPDATE part SET owner = '' WHERE state = 1 AND owner IS NULL")
            counts = dict(db.execute("SELECT state, count(*) FROM part GROUP BY state").fetchall())
            db.execute(
                sql.SQL("INSERT INTO part_count ({}) VALUES ({})").format(
                    _names(STATES), _places(len(STATES))
                ),
                [counts.get(number, 0) for number in range(len(STATES))],
            )
            db.execute("DROP TABLE move")
            self._database.set_state(0)
            db.execute("ANALYZE")

    def clear(self) -> None:
        """Take out what has come."""
        with self._database.transaction() as db:
            for table in TABLES:
                db.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table)))
            db.execute("DROP TABLE move")
            self._database.set_state(0)


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _places(count: int) -> sql.SQL:
    return sql.SQL(", ".join(f"${number}" for number in range(1, count + 1)))
