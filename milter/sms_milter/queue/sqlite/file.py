"""The database file of an SQLite store: opening, migrating, one writer at a time, and what its errors mean.

Knows nothing of mails and parts.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence

from sms_milter.errors import QueueError, QueueUnavailable
from sms_milter.queue.sqlite.lock import WriterLock, hand_over
from sms_milter.queue.statements import migrations

_MODE = 0o660  # texts and numbers are for the service's user and group
_CACHE_KIB = 16 * 1024
_CHECKPOINT_PAGES = 4000
_TURN_SECONDS = 10.0
_JOURNAL_LIMIT_OCTETS = 64 * 1024 * 1024
_FOREIGN_LOCK_MILLISECONDS = (
    2000  # a sqlite3 shell or a checkpoint at close; our own writers wait for the lock file
)

_CAUSES = {
    "SQLITE_FULL": "disk full",
    "SQLITE_READONLY": "read-only",
    "SQLITE_BUSY": "locked by another program",
    "SQLITE_LOCKED": "locked",
    "SQLITE_CORRUPT": "database damaged",
    "SQLITE_NOTADB": "not a queue database",
    "SQLITE_IOERR": "input/output error",
    "SQLITE_CANTOPEN": "cannot be opened",
    "SQLITE_NOMEM": "out of memory",
}

MOVING = 1_000_000  # a user_version from here on is that of a file that only `queue.sqlite.moving` may use
_SYNCED = "synchronous = FULL"


class SqliteFile:
    """One process's way to the database at `path`.

    Opened on first use, by the process that uses it (after fork); closed after any error of SQLite and opened
    again on the next use, so it heals when the disk comes back. Any thread may use it; they take turns.
    """

    def __init__(self, path: str, *, scripts: Sequence[str] | None = None) -> None:
        self.path = path
        self._scripts = migrations("sqlite") if scripts is None else scripts
        self._turn = threading.Lock()
        self._process = 0
        self._identity: tuple[int, int] | None = None
        self._lock: WriterLock | None = None
        self._connection: sqlite3.Connection | None = None

    @contextlib.contextmanager
    def transaction(self, *, synced: bool = True) -> Iterator[sqlite3.Connection]:
        """Everything inside is durable together at its end, or not at all. Raises QueueUnavailable.

        Not `synced`: durable with the next transaction that is, and until then lost if the machine stops.
        """
        self._take_turn()
        try:
            connection = self._open()
            lock = self._writer_lock()
            try:
                if not synced:
                    connection.execute("PRAGMA synchronous = NORMAL").close()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except sqlite3.Error:
                    raise
                except BaseException:
                    connection.execute("ROLLBACK")
                    connection.execute(f"PRAGMA {_SYNCED}").close()
                    raise
                connection.execute("COMMIT")
                if not synced:
                    connection.execute(f"PRAGMA {_SYNCED}").close()
            except sqlite3.Error as error:
                raise self._meaning(error) from error
            finally:
                lock.release()
        finally:
            self._turn.release()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """For statements that only read; each sees what is committed by then. Raises QueueUnavailable."""
        self._take_turn()
        try:
            yield self._open()
        except sqlite3.Error as error:
            raise self._meaning(error) from error
        finally:
            self._turn.release()

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        self._take_turn()
        try:
            self._drop()
            lock, self._lock = self._lock, None
            if lock is not None:
                lock.close()
        finally:
            self._turn.release()

    def _take_turn(self) -> None:
        if not self._turn.acquire(timeout=_TURN_SECONDS):
            raise QueueUnavailable(f"{self.path}: busy in another thread")

    def _meaning(self, error: sqlite3.Error) -> Exception:
        """What an error of SQLite is to us; the connection is not to be trusted after it."""
        self._drop()
        if isinstance(error, sqlite3.ProgrammingError | sqlite3.IntegrityError | sqlite3.InterfaceError):
            return error  # our own mistake
        return QueueUnavailable(f"{self.path}: {_cause(error)}")

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _writer_lock(self) -> WriterLock:
        if self._lock is None:
            try:
                self._lock = WriterLock(self.path)
            except OSError as error:
                raise QueueUnavailable(f"{self.path}: {error.strerror} ({error.filename})") from error
        self._lock.acquire()
        return self._lock

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None:
            if self._process != os.getpid():
                raise QueueError(f"{self.path}: opened before fork")
            if self._identity == _identity(self.path):
                return self._connection
            self._drop()  # moved away or restored from a copy: what we write there would be lost
        self._process = os.getpid()
        _create(self.path)
        try:
            connection = self._connection = _connect(self.path)
            self._identity = _identity(self.path)
            if _version(connection) != len(self._scripts):
                self._migrate(connection)
        except sqlite3.Error as error:
            raise self._meaning(error) from error
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        lock = self._writer_lock()
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            for version in range(_version(connection), len(self._scripts)):
                script = (
                    f"BEGIN IMMEDIATE; {self._scripts[version]}; PRAGMA user_version = {version + 1}; COMMIT;"
                )
                connection.executescript(script)
            version = _version(connection)
            if version > len(self._scripts):
                self._drop()
                moving = "closed by `sms-milter queue move`, which is to be begun again if it has not ended"
                newer = "written by a newer version of this program"
                raise QueueUnavailable(f"{self.path}: {moving if version >= MOVING else newer}")
        finally:
            lock.release()


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _create(path: str) -> None:
    """Make an empty file with our mode (SQLite would let all read it) and its directory entry durable."""
    try:
        folder = os.path.dirname(path) or "."
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
        hand_over(file, folder)
        os.close(file)
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        os.fsync(directory)
        os.close(directory)
    except FileExistsError:
        return
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise QueueUnavailable(f"{path}: directory missing") from error
        raise QueueUnavailable(f"{path}: {error.strerror}") from error


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=200)
    for pragma in (
        f"busy_timeout = {_FOREIGN_LOCK_MILLISECONDS}",
        _SYNCED,
        "foreign_keys = OFF",  # parents and children lie side by side and are written together
        "temp_store = MEMORY",
        f"cache_size = -{_CACHE_KIB}",
        f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
        f"journal_size_limit = {_JOURNAL_LIMIT_OCTETS}",
    ):
        connection.execute(f"PRAGMA {pragma}").close()
    return connection


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _cause(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "") or ""
    for known, cause in _CAUSES.items():
        if name.startswith(known):
            return f"{cause} ({error})"
    return str(error)
