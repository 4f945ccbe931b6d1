"""SMPP §5, SMPP 3.4 §7.1.1."""

from datetime import UTC, datetime

import pytest

from sms_milter.sms.times import relative_time, seconds_left

NOON = datetime(2024, 11, 21, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (7200, "000000020000000R"),
        (86400, "000001000000000R"),
        (604800, "000007000000000R"),
        (900, "000000001500000R"),
        (29, "000000000029000R"),
        (30 * 86400, "000030000000000R"),
        (45 * 86400, "000115000000000R"),
        (400 * 86400, "010110000000000R"),
        (0, "000000000001000R"),
        (10**12, "990000000000000R"),
    ],
)
def test_relative_time(seconds: int, text: str) -> None:
    assert relative_time(seconds) == text


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("000001000000000R", 86400),
        ("000000000000000R", 0),
        ("010203040506000R", ((14 * 30 + 3) * 24 + 4) * 3600 + 5 * 60 + 6),
        ("241121120000000+", 0),
        ("241121130000000+", 3600),
        ("241121130000004+", 0),  # an hour ahead of UTC
        ("241121130000900+", 3600),
        ("241121130000004-", 7200),
        ("241121115959000+", -1),
        ("240229120000000+", -266 * 86400),
    ],
)
def test_seconds_left(time: str, seconds: int) -> None:
    assert seconds_left(time, NOON) == seconds


@pytest.mark.parametrize(
    "time",
    [
        "",
        "24h",
        "241121120000000",
        "241121120000000Z",
        "241121120000000r",
        "2411211200000000+",
        "241121 20000000+",
        "٢٤١١٢١١٢٠٠٠٠٠٠٠+",
        "000001000000000R\n",
        "241321120000000+",
        "241100120000000+",
        "241131120000000+",
        "230229120000000+",
        "241121240000000+",
        "241121126000000+",
        "241121120060000+",
        "241121120000049+",
    ],
)
def test_what_is_no_time(time: str) -> None:
    with pytest.raises(ValueError, match=r"not of the form|no such date|quarter hours"):
        seconds_left(time, NOON)
