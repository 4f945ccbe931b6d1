"""Finds the text of the request in a mail, and its fields in the text (SMSCentre §3, §4)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sms_milter.dialects.smscentre import replies
from sms_milter.errors import Rejected
from sms_milter.mail import charset, flowed, html, words
from sms_milter.mail.parse import Mail, Part

DEFAULT_CHARSET = "koi8-r"
_OPENING = re.compile(r"\[text\]", re.IGNORECASE)
_CLOSING = re.compile(r"\[/text\]", re.IGNORECASE)
_OPENING_OCTETS = re.compile(rb"\[text\]", re.IGNORECASE)
_CLOSING_OCTETS = re.compile(rb"\[/text\]", re.IGNORECASE)
_BLANKS = " \t\r\n"
_GAP = re.compile(r"\n{3,}")
_MEDIA = ("image/", "audio/", "video/")
_TEXTS = ("text/plain", "text/html")


@dataclass(frozen=True, slots=True)
class Fields:
    """The seven fields as written, white space around them removed; `passwords` are readings of the second.

    `when` and `options` are split at their commas. `whole` is the request they stand in.
    """

    whole: str = field(repr=False)
    login: str
    passwords: tuple[str, ...] = field(repr=False)
    identity: str
    when: tuple[str, ...]
    options: tuple[str, ...]
    phones: str
    message: str = field(repr=False)


# request = login ":" psw ":" id ":" [time] ["," [tz]] ":"
#           [translit] ["," [format] ["," [sender] ["," [test]]]] ":" phones ":" mes      SMSCentre §4
def fields(mail: Mail) -> Fields:
    """The fields of the mail's request. Raises Rejected when it has none of that form."""
    whole = text(mail)
    parts = whole.split(":", 6)
    if len(parts) < 7:
        raise Rejected(replies.BAD_PARAMETERS)
    login, password, identity, when, options, phones, message = [part.strip(_BLANKS) for part in parts]
    before = ":".join((login, password, identity, when, options, phones))
    if "\n" in before or "\0" in before:
        raise Rejected(replies.BAD_PARAMETERS)
    return Fields(
        whole,
        login,
        tuple(dict.fromkeys((parts[1], password))),
        identity,
        _items(when, 2),
        _items(options, 4),
        phones,
        message,
    )


def _items(written: str, most: int) -> tuple[str, ...]:
    """The comma-separated items, empty ones at the end added."""
    if not written:
        return ("",) * most
    items = [item.strip(_BLANKS) for item in written.split(",")]
    if len(items) > most:
        raise Rejected(replies.BAD_PARAMETERS)
    return tuple(items + [""] * (most - len(items)))


def text(mail: Mail) -> str:
    """The request: what stands between the tags, or the whole of a plain mail (SMSCentre §3.3). Raises
    Rejected.
    """
    parts = _texts(mail)
    first, tagged = _read(parts)
    if tagged is not None:
        return tagged.strip(_BLANKS)
    if _is_multipart(mail) or not parts or parts[0].content_type != "text/plain":
        raise Rejected(replies.BAD_TEXT_FORM)
    return first.strip(_BLANKS)


def _is_multipart(mail: Mail) -> bool:
    return mail.by_name.get("content-type", b"").lstrip().lower().startswith(b"multipart/")


def plain_text(mail: Mail) -> str:
    """The text of a mail that is no request: its first plain part, else its first HTML, or what is between
    tags (SMSCentre §13). Raises Rejected.
    """
    first, tagged = _read(_texts(mail))
    found = first if tagged is None else tagged
    return _GAP.sub("\n\n", found.replace("\0", "")).strip(_BLANKS)


def has_media(mail: Mail) -> bool:
    """Whether pictures, sounds or films came with it."""
    return any(part.content_type.startswith(_MEDIA) for part in mail.parts)


def subject(mail: Mail) -> str:
    """The Subject in one line."""
    return words.decode(mail.by_name.get("subject", b"")).strip()


def octets(mail: Mail) -> bytes:
    """The seventh field in the octets of the mail's first plain part. Raises Rejected."""
    part = next((part for part in mail.parts if part.content_type == "text/plain"), None)
    whole = b"" if part is None else part.octets
    opening = _OPENING_OCTETS.search(whole)
    closing = _CLOSING_OCTETS.search(whole, opening.end()) if opening else None
    if opening and closing:
        whole = whole[opening.end() : closing.start()]
    pieces = whole.split(b":", 6)
    if len(pieces) < 7:
        raise Rejected(replies.BAD_PARAMETERS)
    return pieces[6]


def _texts(mail: Mail) -> list[Part]:
    """The parts that may hold text, plain ones first."""
    parts = [part for part in mail.parts if part.content_type in _TEXTS and not part.attachment]
    if len(parts) > 1:
        parts.sort(key=lambda part: part.content_type != "text/plain")
    return parts


def _read(parts: list[Part]) -> tuple[str, str | None]:
    """The text of the first part, and what stands between tags in the first that has them."""
    first = ""
    for number, part in enumerate(parts):
        whole = read(part)
        if number == 0:
            first = whole
        opening = _OPENING.search(whole) if "[" in whole else None
        closing = _CLOSING.search(whole, opening.end()) if opening else None
        if opening and closing:
            return first, whole[opening.end() : closing.start()]
    return first, None


def read(part: Part) -> str:
    """The text of a part; without a character set, and for 8-bit US-ASCII, it is KOI8-R (SMSCentre §3.2).

    Raises Rejected.
    """
    if part.fault:
        raise Rejected(replies.BAD_TEXT_FORM, part.fault)
    declared = charset.canonical(part.charset)
    try:
        content = charset.decode(
            part.octets, DEFAULT_CHARSET if declared in ("undeclared", "ascii") else part.charset
        )
    except Rejected as why:
        raise Rejected(replies.BAD_TEXT_FORM, str(why)) from why
    if part.content_type == "text/html":
        return html.text_of(content)
    if "\r" in content:
        content = content.replace("\r\n", "\n").replace("\r", "\n")
    content = content.removeprefix("\ufeff")
    return flowed.unflow(content, delsp=part.delsp) if part.flowed else content
