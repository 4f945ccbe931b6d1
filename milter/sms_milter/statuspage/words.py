"""Numbers, times and states as a person reads them."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from decimal import Decimal

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def count(number: int) -> str:
    """12,480."""
    return f"{number:,}"


def sms(number: int) -> str:
    """1 SMS, 12,480 SMS."""
    return f"{number:,} SMS"


def grouped(number: Decimal) -> str:
    """12,480 or 2,321.21, without zeros at the end."""
    plain = f"{number:,f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def rate(number: float) -> str:
    """Per second: 0, 0.4, 12, 1,250."""
    return f"{number:,.1f}".removesuffix(".0") if number < 10 else f"{number:,.0f}"


def lasting(seconds: float) -> str:
    """The largest unit, and the next one where it matters: 8 s, 12 min, 3 h 20 min, 2 d."""
    for place, (length, unit) in enumerate(_UNITS):
        if seconds >= length:
            whole, rest = divmod(int(seconds), length)
            below = _UNITS[place + 1] if place + 1 < len(_UNITS) else None
            if below and whole < 10 and rest >= below[0]:
                return f"{whole} {unit} {rest // below[0]} {below[1]}"
            return f"{whole} {unit}"
    return f"{max(int(seconds), 0)} s"


def clock(moment: float, zone: tzinfo) -> str:
    """14:05."""
    return datetime.fromtimestamp(moment, zone).strftime("%H:%M")


def day_and_clock(moment: float, zone: tzinfo) -> str:
    """22 Nov 14:05:09."""
    return datetime.fromtimestamp(moment, zone).strftime("%-d %b %H:%M:%S")


def machine(moment: float) -> str:
    """For a <time>: ISO 8601 in UTC."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def phone(number: str) -> str:
    """+41790000001; what is no number stays as it is."""
    return f"+{number}" if number.isdigit() else number
