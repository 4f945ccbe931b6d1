"""The one plain text that a mail must be, and the characters of a message (ASPSMS §4, §8.1)."""

from __future__ import annotations

import re

from sms_milter.dialects.aspsms import replies
from sms_milter.dialects.aspsms.options import AspsmsOptions
from sms_milter.errors import Rejected
from sms_milter.mail import charset, flowed, words
from sms_milter.mail.parse import UNKNOWN_ENCODING, Mail, Part

_PLAIN = frozenset({"text/plain"})
XML_TYPES = _PLAIN | {"text/xml", "application/xml"}

_C1 = re.compile(rb"[\x80-\x9f]")
# Windows-1252 where ISO-8859-1 has C1 controls (ASPSMS §4.2); of other controls only LF stays (ASPSMS §8.1).
_CHARACTERS: dict[int, str | None] = {
    **dict.fromkeys((*range(0x20), 0x7F)),
    **{code: bytes([code]).decode("cp1252", "ignore") or None for code in range(0x80, 0xA0)},
    ord("\n"): "\n",
    ord("\t"): " ",
    0xA0: " ",
}
_LEADING_EMPTY_LINES = re.compile(r"(?: *\n)*")


def only_part(mail: Mail, options: AspsmsOptions, types: frozenset[str] = _PLAIN) -> Part:
    """The one part that the mail is, as plain ISO-8859-1 text (ASPSMS §4.1). Raises Rejected."""
    part = mail.parts[0] if len(mail.parts) == 1 else None
    content_type = words.unfold(mail.by_name.get("content-type", b"")).lstrip().lower()
    if part is None or content_type.startswith(b"multipart/"):
        raise Rejected(replies.NOT_PLAIN)
    if part.content_type not in types or part.attachment or part.fault == UNKNOWN_ENCODING:
        raise Rejected(replies.NOT_PLAIN)
    if options.strict_cte and _is_encoded(mail):
        raise Rejected(replies.NOT_PLAIN)
    if part.fault:
        raise Rejected(replies.MALFORMED, part.fault)
    if not charset.is_latin1(part.charset) and not (
        options.charset_rule == "content" and _is_ascii(part.octets, part.charset)
    ):
        raise Rejected(replies.NOT_LATIN1)
    if b"\0" in part.octets:
        raise Rejected(replies.MALFORMED)
    if not options.c1_as_cp1252 and _C1.search(part.octets):
        raise Rejected(replies.NOT_LATIN1)
    return part


def _is_encoded(mail: Mail) -> bool:
    encoding = words.unfold(mail.by_name.get("content-transfer-encoding", b"")).strip().lower()
    return encoding.startswith((b"quoted-printable", b"base64"))


def _is_ascii(octets: bytes, name: str) -> bool:
    """Whether the octets are ASCII text and mean the same in the declared charset, unlike those of UTF-16."""
    codec = charset.canonical(name)
    if codec is None or not octets.isascii():
        return False
    try:
        return octets.decode(codec) == octets.decode("ascii")
    except ValueError:
        return False


def body_text(part: Part) -> str:
    """The whole body as a message text. Raises Rejected when there is none."""
    text = unix_lines(part.octets.decode("latin-1"))
    if part.flowed:
        text = flowed.unflow(text, delsp=part.delsp)
    text = characters(text).rstrip()
    empty_lines = _LEADING_EMPTY_LINES.match(text)
    assert empty_lines is not None  # it matches nothing too
    if not (text := text[empty_lines.end() :]):
        raise Rejected(replies.EMPTY)
    return text


def characters(text: str) -> str:
    """The characters that a message may have, in the place of those that were written."""
    return text.translate(_CHARACTERS)


def unix_lines(text: str) -> str:
    """Lines that end in LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
