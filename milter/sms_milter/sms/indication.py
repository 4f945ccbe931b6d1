"""Message waiting (GSM 03.38 §4), and what a protocol_id asks of a phone (GSM 03.40 §9.2.3.9)."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

TYPE_0 = 0x40
"""protocol_id of a message that a phone acknowledges and never shows: a ping."""


def replace_type(number: int) -> int:
    """protocol_id of a message in whose place the next of the same `number`, 1..7, and originator comes."""
    if not 1 <= number <= 7:
        raise ValueError(f"replace types are 1 to 7, not {number}")
    return 0x40 + number


class Waiting(IntEnum):
    """What waits for the subscriber."""

    VOICE = 0
    FAX = 1
    MAIL = 2
    OTHER = 3


Keep = Literal["discard", "store", "store-ucs2"]
"""What a phone does with the text of an indication; text in UCS-2 is always stored."""

_GROUPS: dict[Keep, int] = {"discard": 0xC0, "store": 0xD0, "store-ucs2": 0xE0}
_ACTIVE = 0x08
_SPECIAL_MESSAGE = 0x01  # GSM 03.40 §9.2.3.24.2
_STORE = 0x80


def waiting_coding(what: Waiting, *, active: bool = True, keep: Keep = "discard") -> int:
    """The data_coding that switches the sign for `what` on, or off where it is not `active` (ENC §4)."""
    return _GROUPS[keep] | (_ACTIVE if active else 0) | what


def waiting_element(what: Waiting, count: int, *, store: bool = True) -> bytes:
    """The element of a user data header that says how many of `what` wait, 0..255; 0 switches the sign off.

    `store`: the phone keeps the message's text. Raises ValueError for another count (ENC §8).
    """
    if not 0 <= count <= 255:
        raise ValueError(f"0 to 255 messages can be told, not {count}")
    return bytes((_SPECIAL_MESSAGE, 2, (_STORE if store else 0) | what, count))
