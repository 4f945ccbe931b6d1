"""What a role does while its queue cannot be used: it says so once, and looks again."""

from __future__ import annotations

import math
from collections.abc import Callable

from sms_milter.errors import QueueUnavailable
from sms_milter.logline import clean, line
from sms_milter.ports import Journal

_PAUSE_SECONDS = 1.0


class Patience:
    """Of one role; its log hears of the first failure in a row, unless another part of the role says it
    (`journal` None).
    """

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._failed = False
        self.again_at = -math.inf  # when to look again after a failure

    def take(self, turn: Callable[[float], float], now: float) -> float:
        """One turn at `now` (time of day); returns after how many seconds the next must come."""
        try:
            rest = turn(now)
        except QueueUnavailable as error:
            if self._journal is not None and not self._failed:
                self._journal.error(line("", status=f"queue not available, trying again ({clean(error)})"))
            self._failed = True
            self.again_at = now + _PAUSE_SECONDS
            return _PAUSE_SECONDS
        self._failed = False
        return rest
