"""Where a text is cut into parts. GSM text counts in septets, UCS-2 in UTF-16 units (ENC §3.2).

`filled` fills every part from the front, for parts that a phone joins again; with a `word_end` it keeps words
whole. `messages` prefers a cut at white space and drops it, for parts that stay messages of their own. None
cuts what belongs together (ENC §5): escape and code, surrogate pairs, a character and its marks. What is cut
are septets (`gsm_end`), or characters that count in units of any kind (`ucs2_end`, `text_end`).
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

_LAST_PLACES = 30  # of a part, where white space is looked for (HSL §4.6)
GSM_BLANKS = " \n\r"
UCS2_BLANKS = " \n\r\t\v\f\u0085\u1680\u2028\u2029\u205f\u3000" + "".join(
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


# --- where a part ends --------------------------------------------------------------------------------------

End = Callable[[_Content, int, int], int]
"""The end of the longest part of a content that begins at a place, of at most so many septets or units."""


def gsm_end(septets: bytes, start: int, limit: int) -> int:
    """The end of the longest part of at most `limit` septets (2 or more) that begins at `start`."""
    end = start + limit
    if end >= len(septets):
        return len(septets)
    return end - 1 if septets[end - 1] == _ESC else end


def ucs2_end(text: str, start: int, limit: int) -> int:
    """The end, in characters, of the longest part of at most `limit` units (2 or more) from `start` on."""
    return text_end(text, start, limit, ucs2_units)


def text_end(text: str, start: int, limit: int, units: Callable[[str], int]) -> int:
    """As `ucs2_end`, in an alphabet in which a character takes one or two `units`."""
    end = min(start + limit, len(text))
    while (over := units(text[start:end]) - limit) > 0:
        end -= (over + 1) // 2
    if end == len(text) or not _joined(text, end):
        return end
    first = end - 1
    while first > start and _joined(text, first):
        first -= 1
    last = end + 1
    while last < len(text) and last - first <= limit and _joined(text, last):
        last += 1
    # What fits no part is cut where the part is full.
    return first if first > start and units(text[first:last]) <= limit else end


def word_end(end_of: End[_Content], blanks: str) -> End[_Content]:
    """As `end_of`, but behind the last of `blanks` in a part's last 30 places, where there is any."""

    def end(content: _Content, start: int, limit: int) -> int:
        full = end_of(content, start, limit)
        if full == len(content) or limit <= _LAST_PLACES:
            return full
        last_places = end_of(content, start, limit - _LAST_PLACES)
        blank = start + len(_up_to_blank(content[start:full], last_places - start, blanks))
        return full if _marked(content, blank) else blank

    return end


def _up_to_blank(part: _Content, last_places: int, blanks: str) -> _Content:
    """`part` up to the last blank of its last places, blank included; all of it without any."""
    seen = part if isinstance(part, str) else part.decode("latin-1")
    blank = max(seen.rfind(one, last_places) for one in blanks)
    return part[: blank + 1] if blank >= 0 else part


# --- filled parts -------------------------------------------------------------------------------------------


def filled(content: _Content, limit: int, end_of: End[_Content]) -> list[_Content]:
    """`content` in parts of at most `limit` septets or units (2 or more), each as long as `end_of` finds."""
    parts = []
    start = 0
    while start < len(content):
        end = end_of(content, start, limit)
        parts.append(content[start:end])
        start = end
    return parts or [content]


def octet_parts(octets: bytes, limit: int) -> list[bytes]:
    """`octets` in parts of `limit`; the last may be shorter."""
    return [octets[at : at + limit] for at in range(0, len(octets), limit)] or [b""]


def ucs2_octet_parts(octets: bytes, limit: int) -> list[bytes]:
    """UTF-16 `octets`, whatever they say, in parts of at most `limit` octets (4 or more), cut like text."""
    if len(octets) % 2:
        return octet_parts(octets, limit)
    text = octets.decode("utf-16-be", "surrogatepass")
    return [part.encode("utf-16-be", "surrogatepass") for part in filled(text, limit // 2, ucs2_end)]


def _marked(content: bytes | str, at: int) -> bool:
    """Whether what stands before `at` carries a mark that follows there, even if it is white space."""
    return isinstance(content, str) and 0 < at < len(content) and _joined(content, at)


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


def messages(content: _Content, limit: int, end_of: End[_Content], blanks: str) -> list[_Content]:
    """`content` in parts of at most `limit`, cut at the last of `blanks` in their last 30 places (HSL §4.6).

    That white space is dropped. Without any there the part is filled.
    """
    # `seen` shows the white space of `content`, and nothing else, as `blanks` in the same places.
    seen = content if isinstance(content, str) else content.replace(_FORM_FEED, b"\x1b\x1b").decode("latin-1")
    parts = []
    start = 0
    while start < len(content):
        end = following = end_of(content, start, limit)
        if end < len(content):
            last_places = end_of(content, start, limit - _LAST_PLACES)
            blank = max(seen.rfind(b, last_places, end) for b in blanks)
            behind = _end_of_blanks(seen, blank, blanks)
            if blank >= 0 and not _marked(content, behind):
                end, following = start + len(seen[start:blank].rstrip(blanks)), behind
        if end > start:
            parts.append(content[start:end])
        start = following
    return parts or [content[: end_of(content, 0, limit)]]


def _end_of_blanks(seen: str, at: int, blanks: str) -> int:
    while at < len(seen) and seen[at] in blanks:
        at += 1
    return at
