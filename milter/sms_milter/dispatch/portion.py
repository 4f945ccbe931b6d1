"""Our share of the rate of an SMSC's contract, among the dispatchers of one queue (`policy.rates`)."""

from __future__ import annotations

import math

from sms_milter.policy.rates import SETTLING_SECONDS, Share

# While something is sent a share is asked for so often, and is ours for so long.
_RENEW_SECONDS = 0.5
LASTS_SECONDS = 2.0


class Portion:
    """Of one SMSC. Before a share is held, and after it has ended, there is none. Time is passed in."""

    def __init__(self) -> None:
        self.told = 0  # parts per second, when we asked last
        self._parts = 0
        self._since = -math.inf  # from then on it is what we were told
        self._held_at = self._until = -math.inf

    def due(self, now: float) -> bool:
        """Whether it is time to ask; the clock may have been set back since."""
        return not 0.0 <= now - self._held_at < _RENEW_SECONDS

    def hold(self, share: Share, now: float) -> None:
        """So much is ours from now on, or from a moment on if it is more than before."""
        self._parts = min(self.parts(now), share.parts)
        self.told = share.parts
        latest = now + SETTLING_SECONDS  # unless the clock was set back
        follows = share.renewed and self._held_at == -math.inf  # the process before us may have used it
        self._since = latest if follows else min(max(share.since, self._since), latest)
        self._held_at, self._until = now, now + LASTS_SECONDS

    def parts(self, now: float) -> int:
        """How many a second may be sent now."""
        if not self._held_at <= now < self._until:
            return 0
        return self.told if now >= self._since else self._parts

    def opens_at(self, now: float) -> float:
        """When there may be more than none; not later than `now` when it is to be asked for."""
        if self.due(now):
            return now
        renewed_at = self._held_at + _RENEW_SECONDS
        return min(self._since, renewed_at) if self._since > now else renewed_at
