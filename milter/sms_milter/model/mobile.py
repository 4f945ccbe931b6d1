"""What phones send, and which of our messages they answer."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MobilePart:
    """One deliver_sm from a phone (MO). Parts of one message share source, destination, reference and total.

    `alphabet` names what `content` is written in: "octets", "gsm7" with a septet in each octet ("gsm7-6-6"
    with national language tables: locking and single shift), or a codec of Python's. `width` is that of the
    reference in octets, 0 for a message that is whole.
    """

    smsc: str
    source: str  # the phone
    destination: str  # the number that it wrote to
    alphabet: str
    content: bytes = field(repr=False)
    at: float
    reference: int = 0
    width: int = 0
    number: int = 1
    total: int = 1


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a part from a phone: so many of its message have come now; `repeat`: it was there."""

    mobile_id: int
    part: MobilePart
    arrived: int
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """A message that reached a phone and that it can answer: `originator` is a number, or "" for the SMSC's
    own.
    """

    queue_id: int
    mta_queue_id: str
    account: str
    dialect: str
    sender: str  # envelope sender
    recipient: str  # see `DeliveryReport`
    originator: str
    reference: str | None
    mail_message_id: str


@dataclass(frozen=True, slots=True)
class MobileMessage:
    """A message from a phone, to be told to somebody: `parts` in order, None for one that never came."""

    mobile_id: int
    smsc: str
    source: str
    destination: str
    alphabet: str
    parts: tuple[bytes | None, ...] = field(repr=False)
    at: float  # when its first part came
