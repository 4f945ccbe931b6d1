"""The time of day that all hosts of a queue go by: the database server's."""

from __future__ import annotations

import time
from typing import Any

from psycopg import Connection

_LASTS_SECONDS = 60.0


class DatabaseClock:
    """What the server's clock shows, between two looks at it by our own that never jumps; before the first
    look it is the host's. Shared by all connections of a process.
    """

    def __init__(self) -> None:
        self._ahead: float | None = None
        self._looked_at = 0.0

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return time.time() if self._ahead is None else time.monotonic() + self._ahead

    def look(self, connection: Connection[Any]) -> None:
        """Look once a minute; the answer is taken to have been right in the middle of its way."""
        before = time.monotonic()
        if self._ahead is not None and before - self._looked_at < _LASTS_SECONDS:
            return
        row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
        assert row is not None
        self._looked_at = time.monotonic()
        self._ahead = float(row[0]) - (before + self._looked_at) / 2
