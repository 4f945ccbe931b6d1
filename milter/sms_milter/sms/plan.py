"""From wishes to planned messages: every field of their submit_sm (HSL §11); `sms.parts` makes the parts.
What goes by another channel than SMS is an errand, or a submit_sm with that channel's marks.

Nothing is sent or stored here. Concatenated parts carry reference 0; the queue knows the next one.
"""

from __future__ import annotations

import re
from functools import lru_cache

from sms_milter.errors import Rejected
from sms_milter.model import SMS, Errand, Feature, Kind, Notify, PlannedMessage, SubmitSm, Wish
from sms_milter.sms import alphabet
from sms_milter.sms.coding import Coding, coding_of
from sms_milter.sms.parts import Composed, binary_parts, text_parts
from sms_milter.sms.terms import Marks, Terms
from sms_milter.sms.times import relative_time

_BY_CODING = {Coding.GSM: Feature.TEXT, Coding.OCTETS: Feature.OCTETS, Coding.UCS2: Feature.UCS2}
# By data_coding: what the alphabet needs of an SMSC.
_ALPHABETS = tuple([int(_BY_CODING[coding_of(data_coding)]) for data_coding in range(256)])
_PENDING = int(Notify.PENDING)
_UDHI = 0x40  # esm_class: short_message begins with a user data header


class Planner:
    """Plans the wishes of one request, one by one; a content for many destinations is composed once."""

    __slots__ = ("_composed", "_latest", "_latest_key")

    def __init__(self) -> None:
        # One content for all is the rule: it is found without hashing texts.
        self._latest_key: tuple[object, ...] = ()
        self._latest: Composed | Rejected | None = None
        self._composed: dict[tuple[object, ...], Composed | Rejected] = {}

    def message(self, wish: Wish, terms: Terms) -> PlannedMessage:
        """The message that `wish` becomes. Raises Rejected when its content needs more SMS than allowed."""
        if terms.errand:
            return _errand(wish, terms)
        key = (
            wish.text,
            wish.binary,
            wish.flash,
            wish.ucs2,
            terms.append,
            terms.max_parts,
            terms.long_messages,
            terms.punctuation,
            terms.languages,
            terms.keep_words,
            terms.traits,
        )
        content = self._latest
        if content is None or key != self._latest_key:
            content = self._content(key, wish, terms)
        if isinstance(content, Rejected):
            raise Rejected(content.reply)
        return _message(wish, terms, content)

    def _content(self, key: tuple[object, ...], wish: Wish, terms: Terms) -> Composed | Rejected:
        """What was composed before for the same `key`, or is now; it is the latest from now on."""
        if self._latest is not None:
            self._composed[self._latest_key] = self._latest
        content = self._composed.get(key) if self._composed else None
        if content is None:
            try:
                content = _compose(wish, terms)
            except Rejected as refusal:
                content = refusal
        self._latest_key, self._latest = key, content
        return content


# --- the fields ---------------------------------------------------------------------------------------------


def _compose(wish: Wish, terms: Terms) -> Composed:
    if wish.binary is None:
        return text_parts(wish.text, wish.flash, terms, ucs2=wish.ucs2)
    return binary_parts(wish.binary, terms, flash=wish.flash)


def _message(wish: Wish, terms: Terms, content: Composed) -> PlannedMessage:
    ton, npi, address = originator_address(terms.originator, terms.traits.source_ton_npi)
    validity = wish.validity_period
    if not validity and wish.validity_seconds is not None and not wish.queue_only:
        validity = relative_time(wish.schedule_seconds + wish.validity_seconds)
    schedule = relative_time(wish.schedule_seconds) if wish.schedule_seconds else ""
    parts = tuple(
        [
            SubmitSm(
                service_type=wish.service_type,
                source_addr_ton=ton,
                source_addr_npi=npi,
                source_addr=address,
                destination_addr=wish.destination,
                esm_class=content.esm_class,
                protocol_id=wish.protocol_id,
                priority_flag=wish.priority_flag,
                schedule_delivery_time=wish.schedule or schedule,
                validity_period=validity,
                registered_delivery=_registered_delivery(wish, terms),
                data_coding=content.data_coding,
                short_message=short_message,
                tlvs=tlvs,
            )
            for short_message, tlvs in content.parts
        ]
    )
    if terms.marks is not None:
        parts = tuple([_marked(part, terms.marks) for part in parts])
    return PlannedMessage(
        destination=wish.destination,
        originator=terms.originator,
        text=content.text,
        parts=parts,
        kind=_kind(wish),
        channel=wish.channel,
        recipient=wish.recipient,
        flash=wish.flash,
        reference=wish.reference,
        priority=wish.priority,
        own_order=wish.own_order,
        not_before=wish.not_before,
        validity_seconds=wish.validity_seconds,
        receipt=wish.receipt or terms.receipt,
        notify=wish.notify,
        notice=wish.notice,
        public_id=wish.public_id,
        original_recipient=wish.original_recipient,
        comment=wish.comment,
        route=terms.route,
        smsc=terms.smsc,
        concatenation=content.concatenation,
        folded=content.folded,
        features=wish.features | _needed(wish, content),
        escalate=wish.escalate,
    )


def _needed(wish: Wish, content: Composed) -> int:
    """What an SMSC must be able to do for the content, whatever else the mail wants (CLK §10)."""
    needed = _ALPHABETS[content.data_coding]
    if len(content.parts) > 1:
        needed |= Feature.CONCATENATION
        return needed | Feature.UDH if wish.binary is not None and wish.binary.udh else needed
    return needed | Feature.UDH if content.esm_class & _UDHI else needed


def unsendable(wish: Wish) -> PlannedMessage:
    """A message whose destination is none: without parts, to be stored as failed."""
    return PlannedMessage(
        destination=wish.destination,
        originator=wish.originator or wish.default_originator or "",
        text="",
        parts=(),
        kind=_kind(wish),
        channel=wish.channel,
        recipient=wish.recipient,
        reference=wish.reference,
        receipt=wish.receipt,
        notify=wish.notify,
        notice=wish.notice,
        public_id=wish.public_id,
        original_recipient=wish.original_recipient,
    )


def _kind(wish: Wish) -> Kind | str:
    if wish.channel != SMS:
        return wish.channel
    return wish.kind if wish.binary is None else wish.binary.kind


def _marked(part: SubmitSm, marks: Marks) -> SubmitSm:
    return part._replace(
        service_type=marks.service_type or part.service_type,
        protocol_id=part.protocol_id if marks.protocol_id is None else marks.protocol_id,
        data_coding=part.data_coding if marks.data_coding is None else marks.data_coding,
        tlvs=(*part.tlvs, *marks.tlvs),
    )


def _errand(wish: Wish, terms: Terms) -> PlannedMessage:
    """A message that no SMSC gets: one part, whatever its length."""
    if wish.binary is not None:
        raise ValueError(f"octets cannot go by {wish.channel}")
    text = f"{wish.text}{terms.append}" if wish.text else ""
    return PlannedMessage(
        destination=wish.destination,
        originator=terms.originator,
        text=text,
        parts=(Errand(wish.channel, wish.destination, terms.originator, text, wish.fields, wish.reference),),
        kind=wish.channel,
        channel=wish.channel,
        recipient=wish.recipient,
        reference=wish.reference,
        priority=wish.priority,
        not_before=wish.not_before,
        validity_seconds=wish.validity_seconds,
        receipt=wish.receipt and not terms.final,
        # What nobody will hear of, nobody can be told.
        notify=wish.notify & Notify.LOST if terms.final else wish.notify,
        original_recipient=wish.original_recipient,
        comment=wish.comment,
        route=terms.route,
        smsc=terms.smsc,
    )


def _registered_delivery(wish: Wish, terms: Terms) -> int:
    """SMPP 3.4 §5.2.17: nothing, the final receipt, or intermediate notifications too."""
    if not wish.receipt:
        return int(terms.receipt)
    asked = wish.progress or (int(wish.notify) | int(wish.notice)) & _PENDING
    return 0x11 if asked else 0x01


_INTERNATIONAL = re.compile(r"\+?([0-9]{7,16})|\+([0-9]{1,6})")  # 16: a dialect allows it (SMPP §4)
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
        ton, npi, address = 1, 1, number[1] or number[2]
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
