"""Parts on their way: leased, handed over, answered, settled by receipts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from sms_milter.model.veil import veiled


class PartState(StrEnum):
    """The states of a part (the promise behind 250 hangs on them)."""

    QUEUED = "queued"
    SUBMITTING = "submitting"
    ACCEPTED = "accepted"
    UNCERTAIN = "uncertain"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"


class LeasedPart(NamedTuple):
    """A part marked `submitting` for us: what the dispatcher needs to send it and to name it in the log."""

    part_id: int
    queue_id: int
    mta_queue_id: str
    destination: str
    number: int  # 1..total
    total: int
    body: bytes
    attempts: int  # earlier tries
    received_at: float
    expires_at: float
    doubts: int = 0  # earlier tries whose outcome stayed uncertain
    account: str = ""
    promised: bool = False  # it may go by another SMSC
    sequence: int = 0

    def __repr__(self) -> str:
        return veiled(self, "body")


@dataclass(frozen=True, slots=True)
class WaitingPart:
    """A part as it stands in the queue."""

    part_id: int
    state: PartState
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """A message that may have to go another way, or to be composed anew, with all its parts in order.

    `escalate_at` is when its promise is over, None without one; `room` how many parts it can have; `why`
    what kept it where it is, "" for nothing that we know; `features` what an SMSC must have for it.
    """

    message_id: int
    queue_id: int
    mta_queue_id: str
    destination: str
    originator: str
    text: str = field(repr=False)
    kind: str
    flash: bool
    route: str
    smsc: str
    form: str
    room: int
    why: str
    escalate_at: float | None
    parts: tuple[WaitingPart, ...]
    features: int = 0


class Outcome(NamedTuple):
    """What became of one submit: the part's new state and why.

    `state` is ACCEPTED (with `smsc_message_id` and `smsc_key`, its form for comparing), QUEUED (to be tried
    again at `due_at`; `counts` says whether this was a try, `doubt` whether its outcome stayed uncertain,
    `elsewhere` that another SMSC should try it), FAILED or UNCERTAIN. What is in doubt may have an `smsc_key`
    too, if it was chosen by us. `late_from` names the SMSC whose response came after the part was given up:
    it counts only if that has not gone another way since, and is not on the wire once more.
    """

    part_id: int
    state: PartState
    at: float
    smsc_message_id: str = ""
    smsc_key: str = ""
    command_status: int = 0
    why: str = ""
    due_at: float = 0.0
    counts: bool = True
    doubt: bool = False
    elsewhere: bool = False
    late_from: str = ""


@dataclass(frozen=True, slots=True)
class Handed:
    """What came of handing an errand to its outlet.

    `state` is ACCEPTED (`outlet_id`: what the outlet calls it, "" for nothing), QUEUED (not now; not before
    `pause_seconds` if the outlet says so), FAILED (never) or UNCERTAIN. `closed`: the outlet takes nothing at
    all now, whatever it is. `key`: by what the outlet will speak of it, "" if it will not.
    """

    part: LeasedPart
    state: PartState
    why: str = ""
    outlet_id: str = ""
    key: str = ""
    closed: bool = False
    pause_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ReceiptNews:
    """One delivery receipt as read from a deliver_sm or data_sm. `state` None: not final."""

    smsc: str
    smsc_message_id: str
    smsc_key: str
    source: str  # the phone
    stat: str
    error: str
    state: PartState | None
    done_at: float | None
    at: float
    text: str = field(default="", repr=False)  # the beginning of the message, if the SMSC quotes it


@dataclass(frozen=True, slots=True)
class Settled:
    """A receipt that found its part."""

    queue_id: int
    mta_queue_id: str
    destination: str
    number: int
    total: int
    receipt: ReceiptNews
    changed: bool  # False: a repeat, or the part already had its final state

    @property
    def word(self) -> str:
        """What the receipt says, for those who count."""
        if not self.changed:
            return "repeated"
        return self.receipt.state.value if self.receipt.state else "pending"


@dataclass(frozen=True, slots=True)
class PartFate:
    """What is known of a part by now.

    `submitted_at` is None before its first submit, `told_at` is when its newest receipt speaks of, or when it
    ended without one; None while neither is so. `stat` and `error` stand in that receipt, "" if none came;
    `command_status` is the last one that the SMSC gave.
    """

    state: PartState
    submitted_at: float | None
    told_at: float | None
    stat: str = ""
    error: str = ""
    command_status: int = 0
