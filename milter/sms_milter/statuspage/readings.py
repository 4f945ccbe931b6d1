"""What the queue says, asked as seldom as can be: however many look, it is asked once in some seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Protocol

from sms_milter.config.schema import Account
from sms_milter.ports import OperatorQueue
from sms_milter.standing import Accounting, standings
from sms_milter.statuspage.door import Failures
from sms_milter.statuspage.figures import AGE_BOUNDS, MINUTES, Readings

_AT_LEAST_SECONDS = 2.0
_SHARE = 20  # at most a twentieth of the time is spent asking


class Asked(OperatorQueue, Accounting, Failures, Protocol):
    """All that the page asks of a queue."""


class Reader:
    """Readings of one queue."""

    def __init__(
        self, queue: Asked, accounts: Mapping[str, Account], clock: Callable[[], float] = time.time
    ) -> None:
        self._queue, self._accounts, self._clock = queue, accounts, clock
        self._asking = Lock()
        self._readings: Readings | None = None
        self._good_until = 0.0

    def read(self) -> Readings:
        """Not older than a few seconds. Raises QueueUnavailable."""
        with self._asking:
            if self._readings is None or time.monotonic() >= self._good_until:
                began = time.monotonic()
                self._readings = self._ask(self._clock())
                ended = time.monotonic()
                self._good_until = ended + max(_AT_LEAST_SECONDS, _SHARE * (ended - began))
            return self._readings

    def forget(self) -> None:
        """Something has changed: ask the next time."""
        with self._asking:
            self._readings = None

    def _ask(self, now: float) -> Readings:
        queue = self._queue
        return Readings(
            now,
            queue.flow(now // 60 * 60 - 60 * (MINUTES - 1), now + 60),
            queue.ages(now, AGE_BOUNDS),
            queue.summary(now, backlog=False),
            list(standings(self._accounts, queue, now)),
        )
