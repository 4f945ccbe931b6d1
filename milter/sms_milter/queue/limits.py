"""What accounts have used of their limits.

A limit is asked first and charged after all others have agreed: what is refused has used nothing.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any, Protocol

from sms_milter import reply
from sms_milter.credits import credits_of
from sms_milter.errors import Excess, Refusal, Rejected
from sms_milter.model import CreditRule, DuplicateRule, FloodRule, NewMail, QuotaLeft, QuotaRule
from sms_milter.policy import quotas
from sms_milter.queue import credits
from sms_milter.queue.database import Database
from sms_milter.queue.statements import storable

_FORGET_EVERY = 20  # parts: what they push out of the window is at most as many entries, and 50 go at a time
_WHOLE_ACCOUNT = "*"  # neither an envelope sender nor a number looks like this


def admit(db: Database, mail: NewMail, now: float) -> Refusal | None:
    """Charge a mail to all its limits, or say why not."""
    limits = list(_limits(db, mail, now))
    for limit in limits:
        refusal = limit.refusal()
        if refusal is not None:
            limit.refused()
            return refusal
    for limit in limits:
        limit.charge()
    return None


def refusal(db: Database, mail: NewMail, now: float) -> Refusal | None:
    """How `admit` would refuse a mail; nothing is written."""
    return next(filter(None, (limit.refusal() for limit in _limits(db, mail, now))), None)


def forget(db: Database, now: float) -> None:
    """Drop some of what counts no more."""
    db.execute("forget_requests", (now,))
    db.execute("forget_runs", (now,))
    db.execute("forget_storms", (now,))


def quota_left(db: Database, account: str, sender: str, rule: QuotaRule, now: float) -> QuotaLeft:
    """What the limit leaves that leaves the least; see `ports.IntakeQueue.quota_left`."""
    windows = _windows(db, account, sender, rule, now)
    found = [window.left(limit, 1, rule, now) for window, limit in windows]
    return min(found, key=lambda left: (left.parts, -left.free_at), default=QuotaLeft(sys.maxsize, now))


def _windows(
    db: Database, account: str, sender: str, rule: QuotaRule, now: float
) -> list[tuple[_Window, int]]:
    """What an account and its sender have used, with their limits."""
    since = quotas.since(rule, now)
    limits = ((_WHOLE_ACCOUNT, rule.messages), (storable(sender), rule.of(sender)))
    return [(_Window(db, account, scope, since), limit) for scope, limit in limits if limit is not None]


def suppressed(db: Database, account: str, number: str) -> bool:
    """See `ports.IntakeQueue.suppressed`."""
    return db.execute("find_suppressed", (storable(account), storable(number))).fetchone() is not None


def suppress(db: Database, account: str, number: str, why: str, now: float) -> bool:
    """See `ports.OperatorQueue.suppress`."""
    row = (storable(account), storable(number), now, storable(why))
    return db.execute("store_suppressed", row).rowcount > 0


def unsuppress(db: Database, account: str, number: str) -> bool:
    """See `ports.OperatorQueue.unsuppress`."""
    return db.execute("delete_suppressed", (storable(account), storable(number))).rowcount > 0


def list_suppressed(db: Database, account: str) -> list[dict[str, Any]]:
    """See `ports.OperatorQueue.list_suppressed`."""
    rows = db.execute("list_suppressed", (storable(account),))
    return [{"number": number, "at": at, "why": why} for number, at, why in rows]


class _Limit(Protocol):
    """One limit of one mail."""

    def refusal(self) -> Refusal | None:
        """Why the mail is too much."""

    def refused(self) -> None:
        """It was refused for that."""

    def charge(self) -> None:
        """It is taken."""


def _limits(db: Database, mail: NewMail, now: float) -> Iterator[_Limit]:
    """The mail's limits in the order in which they are asked (SMSCentre §10.2)."""
    limits = mail.limits
    if limits is None:
        return
    if limits.suppression:
        yield _Suppressed(db, mail)
    if limits.duplicates is not None and mail.identity:
        yield _Duplicates(db, mail, limits.duplicates, now)
    if limits.flood is not None and mail.messages:
        yield _Flood(db, mail, limits.flood, now)
    if limits.quota is not None:
        yield _Quota(db, mail, limits.quota, now)
    if limits.credits is not None and (mail.messages or mail.fee):
        yield _Credits(db, mail, limits.credits)


# --- phones that want nothing -------------------------------------------------------------------------------


class _Suppressed:
    """Messages to phones that have asked for no more."""

    __slots__ = ("_places",)

    def __init__(self, db: Database, mail: NewMail) -> None:
        self._places = [
            place
            for place, message in enumerate(mail.messages)
            if suppressed(db, mail.account, message.plan.destination)
        ]

    def refusal(self) -> Refusal | None:
        return Excess(reply.OPTED_OUT, frozenset(self._places)) if self._places else None

    def refused(self) -> None:
        """That changes nothing."""

    def charge(self) -> None:
        """That changes nothing."""


# --- duplicates ---------------------------------------------------------------------------------------------


class _Duplicates:
    """Identical requests within a sliding window."""

    __slots__ = ("_db", "_key", "_now", "_rule")

    def __init__(self, db: Database, mail: NewMail, rule: DuplicateRule, now: float) -> None:
        self._db, self._rule, self._now = db, rule, now
        self._key = (storable(mail.account), mail.identity)

    def refusal(self) -> Refusal | None:
        rule = self._rule
        since = self._now - rule.window_seconds
        taken = self._db.execute("find_requests", (*self._key, since, rule.allow)).fetchall()
        if len(taken) < rule.allow:
            return None
        free_at = taken[-1][0] + rule.window_seconds
        return Rejected(reply.duplicate(rule.allow, rule.window_seconds, free_at))

    def refused(self) -> None:
        """Only what is taken counts."""

    def charge(self) -> None:
        until = self._now + self._rule.window_seconds
        self._db.execute("store_request", (*self._key, self._now, until))


# --- floods -------------------------------------------------------------------------------------------------


class _Flood:
    """Runs of messages, as they are and as the mail would continue them."""

    __slots__ = ("_account", "_after", "_before", "_db", "_excess", "_now", "_rule", "_scopes")

    def __init__(self, db: Database, mail: NewMail, rule: FloodRule, now: float) -> None:
        self._db, self._rule, self._now = db, rule, now
        self._account = storable(mail.account)
        self._scopes = [
            _WHOLE_ACCOUNT if rule.per_account else message.plan.destination for message in mail.messages
        ]
        self._before = {scope: self._length(scope) for scope in self._scopes}
        self._after = dict(self._before)
        self._excess: list[int] = []
        for place, scope in enumerate(self._scopes):
            if self._after[scope] < rule.messages:
                self._after[scope] += 1
            else:
                self._excess.append(place)

    def _length(self, scope: str) -> int:
        """How many messages a run has that one more would continue."""
        row = self._db.execute("find_run", (self._account, scope)).fetchone()
        return row[1] if row and self._now - row[0] < self._rule.gap_seconds else 0

    def refusal(self) -> Refusal | None:
        if not self._excess:
            return None
        rule = self._rule
        why = reply.flood(
            rule.messages, rule.gap_seconds, self._now + rule.gap_seconds, per_account=rule.per_account
        )
        return Excess(why, frozenset(self._excess))

    def refused(self) -> None:
        """What was refused made no run longer, but puts off its end."""
        self._store({self._scopes[place]: self._before[self._scopes[place]] for place in self._excess})

    def charge(self) -> None:
        self._store(self._after)

    def _store(self, runs: dict[str, int]) -> None:
        until = self._now + self._rule.gap_seconds
        for scope, messages in runs.items():
            self._db.execute("store_run", (self._account, scope, self._now, messages, until))


# --- quotas -------------------------------------------------------------------------------------------------


class _Quota:
    """Parts of an account and of its sender within a period."""

    __slots__ = ("_now", "_parts", "_rule", "_windows")

    def __init__(self, db: Database, mail: NewMail, rule: QuotaRule, now: float) -> None:
        self._rule, self._now = rule, now
        self._parts = sum([len(message.parts) for message in mail.messages])
        self._windows = _windows(db, mail.account, mail.sender.lower(), rule, now)

    def refusal(self) -> Refusal | None:
        if all(window.used + self._parts <= limit for window, limit in self._windows):
            return None
        found = [window.left(limit, self._parts, self._rule, self._now) for window, limit in self._windows]
        return quotas.refusal_of_all(self._rule, found, self._parts)

    def refused(self) -> None:
        """Only what is taken counts."""

    def charge(self) -> None:
        for window, _ in self._windows:
            window.charge(self._parts, self._now, self._rule.period_seconds)


class _Window:
    """What one account, or one of its senders, has used since a time."""

    __slots__ = ("_base", "_db", "_key", "first_at", "last_at", "last_total", "of_sender", "since", "used")

    def __init__(self, db: Database, account: str, scope: str, since: float) -> None:
        self._db = db
        self._key = (account, scope)
        self.since = since
        self.of_sender = scope != _WHOLE_ACCOUNT
        last = db.execute("last_usage", self._key).fetchone()
        first = db.execute("first_usage", (*self._key, since)).fetchone() if last else None
        self.last_at: float = last[0] if last else -math.inf
        self.last_total: int = last[1] if last else 0
        self._base = first[2] - first[1] if first else self.last_total
        self.first_at: float = first[0] if first else -math.inf
        self.used: int = self.last_total - self._base

    def left(self, limit: int, parts: int, rule: QuotaRule, now: float) -> QuotaLeft:
        """What a limit leaves, and when it will leave so many parts, or more than now."""
        left = max(0, limit - self.used)
        if not self.used:
            free_at = now
        elif rule.fixed:
            free_at = self.since + rule.period_seconds
        else:
            free_at = self._reaching(max(1, self.used + parts - limit)) + rule.period_seconds
        return QuotaLeft(left, free_at, limit, self.of_sender)

    def _reaching(self, parts: int) -> float:
        """When so many of the parts used had been used, or all of them."""
        row = self._db.execute("usage_reaching", (*self._key, self.since, self._base + parts)).fetchone()
        at: float = row[0] if row else self.last_at
        return at

    def charge(self, parts: int, now: float, period: float) -> None:
        """Add an entry; a clock that was set back does not put it before the last one."""
        at = max(now, self.last_at)
        total = self.last_total + parts
        self._db.execute("store_usage", (*self._key, at, parts, total, at + period))
        if total // _FORGET_EVERY > self.last_total // _FORGET_EVERY:
            self._db.execute("forget_usage", (*self._key, self.since))


# --- credits ------------------------------------------------------------------------------------------------


class _Credits:
    """Whether the balance pays for the mail; it is reserved when the numbers of its parts are known."""

    __slots__ = ("_excess", "_fee", "_left", "_rest")

    def __init__(self, db: Database, mail: NewMail, rule: CreditRule) -> None:
        left = self._left = credits.left(db, mail.account, rule)
        self._excess: list[int] = []
        for place, message in enumerate(mail.messages):
            price = message.price * len(message.parts)
            if price <= left:
                left -= price
            else:
                self._excess.append(place)
        self._fee, self._rest = mail.fee, left

    def refusal(self) -> Refusal | None:
        why = reply.no_credit(credits_of(max(self._left, 0)))
        if self._excess:
            return Excess(why, frozenset(self._excess))
        return Rejected(why) if self._fee > max(self._rest, 0) else None

    def refused(self) -> None:
        """Only what is taken is paid."""

    def charge(self) -> None:
        """See `credits.reserve`."""
