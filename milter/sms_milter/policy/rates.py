"""How the dispatchers of one queue share the rate that an SMSC's contract allows.

Each asks again and again while it has something to send, and has its share until a time. Who does not ask in
time leaves its share to the others. Shares are whole parts per second, for a bucket of half a part more would
let one part too many through in some seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# What one has given up may still be in the second that the SMSC counts; only then another may use it.
SETTLING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Holding:
    """What a store keeps of one dispatcher and one SMSC: `parts` per second until a time, and when it last
    had more than that (0: never). Times are seconds since the epoch.
    """

    owner: str
    parts: int
    until: float
    lowered_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Share:
    """So many parts per second, 0 for none at present; what is more than before counts only `since` then.

    `renewed`: its owner has had one until a moment ago. A process that asks for the first time then follows
    another.
    """

    parts: int
    since: float
    renewed: bool = False


def shared(
    rate: int, owner: str, holdings: Sequence[Holding], now: float, until: float
) -> tuple[Holding, Share]:
    """What `owner` may have of `rate` (parts per second, at least 1) until a time: its new holding, and the
    same as it is told.

    `holdings` are all of this SMSC that have ended less than SETTLING_SECONDS ago or not yet, in any order.
    All whose time is not over have the same, as soon as those who had more know of it by asking again.
    """
    known = next((one for one in holdings if one.owner == owner), None)
    before = known or Holding(owner, 0, now)
    others = [one for one in holdings if one.owner != owner]
    living = [one for one in others if one.until > now]
    place = sum(one.owner < owner for one in living)
    least, left_over = divmod(rate, len(living) + 1)
    free = rate - sum(one.parts for one in living)
    parts = max(0, min(least + (place < left_over), free))
    given_up = [one.lowered_at for one in living] + [one.until for one in others if one.until <= now]
    since = max([now, *(at + SETTLING_SECONDS for at in given_up if at)])
    lowered_at = now if parts < before.parts else before.lowered_at
    return Holding(owner, parts, until, lowered_at), Share(parts, since, known is not None)
