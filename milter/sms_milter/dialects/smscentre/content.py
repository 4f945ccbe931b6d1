"""What one message carries: its kind, its text without comments, its octets (SMSCentre §6.8, §7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sms_milter.dialects.smscentre import forms, replies, trailers
from sms_milter.dialects.smscentre.translit import transliterated
from sms_milter.errors import ContentFault, Rejected
from sms_milter.model import Binary, Kind
from sms_milter.sms import udh
from sms_milter.sms.indication import TYPE_0
from sms_milter.sms.smart import wap

_LONGEST = 1000  # characters
_VOICE = "m"  # of a call that names none
_MARK = re.compile(r"^~~~[ \t]*(?:\n|\Z)", re.MULTILINE)
_WRITTEN_MARK = "\\n~~~\\n"

_FOR_THE_PHONE = 0xF5  # data_coding: 8-bit, class 1
_OCTETS = 0x04
_LONGEST_OCTETS = 140
_PARAMETER = re.compile(r"(pid|dcs)\s*:\s*([0-9]{1,3})", re.IGNORECASE)
_LINK = re.compile(r"https?://\S")


@dataclass(frozen=True, slots=True)
class Content:
    """As the fields of a Wish."""

    text: str = field(default="", repr=False)
    kind: Kind = Kind.TEXT
    binary: Binary | None = None
    flash: bool = False
    protocol_id: int = 0
    comment: str = field(default="", repr=False)
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def content(
    message: str, form: str, letters: dict[int, str], shared: Mapping[str, str], raw: bytes | None = None
) -> Content:
    """What `message` in the format `form` becomes, its letters by that table. `shared` are the fields that a
    list gives to all of its messages, `raw` are the octets of this one where these count. Raises Rejected.
    """
    if form == forms.PING:
        return Content(kind=Kind.PING, protocol_id=TYPE_0)
    if form == forms.HLR:
        return Content()
    if form in forms.WITH_TRAILERS:
        return _with_trailers(message, form, letters, shared)
    text, behind = _cut_at_mark(message)
    if form == forms.BINARY:
        if raw is None:
            raise Rejected(replies.BAD_PARAMETERS)
        return _binary(_octets_before_mark(raw), behind)
    _check(text)
    if form == forms.HEXADECIMAL:
        return _binary(_from_hexadecimal(text), behind)
    if form == forms.PUSH:
        return replace(_push(text), comment=behind)
    return Content(transliterated(text, letters), flash=form == forms.FLASH, comment=behind)


def _with_trailers(message: str, form: str, letters: dict[int, str], shared: Mapping[str, str]) -> Content:
    """A message whose channel must know more (SMSCentre §9.2); the trailers stand before the mark, or at the
    end of all.
    """
    message, last = trailers.cut_off(message)
    text, behind = _cut_at_mark(message)
    text, first = trailers.cut_off(text)
    _check(text)
    fields = {**shared, **first, **last}
    comment = behind
    if form == forms.CALL:
        fields = {"voice": _VOICE, **fields, **trailers.of_a_call(behind)}
        comment = ""
    elif form == forms.MAIL and not fields.get("subject"):
        raise Rejected(replies.BAD_PARAMETERS)
    return Content(transliterated(text, letters), fields=tuple(fields.items()), comment=comment)


def _check(text: str) -> None:
    """Raises Rejected for what nobody can be sent."""
    if len(text) > _LONGEST:
        raise Rejected(replies.TOO_LONG)
    if not text or "\0" in text:
        raise Rejected(replies.BAD_PARAMETERS)


def _cut_at_mark(message: str) -> tuple[str, str]:
    """The text, and what stands behind a line of three tildes: a comment, or parameters."""
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
