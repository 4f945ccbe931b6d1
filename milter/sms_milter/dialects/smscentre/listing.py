"""Messages with texts of their own in one request: lines `phones:mes` (SMSCentre §9)."""

from __future__ import annotations

import re

from sms_milter.dialects.smscentre import replies
from sms_milter.errors import Rejected

_SEPARATOR = re.compile(r"[:;]")
_MOST_ENTRIES = 1000
_START = r"(?:\+[0-9]{7,15}|[0-9]{10,15}|[Gg][0-9]+)"
# In the mode for multi-line texts only whole numbers begin an entry, so that "12:30" in a text does not.
_ENTRY = re.compile(rf"\s*({_START}(?:\s*,\s*{_START})*)\s*[:;]")


def entries(written: str, *, multi_line: bool) -> list[tuple[str, str]]:
    """Phones and text of each entry, `\\n` in texts as line feeds. Raises Rejected."""
    pairs = _blocks(written) if multi_line else [_pair(line) for line in written.split("\n") if line.strip()]
    if not 1 <= len(pairs) <= _MOST_ENTRIES:
        raise Rejected(replies.BAD_PARAMETERS)
    return [(phones.strip(), text.replace("\\n", "\n").strip()) for phones, text in pairs]


def _pair(line: str) -> tuple[str, str]:
    """A line, cut at its first colon or semicolon."""
    separator = _SEPARATOR.search(line)
    if separator is None:
        raise Rejected(replies.BAD_PARAMETERS)
    return line[: separator.start()], line[separator.end() :]


def _blocks(written: str) -> list[tuple[str, str]]:
    """Entries with the lines that follow them."""
    phones: list[str] = []
    texts: list[list[str]] = []
    for line in written.split("\n"):
        if start := _ENTRY.match(line):
            phones.append(start[1])
            texts.append([line[start.end() :]])
        elif texts:
            texts[-1].append(line)
        elif line.strip():
            raise Rejected(replies.BAD_PARAMETERS)
    return [(phone, "\n".join(lines)) for phone, lines in zip(phones, texts, strict=True)]
