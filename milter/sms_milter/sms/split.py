"""Where a text is cut into parts. GSM text counts in septets, UCS-2 in UTF-16 units (ENC §3.2).

Two ways: `gsm_parts` and `ucs2_parts` fill every part from the front, for parts that a phone joins again;
`gsm_messages` and `ucs2_messages` prefer a cut at white space, for parts that stay messages of their own.
Neither cuts what belongs together (ENC §5): escape and code, surrogate pairs, a character and its marks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from unicodedata import category

GSM_SINGLE = 160  # septets in 140 octets (ENC §5)
UCS2_SINGLE = 70  # UTF-16 units in 140 octets

_Content = TypeVar("_Content", bytes, str)

_ESC = 0x1B
_FORM_FEED = b"\x1b\n"  # two septets of one character, the second of which is no line feed

_LAST_PLACES = 30  # where plain splitting looks for white space (HSL §4.6)
_GSM_BLANKS = " \n\r"
_UCS2_BLANKS = " \n\r\t\v\f\u0085\u1680\u2028\u2029\u205f\u3000" + "".join(
    chr(c) for c in range(0x2000, 0x200B) if c != 0x2007
)


def gsm_capacity(header_octets: int) -> int:
    """Septets that fit one part beside a user data header of so many octets, UDHL included (ENC §5)."""
    return (140 - header_octets) * 8 // 7


def ucs2_capacity(header_octets: int) -> int:
    """UTF-16 units that fit one part beside a user data header of so many octets, UDHL included (ENC §5)."""
    return (140 - header_octets) // 2


def ucs2_units(text: str) -> int:
    """How many UTF-16 units `text` takes; a character above U+FFFF takes two."""
    return len(text.encode("utf-16-be", "surrogatepass")) // 2


# --- filled parts -------------------------------------------------------------------------------------------


def gsm_parts(septets: bytes, limit: int) -> list[bytes]:
    """`septets` in parts of at most `limit` (2 or more), each as full as escape pairs allow."""
    return _filled(septets, limit, gsm_end)


def ucs2_parts(text: str, limit: int) -> list[str]:
    """`text` in parts of at most `limit` units (2 or more), each as full as joined characters allow."""
    return _filled(text, limit, ucs2_end)


def gsm_end(septets: bytes, start: int, limit: int) -> int:
    """The end of the longest part of at most `limit` septets that begins at `start`."""
    end = start + limit
    if end >= len(septets):
        return len(septets)
    return end - 1 if septets[end - 1] == _ESC else end


def ucs2_end(text: str, start: int, limit: int) -> int:
    """The end, in characters, of the longest part of at most `limit` units that begins at `start`."""
    end = _end_of_units(text, start, limit)
    if end == len(text) or not _joined(text, end):
        return end
    first = end - 1
    while first > start and _joined(text, first):
        first -= 1
    last = end + 1
    while last < len(text) and last - first <= limit and _joined(text, last):
        last += 1
    # What fits no part is cut where the part is full.
    return first if first > start and ucs2_units(text[first:last]) <= limit else end


def octet_parts(octets: bytes, limit: int) -> list[bytes]:
    """`octets` in parts of `limit`; the last may be shorter."""
    return [octets[at : at + limit] for at in range(0, len(octets), limit)] or [b""]


def ucs2_octet_parts(octets: bytes, limit: int) -> list[bytes]:
    """UTF-16 `octets`, whatever they say, in parts of at most `limit` octets (4 or more), cut like text."""
    if len(octets) % 2:
        return octet_parts(octets, limit)
    text = octets.decode("utf-16-be", "surrogatepass")
    return [part.encode("utf-16-be", "surrogatepass") for part in ucs2_parts(text, limit // 2)]


def _filled(content: _Content, limit: int, end_of: Callable[[_Content, int, int], int]) -> list[_Content]:
    parts = []
    start = 0
    while start < len(content):
        end = end_of(content, start, limit)
        parts.append(content[start:end])
        start = end
    return parts or [content]


def _end_of_units(text: str, start: int, limit: int) -> int:
    end = min(start + limit, len(text))
    while (over := ucs2_units(text[start:end]) - limit) > 0:
        end -= (over + 1) // 2
    return end


def _joined(text: str, at: int) -> bool:
    """Whether the character at `at` shows as one with the character before it."""
    character, before = text[at], text[at - 1]
    if character < "\u0300":
        return False
    return (
        category(character).startswith("M")  # combining marks and variation selectors
        or "\u200d" in (character, before)  # zero width joiner
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags, of which some flags are made
        or (_is_regional(character) and _regionals_before(text, at) % 2 == 1)
    )


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _regionals_before(text: str, at: int) -> int:
    first = at
    while first > 0 and _is_regional(text[first - 1]):
        first -= 1
    return at - first


# --- messages of their own ----------------------------------------------------------------------------------


def gsm_messages(septets: bytes, limit: int = GSM_SINGLE) -> list[bytes]:
    """`septets` in parts of at most `limit`, cut at the last white space in their last 30 places (HSL §4.6).

    That white space is dropped. Without any there the part is filled.
    """
    seen = septets.replace(_FORM_FEED, b"\x1b\x1b").decode("latin-1")
    return _at_blanks(septets, seen, _GSM_BLANKS, limit, gsm_end)


def ucs2_messages(text: str, limit: int = UCS2_SINGLE) -> list[str]:
    """`text` in parts of at most `limit` units, cut like `gsm_messages`."""
    return _at_blanks(text, text, _UCS2_BLANKS, limit, ucs2_end)


def _at_blanks(
    content: _Content, seen: str, blanks: str, limit: int, end_of: Callable[[_Content, int, int], int]
) -> list[_Content]:
    """Cut `content`; `seen` shows its white space, and nothing else, as `blanks` in the same places."""
    parts = []
    start = 0
    while start < len(content):
        end = following = end_of(content, start, limit)
        if end < len(content):
            last_places = end_of(content, start, limit - _LAST_PLACES)
            blank = max(seen.rfind(b, last_places, end) for b in blanks)
            if blank >= 0:
                end = start + len(seen[start:blank].rstrip(blanks))
                following = _end_of_blanks(seen, blank, blanks)
        if end > start:
            parts.append(content[start:end])
        start = following
    return parts or [content[: end_of(content, 0, limit)]]


def _end_of_blanks(seen: str, at: int, blanks: str) -> int:
    while at < len(seen) and seen[at] in blanks:
        at += 1
    return at
