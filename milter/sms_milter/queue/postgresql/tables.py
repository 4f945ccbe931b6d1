"""A store's tables as their owner brings them up to date (`schema`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import psycopg

from sms_milter.errors import QueueUnavailable
from sms_milter.queue.postgresql import schema
from sms_milter.queue.postgresql.patient import PatientConnection
from sms_milter.queue.postgresql.server import PostgresqlServer

_TRIES = 10  # for locks on tables that others work with

_Given = TypeVar("_Given")


class PostgresqlTables:
    """The tables at `url`. All of it raises QueueUnavailable."""

    def __init__(
        self,
        url: str,
        *,
        added: Mapping[int, str] | None = None,
        after: Mapping[int, str] | None = None,
    ) -> None:
        self._server = PostgresqlServer(url, "migrate")
        self._added, self._after = added, after
        self.place = self._server.place
        self.version = schema.version(added)

    def add(self) -> list[int]:
        """What this version needs; the versions that were added now."""
        return self._patiently(lambda connection: schema.prepare(connection, self._added))

    def unfit(self) -> str:
        """Why this version cannot work with them; "" if it can, or would bring them up to date."""
        return self._patiently(lambda connection: schema.unfit(connection, self._added))

    def remaining(self) -> list[int]:
        """The versions that have left something behind which only older ones need."""
        return self._patiently(lambda connection: schema.remaining(connection, self._after))

    def in_the_way(self) -> list[str]:
        """Who still needs it: `sms-milter HOST`."""
        return self._patiently(
            lambda connection: schema.at_work(
                connection, min(schema.remaining(connection, self._after), default=0)
            )
        )

    def remove(self) -> list[int]:
        """As much of it as nobody needs; the versions whose leftovers went."""
        return self._patiently(lambda connection: schema.remove(connection, self._after))

    def _patiently(self, deed: Callable[[PatientConnection], _Given]) -> _Given:
        for tries_left in reversed(range(_TRIES)):
            try:
                with self._server.connect() as connection:
                    return deed(connection)
            except psycopg.Error as error:
                if not (tries_left and isinstance(error, psycopg.errors.LockNotAvailable)):
                    raise self._server.meaning(error) from error
            except QueueUnavailable as error:
                raise QueueUnavailable(f"{self.place}: {error}") from error
        raise AssertionError
