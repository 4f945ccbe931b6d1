"""Where the queue is a database that several hosts share: its doorbells, turns and time of day."""

from __future__ import annotations

from collections.abc import Callable

from sms_milter.ports import Doorbell
from sms_milter.queue.postgresql import PostgresqlQueue
from sms_milter.queue.postgresql.bells import BellListener, BellRope, Bells
from sms_milter.queue.postgresql.clock import DatabaseClock
from sms_milter.queue.postgresql.server import PostgresqlServer
from sms_milter.queue.postgresql.turn import AdvisoryTurn


class PostgresqlHome:
    """See `home.Home`; the database at `url`, for the host of that name."""

    def __init__(self, url: str, host: str) -> None:
        self._url, self.host = url, host
        self.now = DatabaseClock()
        self._connect = PostgresqlServer(url, host).connect
        self._bells = Bells(self._connect)
        self._turns: list[AdvisoryTurn] = []

    def queue(self) -> PostgresqlQueue:
        """On a connection of its own."""
        return PostgresqlQueue(self._url, owner=self.host, clock=self.now)

    def doorbell(self, *roles: str) -> Doorbell:
        """NOTIFY."""
        return BellRope(self._bells, roles)

    def listener(self, role: str) -> BellListener:
        """LISTEN."""
        return self._bells.listen(role)

    def turn(self, role: str) -> Callable[[], bool]:
        """An advisory lock."""
        name = f"{role} {self.host}" if role == "dispatch" else role
        turn = AdvisoryTurn(self._connect, name)
        self._turns.append(turn)
        return turn.acquire

    def close(self) -> None:
        """Let go of doorbells and turns; what is to be rung is rung before."""
        self._bells.close()
        for turn in self._turns:
            turn.close()
