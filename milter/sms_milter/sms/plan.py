"""From wishes to planned messages: the alphabet, the parts, and every field of their submit_sm (HSL §11).

Nothing is sent or stored here. Concatenated parts carry reference 0; the queue knows the next one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, Literal, TypeVar

from sms_milter import reply
from sms_milter.errors import Rejected
from sms_milter.model import Kind, PlannedMessage, Reference, SubmitSm, Wish
from sms_milter.sms import alphabet, split

Alphabet = Literal["gsm7", "latin1", "ascii"]
Concatenation = Literal["udh", "udh16", "sar", "payload"]
LongMessages = Literal["concatenate", "split", "payload", "reject", "truncate"]


@dataclass(frozen=True, slots=True)
class SmscTraits:
    """How an SMSC wants its submit_sm.

    `alphabet` is what data_coding 0 means there, `long_messages` how parts belong together, `source_ton_npi`
    the TON and NPI of every originator; None: chosen by its form (SMPP §4).
    """

    alphabet: Alphabet = "gsm7"
    long_messages: Concatenation = "udh"
    source_ton_npi: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What the account and the route make of a wish.

    `originator` has passed `originator_address`. `append` follows every text and is never cut. `max_parts`
    counts SMS; `long_messages` says what happens to a text that does not fit one: `payload` leaves cutting to
    the SMSC, `truncate` cuts the text to one SMS. `punctuation` allows ASCII punctuation where that
    saves UCS-2.
    """

    originator: str
    append: str = ""
    max_parts: int = 10
    long_messages: LongMessages = "concatenate"
    punctuation: bool = False
    route: str = "default"
    smsc: str = ""
    traits: SmscTraits = SmscTraits()


def plan(wishes: Sequence[Wish], terms_for: Callable[[Wish], Terms]) -> tuple[PlannedMessage, ...]:
    """The messages that `wishes` of kind TEXT become; a text for many destinations is encoded once.

    Raises Rejected when a text needs more SMS than its terms allow.
    """
    if len(wishes) == 1:
        terms = terms_for(wishes[0])
        return (_message(wishes[0], terms, _compose(wishes[0].text, wishes[0].flash, terms)),)
    composed: dict[tuple[object, ...], _Composed] = {}
    messages = []
    for wish in wishes:
        terms = terms_for(wish)
        traits = terms.traits
        key = (
            wish.text,
            wish.flash,
            terms.append,
            terms.max_parts,
            terms.long_messages,
            terms.punctuation,
            traits.alphabet,
            traits.long_messages,
        )
        content = composed.get(key)
        if content is None:
            content = composed[key] = _compose(wish.text, wish.flash, terms)
        messages.append(_message(wish, terms, content))
    return tuple(messages)


# --- the fields ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Composed:
    """A text as parts, whoever they are for: `(short_message, tlvs)` each, and what holds for all of them."""

    text: str
    data_coding: int
    parts: tuple[tuple[bytes, tuple[tuple[int, bytes], ...]], ...]
    esm_class: int = 0
    concatenation: Reference | None = None


def _message(wish: Wish, terms: Terms, content: _Composed) -> PlannedMessage:
    if wish.kind is not Kind.TEXT:
        raise ValueError(f"only text is planned here, not {wish.kind}")
    ton, npi, address = originator_address(terms.originator, terms.traits.source_ton_npi)
    validity = "" if wish.validity_seconds is None else relative_time(wish.validity_seconds)
    parts = tuple(
        [
            SubmitSm(
                source_addr_ton=ton,
                source_addr_npi=npi,
                source_addr=address,
                destination_addr=wish.destination,
                esm_class=content.esm_class,
                validity_period=validity,
                registered_delivery=1 if wish.receipt else 0,
                data_coding=content.data_coding,
                short_message=short_message,
                tlvs=tlvs,
            )
            for short_message, tlvs in content.parts
        ]
    )
    return PlannedMessage(
        destination=wish.destination,
        originator=terms.originator,
        text=content.text,
        parts=parts,
        kind=wish.kind,
        channel=wish.channel,
        recipient=wish.recipient,
        flash=wish.flash,
        reference=wish.reference,
        priority=wish.priority,
        not_before=wish.not_before,
        validity_seconds=wish.validity_seconds,
        receipt=wish.receipt,
        route=terms.route,
        smsc=terms.smsc,
        concatenation=content.concatenation,
    )


_INTERNATIONAL = re.compile(r"\+?([0-9]{7,16})")  # 16: a dialect allows it (SMPP §4)
_SHORT_CODE = re.compile(r"[0-9]{1,6}")
_PRINTABLE = re.compile(r"[ -~]+")
_LONGEST_NAME = 11  # septets in a GSM 03.40 §9.1.2.5 address


@lru_cache(maxsize=4096)
def originator_address(text: str, override: tuple[int, int] | None = None) -> tuple[int, int, str]:
    """TON, NPI and source_addr of an originator (SMPP §4); "" is the SMSC's own choice.

    `override` replaces TON and NPI of everything but "". Raises ValueError when no SMS can show it.
    """
    if not text:
        return 0, 0, ""
    if number := _INTERNATIONAL.fullmatch(text):
        ton, npi, address = 1, 1, number[1]
    elif _SHORT_CODE.fullmatch(text):
        ton, npi, address = 3, 0, text
    else:
        septets = alphabet.encode(text) if _PRINTABLE.fullmatch(text) else None
        if septets is None:
            raise ValueError(
                f"an originator holds ASCII characters of the GSM alphabet only, unlike {text!r}"
            )
        if len(septets) > _LONGEST_NAME:
            raise ValueError(f"an originator has at most 16 digits or 11 characters, unlike {text!r}")
        ton, npi, address = 5, 0, text
    return (*(override or (ton, npi)), address)


def relative_time(seconds: int) -> str:
    """`seconds` from now in the relative form of SMPP 3.4 §7.1.1.2.

    Beyond 30 days they are written in months of 30 days. The limits are a second and 99 years.
    """
    minutes, second = divmod(min(max(seconds, 1), 99 * 360 * 86400), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    year, month = 0, 0
    if days > 30:
        months, days = divmod(days, 30)
        year, month = divmod(months, 12)
    return f"{year:02}{month:02}{days:02}{hour:02}{minute:02}{second:02}000R"


# --- the parts ----------------------------------------------------------------------------------------------

_Content = TypeVar("_Content", bytes, str)

_UDHI = 0x40  # esm_class: short_message begins with a user data header
_SAR_MSG_REF_NUM, _SAR_TOTAL_SEGMENTS, _SAR_SEGMENT_SEQNUM = 0x020C, 0x020E, 0x020F
_MESSAGE_PAYLOAD = 0x0424

_MOST_PARTS = 255  # what a concatenation element can count (ENC §5)
_HEADER_OCTETS: dict[Concatenation, int] = {"udh": 6, "udh16": 7, "sar": 6, "payload": 6}


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


def _compose(text: str, flash: bool, terms: Terms) -> _Composed:
    """`text` and what is appended to it, in the first alphabet that shows both (ENC §3.1), in parts."""
    name, append = terms.traits.alphabet, terms.append
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
) -> _Composed:
    """`content`, which says `text` and ends with the appended `tail`, in the parts it needs and may have."""
    coding = form.flash_coding if flash else form.data_coding
    if form.length(content) <= form.single:
        return _Composed(text, coding, ((form.octets(content), ()),))
    if terms.long_messages == "truncate":
        content = _truncated(form, content, tail)
        return _Composed(form.text(content), coding, ((form.octets(content), ()),))
    if terms.long_messages == "split":
        parts = _limited(form, content, terms, form.messages, form.single)
        return _Composed(text, coding, tuple((form.octets(part), ()) for part in parts))
    way = terms.traits.long_messages
    parts = _limited(form, content, terms, form.parts, form.capacity(_HEADER_OCTETS[way]))
    if way == "payload" or terms.long_messages == "payload":
        return _Composed(text, coding, ((b"", ((_MESSAGE_PAYLOAD, form.octets(content)),)),))
    return _concatenated(text, coding, [form.octets(part) for part in parts], way)


def _limited(
    form: _Form[_Content],
    content: _Content,
    terms: Terms,
    cut: Callable[[_Content, int], list[_Content]],
    size: int,
) -> list[_Content]:
    """`content` cut into parts of `size`; raises Rejected when there are more than allowed."""
    limit = 1 if terms.long_messages == "reject" else min(terms.max_parts, _MOST_PARTS)
    at_least = -(-form.length(content) // size)
    if at_least > _MOST_PARTS:  # not worth cutting
        raise Rejected(reply.message_too_long(at_least, limit))
    parts = cut(content, size)
    if len(parts) > limit:
        raise Rejected(reply.message_too_long(len(parts), limit))
    return parts


def _truncated(form: _Form[_Content], content: _Content, tail: _Content) -> _Content:
    """As much of `content` as fits one SMS together with its whole `tail`."""
    room = form.single - form.length(tail)
    if room < 0:
        needed = form.parts(tail, form.capacity(_HEADER_OCTETS["udh"]))
        raise Rejected(reply.message_too_long(len(needed), 1))
    return content[: form.end(content[: len(content) - len(tail)], 0, room)] + tail


def _concatenated(text: str, coding: int, parts: Sequence[bytes], way: Concatenation) -> _Composed:
    """Parts that a phone joins again, by user data header (ENC §5) or TLVs (SMPP §3.4), with reference 0."""
    total = len(parts)
    numbered = enumerate(parts, start=1)
    if way == "sar":
        segments = tuple(
            (
                part,
                (
                    (_SAR_MSG_REF_NUM, b"\0\0"),
                    (_SAR_TOTAL_SEGMENTS, bytes((total,))),
                    (_SAR_SEGMENT_SEQNUM, bytes((number,))),
                ),
            )
            for number, part in numbered
        )
        return _Composed(text, coding, segments, 0, Reference(0, 2, tlv=True))
    if way == "udh16":
        octets, reference = b"\x06\x08\x04\0\0", Reference(3, 2)
    else:
        octets, reference = b"\x05\x00\x03\0", Reference(3, 1)
    headed = tuple((octets + bytes((total, number)) + part, ()) for number, part in numbered)
    return _Composed(text, coding, headed, _UDHI, reference)
