"""Which numbers an account may show as the sender of its SMS: the configured ones, and unlocked ones."""

from __future__ import annotations

from enum import Enum

from sms_milter.config.schema import Account

UNLOCKED = "originator"
"""The kind of the record that a number was unlocked by; its name are the digits."""


class Standing(Enum):
    """What an account's configuration says of an originator."""

    FREE = "free"  # a name, or any number will do
    LISTED = "listed"
    UNLISTED = "unlisted"  # allowed only once it is unlocked


def bare(originator: str) -> str:
    """For comparing: a number without its "+"."""
    return originator.removeprefix("+")


def standing(account: Account, originator: str) -> Standing:
    """How the account stands to an originator, `+` and digits, digits, or a name."""
    digits = bare(originator)
    if account.numeric_originators is None or not digits.isdigit():
        return Standing.FREE
    listed = digits in map(bare, account.numeric_originators)
    return Standing.LISTED if listed else Standing.UNLISTED
