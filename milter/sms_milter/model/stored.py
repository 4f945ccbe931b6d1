"""A mail as the queue takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sms_milter.model.dialogue import Record
from sms_milter.model.limits import Limits
from sms_milter.model.plan import Answer, NewMessage, PlannedMessage
from sms_milter.model.request import LeftOut, Listener


@dataclass(frozen=True, slots=True)
class Original:
    """What a report repeats of the mail: ESMTP parameter ENVID as given, and the header in lines that end in
    LF.
    """

    envelope_id: str
    header: bytes = field(repr=False)


class NewMail(NamedTuple):
    """One mail to be stored: all of its SMS or none. One may have answers or records only, or nothing."""

    messages: tuple[NewMessage, ...]
    received_at: float
    account: str
    dialect: str
    sender: str  # envelope sender as given; "" is the null sender
    client: str
    mta_queue_id: str
    mail_message_id: str = ""
    fingerprint: bytes | None = None  # None: never taken for a retry
    limits: Limits | None = None
    identity: bytes = b""  # what identical requests of the account have in common; b"": never a duplicate
    fee: int = 0  # thousandths of a credit that it costs besides its messages
    original: Original | None = None  # for reports that the sender asks for
    answers: Sequence[Answer] = ()
    records: Sequence[Record] = ()  # as read, with their new values
    failed: Sequence[PlannedMessage] = ()  # messages without parts that fail at once
    listeners: Sequence[Listener] = ()
    left_out: Sequence[LeftOut] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """The mail is on stable storage. `repeat`: it was there already, this was the client's retry.
    `counted_in`: the mails whose held messages count some of its messages (`StormRule`).
    """

    queue_id: int
    repeat: bool = False
    counted_in: tuple[int, ...] = ()
