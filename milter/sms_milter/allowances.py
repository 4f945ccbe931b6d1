"""How much an account may send, as its settings say."""

from __future__ import annotations

from sms_milter.config import schema
from sms_milter.config.schema import (
    Account,
    DefaultDuplicateLimit,
    DefaultFloodLimit,
    DuplicateLimit,
    FloodLimit,
    Storms,
)
from sms_milter.credits import thousandths
from sms_milter.dialects import Dialect
from sms_milter.model import (
    CreditRule,
    DuplicateRule,
    FloodRule,
    Limits,
    QuotaRule,
    StormRule,
)


def limits_of(account: Account, for_all: schema.Limits, dialect: Dialect) -> Limits | None:
    """How much an account may send by a dialect; None without any limit. The account's own rule comes before
    that for all accounts, and this before the dialect's.
    """
    found = Limits(
        quota_of(account),
        _duplicates(account.duplicates, for_all.duplicates, dialect.duplicates),
        _flood(account.flood, for_all.flood, dialect.flood),
        None if account.credits is None else CreditRule(thousandths(account.credits)),
        bool(for_all.stop_words),
        None if account.storms is None else _storms(account.storms),
    )
    return None if found == Limits() else found


def quota_of(account: Account) -> QuotaRule | None:
    """The account's quota, None without one."""
    quota = account.quota
    if quota is None:
        return None
    senders = {sender.lower(): allowed for sender, allowed in quota.senders.items()}
    return QuotaRule(
        quota.messages,
        quota.per_sender,
        quota.period,
        quota.when_exceeded == "defer",
        senders,
        quota.counts == "fixed",
    )


def _duplicates(*rules: DuplicateLimit | None) -> DuplicateRule | None:
    """The first that is set."""
    rule = next(rule for rule in rules if not isinstance(rule, DefaultDuplicateLimit))
    return None if rule is None else DuplicateRule(rule.allow, rule.window)


def _flood(*rules: FloodLimit | None) -> FloodRule | None:
    """The first that is set."""
    rule = next(rule for rule in rules if not isinstance(rule, DefaultFloodLimit))
    return None if rule is None else FloodRule(rule.messages, rule.gap, rule.per == "account")


def _storms(rule: Storms) -> StormRule:
    return StormRule(rule.window, rule.alike == "similar")
