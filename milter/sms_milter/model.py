"""The vocabulary: what the SMTP client said, what the mail asks for, what is planned, stored and learnt of
it.

Values only. A *request* is what one mail asks for, a *message* is for one destination, a *part* is one
submit_sm, or one errand of a channel other than SMS. Times are seconds since the epoch (UTC) as float unless
a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag, StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from sms_milter.reply import Reply


def veiled(value: Any, *secret: str) -> str:
    """The repr of a named tuple; of its `secret` fields, only whether they hold anything: logs show reprs."""
    pairs = zip(value._fields, value, strict=True)
    fields = [f"{name}={'...' if name in secret and one else repr(one)}" for name, one in pairs]
    return f"{type(value).__name__}({', '.join(fields)})"


# --- the SMTP dialogue --------------------------------------------------------------------------------------


class Action(StrEnum):
    """What becomes of a mail: the decision as a value; only `milterd` turns it into milter actions."""

    DISCARD = "discard"  # all recipients were ours: taken, the MTA drops its copy
    STRIP = "strip"  # taken, our recipients are removed, the MTA carries the rest
    PASS = "pass"  # noqa: S105 -- not ours; the MTA carries it
    REJECT = "reject"
    DEFER = "defer"


class Stage(StrEnum):
    """Where in the SMTP dialogue a decision fell."""

    MAIL = "mail"
    RCPT = "rcpt"
    EOM = "eom"


@dataclass(frozen=True, slots=True)
class Client:
    """The SMTP client as the MTA's connect event names it."""

    address: str = ""  # IPv4 or IPv6 in its usual text form; "" when the MTA knows none
    name: str = ""
    port: int = 0


class Recipient(NamedTuple):
    """One RCPT TO address, from RCPT on.

    `raw` keeps the octets of the command (surrogateescape), because only these remove it again (MTA's
    DELRCPT).
    """

    raw: str
    local: str
    domain: str  # lower case
    parameters: Mapping[str, str] = MappingProxyType({})  # ESMTP, names upper case

    @property
    def address(self) -> str:
        """`local@domain` without brackets."""
        return f"{self.local}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends to whom; complete from DATA on, `recipients` holds ours only."""

    client: Client
    sender: str  # without brackets; "" is the null sender
    recipients: tuple[Recipient, ...] = ()
    sasl_user: str = ""
    tls_version: str = ""  # "" when the connection is not encrypted
    mta_queue_id: str = ""  # the MTA's macro `i`


@dataclass(frozen=True, slots=True)
class Credentials:
    """Whom a mail names as its customer, where the envelope does not.

    `names` maps settings of `logins` to what the mail says, such as `{"user": …, "api_id": …}`: the first
    finds the account, the others must be its own too. `passwords` are readings of one password, the likeliest
    first. `digest`: each of them may be the password's MD5. An `api_key` stands in place of names and
    passwords; so does `author`, the address in From ("" for none), where a dialect goes by it.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    passwords: tuple[str, ...] = field(default=(), repr=False)
    api_key: str = field(default="", repr=False)
    digest: bool = False
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What a mail leaves behind for later ones of its account, such as a code that one of them must repeat.

    `kind` and `name` find it again; it is forgotten at `until` (seconds since the epoch), None means never.
    `written_by` is the queue id of the mail that wrote it last, 0 while nobody has: a mail changes only what
    it has read (`SmsRequest.records`).
    """

    kind: str
    name: str
    value: str = field(repr=False)
    until: float | None = None
    written_by: int = 0


# --- what a mail asks for -----------------------------------------------------------------------------------


class Kind(StrEnum):
    """What a message carries."""

    TEXT = "text"
    BINARY = "binary"
    RINGTONE = "ringtone"
    OPERATOR_LOGO = "operator-logo"
    GROUP_LOGO = "group-logo"
    PICTURE = "picture"
    VCARD = "vcard"
    VCALENDAR = "vcalendar"
    WAP_PUSH = "wap-push"
    PING = "ping"


class Priority(IntEnum):
    """Order of sending; lower goes first."""

    HIGH = 0
    NORMAL = 1
    LOW = 2


class Feature(IntFlag):
    """What an SMSC can do for a message; the numbers are Clickatell's (CLK §10)."""

    TEXT = 1
    OCTETS = 2
    UDH = 4
    UCS2 = 8
    ALPHA = 16  # originators that are names
    NUMERIC = 32  # originators that are numbers
    REPLY = 64  # the originator stays as it is, so that phones can answer
    FLASH = 512
    RECEIPT = 8192  # it tells what became of a message
    CONCATENATION = 16384


EVERY_FEATURE = int(sum(Feature))


class Escalate(Enum):
    """When a message goes to the next SMSC of its way."""

    AS_ROUTED = "as the route says"
    NEVER = "never"
    AT_ONCE = "as soon as it has to wait"
    LATE = "after the time of the route, or else the usual one"


class Notify(IntFlag):
    """Of what becomes of a message somebody is told: three ends, and what may be told before them, once."""

    NEVER = 0
    LOST = 1  # it ended before the SMSC had it: accepted mail must not vanish in silence (RFC 5321 §6.1)
    FAILURE = 2  # it failed in any way, also if nothing was ever heard of it
    SUCCESS = 4  # it was delivered
    PENDING = 8  # the network has it and could not deliver it yet
    SENT = 16  # the SMSC has all of it
    RETRY = 32  # the SMSC did not take it for now
    DELAYED = 64  # it has waited for hours to be sent


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told, in the words of the dialect, what becomes of a mail's messages.

    `target` is a mail address, or with `is_url` a URL that is requested. Of each message it hears what both
    `told` and the message's own `notice` name. What comes within `gather_seconds` becomes one mail.
    """

    target: str
    told: Notify
    is_url: bool = False
    gather_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Binary:
    """Content that is no text: octets of the alphabet that `data_coding` names (ENC §4).

    `udh` holds the elements of the user data header without UDHL; every part repeats them. `esm_class` holds
    its bits besides UDHI. `whole`: one submit_sm exactly as given, nothing added, nothing cut; a user data
    header then stands in `octets`, and `esm_class` says so.
    """

    octets: bytes = field(repr=False)
    udh: bytes = b""
    kind: Kind = Kind.BINARY
    data_coding: int = 0x04
    esm_class: int = 0
    whole: bool = False


SMS = "sms"  # the channel of what is not said to go by another one
EMAIL = "email"  # the channel whose destinations and originators are mail addresses


class Wish(NamedTuple):
    """One message that a mail asks for, as its dialect understood it; nothing is checked against the account
    yet.

    `channel` is "sms" or one that the dialect found in `Context.channels`; `fields` are what else the channel
    must know, such as ("subject", …) or ("voice", "w"), each name once. By another channel than SMS,
    `destination` is what the channel takes: a mail address, a nickname. Its content is `binary`, or `text`
    when there is none. `kind` is for text and what has no content; a Binary knows its own. `validity_period`
    goes to the SMSC unchanged (SMPP 3.4 §7.1.1); without it `validity_seconds` does, in the relative form.
    """

    destination: str  # of an SMS: digits only, international
    text: str = ""
    kind: Kind = Kind.TEXT
    binary: Binary | None = None
    recipient: str = ""  # the envelope address it came by, for reports
    originator: str | None = None  # None: the account's own, or `default_originator`
    default_originator: str | None = None  # instead of the account's own; allowed in any case
    flash: bool = False
    ucs2: bool = False  # text in UCS-2, whatever the GSM alphabet shows
    max_parts: int | None = None  # what the mail allows; the account's limit holds beside it
    max_credits: Decimal | None = None  # the most that it may cost
    features: int = 0  # of `Feature`: what the mail wants of its SMSC; unknown bits are had by none
    escalate: Escalate = Escalate.AS_ROUTED
    reference: str | None = None  # the client's own id
    priority: Priority = Priority.NORMAL
    own_order: bool = False  # whether the priority orders the account's messages only
    priority_flag: int = 0  # of its submit_sm (SMPP 3.4 §5.2.14)
    not_before: float | None = None
    schedule_seconds: int = 0  # for which the SMSC shall wait
    validity_seconds: int | None = None
    validity_period: str = ""
    schedule: str = ""  # when the SMSC shall deliver it, unchanged (SMPP 3.4 §5.2.15); "" for at once
    queue_only: bool = False  # `validity_seconds` limits the time in our queue, the SMSC is not told
    protocol_id: int = 0
    service_type: str = ""
    receipt: bool = False
    progress: bool = False  # whether the SMSC shall also tell what is not final (with `receipt` only)
    channel: str = SMS
    fields: tuple[tuple[str, str], ...] = ()
    notify: Notify = Notify.NEVER  # what the envelope sender is told by delivery status notifications
    notice: Notify = Notify.NEVER  # what the mail's listeners may be told
    public_id: str = ""  # the id that its client was given for it
    original_recipient: str = ""  # ESMTP parameter ORCPT as given
    comment: str = ""  # what the sender notes for itself; the phone is not sent it

    def __repr__(self) -> str:
        return veiled(self, "text", "fields", "comment")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A destination that gets nothing while others do, as the mail writes it; `why` says it in the words of
    the reply that it would have got alone.
    """

    destination: str
    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A destination that gets no message: as the mail writes it, why, and its place among all of the mail,
    from 0. `of_content`: not the destination is at fault but what it would have been sent.
    """

    place: int
    written: str
    reply: Reply
    reference: str | None = None  # the client's own id
    of_content: bool = False


class SmsRequest(NamedTuple):
    """What one mail asks for.

    `reply_to` are told of each destination what became of it: one that gets no message then does not keep
    the others from theirs. `refused` are those that the dialect knows to get none, by their places.
    """

    wishes: tuple[Wish, ...]
    max_parts: int  # the dialect's own limit; an account may set another
    append_text: bool = True  # whether the account's appended text belongs to it
    punctuation: bool = False  # whether the dialect writes typographic punctuation in ASCII (ENC §3.3)
    listeners: tuple[Listener, ...] = ()  # whom the dialect tells what becomes of it
    partial: bool = False  # whether messages that cannot be sent are left out while others can be
    written: bytes = b""  # the request as it was written, where that says which requests are identical
    repeatable: bool = False  # whether an identical one is never refused as its duplicate
    confirm: bool = False  # whether it asks the dialect for an answer when all is well
    records: tuple[Record, ...] = ()  # written with it; if one is not any more as it was read, judged again
    refused: tuple[Refused, ...] = ()
    reply_to: tuple[str, ...] = ()  # mail addresses
    unsendable: tuple[Wish, ...] = ()  # stored as failed: their destinations are none
    fee: Decimal = Decimal(0)  # credits that it costs besides its messages
    keep_left_out: bool = False  # whether what cannot be reached is stored as failed too
    memo: object = None  # the dialect's own, for its answer
    dear_is_taken: bool = False  # whether a message that costs too much is taken all the same, and not sent

    def __repr__(self) -> str:
        return veiled(self, "written", "memo")


# --- what is planned and stored -----------------------------------------------------------------------------


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


class NewMessage(NamedTuple):
    """A planned message with its composed parts, as the queue takes it; not sent any more at `expires_at`.

    `form` names the traits that it is composed for, "" when no other SMSC could want it otherwise. `room` is
    how many parts it may need elsewhere, if more than here.
    """

    plan: PlannedMessage
    parts: tuple[ComposedPart, ...]
    expires_at: float
    price: int = 0  # of each part, in thousandths of a credit; counts for metered accounts
    form: str = ""
    room: int = 0
    promise: Promise | None = None


@dataclass(frozen=True, slots=True)
class QuotaRule:
    """How many parts an account, and each sender of it, may send within a period (seconds); None: no limit.
    `senders` (lower case) have limits of their own instead of `per_sender`. A `fixed` period begins by the
    calendar (`policy.quotas.since`), any other slides.
    """

    messages: int | None
    per_sender: int | None
    period_seconds: float
    defer: bool  # when used up: True 452 4.2.2, False 552 5.2.2
    senders: Mapping[str, int | None] = field(default_factory=dict, hash=False)
    fixed: bool = False

    def of(self, sender: str) -> int | None:
        """The limit of one sender."""
        return self.senders.get(sender.lower(), self.per_sender)


class QuotaLeft(NamedTuple):
    """What a quota leaves: so many parts, more of them at `free_at`. The `limit` that leaves the least is the
    account's or, `of_sender`, that of one sender; None: there is none.
    """

    parts: int
    free_at: float
    limit: int | None = None
    of_sender: bool = False


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """How many identical requests of an account are taken within a sliding time (seconds)."""

    allow: int
    window_seconds: float


@dataclass(frozen=True, slots=True)
class FloodRule:
    """How many messages may follow each other with less than `gap_seconds` between them: to one destination
    of an account, or of the account as a whole.
    """

    messages: int
    gap_seconds: float
    per_account: bool


@dataclass(frozen=True, slots=True)
class CreditRule:
    """Prepaid credits: what the configuration gives an account; bookings and use are the queue's."""

    deposit: int  # thousandths of a credit


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the account of a mail may send; None: as much as it likes."""

    quota: QuotaRule | None = None
    duplicates: DuplicateRule | None = None
    flood: FloodRule | None = None
    credits: CreditRule | None = None
    suppression: bool = False  # whether phones may have asked for no more


@dataclass(frozen=True, slots=True)
class Original:
    """What a report repeats of the mail: ESMTP parameter ENVID as given, and the header in lines that end in
    LF.
    """

    envelope_id: str
    header: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoginRule:
    """After `count` failed logins within a time, nobody may try for another; both in seconds."""

    count: int
    within_seconds: float
    block_seconds: float


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
    """The mail is on stable storage. `repeat`: it was there already, this was the client's retry."""

    queue_id: int
    repeat: bool = False


# --- sending ------------------------------------------------------------------------------------------------


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
    too, if it was chosen by us.
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


# --- operators ----------------------------------------------------------------------------------------------

# When a part that an operator holds falls due: the end of the calendar, so that it still expires in its time.
HELD_UNTIL = 253_402_300_799.0


class Deed(StrEnum):
    """What an operator does to parts that are not on the wire."""

    RETRY = "retry"  # now, what waits for its next try; again, what has failed, expired or is in doubt
    CANCEL = "cancel"  # what the SMSC does not have is never sent
    HOLD = "hold"  # not sent until released; the validity runs on
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which parts an operator means: all of these conditions hold, and "" is none."""

    name: str = ""  # a mail's queue id, ours or the MTA's
    account: str = ""
    smsc: str = ""
    destination: str = ""  # its first digits
    state: PartState | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What a deed has changed, and after which part id to go on; None: that was all.

    `asked` are parts that the SMSC has: it will be asked to cancel them.
    """

    parts: Sequence[LeasedPart]
    after: int | None
    asked: Sequence[LeasedPart] = ()


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A part that its SMSC, which calls it `smsc_message_id`, is to be asked to cancel."""

    part: LeasedPart
    smsc_message_id: str


# --- what became of it --------------------------------------------------------------------------------------


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


# --- reports ------------------------------------------------------------------------------------------------


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


# --- web services -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What a web service answered: HTTP status, what came of the body in time and within 64 KB, header field
    Retry-After or "".
    """

    status: int
    reason: str
    body: bytes
    retry_after: str = ""


# --- links --------------------------------------------------------------------------------------------------


class LinkState(Enum):
    """What an SMPP link is doing."""

    DOWN = "down"
    CONNECTING = "connecting"
    BINDING = "binding"
    BOUND = "bound"
    UNBINDING = "unbinding"


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """One bind as `sms-milter status` shows it."""

    smsc: str
    bind: str
    state: LinkState
    since: float
    window_used: int
    window: int
    submitted: int
    accepted: int
    refused: int
    uncertain: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class SmscLoad:
    """How fast an SMSC is sent to, and what keeps it from going faster, as `sms-milter status` shows it.

    Rates are parts per second, 0 for unlimited; `advice` says what changing the limit would give.
    """

    smsc: str
    limited_by: str
    advice: str
    sent_per_second: float
    rate: float
    contract_rate: float
    window: int
    window_used: int
    response_p95_ms: float | None
    throttled_at: float | None


# --- verdict ------------------------------------------------------------------------------------------------


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
