"""Numbers as people write them, corrected; groups of the account (SMSCentre §6.7)."""

from __future__ import annotations

import re

from sms_milter.config.schema import Account

_SEPARATORS = re.compile(r"[,;]")
# number = [ "+" ] { digit | " " | "-" | "(" | ")" | "." | TAB } ;  group = ( "G" | "g" ) digit { digit }
_PUNCTUATION = str.maketrans("", "", " \t-().")
_MSISDN = re.compile(r"[1-9][0-9]{6,14}")
_GROUP = re.compile(r"[Gg]([0-9]{1,9})")


def numbers(written: str, account: Account) -> list[str]:
    """The digits of a list separated by commas or semicolons, each number once; what is none is left out."""
    found: dict[str, None] = {}
    for one in _SEPARATORS.split(written):
        group = _GROUP.fullmatch(one.strip())
        if group:
            found |= dict.fromkeys(account.groups.get(int(group[1]), ()))
        elif number := _number(one.strip(), account.country_code):
            found[number] = None
    return list(found)


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
