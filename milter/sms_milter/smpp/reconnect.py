"""When to try again after a link was lost or refused. Pure: chance and time are passed in."""

from __future__ import annotations

from typing import Final, Protocol

from sms_milter.smpp import status

_CREDENTIALS: Final = frozenset({status.RBINDFAIL, status.RINVPASWD, status.RINVSYSID, status.RINVSYSTYP})


class Chance(Protocol):
    """What is needed of a `random.Random`."""

    def random(self) -> float:
        """A number from 0 up to 1."""


class Backoff:
    """The pauses of one link: doubling, with jitter; back to the first once a bind has worked or lasted."""

    def __init__(
        self,
        chance: Chance,
        *,
        first_seconds: float = 1.0,
        longest_seconds: float = 60.0,
        stable_seconds: float = 60.0,
        credentials_seconds: float = 300.0,
        already_bound_seconds: float = 30.0,
    ) -> None:
        self._chance = chance
        self._first = first_seconds
        self._longest = longest_seconds
        self._stable = stable_seconds
        # SMSCs lock accounts that keep knocking with a wrong password, and hold a dead bind for a while.
        self._refusals = dict.fromkeys(_CREDENTIALS, credentials_seconds)
        self._refusals[status.RALYBND] = already_bound_seconds
        self._next = first_seconds
        self._bound_at: float | None = None

    def bound(self, now: float) -> None:
        """The bind was accepted."""
        self._bound_at = now

    def worked(self) -> None:
        """The SMSC took a part on this bind: whatever ends the link now, it is worth a quick new try."""
        self._next = self._first

    def pause(self, now: float, bind_status: int = 0) -> float:
        """Seconds to wait before the next attempt, after a failed or lost connection or a refused bind.

        `bind_status` is the SMSC's refusal, 0 when it did not refuse.
        """
        if self._bound_at is not None and now - self._bound_at >= self._stable:
            self._next = self._first
        self._bound_at = None
        refusal = self._refusals.get(bind_status)
        if refusal is not None:
            return refusal
        pause = self._next
        self._next = min(pause * 2, self._longest)
        return min(pause * (0.8 + 0.4 * self._chance.random()), self._longest)
