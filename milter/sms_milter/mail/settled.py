"""Mail with HTML, as an account wants it read: before its dialect looks at the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, TypeAlias

from sms_milter.errors import Rejected
from sms_milter.mail import charset
from sms_milter.mail.html import text_of
from sms_milter.mail.parse import Mail, Part
from sms_milter.reply import HTML_REFUSED

Wish: TypeAlias = Literal["default", "reject", "text-part", "convert"]

_HTML, _PLAIN = "text/html", "text/plain"
# What stands around one text and its HTML; of such a mail the text alone is left.
_WRAPPINGS = (b"text/html", b"multipart/alternative", b"multipart/mixed", b"multipart/related")


def settled(mail: Mail, wish: Wish, undeclared: str = "") -> Mail:
    """The mail without its HTML: refused with it (`reject`), or its plain text alone (`text-part`), or the
    text of the HTML where there is no other (`convert`); by `default` as it is.

    `undeclared` is the character set of HTML that names none; "" as `charset.guess` reads it. Raises
    Rejected.
    """
    if wish == "default" or not any(part.content_type == _HTML for part in mail.parts):
        return mail
    if wish == "reject":
        raise Rejected(HTML_REFUSED)
    written = any(part.content_type == _PLAIN and not part.attachment for part in mail.parts)
    parts = tuple(_without_html(mail.parts, convert=wish == "convert" and not written, undeclared=undeclared))
    by_name = mail.by_name
    if len(parts) == 1 and by_name["content-type"].lstrip().lower().startswith(_WRAPPINGS):
        by_name = {**by_name, "content-type": _PLAIN.encode()}
    return replace(mail, parts=parts, by_name=by_name)


def _without_html(parts: tuple[Part, ...], *, convert: bool, undeclared: str) -> Iterator[Part]:
    for part in parts:
        if part.content_type != _HTML:
            yield part
        elif convert and not part.attachment:
            yield _converted(part, undeclared)


def _converted(part: Part, undeclared: str) -> Part:
    """The part as plain text, in ISO-8859-1 where that will do. Raises Rejected when nobody can read it."""
    text = "" if part.fault else text_of(charset.decode(part.octets, part.charset or undeclared))
    try:
        octets, name = text.encode("latin-1"), "iso-8859-1"
    except UnicodeEncodeError:
        octets, name = text.encode("utf-8", "replace"), "utf-8"
    return Part(_PLAIN, octets, name, alternative=part.alternative, fault=part.fault)
