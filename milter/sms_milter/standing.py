"""What accounts have left of their quotas and credits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from sms_milter.allowances import quota_of
from sms_milter.config.schema import Account
from sms_milter.credits import credits_of
from sms_milter.model import QuotaLeft, QuotaRule


class Accounting(Protocol):
    """A queue that knows what was used."""

    def balances(self) -> dict[str, int]:
        """See `ports.OperatorQueue.balances`."""

    def quota_left(self, account: str, sender: str, rule: QuotaRule, now: float) -> QuotaLeft:
        """See `ports.IntakeQueue.quota_left`."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one account. `quota` and `quota_left` are SMS, None without a limit for the whole account;
    `free_at` says when some of a used quota is free again; `credits` is None when it is not metered.
    """

    account: str
    quota: int | None
    quota_left: int | None
    free_at: float | None
    credits: Decimal | None


def standings(accounts: Mapping[str, Account], queue: Accounting, now: float) -> Iterator[Standing]:
    """Of each account; their senders' own quotas are not looked at. Raises QueueUnavailable."""
    booked = queue.balances()
    for name, account in accounts.items():
        quota, left, free_at = None, None, now
        rule = quota_of(account)
        if rule is not None and rule.messages is not None:
            quota = rule.messages
            whole = replace(rule, per_sender=None, senders={})
            left, free_at, *_ = queue.quota_left(name, "", whole, now)
        credits = None if account.credits is None else account.credits + credits_of(booked.get(name, 0))
        yield Standing(name, quota, left, free_at if free_at > now else None, credits)
