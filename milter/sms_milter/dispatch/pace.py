"""How fast one SMSC account may be sent to: our portion of the contract's rate, and less after it says "too
fast".

A token bucket, shared by all binds of the account. Time is passed in.
"""

from __future__ import annotations

import math

from sms_milter.dispatch.portion import Portion

# An SMSC may count from any moment on: what the bucket holds, and what flows in during a second, make its
# rate together. The bucket holds what flows in between two turns of the dispatcher.
_BURST_SHARE = 0.04
_NEARLY = 0.001  # of a part: times are not that exact
_PAUSE_SECONDS = (1.0, 30.0)  # first and longest stop after 0x58 or 0x14; doubled while nothing is taken
_SLOWEST = 1.0  # parts per second
_SLOWER = 0.5
# After so many seconds of peace the rate grows, each second by this share of what it was before. A tenth
# every ten seconds (SMPP §6) would cripple a fast SMSC for a quarter of an hour after a few complaints.
_PEACE_SECONDS = 10.0
_REGAINED = 0.05


class Pace:
    """`rate` is the contract's, in parts per second; 0 is unlimited. Of any other only our portion goes."""

    def __init__(self, rate: int = 0) -> None:
        self.rate = rate
        self.portion = Portion()
        self.paused_until = 0.0
        self.throttled_at: float | None = None
        self._slowed: float | None = None  # the rate that we keep to for now
        self._enough = 0.0  # from that rate on it need not be slowed any more
        self._pause = 0.0
        self._tokens = 0.0
        self._filled_at: float | None = None
        self._counted, self._counted_since, self._measured = 0, 0.0, 0.0

    # --- what may go ----------------------------------------------------------------------------------------

    def allowance(self, now: float) -> float:
        """How many parts may go now."""
        if now < self.paused_until:
            return 0.0
        rate = self._flow(now)
        if rate in (0, math.inf):
            return rate
        self._fill(rate, now)
        return (self._tokens + _NEARLY) // 1

    def opens_at(self, now: float) -> float:
        """When the next part may go; not later than `now` if it may, or if our portion is to be asked for."""
        if now < self.paused_until:
            return self.paused_until
        rate = self._flow(now)
        if rate == math.inf:
            return now
        if not rate:
            return self.portion.opens_at(now)
        self._fill(rate, now)
        return now + max(0.0, 1.0 - self._tokens) / (rate * (1 - _BURST_SHARE))

    def wants_portion(self, now: float) -> bool:
        """Whether our portion must be asked for before anything goes."""
        return bool(self.rate) and now >= self.paused_until and self.portion.due(now)

    def present(self, now: float) -> float:
        """The rate that is kept to now; 0 is unlimited. It grows while nobody complains."""
        rate = min(self._slowed_to(now), self.portion.told or self.rate or math.inf)
        return 0.0 if rate == math.inf else rate

    def _flow(self, now: float) -> float:
        """Parts per second that may go now."""
        return min(self._slowed_to(now), self.portion.parts(now) if self.rate else math.inf)

    def _slowed_to(self, now: float) -> float:
        if self._slowed is None:
            return math.inf
        peace = now - self.paused_until - _PEACE_SECONDS
        rate = self._slowed + max(0.0, peace) * _REGAINED * self._enough
        if rate < self._enough:
            return rate
        self._slowed = None
        return math.inf

    def _fill(self, rate: float, now: float) -> None:
        most = max(1.0, rate * _BURST_SHARE)
        since = now if self._filled_at is None else self._filled_at
        if self._filled_at is None:
            self._tokens = most
        self._tokens = min(most, self._tokens + max(0.0, now - since) * rate * (1 - _BURST_SHARE))
        self._filled_at = now

    # --- what has gone --------------------------------------------------------------------------------------

    def took(self, parts: int, now: float) -> None:
        """So many have gone."""
        self._tokens -= parts
        if not 0.0 <= now - self._counted_since < 1.0:
            self._measured = self._counted if 0.0 <= now - self._counted_since < 2.0 else 0
            self._counted, self._counted_since = 0, now
        self._counted += parts

    def accepted(self) -> None:
        """The SMSC took one: it does not feel crowded any more."""
        self._pause = 0.0

    def throttled(self, now: float) -> float:
        """It complained: stop for a while, then go at half the rate. When parts may go again.

        All that were on the wire then get the same answer; they count once.
        """
        if now < self.paused_until:
            return self.paused_until
        before = self.present(now) or max(self._measured, self._counted)
        if self._slowed is None:
            self._enough = before
        self._slowed = max(before * _SLOWER, _SLOWEST)
        self._pause = min(self._pause * 2 or _PAUSE_SECONDS[0], _PAUSE_SECONDS[1])
        self.paused_until = now + self._pause
        self.throttled_at = now
        self._tokens, self._filled_at = 0.0, self.paused_until
        return self.paused_until

    @property
    def slowed(self) -> bool:
        """Whether it goes slower than the contract allows."""
        return self._slowed is not None
