"""A connection that does not wait for ever: a server that is frozen keeps its connections open and never says
a word. Neither TCP nor the server's own time limits see that.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import Connection
from psycopg.abc import PQGen

SILENCE_SECONDS = 10.0  # more than any of our statements takes, or may wait for a lock

_Given = TypeVar("_Given")


class PatientConnection(Connection[Any]):
    """Closed once the server has been silent for `silence_seconds` while we waited (0: never).

    What was under way raises psycopg.OperationalError then; nobody knows whether the server still does it.
    """

    silence_seconds = SILENCE_SECONDS

    def wait(self, gen: PQGen[_Given], *options: Any, **named: Any) -> _Given:
        """As psycopg's; every octet that comes or goes begins the time anew."""
        return super().wait(self._heeding(gen) if self.silence_seconds else gen, *options, **named)

    @contextmanager
    def unhurried(self) -> Iterator[None]:
        """What is done within takes as long as it takes."""
        before, self.silence_seconds = self.silence_seconds, 0.0
        try:
            yield
        finally:
            self.silence_seconds = before

    def _heeding(self, gen: PQGen[_Given]) -> Generator[Any, Any, _Given]:
        """psycopg asks at least ten times a second, and tells what the line was ready for: 0 is nothing."""
        silent_since: float | None = None
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready:
                    silent_since = None
                elif silent_since is None:
                    silent_since = time.monotonic()
                elif time.monotonic() - silent_since >= self.silence_seconds:
                    self.pgconn.finish()  # else the end of a pipeline would wait again
                    raise psycopg.OperationalError(f"no answer for {self.silence_seconds:.0f} s")
                wanted = gen.send(ready)
        except StopIteration as end:
            result: _Given = end.value
            return result
