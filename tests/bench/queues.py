"""The queues that the benches compare: each can be kept as it stands, and be had again like that."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from support.postgres import Postgres

KINDS = ("sqlite", "postgresql")
# As its owner would run it, but for the size: every commit is on the disk before it is answered.
_POSTGRES = {"shared_buffers": "512MB", "max_wal_size": "4GB"}


class BenchQueue(Protocol):
    """One queue at a time."""

    url: str  # as `queue` in the configuration

    def keep(self) -> None:
        """Remember it as it stands; nobody uses it just now."""

    def restore(self) -> None:
        """It stands as it was kept; nobody uses it just now."""

    def pids(self) -> Mapping[str, int]:
        """The processes that work for it besides ours, by name."""


class Sqlite:
    """A file in `place`."""

    def __init__(self, place: Path) -> None:
        self._file, self._kept = place / "queue.db", place / "kept.db"
        self.url = f"sqlite:{self._file}"

    def keep(self) -> None:
        """See `BenchQueue.keep`."""
        shutil.copy(self._file, self._kept)

    def restore(self) -> None:
        """See `BenchQueue.restore`."""
        for left in self._file.parent.glob("queue.db*"):
            left.unlink()
        shutil.copy(self._kept, self._file)

    def pids(self) -> Mapping[str, int]:
        """None."""
        return {}


class Postgresql:
    """A database of a server of its own."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self.url = server.url("queue")
        with server.connection() as connection:
            connection.execute("CREATE DATABASE queue")

    def keep(self) -> None:
        """See `BenchQueue.keep`."""
        with self._server.connection("queue") as connection:
            connection.execute("VACUUM ANALYZE")
        with self._server.connection() as connection:
            connection.execute("CREATE DATABASE kept TEMPLATE queue")

    def restore(self) -> None:
        """See `BenchQueue.restore`."""
        with self._server.connection() as connection:
            connection.execute("DROP DATABASE queue WITH (FORCE)")
            connection.execute("CREATE DATABASE queue TEMPLATE kept")
            connection.execute("CHECKPOINT")
        subprocess.run(["sync"], check=True)

    def pids(self) -> Mapping[str, int]:
        """The server."""
        return {"postgresql": self._server.pids()[0]}


@contextmanager
def queues(place: Path, *, postgresql: bool) -> Iterator[dict[str, BenchQueue]]:
    """By the name that its figures go by: ours with SQLite, and with `postgresql` that beside it."""
    with ExitStack() as stack:
        ours: dict[str, BenchQueue] = {"sms_milter": Sqlite(place)}
        if postgresql:
            server = stack.enter_context(Postgres(_POSTGRES, synced=True))
            ours["sms_milter_postgresql"] = Postgresql(server)
        yield ours
