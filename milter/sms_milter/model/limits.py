"""The rules that the queue keeps for an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class QuotaRule:
    """How many parts an account, and each sender of it, may send within a period (seconds); None: no limit.
    `senders` (lower case) have limits of their own instead of `per_sender`. A `fixed` period begins by the
    calendar (`policy.quotas.since`), any other slides.
    """

    messages: int | None
    per_sender: int | None
    period_seconds: float
    defer: bool  # when used up: True 452 4.2.2, False 552 5.2.2
    senders: Mapping[str, int | None] = field(default_factory=dict, hash=False)
    fixed: bool = False

    def of(self, sender: str) -> int | None:
        """The limit of one sender."""
        return self.senders.get(sender.lower(), self.per_sender)


class QuotaLeft(NamedTuple):
    """What a quota leaves: so many parts, more of them at `free_at`. The `limit` that leaves the least is the
    account's or, `of_sender`, that of one sender; None: there is none.
    """

    parts: int
    free_at: float
    limit: int | None = None
    of_sender: bool = False


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """How many identical requests of an account are taken within a sliding time (seconds)."""

    allow: int
    window_seconds: float


@dataclass(frozen=True, slots=True)
class FloodRule:
    """How many messages may follow each other with less than `gap_seconds` between them: to one destination
    of an account, or of the account as a whole.
    """

    messages: int
    gap_seconds: float
    per_account: bool


@dataclass(frozen=True, slots=True)
class StormRule:
    """Alike messages of an account to one phone: one goes at once, and of those that follow within a time
    (seconds) one, which counts the others. `similar`: numbers and times may differ.
    """

    window_seconds: float
    similar: bool


@dataclass(frozen=True, slots=True)
class CreditRule:
    """Prepaid credits: what the configuration gives an account; bookings and use are the queue's."""

    deposit: int  # thousandths of a credit


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the account of a mail may send; None: as much as it likes."""

    quota: QuotaRule | None = None
    duplicates: DuplicateRule | None = None
    flood: FloodRule | None = None
    credits: CreditRule | None = None
    suppression: bool = False  # whether phones may have asked for no more
    storms: StormRule | None = None


@dataclass(frozen=True, slots=True)
class LoginRule:
    """After `count` failed logins within a time, nobody may try for another; both in seconds."""

    count: int
    within_seconds: float
    block_seconds: float
