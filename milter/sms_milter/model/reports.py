"""What senders are told of their messages."""

from __future__ import annotations

from dataclasses import dataclass, field

from sms_milter.model.plan import Answer
from sms_milter.model.request import Notify
from sms_milter.model.sending import PartState


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of one message, as its sender and others are told.

    `state` is that of the part that decided it: DELIVERED (the last one of all), FAILED or EXPIRED; ACCEPTED
    and UNCERTAIN mean that nothing was heard in time. `stat` and `error` stand in the receipt, "" if none
    came; `command_status` is the last one that the SMSC gave. `on_the_way` is PENDING, SENT, RETRY or DELAYED
    where it has not ended; then `state` is that of the part that was spoken of. Of so many tries as `doubts`
    nobody knows what became.
    """

    sender: str
    recipient: str  # envelope address that the message came by; a generic one with the mail's number in it
    destination: str
    state: PartState
    smsc: str
    stat: str
    error: str
    command_status: int
    at: float  # when it was delivered, refused or given up
    arrived_at: float
    original_recipient: str = ""  # ORCPT and ENVID as given
    envelope_id: str = ""
    header: bytes = field(default=b"", repr=False)  # see `Original`
    originator: str = ""
    reference: str | None = None  # the client's own id
    public_id: str = ""  # ours, as the client knows it
    parts: int = 1
    on_the_way: Notify = Notify.NEVER
    cancelled: bool = False  # by an operator, before it was sent
    doubts: int = 0
    no_subscriber: bool = False  # `error` says that nobody has the number


@dataclass(frozen=True, slots=True)
class Digest:
    """Reports for one envelope sender that become one mail, since there are many of them."""

    reports: tuple[DeliveryReport, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """News that a dialect words for a listener, oldest first, all of one mail; of a URL there is one."""

    dialect: str
    target: str
    news: tuple[DeliveryReport, ...]


@dataclass(frozen=True, slots=True)
class DueReport:
    """A mail of ours that is to be handed to the MTA now, or a URL to be requested.

    `attempts` counts earlier tries. `more` are reports that go with it. `mail_message_id` is "" also if it is
    about several mails.
    """

    report_id: int
    queue_id: int
    mta_queue_id: str
    created_at: float
    attempts: int
    mail_message_id: str  # of the mail that it is about, "" if it had none
    content: DeliveryReport | Digest | Answer | Notice
    more: tuple[int, ...] = ()
    account: str = ""


@dataclass(frozen=True, slots=True)
class ReportOutcome:
    """What became of handing a report to the MTA; it is tried again at `again_at`, or is done with if None.

    `why` says why the MTA did not take it; "" when it did.
    """

    report_id: int
    at: float
    why: str = ""
    again_at: float | None = None


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What a web service answered: HTTP status, what came of the body in time and within 64 KB, header field
    Retry-After or "".
    """

    status: int
    reason: str
    body: bytes
    retry_after: str = ""
