"""The queue in a PostgreSQL database, shared by any number of milter and dispatch hosts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TypeVar

from sms_milter.queue.database import Database
from sms_milter.queue.postgresql.clock import DatabaseClock
from sms_milter.queue.postgresql.database import PostgresqlDatabase
from sms_milter.queue.postgresql.server import Contended, PostgresqlServer
from sms_milter.queue.store import Store

_TRIES = 5
_Given = TypeVar("_Given")


class PostgresqlQueue(Store):
    """All of a queue's ports on the database at `url`; `owner` is this process's name among all hosts'."""

    def __init__(
        self,
        url: str,
        *,
        owner: str = "",
        clock: DatabaseClock | None = None,
        retry_window_seconds: float = 5 * 86400.0,
    ) -> None:
        """`clock` is kept right by what this connection sees."""
        super().__init__(retry_window_seconds)
        self._owner = owner
        self._server = PostgresqlServer(url, owner, clock=clock)

    def close(self) -> None:
        """Let go of the database; the next use opens it again."""
        self._server.close()

    def free_octets(self) -> int | None:
        """Nobody tells: what does not fit any more is refused by the server."""
        return None

    @contextlib.contextmanager
    def _transaction(self, *, synced: bool = True) -> Iterator[Database]:
        with self._server.transaction(synced=synced) as connection:
            yield PostgresqlDatabase(connection, self._owner)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Database]:
        with self._server.reading() as connection:
            yield PostgresqlDatabase(connection, self._owner)

    def _write(self, deed: Callable[[Database], _Given], *, synced: bool = True) -> _Given:
        for _ in range(_TRIES - 1):
            with contextlib.suppress(Contended):
                return super()._write(deed, synced=synced)
        return super()._write(deed, synced=synced)
