"""What a value must look like, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator


@dataclass(frozen=True, slots=True)
class Expects:
    """What a value looks like, in a postmaster's words; stands in faults and in the settings table."""

    words: str


def text_of(check: Callable[[str], bool]) -> Callable[[object], str]:
    """Reads text that passes a check."""

    def parse(value: object) -> str:
        if isinstance(value, str) and check(value):
            return value
        raise ValueError

    return parse


def printable(value: str) -> bool:
    """Whether it is printable ASCII."""
    return all(" " <= c <= "~" for c in value)


AsciiText = Annotated[str, BeforeValidator(text_of(printable)), Expects("text in printable ASCII")]


def digits_of(value: object, least: int, most: int) -> str:
    """So many digits, none of them a leading zero; a plus in front is dropped."""
    digits = value.removeprefix("+") if isinstance(value, str) else ""
    if digits.isascii() and digits.isdigit() and least <= len(digits) <= most and digits[0] != "0":
        return digits
    raise ValueError
