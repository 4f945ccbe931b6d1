"""Times as submit_sm writes them: `YYMMDDhhmmsstnnp` (SMPP 3.4 §7.1.1)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Literal

TimeFormat = Literal["relative", "absolute", "relative-only"]

_FORM = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})[0-9]([0-9]{2})([+R-])")
_MOST_QUARTERS = 48  # of an hour between UTC and anywhere
NOTICED_SECONDS = 60.0  # what has waited less is sent as it was composed


def relative_time(seconds: int) -> str:
    """`seconds` from now in the relative form of SMPP 3.4 §7.1.1.2.

    Beyond 30 days they are written in months of 30 days. The limits are a second and 99 years.
    """
    minutes, second = divmod(min(max(seconds, 1), 99 * 360 * 86400), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    year, month = 0, 0
    if days > 30:
        months, days = divmod(days, 30)
        year, month = divmod(months, 12)
    return f"{year:02}{month:02}{days:02}{hour:02}{minute:02}{second:02}000R"


def seconds_left(time: str, now: float) -> float:
    """How far `time`, absolute or relative, lies behind `now` (seconds since the epoch); may be negative.

    A month counts 30 days and a year 12 of them. Raises ValueError when `time` is malformed.
    """
    form = _FORM.fullmatch(time)
    if form is None:
        raise ValueError("not of the form YYMMDDhhmmsstnnp")
    year, month, day, hour, minute, second, quarters = map(int, form.groups()[:7])
    if form[8] == "R":
        days = (year * 12 + month) * 30 + day
        return timedelta(days=days, hours=hour, minutes=minute, seconds=second).total_seconds()
    if quarters > _MOST_QUARTERS:
        raise ValueError("more than 48 quarter hours from UTC")
    ahead = timedelta(minutes=15 * quarters) * (1 if form[8] == "+" else -1)
    try:
        moment = datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise ValueError("no such date or time of day") from None
    return (moment - ahead).timestamp() - now


def absolute_time(moment: float) -> str:
    """`moment`, in seconds since the epoch, in the absolute form of SMPP 3.4 §7.1.1.1, in UTC.

    It must lie in the years 2000 to 2099, of which two digits are written.
    """
    return datetime.fromtimestamp(int(moment), UTC).strftime("%y%m%d%H%M%S000+")


def retold(
    schedule: str, validity: str, form: TimeFormat, *, received_at: float, expires_at: float, now: float
) -> tuple[str, str]:
    """schedule_delivery_time and validity_period of a part that leaves `now` for an SMSC that takes `form`.

    Relative times were written when the part came (`received_at`), or for when it may leave, and say less by
    what it has waited in our queue since: at every attempt anew (smpp-practice.md §10). Absolute ones say the
    same as before; `relative` leaves what a mail has written absolute. Seconds since the epoch.
    """
    if schedule:
        since = received_at
    else:
        since = expires_at - seconds_left(validity, now) if validity.endswith("R") else now
    return _retold(schedule, form, since, now, past=""), _retold(validity, form, since, now, past=None)


def _retold(time: str, form: TimeFormat, since: float, now: float, *, past: str | None) -> str:
    """`past` is what is told of a time that is over; None: a second is left."""
    if not time:
        return ""
    left = seconds_left(time, now)
    if time.endswith("R"):
        waited = max(0.0, now - since)
        # Nothing from now is the SMSC's to understand.
        if not left or (form != "absolute" and waited < NOTICED_SECONDS):
            return time
        left -= waited
    elif form != "relative-only":
        return time
    if left <= 0 and past is not None:
        return past
    left = max(left, 1.0)
    return absolute_time(now + left) if form == "absolute" else relative_time(round(left))
