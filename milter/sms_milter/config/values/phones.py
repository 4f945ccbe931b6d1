"""Phone numbers, prefixes, originators and networks."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

from sms_milter.config.values.expects import Expects, digits_of, printable


def parse_originator(value: object) -> str:
    """What a phone shows as the sender: a number of 3 to 15 digits, or 1 to 11 printable ASCII characters."""
    if isinstance(value, str) and value.strip() and printable(value):
        digits = value.removeprefix("+")
        if digits.isdigit() and 3 <= len(digits) <= 15:
            return value
        if not digits.isdigit() and len(value) <= 11:
            return value
    raise ValueError


def parse_prefix(value: object) -> str:
    """The beginning of numbers as "+41", or "*" for all numbers."""
    return "*" if value == "*" else "+" + digits_of(value, 1, 15)


def parse_group_entry(value: object) -> str:
    """An entry of a closed group (HSL §8): a whole number, or a prefix ending in `*`; digits without `+`."""
    if isinstance(value, str) and value.endswith("*"):
        return digits_of(value[:-1], 1, 15) + "*"
    return digits_of(value, 7, 15)


Originator = Annotated[
    str,
    BeforeValidator(parse_originator),
    Expects("an originator of 1 to 11 printable ASCII characters, or a number of 3 to 15 digits"),
]


OptionalOriginator = Annotated[
    str,
    BeforeValidator(lambda value: "" if value == "" else parse_originator(value)),
    Expects("an originator of 1 to 11 printable ASCII characters, a number of 3 to 15 digits, or nothing"),
]


NumericOriginators = Annotated[
    tuple[Originator, ...] | None,
    BeforeValidator(lambda value: None if value == "any" else value),
    Expects("any or a list of originators such as +41790000000"),
]


PhoneNumber = Annotated[
    str,
    BeforeValidator(lambda value: digits_of(value, 7, 15)),
    Expects("an international number of 7 to 15 digits such as 41790000000"),
]


CountryCode = Annotated[
    str, BeforeValidator(lambda value: digits_of(value, 1, 3)), Expects("a country code such as 41")
]


PhonePrefix = Annotated[
    str, BeforeValidator(parse_prefix), Expects('the beginning of numbers such as "+41", or * for all')
]


def _parse_mobile_network(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"([0-9]{3}-[0-9]{2})?", value, re.ASCII):
        return value
    raise ValueError


MobileNetwork = Annotated[
    str,
    BeforeValidator(_parse_mobile_network),
    Expects("the MCC-MNC of a mobile network such as 262-01, or nothing"),
]


GroupEntry = Annotated[
    str,
    BeforeValidator(parse_group_entry),
    Expects("an international number of 7 to 15 digits, a prefix ending in * or file:PATH"),
]
