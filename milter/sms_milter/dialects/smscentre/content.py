"""What one message carries: its kind, its text without comments, its octets (SMSCentre §6.8, §7)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from sms_milter.dialects.smscentre import replies
from sms_milter.dialects.smscentre.translit import transliterated
from sms_milter.errors import ContentFault, Rejected
from sms_milter.model import Binary, Kind
from sms_milter.sms import udh
from sms_milter.sms.indication import TYPE_0
from sms_milter.sms.smart import wap

_LONGEST = 1000  # characters
_PREFIX = re.compile(r"__(?:(CALL|VIBER|SOC|MAIL|BOT)__:|(PING|HLR)__:?)")
_MARK = re.compile(r"^~~~[ \t]*(?:\n|\Z)", re.MULTILINE)
_WRITTEN_MARK = "\\n~~~\\n"

FLASH, PUSH, BINARY, HEXADECIMAL, PING = "1", "2", "4", "5", "6"
_PLAIN = ("", "0")
_SPOKEN = (*_PLAIN, FLASH, PUSH, BINARY, HEXADECIMAL, PING)
_HLR, _MMS, _MAIL, _CALL, _VIBER, _WHATSAPP, _SOCIAL = "3", "7", "8", "9", "10", "11", "12"
_BOT = "bot"  # has a prefix only
FORMATS = (*_SPOKEN, _HLR, _MMS, _MAIL, _CALL, _VIBER, _WHATSAPP, _SOCIAL)
_OTHER_CHANNELS = (_HLR, _MMS, _MAIL, _CALL, _VIBER, _WHATSAPP, _SOCIAL, _BOT)
_FORM_OF_PREFIX = {
    "CALL": _CALL,
    "VIBER": _VIBER,
    "SOC": _SOCIAL,
    "MAIL": _MAIL,
    "BOT": _BOT,
    "PING": PING,
    "HLR": _HLR,
}


_FOR_THE_PHONE = 0xF5  # data_coding: 8-bit, class 1
_OCTETS = 0x04
_LONGEST_OCTETS = 140
_PARAMETER = re.compile(r"(pid|dcs)\s*:\s*([0-9]{1,3})", re.IGNORECASE)
_LINK = re.compile(r"https?://\S")


@dataclass(frozen=True, slots=True)
class Content:
    """As the fields of a Wish."""

    text: str = ""
    kind: Kind = Kind.TEXT
    binary: Binary | None = None
    flash: bool = False
    protocol_id: int = 0
    comment: str = ""


def form_of(message: str, form: str) -> tuple[str, str]:
    """The format of `message` and what of it is no prefix; a prefix wins over the format that the request
    names (SMSCentre §7.1). Raises Rejected for a channel that does not exist here.
    """
    prefix = _PREFIX.match(message)
    if prefix:
        form = _FORM_OF_PREFIX[prefix[1] or prefix[2]]
        message = message[prefix.end() :].lstrip()
    if form in _OTHER_CHANNELS:
        raise Rejected(replies.NO_SUCH_CHANNEL)
    return form, message


def content(message: str, form: str, translit: str, raw: bytes | None = None) -> Content:
    """What `message` in the format `form` becomes; `raw` are its octets where these count. Raises
    Rejected.
    """
    if form == PING:
        return Content(kind=Kind.PING, protocol_id=TYPE_0)
    text, comment = _without_comment(message)
    if form == BINARY and raw is not None:
        return _binary(_octets_before_mark(raw), comment)
    if form == BINARY or "\0" in text:
        raise Rejected(replies.BAD_PARAMETERS)
    if len(text) > _LONGEST:
        raise Rejected(replies.TOO_LONG)
    if not text:
        raise Rejected(replies.BAD_PARAMETERS)
    if form == HEXADECIMAL:
        return _binary(_from_hexadecimal(text), comment)
    if form == PUSH:
        return replace(_push(text), comment=comment)
    return Content(transliterated(text, translit), flash=form == FLASH, comment=comment)


def _without_comment(message: str) -> tuple[str, str]:
    """The text, and what stands behind a line of three tildes, which nobody is sent."""
    message = message.replace(_WRITTEN_MARK, "\n~~~\n")
    mark = _MARK.search(message)
    if mark is None:
        return message, ""
    return message[: mark.start()].strip(), message[mark.end() :].strip()


# --- what is not text ---------------------------------------------------------------------------------------


def _push(text: str) -> Content:
    """A link in the first line, its name in the others (SMSCentre §7.3)."""
    link, _, rest = text.partition("\n")
    link, title = link.strip(), " ".join(rest.split())
    if not _LINK.match(link):
        raise Rejected(replies.BAD_PARAMETERS)
    try:
        push = wap.service_indication(link, title or link, transaction=0xDC)
    except ContentFault as fault:
        raise Rejected(replies.BAD_PARAMETERS, str(fault)) from fault
    return Content(binary=replace(push, data_coding=_FOR_THE_PHONE))


def _from_hexadecimal(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Rejected(replies.BAD_PARAMETERS) from None


def _octets_before_mark(raw: bytes) -> bytes:
    """The octets without a final line end, and without parameters behind the mark."""
    at = re.search(rb"\r?\n~~~[ \t]*\r?\n", raw)
    return raw[: at.start()] if at else raw.removesuffix(b"\n").removesuffix(b"\r")


def _binary(octets: bytes, parameters: str) -> Content:
    """A user data header, if the octets begin with one, and the rest (SMSCentre §7.4)."""
    if not octets:
        raise Rejected(replies.BAD_PARAMETERS)
    if len(octets) > _LONGEST_OCTETS:
        raise Rejected(replies.TOO_LONG)
    header, rest = _header(octets)
    given = {name.lower(): int(value) for name, value in _PARAMETER.findall(parameters)}
    pid, dcs = given.get("pid", 0), given.get("dcs", _FOR_THE_PHONE if header else _OCTETS)
    if max(pid, dcs) > 255:
        raise Rejected(replies.BAD_PARAMETERS)
    return Content(binary=Binary(rest, udh=header, data_coding=dcs), protocol_id=pid)


def _header(octets: bytes) -> tuple[bytes, bytes]:
    """The elements of the user data header, b"" when the octets do not begin with one, and the rest."""
    try:
        header, rest = udh.cut_off(octets)
    except ContentFault:
        return b"", octets
    return (header, rest) if header else (b"", octets)
