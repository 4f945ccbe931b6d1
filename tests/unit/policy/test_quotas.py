"""When a quota's period begins."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sms_milter.model import QuotaRule
from sms_milter.policy.quotas import since


def at(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def began(period_seconds: float, now: str, *, fixed: bool) -> str:
    rule = QuotaRule(1, None, period_seconds, defer=False, fixed=fixed)
    return datetime.fromtimestamp(round(since(rule, at(now)), 3), UTC).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("period_seconds", "now", "expected"),
    [
        (86400, "2026-11-22T14:05:00Z", "2026-11-22 00:00:00"),
        (86400, "2026-11-22T00:00:00Z", "2026-11-22 00:00:00"),
        (86400, "2026-11-22T23:59:59Z", "2026-11-22 00:00:00"),
        (3600, "2026-11-22T14:05:00Z", "2026-11-22 14:00:00"),
        (7 * 86400, "2026-11-22T14:05:00Z", "2026-11-16 00:00:00"),  # a Sunday: the Monday before
        (7 * 86400, "2026-11-23T00:00:00Z", "2026-11-23 00:00:00"),
    ],
)
def test_a_fixed_period_begins_with_the_hour_the_day_or_the_week(
    period_seconds: float, now: str, expected: str
) -> None:
    assert began(period_seconds, now, fixed=True) == expected


def test_a_sliding_period_is_the_last_so_many_seconds() -> None:
    assert began(86400, "2026-11-22T14:05:00Z", fixed=False) == "2026-11-21 14:05:00"
