"""Sizes, durations, numbers of things, switches."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainValidator

from sms_milter.config.values.expects import Expects

_SIZE = re.compile(r"([0-9]{1,12})(B|KB|MB|GB)?", re.ASCII)


_SIZE_UNITS = {"": 1, "B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}


_DURATION = re.compile(r"([0-9]{1,9})([smhd])", re.ASCII)


_DURATION_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_size(value: object) -> int:
    """Octets of "10MB", "512KB" or "1000"; 1 KB is 1024 octets."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _SIZE.fullmatch(value.upper()) if isinstance(value, str) else None
    if found is None:
        raise ValueError
    return int(found[1]) * _SIZE_UNITS[found[2] or ""]


def parse_duration(value: object) -> float:
    """Seconds of "30s", "2m", "24h" or "30d"."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError
    return float(int(found[1]) * _DURATION_UNITS[found[2]])


Credits = Annotated[
    Decimal, Field(max_digits=15, decimal_places=3), Expects("a number with at most three decimals")
]


def number_of(limit: str | int | float) -> int | float:
    """A limit as it is declared ("1s", "64KB", 3) in the unit of the value that it limits."""
    if not isinstance(limit, str):
        return limit
    return parse_duration(limit) if _DURATION.fullmatch(limit) else parse_size(limit)


def _whole_or(word: str, least: int, most: int) -> Callable[[object], int | str]:
    def parse(value: object) -> int | str:
        if value == word:
            return word
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 12:
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        raise ValueError

    return parse


def _parse_allowance(value: object) -> int | None:
    if value is None:
        return None
    found = _whole_or("unlimited", 0, 10**12)(value)
    return found if isinstance(found, int) else None


def _parse_switch(value: object) -> bool | str:
    if isinstance(value, bool) or value == "default":
        return value
    if value not in ("true", "false"):
        raise ValueError
    return value == "true"


def _parse_file_mode(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"0?[0-7]{3}", value, re.ASCII):
        return value
    raise ValueError


Size = Annotated[int, BeforeValidator(parse_size), Expects("a size such as 512KB or 10MB")]


Duration = Annotated[
    float, BeforeValidator(parse_duration), Expects("a duration such as 30s, 2m, 24h or 30d")
]


Workers = Annotated[
    int | Literal["auto"],
    PlainValidator(_whole_or("auto", 1, 256)),
    Expects("auto or a whole number from 1 to 256"),
]


MaxParts = Annotated[
    int | Literal["default"],
    PlainValidator(_whole_or("default", 1, 255)),
    Expects("default or a whole number from 1 to 255"),
]


Allowance = Annotated[int | None, PlainValidator(_parse_allowance), Expects("unlimited or a whole number")]


Switch = Annotated[
    bool | Literal["default"], PlainValidator(_parse_switch), Expects("default, true or false")
]


FileMode = Annotated[str, BeforeValidator(_parse_file_mode), Expects("an octal file mode such as 0660")]


Listed = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
    Expects("a list of files or patterns"),
]
