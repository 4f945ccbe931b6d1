"""Time zones and times of day."""

from __future__ import annotations

import re
from datetime import time, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import PlainValidator

from sms_milter.config.values.expects import Expects


def parse_zone(name: object) -> tzinfo:
    """A time zone by its name in the tz database."""
    if isinstance(name, tzinfo):
        return name
    if not isinstance(name, str):
        raise ValueError
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError from None


Zone = Annotated[tzinfo, PlainValidator(parse_zone), Expects("a time zone such as Europe/Zurich")]


def _parse_time_of_day(value: object) -> time:
    if isinstance(value, time):
        return value
    found = (
        re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", value, re.ASCII) if isinstance(value, str) else None
    )
    if found is None:
        raise ValueError
    return time(int(found[1]), int(found[2]))


TimeOfDay = Annotated[time, PlainValidator(_parse_time_of_day), Expects('a time of day such as "22:00"')]
