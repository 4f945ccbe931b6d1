"""What is planned for a mail: messages, their parts, and the answers that go back by mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sms_milter.model.dialogue import Record
from sms_milter.model.request import SMS, Escalate, Kind, LeftOut, Listener, Notify, Priority
from sms_milter.model.veil import veiled


class SubmitSm(NamedTuple):
    """The fields of one submit_sm in the order of SMPP 3.4 §4.4.1; `short_message` at most 254 octets.

    Text fields hold ASCII or Latin-1; times are SMPP 3.4 §7.1.1 strings or empty; `tlvs` maps tag to value
    octets.
    """

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 1
    dest_addr_npi: int = 1
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: tuple[tuple[int, bytes], ...] = ()

    def __repr__(self) -> str:
        return veiled(self, "short_message", "tlvs")


@dataclass(frozen=True, slots=True)
class Errand:
    """The one part of a message by another channel than SMS: what its outlet is told instead of a submit_sm.

    `fields` as in `Wish`; `originator` "" is the outlet's own choice.
    """

    channel: str
    destination: str
    originator: str
    text: str = field(default="", repr=False)
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """Where the concatenation reference of a part stands: in `short_message`, or in TLV sar_msg_ref_num.

    `offset` counts octets in `short_message` (ignored for `tlv`); `width` is 1 or 2 octets (GSM 03.40
    §9.2.3.24.1).
    """

    offset: int
    width: int
    tlv: bool = False


class PlannedMessage(NamedTuple):
    """One message ready to be stored, nothing of it sent. Parts carry reference 0 until stored.

    `smsc` is the SMSC's name, or the outlet's, such as "channel:voice"; then its one part is an Errand.
    """

    destination: str
    originator: str
    text: str
    parts: tuple[SubmitSm, ...] | tuple[Errand]
    kind: Kind | str = Kind.TEXT  # by another channel than SMS, the channel's name
    channel: str = SMS
    recipient: str = ""
    flash: bool = False
    reference: str | None = None
    priority: Priority = Priority.NORMAL
    own_order: bool = False
    not_before: float | None = None
    validity_seconds: int | None = None
    receipt: bool = False
    route: str = "default"
    smsc: str = ""
    concatenation: Reference | None = None  # None: a single part, or parts without reference
    notify: Notify = Notify.NEVER
    notice: Notify = Notify.NEVER
    public_id: str = ""
    original_recipient: str = ""
    folded: bool = False  # typographic punctuation was written in ASCII
    features: int = 0  # what the mail and its content want of an SMSC
    escalate: Escalate = Escalate.AS_ROUTED
    unsent: str = ""  # why it is stored as failed and goes nowhere; `parts` and `smsc` are empty then
    comment: str = ""

    def __repr__(self) -> str:
        return veiled(self, "text", "comment")


class ComposedPart(NamedTuple):
    """A submit_sm body (all after the 16-octet header) and where its concatenation reference stands in it; or
    an errand as octets.
    """

    body: bytes
    reference_at: int = 0
    reference_width: int = 0  # 0: none

    def __repr__(self) -> str:
        return veiled(self, "body")

    def stamped(self, reference: int) -> bytes:
        """The body with `reference` (modulo its width) in place."""
        if not self.reference_width:
            return self.body
        octets = (reference % (1 << 8 * self.reference_width)).to_bytes(self.reference_width, "big")
        return self.body[: self.reference_at] + octets + self.body[self.reference_at + self.reference_width :]


@dataclass(frozen=True, slots=True)
class Promise:
    """By when (seconds after it may go) a message must be accepted, or even delivered, lest it goes another
    way.
    """

    seconds: float
    delivered: bool = False


STALE = "stale "  # before the form of parts: their message says something else now, and they fit no SMSC


class NewMessage(NamedTuple):
    """A planned message with its composed parts, as the queue takes it; not sent any more at `expires_at`.

    `form` names the traits that it is composed for, "" when no other SMSC could want it otherwise. `room` is
    how many parts it may need elsewhere, if more than here. `likeness` is what it has in common with those
    that can be counted in it (`StormRule`), b"" where none can.
    """

    plan: PlannedMessage
    parts: tuple[ComposedPart, ...]
    expires_at: float
    price: int = 0  # of each part, in thousandths of a credit; counts for metered accounts
    form: str = ""
    room: int = 0
    promise: Promise | None = None
    likeness: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """A mail that a dialect answers with; sent by the report role, in the thread of the mail that it answers.

    `author` is the From address with the name shown beside it; "" for the one of all our reports.
    """

    to: str
    subject: str
    body: str = field(repr=False)
    author: str = ""
    author_name: str = ""


class Plan(NamedTuple):
    """A judged mail: the account it counts for and the messages it becomes."""

    dialect: str
    account: str
    messages: tuple[PlannedMessage, ...]
    answers: Sequence[Answer] = ()
    records: Sequence[Record] = ()
    listeners: Sequence[Listener] = ()
    left_out: Sequence[LeftOut] = ()
    failed: Sequence[PlannedMessage] = ()  # without parts, stored as failed
