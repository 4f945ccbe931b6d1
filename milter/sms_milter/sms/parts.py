"""From content to the parts it needs: user data, data coding, concatenation. Whoever they are for.

Concatenated parts carry reference 0 until they are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sms_milter import reply
from sms_milter.errors import Rejected
from sms_milter.model import Binary, Kind, Reference, veiled
from sms_milter.sms import form as forms
from sms_milter.sms import split, udh
from sms_milter.sms.coding import Coding, coding_of
from sms_milter.sms.form import ELEMENT_OCTETS, Written
from sms_milter.sms.terms import Concatenation, SmscTraits, Terms

UDHI = 0x40  # esm_class: short_message begins with a user data header
DEST_ADDR_SUBUNIT, MESSAGE_PAYLOAD = 0x0005, 0x0424
SAR_MSG_REF_NUM, SAR_TOTAL_SEGMENTS, SAR_SEGMENT_SEQNUM = 0x020C, 0x020E, 0x020F

MOST_PARTS = 255  # what a concatenation element can count (ENC §5)

Tlvs = tuple[tuple[int, bytes], ...]


class Composed(NamedTuple):
    """A content as parts: `(short_message, tlvs)` each, and what holds for all of them.

    `folded`: typographic punctuation of the text was written in ASCII.
    """

    text: str  # empty for what is not text
    data_coding: int
    parts: tuple[tuple[bytes, Tlvs], ...]
    esm_class: int = 0
    concatenation: Reference | None = None
    folded: bool = False

    def __repr__(self) -> str:
        return veiled(self, "text", "parts")


# --- text ---------------------------------------------------------------------------------------------------

_CODINGS = {Coding.GSM: 0x00, Coding.OCTETS: 0x04, Coding.UCS2: 0x08}
# ENC §4: an SMSC that knows group F only has no class 0 for UCS-2 there.
_FLASH_CODINGS = {
    "dcs-10": {Coding.GSM: 0x10, Coding.OCTETS: 0x14, Coding.UCS2: 0x18},
    "dcs-f0": {Coding.GSM: 0xF0, Coding.OCTETS: 0xF4, Coding.UCS2: 0x18},
    "subunit": _CODINGS,
}
_ON_DISPLAY: Tlvs = ((DEST_ADDR_SUBUNIT, b"\x01"),)  # SMPP 3.4 §5.3.2.1


def _flash(coding: Coding, traits: SmscTraits) -> tuple[int, Tlvs]:
    """The data_coding and TLVs of a message that is shown at once."""
    return _FLASH_CODINGS[traits.flash][coding], _ON_DISPLAY if traits.flash == "subunit" else ()


def text_parts(text: str, flash: bool, terms: Terms, *, ucs2: bool = False) -> Composed:
    """`text` and what is appended to it, in the first alphabet that shows both (ENC §3.1), in parts.

    `ucs2` asks for UCS-2, and for `text` as it stands. Raises Rejected when it needs more SMS than `terms`
    allow.
    """
    one = forms.written(text, terms, ucs2=ucs2)
    form, content = one.form, one.content
    coding, tlvs = _flash(form.coding, terms.traits) if flash else (form.data_coding, ())
    if form.length(content) <= form.single:
        return _apart(one, (content,), coding, tlvs)
    if terms.long_messages == "truncate":
        content = _truncated(one, terms)
        return _apart(one._replace(text=form.text(content)), [content], coding, tlvs)
    way = forms.way(terms)
    size = form.single if terms.long_messages == "split" else form.each(way)
    parts = _limited(
        form.length(content), size, lambda: forms.cut(one, terms), terms, lambda: forms.measured(one, terms)
    )
    if terms.long_messages == "split":
        return _apart(one, parts, coding, tlvs)
    whole = Composed(one.text, coding, (), folded=one.folded)
    if way == "payload":
        return whole._replace(parts=((b"", (*tlvs, (MESSAGE_PAYLOAD, form.octets(content)))),))
    return _concatenated(whole, [form.octets(part) for part in parts], way, after=form.header, tlvs=tlvs)


def _apart(one: Written, contents: Sequence[Any], coding: int, tlvs: Tlvs) -> Composed:
    """Each of `contents` as a message of its own."""
    octets, header = one.form.octets, one.form.header
    head = udh.compose(header) if header else b""
    parts = tuple([(head + octets(content), tlvs) for content in contents])
    return Composed(one.text, coding, parts, UDHI if head else 0, None, one.folded)


def _truncated(one: Written, terms: Terms) -> Any:
    """As much of the content as fits one SMS together with its whole tail."""
    form, content, tail = one.form, one.content, one.tail
    room = form.single - form.length(tail)
    if room < 0:
        needed = len(split.filled(tail, form.each("udh"), form.end))
        raise Rejected(reply.message_too_long(needed, 1, forms.measured(one, terms)))
    return content[: form.end(content[: len(content) - len(tail)], 0, room)] + tail


# --- what is not text ---------------------------------------------------------------------------------------

_CUTS: dict[Coding, Callable[[bytes, int], list[bytes]]] = {
    Coding.GSM: lambda septets, limit: split.filled(septets, limit, split.gsm_end),
    Coding.OCTETS: split.octet_parts,
    Coding.UCS2: split.ucs2_octet_parts,
}
_SMALLEST_PIECE = 4  # octets: the surrogate pair of one character
OCTETS, OCTETS_FOR_THE_PHONE = 0x04, 0xF5


def binary_parts(content: Binary, terms: Terms, *, flash: bool = False) -> Composed:
    """`content` in the parts it needs, its user data header in each of them (ENC §5).

    `flash`: its data_coding asks for showing it at once, in the SMSC's own way. It is never cut short nor
    split into messages of their own. Raises Rejected when it needs more SMS than `terms` allow, or when its
    header says already which part it is.
    """
    header, octets, coding = content.udh, content.octets, coding_of(content.data_coding)
    head = udh.compose(header)
    data_coding, tlvs = _binary_coding(content, terms.traits, flash=flash)
    esm_class = content.esm_class | (UDHI if header else 0)
    whole = Composed("", data_coding, ((head + octets, tlvs),), esm_class)
    room = _room(coding, len(head))
    if content.whole or len(octets) <= room:
        return whole
    way = forms.way(terms)
    if header and way == "payload":
        way = "udh"  # An SMSC that cuts would have to repeat the header in each part.
    size = _room(coding, 1 + len(header) + ELEMENT_OCTETS[way])
    if size < _SMALLEST_PIECE or udh.is_part(header):
        raise Rejected(reply.message_too_long(-(-len(octets) // max(room, 1)), 1, f"{len(octets)} octets"))
    parts = _limited(
        len(octets),
        size,
        lambda: _CUTS[coding](octets, size),
        terms,
        lambda: f"{len(octets)} octets, {size} in each",
    )
    if way == "payload":
        return whole._replace(parts=((b"", (*tlvs, (MESSAGE_PAYLOAD, octets))),))
    return _concatenated(whole, parts, way, before=header, tlvs=tlvs)


def _binary_coding(content: Binary, traits: SmscTraits, *, flash: bool) -> tuple[int, Tlvs]:
    if content.whole:
        return content.data_coding, ()
    if flash:
        return _flash(coding_of(content.data_coding), traits)
    if content.kind is not Kind.BINARY and content.data_coding == OCTETS and traits.smart_coding == "dcs-f5":
        return OCTETS_FOR_THE_PHONE, ()
    return content.data_coding, ()


def _room(coding: Coding, header_octets: int) -> int:
    """Octets of short_message that fit one SMS beside a user data header of so many octets (ENC §5)."""
    if coding is Coding.GSM:
        return split.gsm_capacity(header_octets)  # one septet per octet
    if coding is Coding.UCS2:
        return 2 * split.ucs2_capacity(header_octets)
    return 140 - header_octets


# --- parts that belong together -----------------------------------------------------------------------------


def _limited(
    length: int, size: int, cut: Callable[[], list[Any]], terms: Terms, measured: Callable[[], str]
) -> list[Any]:
    """The parts of at most `size` that `cut` makes of a content; raises Rejected when these are too many."""
    limit = 1 if terms.long_messages in ("reject", "truncate") else min(terms.max_parts, MOST_PARTS)
    at_least = -(-length // size)
    if at_least > MOST_PARTS:  # not worth cutting
        raise Rejected(reply.message_too_long(at_least, limit, measured()))
    parts = cut()
    if len(parts) > limit:
        raise Rejected(reply.message_too_long(len(parts), limit, measured()))
    return parts


def _concatenated(
    whole: Composed,
    parts: Sequence[bytes],
    way: Concatenation,
    *,
    before: bytes = b"",
    after: bytes = b"",
    tlvs: Tlvs = (),
) -> Composed:
    """Parts that a phone joins again, by user data header (ENC §5) or TLVs (SMPP §3.4), with reference 0.

    `before` and `after` are the other elements of the user data header, which every part repeats: ports and
    the like come first, languages last.
    """
    total = len(parts)
    numbered = enumerate(parts, start=1)
    if way == "sar":
        head = udh.compose(before + after)
        segments = tuple(
            (
                head + part,
                (
                    *tlvs,
                    (SAR_MSG_REF_NUM, b"\0\0"),
                    (SAR_TOTAL_SEGMENTS, bytes((total,))),
                    (SAR_SEGMENT_SEQNUM, bytes((number,))),
                ),
            )
            for number, part in numbered
        )
        esm_class = whole.esm_class | (UDHI if head else 0)
        return whole._replace(parts=segments, esm_class=esm_class, concatenation=Reference(0, 2, tlv=True))
    width, element = (2, b"\x08\x04\0\0") if way == "udh16" else (1, b"\x00\x03\0")
    head = bytes((len(before) + len(element) + 2 + len(after),)) + before + element
    headed = tuple([(head + bytes((total, number)) + after + part, tlvs) for number, part in numbered])
    return whole._replace(
        parts=headed,
        esm_class=whole.esm_class | UDHI,
        concatenation=Reference(len(head) - width, width),
    )
