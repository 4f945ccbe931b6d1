"""What a mail asks for, as its dialect reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag, StrEnum
from typing import NamedTuple

from sms_milter.model.dialogue import Record
from sms_milter.model.veil import veiled
from sms_milter.reply import Reply


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
