"""Fields of PDUs as numbers and octets."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import BeforeValidator

from sms_milter.config.values.expects import Expects


def _parse_ton_npi(value: object) -> str:
    if isinstance(value, str) and (value == "auto" or re.fullmatch(r"[0-6]/([0-9]|1[0-8])", value, re.ASCII)):
        return value
    raise ValueError


def _number_or_octets(most: int) -> Callable[[object], int]:
    """A number from 0 to `most`, decimal or as 0x and hexadecimal digits."""

    def parse(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(r"0x[0-9A-Fa-f]{1,8}|[0-9]{1,10}", value, re.ASCII):
            value = int(value, 0) if value.startswith("0x") else int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
            return value
        raise ValueError

    return parse


def _parse_octets(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"([0-9A-Fa-f]{2}){0,255}", value, re.ASCII):
        raise ValueError
    return bytes.fromhex(value)


Octet = Annotated[
    int, BeforeValidator(_number_or_octets(0xFF)), Expects("a number from 0 to 255, such as 64 or 0x40")
]


CommandStatus = Annotated[
    int, BeforeValidator(_number_or_octets(0xFFFFFFFF)), Expects("a command_status such as 0x45")
]


Tag = Annotated[int, BeforeValidator(_number_or_octets(0xFFFF)), Expects("the tag of a TLV such as 0x1400")]


HexOctets = Annotated[
    bytes, BeforeValidator(_parse_octets), Expects("at most 255 octets in hexadecimal such as 01FF")
]


TonNpi = Annotated[
    str, BeforeValidator(_parse_ton_npi), Expects("auto, or type of number and numbering plan such as 5/0")
]
