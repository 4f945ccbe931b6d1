"""Unstructured header fields as text: unfolding and encoded words (RFC 2047, HSL §4.2)."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass

from sms_milter.errors import Rejected
from sms_milter.mail import charset

# encoded-word = "=?" charset [ "*" language ] "?" encoding "?" encoded-text "?="     RFC 2047 §2, RFC 2231 §5
# Blanks inside the text are tolerated: mail programs write them in Q words.
_WORD = re.compile(rb"=\?([!->@-~]+)\?([BbQq])\?([^?]*)\?=")


@dataclass(slots=True)
class _Word:
    gap: str  # what stands between the word before and this one
    literal: str
    charset: str
    octets: bytes


def unfold(value: bytes) -> bytes:
    """A header value in one line: every fold with its white space becomes one space."""
    return b" ".join([line.strip() for line in value.split(b"\n")]) if b"\n" in value else value


def decode(value: bytes) -> str:
    """The text of a header value; raw 8-bit octets as `charset.guess` reads them. Never raises.

    Adjacent words of the same charset are decoded as one, so a character may be cut between them. A word that
    means nothing is kept as it stands.
    """
    value = unfold(value)
    if b"=?" not in value:
        return charset.guess(value)
    pieces: list[str] = []
    run: list[_Word] = []
    end = 0
    for match in _WORD.finditer(value):
        gap = value[end : match.start()]
        if gap.strip() or not run:
            pieces += _text_of(run)
            pieces.append(charset.guess(gap))
            run, gap = [], b""
        run.append(_word(match, gap.decode("ascii")))
        end = match.end()
    pieces += _text_of(run)
    pieces.append(charset.guess(value[end:]))
    return "".join(pieces)


def charsets(value: bytes) -> frozenset[str]:
    """The charsets that the encoded words of a header value declare."""
    return frozenset(_charset(match) for match in _WORD.finditer(unfold(value)))


def _charset(match: re.Match[bytes]) -> str:
    return match[1].partition(b"*")[0].decode("ascii").lower()


def _word(match: re.Match[bytes], gap: str) -> _Word:
    literal, name = charset.guess(match[0]), _charset(match)
    text = match[3]
    if match[2] in b"Qq":
        return _Word(gap, literal, name, binascii.a2b_qp(text, header=True))
    try:
        # Padding is often forgotten in headers and adds nothing.
        text = text.rstrip(b"=")
        octets = binascii.a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)
    except binascii.Error:
        return _Word(gap, literal, "", b"")
    return _Word(gap, literal, name, octets)


def _text_of(run: list[_Word]) -> list[str]:
    """The pieces of adjacent words; white space between two of them is dropped unless one stays literal."""
    pieces: list[str] = []
    before_literal = False
    start = 0
    while start < len(run):
        stop = start + 1
        while stop < len(run) and run[stop].charset == run[start].charset:
            stop += 1
        group = run[start:stop]
        text = _decoded(b"".join(word.octets for word in group), group[0].charset)
        for word in group if text is None else ():
            alone = _decoded(word.octets, word.charset)
            if pieces and (alone is None or before_literal):
                pieces.append(word.gap)
            pieces.append(word.literal if alone is None else alone)
            before_literal = alone is None
        if text is not None:
            pieces += [run[start].gap, text] if before_literal else [text]
            before_literal = False
        start = stop
    return pieces


def _decoded(octets: bytes, name: str) -> str | None:
    if not name:
        return None
    try:
        return charset.decode(octets, name)
    except Rejected:
        return None
