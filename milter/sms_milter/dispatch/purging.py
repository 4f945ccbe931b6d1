"""Forgets mails that have been finished for long enough, as fast as they come, and beside the sending.

A bite is so small that a submit_sm which comes due meanwhile waits for some milliseconds only. Then there is
a rest as long as it took, or nine times as long while anything is being sent.
"""

from __future__ import annotations

from collections.abc import Callable

from sms_milter.ports import DispatchQueue

_EVERY_SECONDS = 10.0
_BITE_SECONDS = 0.01  # what one is to take; how many mails that are is found out
_FEWEST, _FIRST, _MOST = 20, 200, 1000
_LEAST_REST_SECONDS = 0.01
_BUSY_SHARE, _IDLE_SHARE = 0.1, 0.5  # of the time


class Purging:
    """The dispatcher's purge of its queue; `due_at` is when the next bite comes.

    `keep_seconds` is how long finished mails stay, `clock` measures how long a bite takes, in seconds.
    """

    def __init__(self, queue: DispatchQueue, keep_seconds: float, clock: Callable[[], float]) -> None:
        self.due_at = 0.0
        self._queue, self._keep_seconds, self._clock = queue, keep_seconds, clock
        self._limit = _FIRST

    def bite(self, now: float, *, busy: bool) -> None:
        """Forget some mails; `busy` while anything is being sent. Raises QueueUnavailable."""
        self.due_at = now + _EVERY_SECONDS
        begun = self._clock()
        forgotten = self._queue.purge(now - self._keep_seconds, self._limit)
        took = self._clock() - begun
        if forgotten < self._limit:
            return
        share = _BUSY_SHARE if busy else _IDLE_SHARE
        self.due_at = now + took + max(took / share - took, _LEAST_REST_SECONDS)
        if took > 0:
            # At most twice or half as many: one bite may have waited for something else.
            fitting = self._limit * min(max(_BITE_SECONDS / took, 0.5), 2.0)
            self._limit = int(min(max(fitting, _FEWEST), _MOST))
