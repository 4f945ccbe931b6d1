"""When a quota's period begins, and how a used-up one is refused."""

from __future__ import annotations

import math
from collections.abc import Iterable

from sms_milter import reply
from sms_milter.errors import Deferred, Refusal, Rejected
from sms_milter.model import QuotaLeft, QuotaRule

_DAY = 86400.0
_WEEK = 7 * _DAY
_MONDAY = 4 * _DAY  # the first one after the epoch, which was a Thursday


def since(rule: QuotaRule, now: float) -> float:
    """What was sent after this time counts now. Fixed periods begin in UTC, days at midnight and weeks on
    Monday; others are the last `period_seconds`.
    """
    period = rule.period_seconds
    if not rule.fixed:
        return now - period
    first = _MONDAY if period % _WEEK == 0 else 0.0
    return math.nextafter(first + (now - first) // period * period, -math.inf)


def refusal_of_all(rule: QuotaRule, limits: Iterable[QuotaLeft], needed: int) -> Refusal | None:
    """As `refusal`, by the limit that would keep the mail waiting longest."""
    exceeded = [left for left in limits if left.limit is not None and needed > left.parts]
    longest = max(exceeded, key=lambda left: (needed > (left.limit or 0), left.free_at), default=None)
    return None if longest is None else refusal(rule, longest, needed)


def refusal(rule: QuotaRule, left: QuotaLeft, needed: int) -> Refusal | None:
    """How a mail that needs so many parts is refused: for good if it would not fit into an unused quota
    either. None if it fits.
    """
    if left.limit is None or needed <= left.parts:
        return None
    if needed > left.limit:
        return Rejected(
            reply.quota_too_small(needed, left.limit, rule.period_seconds, of_sender=left.of_sender)
        )
    why = reply.quota_exceeded(
        left.limit, rule.period_seconds, left.free_at, of_sender=left.of_sender, defer=rule.defer
    )
    return Deferred(why) if rule.defer else Rejected(why)
