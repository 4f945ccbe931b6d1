"""SMPP §5, SMPP 3.4 §7.1.1."""

from datetime import UTC, datetime

import pytest

from sms_milter.sms.times import TimeFormat, relative_time, retold, seconds_left

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


# --- as they leave ------------------------------------------------------------------------------------------

HOUR = 3600.0


def told(schedule: str, validity: str, form: TimeFormat, *, waited: float, lasts: float) -> tuple[str, str]:
    """What leaves after so many seconds; `lasts` is from the mail to the end of our own patience."""
    return retold(schedule, validity, form, received_at=NOON, expires_at=NOON + lasts, now=NOON + waited)


@pytest.mark.parametrize(
    ("form", "waited", "leaves"),
    [
        ("relative", 0, "000000020000000R"),
        ("relative", 59, "000000020000000R"),
        ("relative", 3600, "000000010000000R"),
        ("relative", 7199.8, "000000000001000R"),
        ("absolute", 0, "241121140000000+"),
        ("absolute", 3600, "241121140000000+"),
        ("relative-only", 1800, "000000013000000R"),
    ],
)
def test_a_validity_ends_when_it_would_have_ended(form: TimeFormat, waited: float, leaves: str) -> None:
    assert told("", "000000020000000R", form, waited=waited, lasts=2 * HOUR) == ("", leaves)


def test_what_was_held_back_on_purpose_has_its_validity_from_then_on() -> None:
    late = told("", "000000020000000R", "relative", waited=24 * HOUR, lasts=26 * HOUR)
    assert late == ("", "000000020000000R")
    assert (
        told("", "000000020000000R", "absolute", waited=24 * HOUR, lasts=26 * HOUR)[1] == "241122140000000+"
    )


@pytest.mark.parametrize("form", ["relative", "absolute"])
def test_what_a_mail_has_written_absolute_stays(form: TimeFormat) -> None:
    written = "241121163000004+"
    assert told(written, written, form, waited=3600, lasts=9 * HOUR) == (written, written)


def test_an_smsc_that_takes_relative_times_only_gets_no_others() -> None:
    written = "241121163000004+"
    assert told(written, written, "relative-only", waited=3600, lasts=9 * HOUR) == ("000000023000000R",) * 2


@pytest.mark.parametrize(
    ("form", "waited", "leaves"),
    [
        ("relative", 1800, ("000000003000000R", "000000023000000R")),
        ("relative", 2 * HOUR, ("", "000000010000000R")),
        ("absolute", 1800, ("241121130000000+", "241121150000000+")),
    ],
)
def test_a_delivery_time_and_the_validity_behind_it_count_from_the_mail(
    form: TimeFormat, waited: float, leaves: tuple[str, str]
) -> None:
    assert told("000000010000000R", "000000030000000R", form, waited=waited, lasts=2 * HOUR) == leaves


@pytest.mark.parametrize("form", ["relative", "absolute", "relative-only"])
def test_no_time_and_nothing_from_now_stay(form: TimeFormat) -> None:
    assert told("", "", form, waited=HOUR, lasts=24 * HOUR) == ("", "")
    nothing = "000000000000000R"
    assert told("", nothing, form, waited=HOUR, lasts=24 * HOUR) == ("", nothing)
