"""Numbers and times as a person reads them."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal

import pytest

from sms_milter.statuspage import words


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-3, "0 s"), (0.4, "0 s"), (59, "59 s"), (60, "1 min"), (119, "1 min"), (3599, "59 min"),
        (3600, "1 h"), (12_000, "3 h 20 min"), (36_000, "10 h"), (86_400, "1 d"), (100_000, "1 d 3 h"),
        (86_400 * 30, "30 d"),
    ],
)  # fmt: skip
def test_times_have_one_unit_or_two(seconds: float, expected: str) -> None:
    assert words.lasting(seconds) == expected


@pytest.mark.parametrize(
    ("number", "expected"), [(0.0, "0"), (0.44, "0.4"), (9.96, "10"), (12.3, "12"), (1250.0, "1,250")]
)
def test_rates_are_as_exact_as_they_matter(number: float, expected: str) -> None:
    assert words.rate(number) == expected


def test_numbers_are_grouped() -> None:
    assert (words.count(12480), words.sms(1)) == ("12,480", "1 SMS")
    assert [words.grouped(Decimal(one)) for one in ("2321.210", "1000.000", "-5", "0")] == [
        "2,321.21",
        "1,000",
        "-5",
        "0",
    ]


def test_moments_are_said_for_people_and_for_machines() -> None:
    assert words.clock(1_000_000.0, UTC) == "13:46"
    assert words.day_and_clock(1_000_000.0, UTC) == "12 Jan 13:46:40"
    assert words.machine(1_000_000.9) == "1970-01-12T13:46:40Z"


def test_numbers_of_phones_are_international() -> None:
    assert [words.phone(one) for one in ("41790000001", "bob@example.com")] == [
        "+41790000001",
        "bob@example.com",
    ]
