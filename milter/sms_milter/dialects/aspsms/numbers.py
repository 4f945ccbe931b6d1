"""Phone numbers and originators as the interface writes them (ASPSMS §3.1, §6.1)."""

from __future__ import annotations

import re
from typing import Literal

from sms_milter.errors import ContentFault

# sms-number = "00" nonzero 6*14DIGIT      ASPSMS §3.1
SMS_NUMBER = re.compile(r"00([1-9][0-9]{6,14})")
# In XML the prefix may be "+" too, or missing (ASPSMS §11.2).
XML_NUMBER = re.compile(r"(?:\+|00)?([1-9][0-9]{6,14})")

# numeric = [ "+" | "00" ] 3*15DIGIT      ASPSMS §6.1
_NUMERIC = re.compile(r"(\+|00)?([0-9]{3,15})")
_LIKE_NUMERIC = re.compile(r"\+?[0-9]+")
_NAME = re.compile(r"[ -+\--~]+")  # printable ASCII without a comma
_LONGEST_NAME = 11

LAST_RESORT = "SMS"
"""The originator where nobody names any (ASPSMS §6.3)."""


def originator(given: str, long: Literal["truncate", "reject"]) -> str | None:
    """An originator that a mail asks for: "+" and digits, digits, or a name; None for "".

    `long` says what becomes of a name of more than 11 characters. Raises ContentFault.
    """
    if not given:
        return None
    if number := _NUMERIC.fullmatch(given):
        prefix, digits = number[1], number[2]
        return f"+{digits}" if prefix else digits
    name = given[:_LONGEST_NAME].rstrip()
    too_long = len(given) > _LONGEST_NAME and long == "reject"
    # A name that only cutting makes a number would pass for somebody's phone.
    if too_long or not _NAME.fullmatch(given) or _LIKE_NUMERIC.fullmatch(name):
        raise ContentFault("an originator is a number of 3 to 15 digits or a name of 1 to 11 characters")
    return name
