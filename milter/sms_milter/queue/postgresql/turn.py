"""One process at a time plays a role that only one may play, on whatever host: by an advisory lock that ends
with its connection. The server notices within seconds that a host is gone (`server`).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.raw_cursor import RawCursor

from sms_milter.errors import QueueUnavailable

_LOOK_SECONDS = 1.0
_LOCK = "SELECT pg_try_advisory_lock(hashtext('sms-milter role'), hashtext($1))"


class AdvisoryTurn:
    """The role of that name on the queue that `connect` leads to."""

    def __init__(self, connect: Callable[[], Connection[Any]], name: str) -> None:
        self._connect, self._name = connect, name
        self._connection: Connection[Any] | None = None
        self._held = False
        self._looked_at = float("-inf")

    def acquire(self) -> bool:
        """Whether it is ours, from now on or already. Raises QueueUnavailable."""
        now = time.monotonic()
        if self._held and now - self._looked_at < _LOOK_SECONDS:
            return True
        try:
            if self._connection is None:
                self._connection = self._connect()
            if self._held:
                self._connection.execute("SELECT 1")
            else:
                row = RawCursor(self._connection).execute(_LOCK, [self._name]).fetchone()
                self._held = row == (True,)
        except psycopg.Error as error:
            self.close()
            raise QueueUnavailable(f"role {self._name}: {error.diag.message_primary or error}") from error
        self._looked_at = now
        return self._held

    def close(self) -> None:
        """Another may have it."""
        connection, self._connection, self._held = self._connection, None, False
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                connection.close()
