"""What a session tells of what has happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sms_milter.smpp.codec import DeliverSm

Key = Any
"""What the submitter knows a submit by: any hashable value, typed by whoever submits."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The SMSC took our bind. `interface_version` is None when it names none (then it may be SMPP 3.3)."""

    system_id: str = ""
    interface_version: int | None = None


@dataclass(frozen=True, slots=True)
class BindRefused:
    """The SMSC refused our bind: close."""

    status: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """The SMSC has the part and calls it `message_id` ("" when it gave none); it took `seconds`."""

    key: Key
    message_id: str
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """The SMSC does not take the part. `text` is what it said besides."""

    key: Key
    status: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Uncertain:
    """Nobody knows whether the SMSC has the part."""

    key: Key
    why: str


@dataclass(frozen=True, slots=True)
class LateResponse:
    """The response to a submit that had been given up as Uncertain."""

    key: Key
    sequence: int
    status: int
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class CancelAnswered:
    """The SMSC has cancelled a message (status 0), or cannot any more."""

    key: Key
    status: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A receipt or a message from a phone; to be acknowledged once it is stored."""

    sequence: int
    pdu: DeliverSm
    data_sm: bool = False


@dataclass(frozen=True, slots=True)
class Unbound:
    """The session came to its orderly end: close."""

    why: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The session cannot go on: close now."""

    why: str


@dataclass(frozen=True, slots=True)
class Odd:
    """The SMSC sent something of no use; it cost no more than itself. For the log."""

    why: str


Event = (
    Bound
    | BindRefused
    | Accepted
    | Refused
    | Uncertain
    | LateResponse
    | CancelAnswered
    | Delivery
    | Unbound
    | Broken
    | Odd
)
