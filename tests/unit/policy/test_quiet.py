"""Quiet hours, by the clock of the phone's country."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sms_milter.config.schema import Account, QuietHours
from sms_milter.model import Wish
from sms_milter.policy.quiet import hours, over, rules_of, undisturbed


def rule(
    begin: str = "22:00", until: str = "07:00", zone: str = "Europe/Zurich", to: str = "*"
) -> QuietHours:
    return QuietHours.model_validate({"to": to, "from": begin, "until": until, "timezone": zone})


def at(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def shown(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-07-01T19:59:59Z", None),  # 21:59:59 in Zurich
        ("2026-07-01T20:00:00Z", "2026-07-02T05:00:00Z"),
        ("2026-07-02T04:59:59Z", "2026-07-02T05:00:00Z"),
        ("2026-07-02T05:00:00Z", None),
        ("2026-01-01T21:00:00Z", "2026-01-02T06:00:00Z"),  # no summer time
        ("2026-03-28T23:00:00Z", "2026-03-29T05:00:00Z"),  # the night in which it begins
        ("2026-10-24T23:00:00Z", "2026-10-25T06:00:00Z"),  # and ends
        ("2026-12-31T23:00:00Z", "2027-01-01T06:00:00Z"),
    ],
)
def test_hours_over_midnight(now: str, end: str | None) -> None:
    assert shown(over(rule(), at(now))) == end


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-07-01T11:59:59Z", None),
        ("2026-07-01T12:00:00Z", "2026-07-01T14:30:00Z"),
        ("2026-07-01T14:29:59Z", "2026-07-01T14:30:00Z"),
        ("2026-07-01T14:30:00Z", None),
    ],
)
def test_hours_of_one_day(now: str, end: str | None) -> None:
    assert shown(over(rule("12:00", "14:30", "UTC"), at(now))) == end


def test_the_first_rule_for_the_number_counts() -> None:
    rules = [rule("22:00", "07:00", "Europe/Zurich", "+41"), rule("23:00", "08:00", "UTC", "+44")]
    wishes = [Wish("41790000000"), Wish("447973100000"), Wish("4915100000000")]
    asked = undisturbed(wishes, rules, at("2026-01-01T23:30:00Z"))
    assert [shown(wish.not_before) for wish in asked] == [
        "2026-01-02T06:00:00Z",
        "2026-01-02T08:00:00Z",
        None,
    ]


def test_each_account_has_its_own_hours() -> None:
    quiet = hours({"acme": [rule(to="+41")]})
    assert quiet is not None
    night = at("2026-07-01T23:00:00Z")
    assert shown(quiet("acme", "41790000000", night)) == "2026-07-02T05:00:00Z"
    assert quiet("acme", "447973100000", night) is None
    assert quiet("other", "41790000000", night) is None
    assert quiet("gone", "41790000000", night) is None
    assert quiet("acme", "41790000000", at("2026-07-01T12:00:00Z")) is None


def test_where_no_account_has_any_nobody_need_ask() -> None:
    assert rules_of({"acme": Account(), "other": Account(quiet_hours=(rule(),))}) == {"other": (rule(),)}
    assert hours({}) is None


def test_what_is_delayed_into_the_night_waits_until_the_morning() -> None:
    into_the_night, to_noon = at("2026-07-01T23:00:00Z"), at("2026-07-02T10:00:00Z")
    wishes = [Wish("41790000000", not_before=into_the_night), Wish("41790000000", not_before=to_noon)]
    asked = undisturbed(wishes, [rule()], at("2026-07-01T12:00:00Z"))
    assert [shown(wish.not_before) for wish in asked] == ["2026-07-02T05:00:00Z", "2026-07-02T10:00:00Z"]
