"""When to send: the time and tz of a request (SMSCentre §6.2). Nothing here knows a clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from sms_milter.dialects.smscentre import replies
from sms_milter.errors import Rejected

# time = "" / "0" / DDMMYYhhmm / DD.MM.YY hh.mm / h1-h2 / 0ts / +m      SMSCentre §6.2
_DATE = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})")
_DOTTED_DATE = re.compile(r"([0-9]{2})\.([0-9]{2})\.([0-9]{2})[ \t]+([0-9]{2})\.([0-9]{2})")
_HOURS = re.compile(r"([0-9]{1,2})-([0-9]{1,2})")
_TIMESTAMP = re.compile(r"0([0-9]{1,12})")
_MINUTES = re.compile(r"(?:\+|%2[Bb])([0-9]{1,6})")
_ZONE = re.compile(r"[+-]?[0-9]{1,2}(?:\.[05])?")

_MOSCOW_HOURS = 3.0  # before UTC, all year round
MOSCOW = timezone(timedelta(hours=_MOSCOW_HOURS))
_ZONES = (-15.0, 11.0)  # hours from Moscow
_FURTHEST_SECONDS = 366 * 86400


def not_before(time: str, zone: str, default: tzinfo, now: float) -> float | None:
    """The moment to wait for, in seconds since the epoch; None to send now. Raises Rejected.

    `zone` is written in hours from Moscow; without it `default` holds.
    """
    local = _zone(zone) if zone else default
    try:
        moment = _moment(time, local, now)
    except (ValueError, OverflowError):
        raise Rejected(replies.BAD_TIME) from None
    if moment > now + _FURTHEST_SECONDS:
        raise Rejected(replies.BAD_TIME)
    return moment if moment > now else None


def _zone(zone: str) -> tzinfo:
    if not _ZONE.fullmatch(zone) or not _ZONES[0] <= float(zone) <= _ZONES[1]:
        raise Rejected(replies.BAD_TIME)
    return timezone(timedelta(hours=_MOSCOW_HOURS + float(zone)))


def _moment(time: str, local: tzinfo, now: float) -> float:
    """Raises ValueError for what is no time."""
    if time in ("", "0"):
        return now
    # Ten digits are a date even if the first is 0.
    if date := _DATE.fullmatch(time) or _DOTTED_DATE.fullmatch(time):
        day, month, year, hour, minute = map(int, date.groups())
        return datetime(2000 + year, month, day, hour, minute, tzinfo=local).timestamp()
    if hours := _HOURS.fullmatch(time):
        return _window(int(hours[1]), int(hours[2]), datetime.fromtimestamp(now, UTC).astimezone(local))
    if stamp := _TIMESTAMP.fullmatch(time):
        return float(stamp[1])
    if minutes := _MINUTES.fullmatch(time):
        return now + 60 * int(minutes[1])
    raise ValueError


def _window(first: int, last: int, now: datetime) -> float:
    """From the hour `first` until `last`: now, or the next beginning."""
    if not 0 <= first < last <= 24:
        raise ValueError
    if first <= now.hour < last:
        return now.timestamp()
    begin = now.replace(hour=first, minute=0, second=0, microsecond=0)
    return (begin if now.hour < first else begin + timedelta(days=1)).timestamp()
