"""What keeps one SMSC from being sent to faster, and what a change would bring.

Each moment something holds back the next part; what did so for most of the time since the last report is the
limit. Knows no queue and no links: it is told how things stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from sms_milter.dispatch.pace import Pace
from sms_milter.model import SmscLoad


class Limit(StrEnum):
    """What holds back the next part."""

    BIND = "bind"  # none stands
    THROTTLING = "throttling"  # the SMSC has complained
    QUEUE = "empty queue"
    RATE = "contract rate"
    WINDOW = "window"
    OURSELVES = "ourselves"  # the next transaction


class Load:
    """Of one SMSC, since the last report."""

    def __init__(self) -> None:
        self._seconds: dict[Limit, float] = dict.fromkeys(Limit, 0.0)
        self._limit = Limit.QUEUE
        self._since: float | None = None
        self._began: float | None = None
        self.sent = 0

    def watch(self, limit: Limit, now: float) -> None:
        """This holds back the next part from now on."""
        if self._since is not None:
            self._seconds[self._limit] += max(0.0, now - self._since)
        else:
            self._began = now
        self._limit, self._since = limit, now

    def report(
        self,
        smsc: str,
        pace: Pace,
        *,
        now: float,
        time_of_day: float,
        window: int,
        window_used: int,
        response_seconds: Sequence[float],
        why_unbound: str,
    ) -> SmscLoad:
        """How it was, and begin anew. `window` and `window_used` are those of all its binds together."""
        self.watch(self._limit, now)
        limit = max(Limit, key=lambda one: self._seconds[one]) if any(self._seconds.values()) else self._limit
        took = now - (self._began if self._began is not None else now)
        sent = self.sent / took if took else 0.0
        p95 = _p95(response_seconds)
        self._seconds = dict.fromkeys(Limit, 0.0)
        self._began, self.sent = now, 0
        return SmscLoad(
            smsc=smsc,
            limited_by=str(limit),
            advice=_advice(limit, pace, window, p95, time_of_day, why_unbound),
            sent_per_second=round(sent, 1),
            rate=round(pace.present(time_of_day), 1),
            contract_rate=pace.rate,
            window=window,
            window_used=window_used,
            response_p95_ms=None if p95 is None else round(p95 * 1000, 1),
            throttled_at=pace.throttled_at,
        )


def _p95(seconds: Sequence[float]) -> float | None:
    return sorted(seconds)[int(len(seconds) * 0.95)] if seconds else None


def _advice(
    limit: Limit, pace: Pace, window: int, p95: float | None, time_of_day: float, why_unbound: str
) -> str:
    """What changing the limit would give, in a sentence."""
    # Little's law: what is on the wire at a time is what leaves per second times how long each is there.
    possible = window / p95 if p95 else None
    match limit:
        case Limit.BIND:
            return why_unbound or "no bind stands"
        case Limit.QUEUE:
            return "nothing waits"
        case Limit.WINDOW if possible is not None:
            more = f"twice the window or the binds: {2 * possible:.0f}/s"
            if pace.rate and 2 * possible > pace.rate:
                more = f"more window: up to the contract's {pace.rate:.0f}/s"
            return f"{window} on the wire at {(p95 or 0.0) * 1000:.0f} ms each allow {possible:.0f}/s; {more}"
        case Limit.WINDOW:
            return f"{window} on the wire, and no response yet"
        case Limit.RATE if 0 < pace.portion.told < pace.rate:
            return f"the contract's {pace.rate}/s, of which this dispatcher has {pace.portion.told}/s"
        case Limit.RATE if possible is not None:
            return f"the contract's {pace.rate}/s; the window would allow {possible:.0f}/s"
        case Limit.RATE:
            return f"the contract's {pace.rate}/s"
        case Limit.THROTTLING:
            full = f"{pace.rate:.0f}/s" if pace.rate else "unlimited"
            return (
                f"slowed to {pace.present(time_of_day):.1f}/s of {full} after complaints; it rises by itself"
            )
        case _:
            return "the SMSC takes parts as fast as we commit them"
