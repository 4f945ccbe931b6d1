"""The form that a text takes: in which alphabet it is written, and so how it counts and where it may be cut.

The first alphabet that shows all of it is taken: GSM's own, with punctuation in ASCII if that is allowed,
GSM's with a national language table if one is enabled and saves parts, and else UCS-2 for the whole (ENC
§3.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Generic, NamedTuple, TypeVar
from unicodedata import name as name_of

from sms_milter.model import veiled
from sms_milter.sms import alphabet, split, udh
from sms_milter.sms.coding import Coding
from sms_milter.sms.national import Shift, shifts
from sms_milter.sms.terms import Alphabet, Concatenation, Terms

Content = TypeVar("Content", bytes, str)

# What concatenation adds to a user data header: we do, or the SMSC where TLVs or message_payload ask it to.
ELEMENT_OCTETS: dict[Concatenation, int] = {"udh": 5, "udh16": 6, "sar": 5, "payload": 5}
_MOST_CHARACTERS = 255 * split.GSM_SINGLE  # of a text that may fit the parts of one message


@dataclass(frozen=True, slots=True)
class Form(Generic[Content]):
    """How text of one alphabet counts, is cut and becomes octets; its content is septets or characters."""

    name: str
    unit: str
    coding: Coding
    data_coding: int
    length: Callable[[Content], int]
    capacity: Callable[[int], int]
    end: split.End[Content]
    blanks: str
    octets: Callable[[Content], bytes]
    text: Callable[[Content], str]
    single: int  # the most septets or units of one SMS
    header: bytes = b""  # elements that the user data header of every SMS ends with

    def each(self, way: Concatenation) -> int:
        """The most septets or units of one part of several."""
        return self.capacity(1 + len(self.header) + ELEMENT_OCTETS[way])


def _gsm_form(name: str, octets: Callable[[bytes], bytes]) -> Form[bytes]:
    return Form(
        name=name,
        unit="septets",
        coding=Coding.GSM,
        data_coding=0x00,
        length=len,
        capacity=split.gsm_capacity,
        end=split.gsm_end,
        blanks=split.GSM_BLANKS,
        octets=octets,
        text=alphabet.decode,
        single=split.GSM_SINGLE,
    )


# SMPP §11: where data_coding 0 is another alphabet, the characters are written in it but count as in GSM.
GSM: dict[Alphabet, Form[bytes]] = {
    "gsm7": _gsm_form("GSM 7-bit", bytes),
    "latin1": _gsm_form("Latin-1, counted as GSM 7-bit", lambda s: alphabet.decode(s).encode("latin-1")),
    "ascii": _gsm_form("ASCII, counted as GSM 7-bit", lambda s: alphabet.decode(s).encode("ascii")),
}
UCS2: Form[str] = Form(
    name="UCS-2",
    unit="units",
    coding=Coding.UCS2,
    data_coding=0x08,
    length=split.ucs2_units,
    capacity=split.ucs2_capacity,
    end=split.ucs2_end,
    blanks=split.UCS2_BLANKS,
    octets=lambda text: text.encode("utf-16-be", "replace"),
    text=str,
    single=split.UCS2_SINGLE,
)


@lru_cache(maxsize=64)
def national_form(shift: Shift) -> Form[str]:
    """GSM with the tables of `shift`; its content are characters, because marks may follow letters there."""

    def septets(text: str) -> bytes:
        found = shift.encode(text)
        assert found is not None  # nobody is given this form for a text that it cannot show
        return found

    def length(text: str) -> int:
        return len(septets(text))

    return Form(
        name=f"GSM 7-bit, {shift}",
        unit="septets",
        coding=Coding.GSM,
        data_coding=0x00,
        length=length,
        capacity=split.gsm_capacity,
        end=partial(split.text_end, units=length),
        blanks=split.UCS2_BLANKS,
        octets=septets,
        text=str,
        single=split.gsm_capacity(len(udh.compose(shift.header))),
        header=shift.header,
    )


class Written(NamedTuple):
    """A text in its form: `content` says `text` and ends with `tail`, which was appended."""

    form: Form[Any]
    content: Any  # septets or characters, as the form has it
    text: str
    tail: Any
    folded: bool = False  # typographic punctuation was written in ASCII

    def __repr__(self) -> str:
        return veiled(self, "content", "text", "tail")


def written(text: str, terms: Terms, *, ucs2: bool = False) -> Written:
    """`text` and what is appended to it, in its form; `ucs2` asks for UCS-2, and for `text` as it stands."""
    append, name = terms.append, terms.traits.alphabet
    if ucs2:
        return Written(UCS2, text + append, text + append, append)
    whole = alphabet.nfc(text + append)
    septets = shown(whole, name)
    if septets is not None:
        return Written(GSM[name], septets, whole, _tail(append) if append else b"")
    folded = alphabet.punctuation(whole) if terms.punctuation else whole
    if folded != whole:
        septets = shown(folded, name)
        if septets is not None:
            return Written(GSM[name], septets, folded, _tail(alphabet.punctuation(append)), folded=True)
    plain = Written(UCS2, whole, whole, alphabet.nfc(append))
    if not terms.languages or name != "gsm7" or way(terms) == "payload" or len(whole) > _MOST_CHARACTERS:
        return plain
    fewest = min(_nationals(whole, folded, append, terms), key=lambda one: _count(one, terms), default=plain)
    return fewest if _count(fewest, terms) < _count(plain, terms) else plain


def _tail(append: str) -> bytes:
    return alphabet.encode(append) or b""


def shown(text: str, name: Alphabet) -> bytes | None:
    """`text` in septets if data_coding 0 can show it at an SMSC with that alphabet, else None."""
    septets = alphabet.encode(text)
    if septets is None or name == "gsm7":
        return septets
    try:
        GSM[name].octets(septets)
    except UnicodeEncodeError:
        return None
    return septets


def _nationals(whole: str, folded: str, append: str, terms: Terms) -> Iterator[Written]:
    """`whole` with each national table that shows it; `folded` if none does."""
    tail = alphabet.nfc(append)
    found = [
        Written(national_form(s), whole, whole, tail) for s in shifts(terms.languages) if s.encode(whole)
    ]
    if found or folded == whole:
        return iter(found)
    tail = alphabet.punctuation(tail)
    return (
        Written(national_form(s), folded, folded, tail, folded=True)
        for s in shifts(terms.languages)
        if s.encode(folded)
    )


def way(terms: Terms) -> Concatenation:
    """How several parts of a message are tied together."""
    return "payload" if terms.long_messages == "payload" else terms.traits.long_messages


def _count(one: Written, terms: Terms) -> int:
    """How many SMS it needs, whether or not it may have them."""
    if one.form.length(one.content) <= one.form.single:
        return 1
    return len(cut(one, terms))


def cut(one: Written, terms: Terms) -> list[Any]:
    """The contents of its parts as `terms` want them; for a text that does not fit one SMS."""
    form = one.form
    if terms.long_messages == "split":
        return split.messages(one.content, form.single, form.end, form.blanks)
    end = split.word_end(form.end, form.blanks) if terms.keep_words else form.end
    return split.filled(one.content, form.each(way(terms)), end)


# --- in words -----------------------------------------------------------------------------------------------


def measured(one: Written, terms: Terms) -> str:
    """For a person: alphabet, what forces it, length and room of each part. In ASCII, nothing of the text but
    the name of one character."""
    form = one.form
    size = form.single if terms.long_messages == "split" else form.each(way(terms))
    name = ucs2_and_why(one.text, terms.traits.alphabet) if form is UCS2 else form.name
    return counted(name, form.length(one.content), form.unit, size)


def counted(name: str, length: int, unit: str, size: int) -> str:
    """How a content in the alphabet `name` counts, of which `size` fit each SMS."""
    return f"{name}; {length} {unit}, {size} in each"


def ucs2_and_why(text: str, name: Alphabet) -> str:
    """UCS-2, and the first character that keeps `text` out of data_coding 0 in the alphabet `name`."""
    strangers = [character for character in set(text) if shown(character, name) is None]
    if not strangers:
        return f"{UCS2.name} as asked for"
    at = min(map(text.index, strangers))
    point = f"U+{ord(text[at]):04X} {name_of(text[at], 'unnamed')}"
    return f"{UCS2.name} for {point} at character {at + 1}"
