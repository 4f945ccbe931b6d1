"""One process's connection to a PostgreSQL store: made and lost; its transactions; what its errors mean.

Knows nothing of mails and parts.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from psycopg import Connection, conninfo
from psycopg.raw_cursor import RawCursor
from psycopg.types.numeric import Int8BinaryDumper
from psycopg.types.string import StrDumperUnknown

from sms_milter.errors import QueueError, QueueUnavailable
from sms_milter.queue.postgresql import arrays, schema
from sms_milter.queue.postgresql.clock import DatabaseClock
from sms_milter.queue.postgresql.patient import PatientConnection

_TURN_SECONDS = 10.0
_REST_SECONDS = 1.0  # at most, after a try to connect that took its time
_STATEMENTS = 500  # prepared on each connection
# A host that is away is noticed soon; what the operator's URL says goes before.
_USUAL = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# Every statement searches by an index, whatever is known of tables that were empty a minute ago. It is
# planned once: planned for its values, it would take an index of the few in a state, that may be many now. A
# lock is waited for less long than an answer of the server (`patient`). What hangs on us ends: a statement
# that we have given up, and locks of a host that is gone.
_SESSION = """
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off;
SET plan_cache_mode = force_generic_plan;
SET client_min_messages = error; SET lock_timeout = '8s'; SET statement_timeout = '15s';
SET idle_in_transaction_session_timeout = '30s'; SET timezone = 'UTC';
SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;
SET tcp_user_timeout = 10000
"""

# By SQLSTATE: the database is there, and not as we need it; the operator can mend that.
_CAUSES = {
    "25006": "read-only",
    "53100": "disk full",
    "53200": "out of memory",
    "53300": "too many connections",
    "42501": "not permitted",
    "42P01": "tables are missing",
    "3F000": "schema is missing",
    "26000": "prepared statements do not last (a pooler that shares connections by transaction?)",
}
# What it would say on standard error, we say ourselves.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

_AGAIN = psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure


class PostgresqlServer:
    """The way to the database at `url`; `name` tells the server's operator who we are.

    Opened on first use, by the process that uses it (after fork); given up after any error and opened again
    on the next use, so it heals when the database comes back. Any thread may use it; they take turns.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        clock: DatabaseClock | None = None,
        scripts: Mapping[int, str] | None = None,
    ) -> None:
        self._scripts = scripts
        self._clock = DatabaseClock() if clock is None else clock
        self._parameters: dict[str, Any] = {**_USUAL, **conninfo.conninfo_to_dict(url)}
        self._parameters.setdefault("application_name", f"sms-milter {name}")
        self.place = f"postgresql:{self._parameters.get('dbname', '')}"
        self._turn = threading.Lock()
        self._process = 0
        self._connection: Connection[Any] | None = None
        self._away_until, self._why_away = float("-inf"), ""

    @contextlib.contextmanager
    def transaction(self, *, synced: bool = True) -> Iterator[Connection[Any]]:
        """Everything inside is durable together at its end, or not at all. Raises QueueUnavailable.

        Not `synced`: durable a moment later, and until then lost if the server's machine stops. Statements
        leave together (libpq's pipeline mode) until somebody wants to know what one of them gave.
        """
        with self.reading() as connection, connection.pipeline():
            connection.execute("BEGIN", prepare=False)
            if not synced:
                connection.execute("SET LOCAL synchronous_commit = off", prepare=False)
            try:
                yield connection
            except psycopg.Error:
                raise
            except BaseException:
                connection.execute("ROLLBACK", prepare=False)
                raise
            connection.execute("COMMIT", prepare=False)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection[Any]]:
        """For statements that only read; each sees what is committed by then. Raises QueueUnavailable."""
        if not self._turn.acquire(timeout=_TURN_SECONDS):
            raise QueueUnavailable(f"{self.place}: busy in another thread")
        try:
            connection = self._open()
            self._clock.look(connection)
            yield connection
        except psycopg.Error as error:
            self._drop()  # not to be trusted any more
            raise self.meaning(error) from error
        finally:
            self._turn.release()

    def close(self) -> None:
        """Let go of the database; the next use opens it again."""
        if not self._turn.acquire(timeout=_TURN_SECONDS):
            raise QueueUnavailable(f"{self.place}: busy in another thread")
        try:
            self._drop()
        finally:
            self._turn.release()

    def meaning(self, error: psycopg.Error) -> Exception:
        """What an error of PostgreSQL is to us: QueueUnavailable, or itself where it is our own mistake."""
        if isinstance(error, _AGAIN):
            return Contended(f"{self.place}: {_words(error)}")
        cause = _CAUSES.get(error.sqlstate or "")
        if cause is not None:
            return QueueUnavailable(f"{self.place}: {cause} ({_words(error)})")
        if isinstance(error, psycopg.OperationalError):
            return QueueUnavailable(f"{self.place}: {_words(error)}")
        return error

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and self._process == os.getpid():
            with contextlib.suppress(psycopg.Error):
                connection.close()

    def _open(self) -> Connection[Any]:
        if self._connection is not None:
            if self._process != os.getpid():
                raise QueueError(f"{self.place}: opened before fork")
            if not self._connection.closed:
                return self._connection
        self._process = os.getpid()
        connection = self._connection = self._reach()
        try:
            schema.enter(connection, self._scripts)
        except QueueUnavailable as error:
            self._drop()
            raise QueueUnavailable(f"{self.place}: {error}") from error
        return connection

    def _reach(self) -> PatientConnection:
        """As `connect`. Many may ask for a server that does not answer: they share one try."""
        begun = time.monotonic()
        if begun < self._away_until:
            raise QueueUnavailable(self._why_away)
        try:
            return self.connect()
        except psycopg.Error as error:
            now = time.monotonic()
            self._away_until = now + min(now - begun, _REST_SECONDS)
            self._why_away = str(self.meaning(error))
            raise

    def connect(self) -> PatientConnection:
        """A connection as all of ours are. Raises psycopg.Error."""
        connection = PatientConnection.connect(**self._parameters, autocommit=True, cursor_factory=RawCursor)
        connection.prepared_max = _STATEMENTS
        connection.adapters.register_dumper(int, Int8BinaryDumper)
        connection.adapters.register_dumper(str, _TextDumper)
        arrays.register(connection)
        connection.execute(_SESSION)
        return connection


class Contended(QueueUnavailable):
    """Two transactions stood in each other's way; done again it will pass."""


class _TextDumper(StrDumperUnknown):
    """See `arrays.text`."""

    def dump(self, obj: str) -> Any:
        return super().dump(arrays.text(obj))


def _words(error: psycopg.Error) -> str:
    """The first line of it; never the values of a statement, which could hold a text."""
    said = error.diag.message_primary or str(error)
    return said.strip().partition("\n")[0]
