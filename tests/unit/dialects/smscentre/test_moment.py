"""Times of a request (SMSCentre §6.2); it is 15:00 in Moscow."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sms_milter.dialects.smscentre.moment import not_before
from sms_milter.errors import Rejected

NOW = datetime(2024, 11, 21, 12, 0, tzinfo=UTC).timestamp()


def at(time: str, zone: str = "", default: str = "Europe/Moscow") -> str | None:
    moment = not_before(time, zone, ZoneInfo(default), NOW)
    return None if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%d %H:%M")


@pytest.mark.parametrize(
    ("time", "zone", "expected"),
    [
        ("", "", None),
        ("0", "", None),
        ("2211241000", "", "22 07:00"),
        ("22.11.24  10.00", "-1", "22 08:00"),
        ("22.11.24 10.00", "+2.5", "22 04:30"),
        ("15-16", "", None),
        ("14-15", "", "22 11:00"),
        ("16-24", "", "21 13:00"),
        ("9-15", "-1", None),
        ("%2B5", "", "21 12:05"),
        ("01732190000", "", None),  # past
    ],
)
def test_when(time: str, zone: str, expected: str | None) -> None:
    assert at(time, zone) == expected


def test_a_request_without_zone_has_the_domains() -> None:
    assert at("2211241000", default="Asia/Vladivostok") == "22 00:00"


@pytest.mark.parametrize(
    ("time", "zone"),
    [
        ("3002241000", ""),
        ("22.11.24 10:00", ""),
        ("21-9", ""),
        ("9-9", ""),
        ("0-25", ""),
        ("12345", ""),
        ("+1234567", ""),
        ("2211261000", ""),  # more than a year ahead
        ("0999999999999", ""),
        ("0", "12"),
        ("0", "x"),
        ("0", "1.7"),
    ],
)
def test_what_is_no_time_is_error_5(time: str, zone: str) -> None:
    with pytest.raises(Rejected, match="ERROR = 5"):
        at(time, zone)
