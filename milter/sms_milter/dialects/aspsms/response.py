"""The XML reply to a request, as the mail that answers it (ASPSMS §11.4)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import TypeAlias

from sms_milter.credits import written
from sms_milter.dialects.aspsms import subject
from sms_milter.dialects.aspsms.document import ParserError
from sms_milter.dialects.aspsms.faults import Code
from sms_milter.mail.parse import Mail
from sms_milter.model import Answer, Envelope, Recipient
from sms_milter.policy import reports

Field: TypeAlias = "tuple[str, str | Iterable[Field]]"
"""An element: its name, and its text or the elements in it."""

_DECLARATION = '<?xml version="1.0"?>'  # exactly so: a public client compares it
_NO_CHARACTER = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def answer(mail: Mail, envelope: Envelope, address: Recipient, document: str) -> Answer | None:
    """The reply to the envelope sender, None for whom nothing may be told."""
    if not reports.may_be_reported_on(envelope.sender, mail.by_name):
        return None
    title = subject.decoded(mail).strip()
    author = f"{address.local.lower()}@{address.domain}"
    return Answer(envelope.sender, f"Re: {title}" if title else "XML reply", document, author, "SMS gateway")


def reply(code: Code, *fields: Field) -> str:
    """The document that tells what became of a request."""
    return _document([("ErrorCode", str(code.value)), ("ErrorDescription", code.description), *fields])


def parser_reply(error: ParserError) -> str:
    """The document that tells where a request cannot be read."""
    return _document(
        [
            ("ParserErrorCode", str(error.code)),
            ("ParserErrorDescription", error.description),
            ("ParserErrorFilePos", str(error.position)),
            ("ParserErrorLine", str(error.line)),
            ("ParserErrorLinePos", str(error.column)),
            ("ParserErrorSrcText", error.source),
        ]
    )


def number(credits: Decimal) -> str:
    """At most two decimals, no zeros that say nothing."""
    return written(round(credits, 2))


def _document(fields: Iterable[Field]) -> str:
    lines = [_DECLARATION, "<aspsms>", *_lines(fields, "  "), "</aspsms>", ""]
    return "\n".join(lines)


def _lines(fields: Iterable[Field], indent: str) -> Iterable[str]:
    for name, value in fields:
        if isinstance(value, str):
            yield f"{indent}<{name}>{_text(value)}</{name}>"
        else:
            yield f"{indent}<{name}>"
            yield from _lines(value, f"{indent}  ")
            yield f"{indent}</{name}>"


def _text(value: str) -> str:
    """ASCII, everything else as decimal references."""
    return (
        html.escape(_NO_CHARACTER.sub("?", value), quote=False)
        .encode("ascii", "xmlcharrefreplace")
        .decode("ascii")
    )
