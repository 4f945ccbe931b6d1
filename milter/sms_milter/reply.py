"""Replies to the SMTP client: reply code and enhanced status code, born together, and the catalogue of all we
give.

A reply's public text names the condition, never another customer's data and never whether an account or a
password was wrong. Wording is kept by `tests/golden/replies/`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum

from sms_milter.credits import written

_LINE_LIMIT = 480  # octets; well under libmilter's 980, so that a log line stays readable


class Limit(Enum):
    """Which limit a reply speaks of, for dialects that have words of their own for it."""

    QUOTA = "quota"
    CREDIT = "credit"
    PRICE = "price"
    DUPLICATE = "duplicate"
    FLOOD = "flood"


@dataclass(frozen=True, slots=True)
class Reply:
    """One SMTP reply: `code` (4yz or 5yz), `enhanced` ("4.x.x" or "5.x.x", RFC 3463) and a one-line ASCII
    `text`.

    Made only by `permanent` and `temporary`, so that 451 can never carry 5.x.x. Where a `limit` is the
    reason, `free_at` says when it allows more (seconds since the epoch), if that is known.
    """

    code: int
    enhanced: str
    text: str
    limit: Limit | None = None
    free_at: float | None = None

    @classmethod
    def permanent(cls, detail: str, text: str, *, code: int = 550) -> Reply:
        """A refusal for good; `detail` is the enhanced status code after its class, such as "7.1"."""
        if not 500 <= code <= 599:
            raise ValueError(f"a permanent reply needs a 5yz code, not {code}")
        return cls(code, f"5.{detail}", _one_line(text))

    @classmethod
    def temporary(cls, detail: str, text: str, *, code: int = 451) -> Reply:
        """A refusal for now; `detail` is the enhanced status code after its class, such as "3.0"."""
        if not 400 <= code <= 499:
            raise ValueError(f"a temporary reply needs a 4yz code, not {code}")
        return cls(code, f"4.{detail}", _one_line(text))

    @property
    def is_temporary(self) -> bool:
        """Whether the client may try again."""
        return self.code < 500

    def __str__(self) -> str:
        return f"{self.code} {self.enhanced} {self.text}"


def _one_line(text: str) -> str:
    printable = "".join(c if " " <= c <= "~" else "?" for c in text)
    return printable[:_LINE_LIMIT]


# --- the envelope -------------------------------------------------------------------------------------------

NOT_AUTHORISED = Reply.permanent("7.1", "not authorised")
# RFC 7372 §3.2, §3.1
SPF_FAILED = Reply.permanent("7.23", "SPF does not let this client send for the domain of the sender")
DKIM_FAILED = Reply.permanent("7.20", "no passing DKIM signature of the domain that must sign")
DNS_UNAVAILABLE = Reply.temporary("4.3", "the DNS does not answer, try again later")
TLS_REQUIRED = Reply.permanent("7.10", "this account may send over an encrypted connection only")
SEND_SEPARATELY = Reply.temporary("5.0", "recipients of different accounts, send separately")
TOO_MANY_RECIPIENTS = Reply.temporary(
    "5.3", "too many SMS recipients, send the rest in another mail", code=452
)
NO_SUCH_ADDRESS = Reply.permanent("1.1", "the address is not a mobile number")
BAD_NUMBER = Reply.permanent(
    "1.3", "not a valid mobile number: international form expected, 7 to 15 digits, such as 447973100000"
)
BAD_ADDRESS_FORM = Reply.permanent("1.3", "address form not supported here, write <number@domain>", code=553)
NO_DESTINATION = Reply.permanent("1.3", "generic recipient without destination")
NO_SUCH_CHANNEL = Reply.permanent("3.3", "messages of this kind are not offered here", code=554)
NO_ROUTE = Reply.permanent("4.4", "no route to this destination")
NOT_IN_CLOSED_GROUP = Reply.permanent("7.1", "destination not in closed user group")
BLOCKED = Reply.permanent("7.1", "destination blocked")
OPTED_OUT = Reply.permanent("7.1", "destination wants no messages of this account")
DELISTED = Reply.permanent("1.1", "destination is out of use")
UNREACHABLE = frozenset({NO_ROUTE, NOT_IN_CLOSED_GROUP, BLOCKED, OPTED_OUT, DELISTED})


def mail_too_large(limit_octets: int) -> Reply:
    """The mail is larger than the account may send as SMS."""
    return Reply.permanent("3.4", f"mail too large for SMS, at most {limit_octets} octets", code=552)


# --- who the mail says it is from ---------------------------------------------------------------------------

OTHER_ACCOUNT = Reply.permanent("7.1", "recipients of different accounts, send separately")
ORIGINATOR_NOT_ALLOWED = Reply.permanent("7.1", "originator not allowed for this account")
TEXT_DENIED = Reply.permanent("7.1", "text not allowed for this account")
ACCOUNT_DISABLED = Reply.permanent("7.1", "account disabled")
LOGINS_BLOCKED = Reply.temporary("7.0", "too many failed logins, try again later")
BAD_ORIGINATOR = Reply.permanent(
    "6.0", "originator not valid: at most 16 digits or 11 characters of the GSM alphabet", code=554
)


class Denial(Enum):
    """Why a mail that says itself who sends it, or as whom, is not allowed to; the value is for the log."""

    UNKNOWN_LOGIN = "unknown login"
    WRONG_PASSWORD = "wrong password"  # noqa: S105 -- words, not a password
    WRONG_NAME = "a second name is another account's"
    BLOCKED = "too many failed logins"
    WRONG_INTERFACE = "a second name is for another interface"
    DISABLED = "account disabled"
    NOT_FROM_HERE = "client or SASL user or domain not the account's"
    NOT_BY_SENDER = "sender not the account's"
    UNKNOWN_AUTHOR = "the address in From is not an account's"
    OTHER_ACCOUNT = "login and envelope name different accounts"
    ORIGINATOR_NOT_ALLOWED = "originator not the account's"
    BAD_ORIGINATOR = "originator not valid"


def denied(why: Denial) -> Reply:
    """What the client is told, where a dialect has no code of its own: never whether login or password was
    wrong.
    """
    return _DENIED.get(why, NOT_AUTHORISED)


_DENIED = {
    Denial.BLOCKED: LOGINS_BLOCKED,
    Denial.OTHER_ACCOUNT: OTHER_ACCOUNT,
    Denial.DISABLED: ACCOUNT_DISABLED,
    Denial.ORIGINATOR_NOT_ALLOWED: ORIGINATOR_NOT_ALLOWED,
    Denial.BAD_ORIGINATOR: BAD_ORIGINATOR,
}


# --- the content --------------------------------------------------------------------------------------------

EMPTY_MESSAGE = Reply.permanent("6.0", "empty message", code=554)
NO_PLAIN_TEXT = Reply.permanent("6.1", "no plain text in the mail", code=554)
HTML_REFUSED = Reply.permanent("6.1", "HTML is not accepted here, send plain text", code=554)
UNDECODABLE = Reply.permanent("6.0", "the mail cannot be decoded", code=554)
CHARSET_REFUSED = Reply.permanent("6.3", "character set not accepted, use US-ASCII or ISO-8859-1", code=554)
TOO_COMPLEX = Reply.permanent("6.0", "too many header fields or MIME parts", code=554)


def message_too_long(parts: int, limit: int, measured: str) -> Reply:
    """The text needs more SMS than allowed; `measured` says how it was counted."""
    text = f"message too long, it needs {parts} SMS and {limit} are allowed ({measured})"
    return Reply.permanent("3.4", text, code=552)


# --- fields of SMPP encapsulation ---------------------------------------------------------------------------

GENERIC_AMONG_OTHERS = Reply.permanent("5.4", "a generic recipient must be the only one", code=554)
DESTINATION_CONFLICT = Reply.permanent(
    "6.0", "x-smpp-destination-addr is not the number of the recipient", code=554
)


def bad_field(name: str, fault: str) -> Reply:
    """A header field of the mail does not say what it should; `fault` completes "`name`: "."""
    return Reply.permanent("6.0", f"{name}: {fault}", code=554)


def octets_too_many(octets: int, limit: int) -> Reply:
    """The short message as given is longer than allowed."""
    return Reply.permanent(
        "3.4", f"message too long, it has {octets} octets and {limit} are allowed", code=552
    )


# --- limits -------------------------------------------------------------------------------------------------


def quota_exceeded(
    limit: int, period_seconds: float, free_at: float, *, of_sender: bool, defer: bool
) -> Reply:
    """The account's quota, or that of one sender, is used up until then."""
    text = f"{_quota(limit, period_seconds, of_sender)} used, free again {_moment(free_at)}"
    plain = Reply.temporary("2.2", text, code=452) if defer else Reply.permanent("2.2", text, code=552)
    return replace(plain, limit=Limit.QUOTA, free_at=free_at)


def quota_too_small(needed: int, limit: int, period_seconds: float, *, of_sender: bool) -> Reply:
    """The mail will never fit into the quota."""
    text = f"the mail needs {needed} SMS, more than the {_quota(limit, period_seconds, of_sender)}"
    return replace(Reply.permanent("2.2", text, code=552), limit=Limit.QUOTA)


def _quota(limit: int, period_seconds: float, of_sender: bool) -> str:
    whose = " of this sender" if of_sender else ""
    return f"quota of {limit} SMS per {_period(period_seconds)}{whose}"


def _period(seconds: float) -> str:
    for unit, length in (("week", 604800), ("day", 86400), ("hour", 3600), ("minute", 60)):
        count, rest = divmod(seconds, length)
        if count and not rest:
            return unit if count == 1 else f"{count:.0f} {unit}s"
    return f"{seconds:.0f} s"


def no_credit(left: Decimal) -> Reply:
    """The account's prepaid credits do not pay for the mail."""
    plain = Reply.permanent("2.2", f"not enough SMS credits, {written(left)} left", code=552)
    return replace(plain, limit=Limit.CREDIT)


def too_dear(price: Decimal, most: Decimal) -> Reply:
    """A message costs more credits than the mail allows."""
    text = f"the message costs {written(price)} credits and {written(most)} are allowed"
    plain = Reply.permanent("7.1", text)
    return replace(plain, limit=Limit.PRICE)


def duplicate(allow: int, window_seconds: float, free_at: float) -> Reply:
    """As many identical requests as allowed were taken; permanent, or the client's mail server would repeat
    it until it is taken (SMSCentre §10.1).
    """
    taken = f"{allow} identical {'request' if allow == 1 else 'requests'} taken within {window_seconds:.0f} s"
    plain = Reply.permanent("7.1", f"duplicate: {taken}, free again {_moment(free_at)}")
    return replace(plain, limit=Limit.DUPLICATE, free_at=free_at)


def flood(messages: int, gap_seconds: float, free_at: float, *, per_account: bool) -> Reply:
    """A run of messages without pause is as long as allowed. Numbers are not named: the log may mask them."""
    whose = "of this account" if per_account else "to one number"
    rule = f"more than {messages} messages {whose} with less than {gap_seconds:.0f} s between them"
    plain = Reply.permanent(
        "7.1", f"flood: {rule}, free again {_moment(free_at)} if none is tried until then"
    )
    return replace(plain, limit=Limit.FLOOD, free_at=free_at)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(math.ceil(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- ourselves ----------------------------------------------------------------------------------------------

QUEUE_UNAVAILABLE = Reply.temporary("3.0", "SMS queue not available, try again later")
QUEUE_FULL = Reply.temporary("3.1", "SMS queue full, try again later", code=452)
INTERNAL_ERROR = Reply.temporary("3.0", "internal error, try again later")
TOO_SLOW = Reply.temporary("3.0", "no decision in time, try again later")
