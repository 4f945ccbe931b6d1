"""Numbers as people write them, corrected; groups of the account (SMSCentre §6.7)."""

from __future__ import annotations

import re
from typing import NamedTuple

from sms_milter.config.schema import Account

_SEPARATORS = re.compile(r"[,;]")
# number = [ "+" ] { digit | " " | "-" | "(" | ")" | "." | TAB } ;  group = ( "G" | "g" ) digit { digit }
_PUNCTUATION = str.maketrans("", "", " \t-().")
_MSISDN = re.compile(r"[1-9][0-9]{6,14}")
_ADDRESS = re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9.-]{1,255}")
# chat = "#" 1*digit | nickname ;  a nickname begins with a letter, so it is no number; G5 is a group
_CHAT = re.compile(r"#[0-9]{1,20}|(?![Gg][0-9]+\Z)@?[A-Za-z][A-Za-z0-9_]{1,63}")
_GROUP = re.compile(r"[Gg]([0-9]{1,9})")


class Numbers(NamedTuple):
    """The digits of each number, once; and what was written and is none, or is a group of nobody."""

    found: list[str]
    wrong: list[str]


def numbers(written: str, account: Account) -> Numbers:
    """What is written in a list separated by commas or semicolons."""
    found: dict[str, None] = {}
    wrong: list[str] = []
    for one in filter(None, map(str.strip, _SEPARATORS.split(written))):
        if group := _GROUP.fullmatch(one):
            members = account.groups.get(int(group[1]), ())
        else:
            number = _number(one, account.country_code)
            members = (number,) if number else ()
        found |= dict.fromkeys(members)
        if not members:
            wrong.append(one)
    return Numbers(list(found), wrong)


def addresses(written: str) -> Numbers:
    """Mail addresses (format 8)."""
    every = dict.fromkeys(filter(None, map(str.strip, _SEPARATORS.split(written))))
    return Numbers(
        [one for one in every if _ADDRESS.fullmatch(one)],
        [one for one in every if not _ADDRESS.fullmatch(one)],
    )


def chats(written: str, account: Account) -> Numbers:
    """Whom a chat robot writes to: `#` and an id, a nickname, or a subscriber by number (SMSCentre §6.7)."""
    found: dict[str, None] = {}
    wrong: list[str] = []
    for one in filter(None, map(str.strip, _SEPARATORS.split(written))):
        by_number = numbers(one, account)
        named = [one] if _CHAT.fullmatch(one) else by_number.found
        found |= dict.fromkeys(named)
        if not named:
            wrong.append(one)
    return Numbers(list(found), wrong)


def _number(written: str, country: str | None) -> str | None:
    """The digits of one number, None when it is not valid; a `+` says that nothing is to be corrected."""
    digits = written.removeprefix("+").translate(_PUNCTUATION)
    if not digits.isascii() or not digits.isdigit():
        return None
    if not written.startswith("+"):
        digits = _corrected(digits, country)
    return digits if _MSISDN.fullmatch(digits) else None


def _corrected(digits: str, country: str | None) -> str:
    """In international form; the first rule that fits is the only one."""
    if digits.startswith("00"):
        return digits[2:]
    if digits.startswith("810") and len(digits) >= 12:  # the exit code of Russia
        return digits[3:]
    if country in (None, "7"):
        if len(digits) == 11 and digits.startswith("8"):
            return "7" + digits[1:]
        if len(digits) == 10 and digits.startswith("9"):
            return "7" + digits
    if digits.startswith("0") and country is not None:
        return country + digits[1:]
    return digits
