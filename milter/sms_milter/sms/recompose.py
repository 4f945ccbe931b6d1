"""A message's parts for another SMSC than they were composed for.

What says who, whom and when stays as it is; only what an SMSC's traits decide changes. Text is written and
cut anew; other content is taken out of its parts and put into new ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sms_milter.model import Binary, Kind, Reference, SubmitSm
from sms_milter.sms import udh
from sms_milter.sms.coding import Coding, coding_of
from sms_milter.sms.national import LANGUAGES, shift_of
from sms_milter.sms.parts import (
    DEST_ADDR_SUBUNIT,
    MESSAGE_PAYLOAD,
    MOST_PARTS,
    OCTETS,
    OCTETS_FOR_THE_PHONE,
    SAR_MSG_REF_NUM,
    SAR_SEGMENT_SEQNUM,
    SAR_TOTAL_SEGMENTS,
    UDHI,
    Composed,
    Tlvs,
    binary_parts,
    text_parts,
)
from sms_milter.sms.plan import originator_address
from sms_milter.sms.terms import LongMessages, SmscTraits, Terms

_SAR = frozenset({SAR_MSG_REF_NUM, SAR_TOTAL_SEGMENTS, SAR_SEGMENT_SEQNUM})
_COMPOSED_TLVS = _SAR | {MESSAGE_PAYLOAD, DEST_ADDR_SUBUNIT}


@dataclass(frozen=True, slots=True)
class Said:
    """What a message says, beside its parts: `text` as it was composed, "" for what is not text.

    `kind` is its `model.Kind`, or the name of a channel other than SMS.
    """

    text: str = field(repr=False)
    kind: str
    flash: bool
    originator: str


@dataclass(frozen=True, slots=True)
class _Content:
    """What is found in parts. `elements`: their user data header without UDHL and concatenation."""

    octets: bytes
    elements: bytes
    joined: bool  # they belong together
    payload: bool  # in one message_payload
    tlvs: Tlvs  # those that composing does not make


def recomposed(
    parts: Sequence[SubmitSm], said: Said, before: SmscTraits, after: SmscTraits
) -> tuple[tuple[SubmitSm, ...], Reference | None]:
    """The parts of one message, composed under `before`, as `after` wants them, and where their reference
    stands.

    Concatenated parts carry reference 0. Raises Rejected when the content does not fit the parts a message
    can have, ContentFault when a user data header makes no sense.
    """
    first = parts[0]
    ton, npi, address = originator_address(said.originator, after.source_ton_npi)
    first = first._replace(source_addr_ton=ton, source_addr_npi=npi, source_addr=address)
    if len(parts) == 1 and said.kind == Kind.BINARY and not said.flash:
        return (first,), None  # as its mail has it, octet by octet
    content = _content(parts)
    terms = Terms(said.originator, max_parts=MOST_PARTS, traits=after)
    if said.kind == Kind.TEXT:
        composed = _text(said, first, content, replace(terms, long_messages=_wish(parts, content, before)))
    else:
        composed = _octets(said, first, content, before, terms)
    esm_class = composed.esm_class | first.esm_class & ~UDHI
    made = tuple(
        first._replace(
            esm_class=esm_class,
            data_coding=composed.data_coding,
            short_message=short_message,
            tlvs=(*content.tlvs, *tlvs),
        )
        for short_message, tlvs in composed.parts
    )
    return made, composed.concatenation


def _wish(parts: Sequence[SubmitSm], content: _Content, before: SmscTraits) -> LongMessages:
    """What the account wants of long messages, as far as it can be seen."""
    if len(parts) > 1 and not content.joined:
        return "split"
    return "payload" if content.payload and before.long_messages != "payload" else "concatenate"


def _text(said: Said, first: SubmitSm, content: _Content, terms: Terms) -> Composed:
    shift = shift_of(tuple(udh.elements(content.elements)))
    languages = tuple(name for name, value in LANGUAGES.items() if value in (shift.single, shift.locking))
    ucs2 = coding_of(first.data_coding) is Coding.UCS2
    return text_parts(said.text, said.flash, replace(terms, languages=languages), ucs2=ucs2)


def _octets(said: Said, first: SubmitSm, content: _Content, before: SmscTraits, terms: Terms) -> Composed:
    smart = said.kind != Kind.BINARY and before.smart_coding == "dcs-f5"
    coding = first.data_coding
    if smart and coding == OCTETS_FOR_THE_PHONE:
        coding = OCTETS
    kind = Kind(said.kind) if said.kind in set(Kind) else Kind.BINARY
    whole = Binary(content.octets, udh=content.elements, kind=kind, data_coding=coding)
    return binary_parts(whole, terms, flash=said.flash)


def _content(parts: Sequence[SubmitSm]) -> _Content:
    octets, elements, joined = b"", b"", False
    for part in parts:
        header, data = udh.cut_off(part.short_message) if part.esm_class & UDHI else (b"", part.short_message)
        elements, numbered = udh.without_concatenation(header)
        joined |= numbered
        octets += data
    tlvs = dict(parts[0].tlvs)
    others = tuple((tag, value) for tag, value in tlvs.items() if tag not in _COMPOSED_TLVS)
    joined |= not _SAR.isdisjoint(tlvs)
    payload = tlvs.get(MESSAGE_PAYLOAD)
    return _Content(octets if payload is None else payload, elements, joined, payload is not None, others)
