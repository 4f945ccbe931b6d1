"""From content to the parts it needs: alphabet, user data, concatenation. Whoever they are for.

Concatenated parts carry reference 0 until they are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from sms_milter import reply
from sms_milter.errors import Rejected
from sms_milter.model import Binary, Reference
from sms_milter.sms import alphabet, split, udh
from sms_milter.sms.coding import Coding, coding_of
from sms_milter.sms.terms import Alphabet, Concatenation, Terms

_UDHI = 0x40  # esm_class: short_message begins with a user data header
_SAR_MSG_REF_NUM, _SAR_TOTAL_SEGMENTS, _SAR_SEGMENT_SEQNUM = 0x020C, 0x020E, 0x020F
_MESSAGE_PAYLOAD = 0x0424

_MOST_PARTS = 255  # what a concatenation element can count (ENC §5)
# What concatenation adds to a user data header: we do, or the SMSC where TLVs or message_payload ask it to.
_ELEMENT_OCTETS: dict[Concatenation, int] = {"udh": 5, "udh16": 6, "sar": 5, "payload": 5}

_Content = TypeVar("_Content", bytes, str)


@dataclass(frozen=True, slots=True)
class Composed:
    """A content as parts: `(short_message, tlvs)` each, and what holds for all of them."""

    text: str  # empty for what is not text
    data_coding: int
    parts: tuple[tuple[bytes, tuple[tuple[int, bytes], ...]], ...]
    esm_class: int = 0
    concatenation: Reference | None = None


# --- text ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Form(Generic[_Content]):
    """How text of one alphabet is counted, cut and written; its content is septets or characters."""

    data_coding: int
    flash_coding: int
    single: int
    length: Callable[[_Content], int]
    capacity: Callable[[int], int]
    end: Callable[[_Content, int, int], int]
    parts: Callable[[_Content, int], list[_Content]]
    messages: Callable[[_Content, int], list[_Content]]
    octets: Callable[[_Content], bytes]
    text: Callable[[_Content], str]


def _gsm_form(octets: Callable[[bytes], bytes]) -> _Form[bytes]:
    return _Form(
        data_coding=0x00,
        flash_coding=0x10,
        single=split.GSM_SINGLE,
        length=len,
        capacity=split.gsm_capacity,
        end=split.gsm_end,
        parts=split.gsm_parts,
        messages=split.gsm_messages,
        octets=octets,
        text=alphabet.decode,
    )


# SMPP §11: where data_coding 0 is another alphabet, the characters are written in it but count as in GSM.
_GSM_FORMS: dict[Alphabet, _Form[bytes]] = {
    "gsm7": _gsm_form(bytes),
    "latin1": _gsm_form(lambda septets: alphabet.decode(septets).encode("latin-1")),
    "ascii": _gsm_form(lambda septets: alphabet.decode(septets).encode("ascii")),
}
_UCS2_FORM: _Form[str] = _Form(
    data_coding=0x08,
    flash_coding=0x18,
    single=split.UCS2_SINGLE,
    length=split.ucs2_units,
    capacity=split.ucs2_capacity,
    end=split.ucs2_end,
    parts=split.ucs2_parts,
    messages=split.ucs2_messages,
    octets=lambda text: text.encode("utf-16-be", "replace"),
    text=str,
)


def text_parts(text: str, flash: bool, terms: Terms, *, ucs2: bool = False) -> Composed:
    """`text` and what is appended to it, in the first alphabet that shows both (ENC §3.1), in parts.

    `ucs2` asks for UCS-2, and for `text` as it stands. Raises Rejected when it needs more SMS than `terms`
    allow.
    """
    name, append = terms.traits.alphabet, terms.append
    if ucs2:
        return _in_parts(_UCS2_FORM, text + append, text + append, append, flash, terms)
    whole = alphabet.nfc(text + append)
    septets = _septets(whole, name)
    if septets is None and terms.punctuation:
        written = alphabet.punctuation(whole)
        septets = _septets(written, name)
        if septets is not None:
            whole, append = written, alphabet.punctuation(append)
    if septets is None:
        return _in_parts(_UCS2_FORM, whole, whole, alphabet.nfc(append), flash, terms)
    return _in_parts(_GSM_FORMS[name], septets, whole, alphabet.encode(append) or b"", flash, terms)


def _septets(text: str, name: Alphabet) -> bytes | None:
    """`text` in septets if data_coding 0 can show it at an SMSC with that alphabet, else None."""
    septets = alphabet.encode(text)
    if septets is None or name == "gsm7":
        return septets
    try:
        _GSM_FORMS[name].octets(septets)
    except UnicodeEncodeError:
        return None
    return septets


def _in_parts(
    form: _Form[_Content], content: _Content, text: str, tail: _Content, flash: bool, terms: Terms
) -> Composed:
    """`content`, which says `text` and ends with the appended `tail`, in the parts it needs and may have."""
    coding = form.flash_coding if flash else form.data_coding
    if form.length(content) <= form.single:
        return Composed(text, coding, ((form.octets(content), ()),))
    if terms.long_messages == "truncate":
        content = _truncated(form, content, tail)
        return Composed(form.text(content), coding, ((form.octets(content), ()),))
    if terms.long_messages == "split":
        parts = _limited(
            form.length(content), form.single, lambda: form.messages(content, form.single), terms
        )
        return Composed(text, coding, tuple((form.octets(part), ()) for part in parts))
    way = _way(terms)
    size = form.capacity(1 + _ELEMENT_OCTETS[way])
    parts = _limited(form.length(content), size, lambda: form.parts(content, size), terms)
    if way == "payload":
        return Composed(text, coding, ((b"", ((_MESSAGE_PAYLOAD, form.octets(content)),)),))
    return _concatenated(Composed(text, coding, ()), [form.octets(part) for part in parts], way)


def _truncated(form: _Form[_Content], content: _Content, tail: _Content) -> _Content:
    """As much of `content` as fits one SMS together with its whole `tail`."""
    room = form.single - form.length(tail)
    if room < 0:
        needed = form.parts(tail, form.capacity(1 + _ELEMENT_OCTETS["udh"]))
        raise Rejected(reply.message_too_long(len(needed), 1))
    return content[: form.end(content[: len(content) - len(tail)], 0, room)] + tail


# --- what is not text ---------------------------------------------------------------------------------------

_CUTS: dict[Coding, Callable[[bytes, int], list[bytes]]] = {
    Coding.GSM: split.gsm_parts,
    Coding.OCTETS: split.octet_parts,
    Coding.UCS2: split.ucs2_octet_parts,
}
_SMALLEST_PIECE = 4  # octets: the surrogate pair of one character


def binary_parts(content: Binary, terms: Terms) -> Composed:
    """`content` in the parts it needs, its user data header in each of them (ENC §5).

    It is never cut short nor split into messages of their own. Raises Rejected when it needs more SMS than
    `terms` allow, or when its header says already which part it is.
    """
    header, octets, coding = content.udh, content.octets, coding_of(content.data_coding)
    head = udh.compose(header)
    esm_class = content.esm_class | (_UDHI if header else 0)
    whole = Composed("", content.data_coding, ((head + octets, ()),), esm_class)
    room = _room(coding, len(head))
    if content.whole or len(octets) <= room:
        return whole
    way = _way(terms)
    if header and way == "payload":
        way = "udh"  # An SMSC that cuts would have to repeat the header in each part.
    size = _room(coding, 1 + len(header) + _ELEMENT_OCTETS[way])
    if size < _SMALLEST_PIECE or udh.is_part(header):
        raise Rejected(reply.message_too_long(-(-len(octets) // max(room, 1)), 1))
    parts = _limited(len(octets), size, lambda: _CUTS[coding](octets, size), terms)
    if way == "payload":
        return replace(whole, parts=((b"", ((_MESSAGE_PAYLOAD, octets),)),))
    return _concatenated(whole, parts, way, header)


def _room(coding: Coding, header_octets: int) -> int:
    """Octets of short_message that fit one SMS beside a user data header of so many octets (ENC §5)."""
    if coding is Coding.GSM:
        return split.gsm_capacity(header_octets)  # one septet per octet
    if coding is Coding.UCS2:
        return 2 * split.ucs2_capacity(header_octets)
    return 140 - header_octets


# --- parts that belong together -----------------------------------------------------------------------------


def _way(terms: Terms) -> Concatenation:
    return "payload" if terms.long_messages == "payload" else terms.traits.long_messages


def _limited(length: int, size: int, cut: Callable[[], list[_Content]], terms: Terms) -> list[_Content]:
    """The parts of at most `size` that `cut` makes of a content; raises Rejected when these are too many."""
    limit = 1 if terms.long_messages in ("reject", "truncate") else min(terms.max_parts, _MOST_PARTS)
    at_least = -(-length // size)
    if at_least > _MOST_PARTS:  # not worth cutting
        raise Rejected(reply.message_too_long(at_least, limit))
    parts = cut()
    if len(parts) > limit:
        raise Rejected(reply.message_too_long(len(parts), limit))
    return parts


def _concatenated(
    whole: Composed, parts: Sequence[bytes], way: Concatenation, header: bytes = b""
) -> Composed:
    """Parts that a phone joins again, by user data header (ENC §5) or TLVs (SMPP §3.4), with reference 0.

    `header` holds the other elements of the user data header; every part repeats them, and they come first.
    """
    total = len(parts)
    numbered = enumerate(parts, start=1)
    if way == "sar":
        head = udh.compose(header)
        segments = tuple(
            (
                head + part,
                (
                    (_SAR_MSG_REF_NUM, b"\0\0"),
                    (_SAR_TOTAL_SEGMENTS, bytes((total,))),
                    (_SAR_SEGMENT_SEQNUM, bytes((number,))),
                ),
            )
            for number, part in numbered
        )
        return replace(whole, parts=segments, concatenation=Reference(0, 2, tlv=True))
    width, element = (2, b"\x08\x04\0\0") if way == "udh16" else (1, b"\x00\x03\0")
    head = bytes((len(header) + len(element) + 2,)) + header + element
    headed = tuple((head + bytes((total, number)) + part, ()) for number, part in numbered)
    return replace(
        whole,
        parts=headed,
        esm_class=whole.esm_class | _UDHI,
        concatenation=Reference(len(head) - width, width),
    )
