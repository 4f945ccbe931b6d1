"""When the messages of an XML request are due, and how long they live (ASPSMS §11.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sms_milter.dialects.aspsms.document import Element
from sms_milter.dialects.aspsms.faults import Code
from sms_milter.sms.times import absolute_time

_FORM = "%d%m%Y%H%M%S"
_MOMENT = re.compile(r"[0-9]{14}")
_ZONE = re.compile(r"-?[0-9]{1,2}")
_HOURS_AHEAD = 1  # of GMT: the times of the interface, without TimeZone
_FURTHEST_ZONE = 13  # hours from that of the interface
_MINUTES = re.compile(r"[0-9]+")
_SHORTEST, _LONGEST = 3, 1440  # minutes of life
_LAST_YEAR = 2099  # of submit_sm, which writes two digits of it


@dataclass(frozen=True, slots=True)
class Timing:
    """When a message is to be delivered, as `Wish` has it; "" for at once."""

    schedule: str
    validity_period: str
    validity_seconds: int


def timing(request: Element, now: float) -> Timing:
    """DeferredDeliveryTime, TimeZone and LifeTime; a time that is over means at once (ASPSMS §12.1)."""
    life = 60 * _life(request.value("LifeTime"))
    due = _due(request.value("DeferredDeliveryTime"), request.value("TimeZone"))
    if due is None or due <= now:
        return Timing("", "", life)
    return Timing(absolute_time(due), absolute_time(due + life), int(due - now) + life)


def _life(written: str) -> int:
    """Minutes; clamped, as there is no error for other values (ASPSMS §15)."""
    if not written:
        return _LONGEST
    if not _MINUTES.fullmatch(written):
        raise Code.INVALID_REQUEST.rejected
    return min(max(int(written[:9]), _SHORTEST), _LONGEST)


def _due(written: str, zone: str) -> float | None:
    if zone and (not _ZONE.fullmatch(zone) or abs(int(zone)) > _FURTHEST_ZONE):
        raise Code.TIME.rejected
    if not written:
        return None
    try:
        if not _MOMENT.fullmatch(written):
            raise ValueError
        local = datetime.strptime(written, _FORM).replace(tzinfo=UTC)
        moment = local - timedelta(hours=_HOURS_AHEAD + int(zone or 0))
        if moment.year > _LAST_YEAR:
            raise ValueError
    except (ValueError, OverflowError):  # such as February 30, or the year 0
        raise Code.TIME.rejected from None
    return moment.timestamp()
