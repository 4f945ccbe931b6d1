"""Which messages are alike, and until when one is held."""

from __future__ import annotations

from typing import Any

import pytest

from sms_milter.model import Limits, PlannedMessage, StormRule, SubmitSm, Wish
from sms_milter.policy import storms

EQUAL, SIMILAR = StormRule(600.0, similar=False), StormRule(600.0, similar=True)


def like(rule: StormRule, text: str, **more: Any) -> bytes:
    part = SubmitSm(data_coding=more.pop("data_coding", 0))
    parts = (part,) * more.pop("parts", 1)
    plan = PlannedMessage("447973100000", more.pop("originator", "ACME"), text, parts, **more)
    return storms.likeness(rule, plan, "gsm7", 2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("disk 97% full", "disk 98% full"),
        ("db1 down since 03:21:10", "db12 down since 3:07"),
        ("2026-11-22T03:21:10Z host down", "2025-01-02T13:00:00Z host down"),
        ("Sun Nov 22 03:21:10 UTC 2026 fan", "Mon Dec  1 13:21:10 UTC 2025 fan"),
        ("22. November 2026, 3:21 pm: fan", "1. May 2026, 11:02 am: fan"),
        ("load 12.5, 11,3", "load 0.1, 0"),
        ("queue: 1'000", "queue: 9'000"),
    ],
)
def test_numbers_dates_and_times_may_differ(one: str, other: str) -> None:
    assert like(SIMILAR, one) == like(SIMILAR, other)
    assert like(EQUAL, one) != like(EQUAL, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("disk full", "fan failed"),
        ("disk full", "Disk full"),
        ("may we", "sat we"),  # no dates: no number stands beside them
        ("host down", "host down 5"),
        ("web down", "db down"),
    ],
)
def test_words_may_not(one: str, other: str) -> None:
    assert like(SIMILAR, one) != like(SIMILAR, other)


def test_what_is_sent_otherwise_is_not_alike() -> None:
    others: list[dict[str, Any]] = [
        {"originator": "OTHER"},
        {"flash": True},
        {"data_coding": 8},
        {"parts": 3},
        {"smsc": "backup"},
        {"route": "night"},
    ]
    assert len({like(SIMILAR, "x"), *(like(SIMILAR, "x", **one) for one in others)}) == 1 + len(others)


def test_only_texts_by_sms_have_a_likeness() -> None:
    assert like(SIMILAR, "x", kind="binary") == like(SIMILAR, "x", channel="voice") == b""


@pytest.mark.parametrize(
    ("last", "start", "until"),
    [
        (0, 0, 600),
        (0, 599, 600),
        (0, 600, None),
        (600, 10, 1200),
        (600, 1200, None),
        (86400, 0, None),  # a clock was ahead
    ],
)
def test_one_is_held_until_the_window_is_over(last: float, start: float, until: float | None) -> None:
    assert storms.held_until(SIMILAR, last, start) == until


def test_what_is_ordered_for_a_time_of_its_own_is_no_storm() -> None:
    limits = Limits(storms=SIMILAR)
    at_once, ordered = Wish("1", "x"), Wish("1", "x", not_before=2000.0)
    assert storms.applying(limits, [at_once], 1000.0) is limits
    assert storms.applying(limits, [at_once, ordered], 1000.0) == Limits()
    assert storms.applying(limits, [Wish("1", "x", schedule="000000010000000R")], 1000.0) == Limits()
