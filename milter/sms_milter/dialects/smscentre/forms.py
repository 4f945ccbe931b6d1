"""Formats and prefixes: the kinds of message, and the channels they go by (SMSCentre §6.4, §7.1)."""

from __future__ import annotations

import re
from collections.abc import Collection

from sms_milter.dialects.smscentre import replies
from sms_milter.errors import Rejected
from sms_milter.model import EMAIL, SMS

FLASH, PUSH, HLR, BINARY, HEXADECIMAL, PING = "1", "2", "3", "4", "5", "6"
MMS, MAIL, CALL, VIBER, WHATSAPP, SOCIAL = "7", "8", "9", "10", "11", "12"
BOT = "bot"  # has a prefix only
_OF_SMS = ("", "0", FLASH, PUSH, BINARY, HEXADECIMAL, PING)
_CHANNELS = {
    HLR: "hlr",
    MMS: "mms",
    MAIL: EMAIL,
    CALL: "voice",
    VIBER: "viber",
    WHATSAPP: "whatsapp",
    SOCIAL: "social",
    BOT: "telegram",
}
WRITTEN = frozenset({*_OF_SMS, *_CHANNELS} - {BOT})
"""What may stand in the field."""

WITHOUT_TEXT = (HLR, PING)
WITH_TRAILERS = (MMS, MAIL, CALL)

# prefix = "__" ( "CALL" / "VIBER" / "SOC" / "MAIL" / "BOT" ) "__:" / "__" ( "PING" / "HLR" ) "__" [ ":" ]
_PREFIX = re.compile(r"__(?:(CALL|VIBER|SOC|MAIL|BOT)__:|(PING|HLR)__:?)")
_OF_PREFIX = {"CALL": CALL, "VIBER": VIBER, "SOC": SOCIAL, "MAIL": MAIL, "BOT": BOT, "PING": PING, "HLR": HLR}


def form_of(message: str, written: str) -> tuple[str, str]:
    """The format of `message`, and what of it is no prefix; a prefix wins over the format that is written in
    the field.
    """
    prefix = _PREFIX.match(message)
    if prefix is None:
        return written, message
    return _OF_PREFIX[prefix[1] or prefix[2]], message[prefix.end() :].lstrip()


def channel_of(form: str, channels: Collection[str]) -> str:
    """The channel of a format, out of those there are. Raises Rejected when that is not among them."""
    if form == PING and "ping" in channels:
        return "ping"  # else it is an SMS like others
    if form not in _CHANNELS:
        return SMS
    if _CHANNELS[form] not in channels:
        raise Rejected(replies.NO_SUCH_CHANNEL)
    return _CHANNELS[form]
