"""Whether an SMSC can be used: a bind stands, and it takes most of what it gets."""

from __future__ import annotations

from collections import deque

_ANSWERS = 50  # that are looked at
_ENOUGH = 20  # to judge by
_FRESH_SECONDS = 300.0  # older ones say nothing about now; so an SMSC without traffic gets another chance
_FAULTY_SHARE = 0.5


class Health:
    """Of one SMSC. `watch` must be called now and then; between two calls nothing changes."""

    def __init__(self) -> None:
        self._answers: deque[tuple[float, bool]] = deque(maxlen=_ANSWERS)
        self._unusable_since: float | None = None
        self.why = ""  # it cannot be used

    def answered(self, fine: bool, now: float) -> None:
        """A submit had its end: taken or refused for a fault of its own, or else for one of the SMSC."""
        self._answers.append((now, fine))

    def watch(self, bound: bool, now: float) -> None:
        """See how it does now."""
        self.why = "" if bound else "not bound"
        fresh = [fine for at, fine in self._answers if at > now - _FRESH_SECONDS]
        if bound and len(fresh) >= _ENOUGH and fresh.count(False) >= _FAULTY_SHARE * len(fresh):
            self.why = f"{fresh.count(False)} of the last {len(fresh)} submit_sm failed"
        if not self.why:
            self._unusable_since = None
        elif self._unusable_since is None:
            self._unusable_since = now

    def unusable_seconds(self, now: float) -> float | None:
        """For how long it could not be used; None while it can."""
        return None if self._unusable_since is None else now - self._unusable_since
