"""What a dialect is told besides the mail itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from sms_milter.config.schema import Account
from sms_milter.errors import Denied, Refusal
from sms_milter.mail.parse import Mail
from sms_milter.model import (
    Answer,
    Envelope,
    PartFate,
    PlannedMessage,
    Recipient,
    Record,
    Refused,
    SmsRequest,
)
from sms_milter.reply import Reply

Options = TypeVar("Options", covariant=True)

# The recipients of ours in the order of RCPT, each with the digits that the dialect's `recipient` made of it,
# None for a generic word.
Targets: TypeAlias = tuple[tuple[Recipient, str | None], ...]


class Records(Protocol):
    """What the account's earlier mails have left behind and what became of them; raises Deferred."""

    def find(self, kind: str, name: str) -> Record | None:
        """The record by that name, to be changed by `SmsRequest.records`; None when nothing is known."""

    def fates(self, references: Sequence[str]) -> Mapping[str, Sequence[PartFate]]:
        """The parts of the newest message with each reference, in order; unknown ones are left out."""


class _NoRecords:
    """The records of an account that never sent anything."""

    def find(self, kind: str, name: str) -> None:
        """Nothing."""

    def fates(self, references: Sequence[str]) -> Mapping[str, Sequence[PartFate]]:
        """Nothing."""
        del references
        return {}


NO_RECORDS: Records = _NoRecords()


def _least(_limit: int) -> int:
    return 0


def _unnamed(_number: str) -> str:
    return ""


def _first() -> int:
    return 1


def _not_metered() -> None:
    return None


def _free(_message: PlannedMessage) -> Decimal:
    return Decimal(0)


class Context(NamedTuple, Generic[Options]):
    """The envelope of a mail and what is known about it when its content is read, at end of message.

    `account` is who sends it: by then every check is passed. `options` are the dialect's own; `now` is in
    seconds since the epoch; `reports` says whether any are mailed here. `chance` gives a number from 0 that
    is less than its argument and that nobody can foresee; without it there is no chance, always 0. `channels`
    are those besides SMS that the account may use: whoever asks for another one is refused in the dialect's
    words. `number` gives the account's next number, from 1 on, for a request that brings none; raises
    Deferred. `originator` raises Denied for one that the account may not show: for dialects that must know
    before they read on. `balance` gives the credits that the account has left, None where they are not
    metered; it raises Deferred. `network` gives the mobile network of a number (MCC-MNC) as its route names
    it, "" where it does not.
    """

    envelope: Envelope
    targets: Targets
    account: Account
    options: Options
    now: float
    reports: bool = False
    records: Records = NO_RECORDS
    chance: Callable[[int], int] = _least
    channels: frozenset[str] = frozenset()
    number: Callable[[], int] = _first
    originator: Callable[[str], str] = str
    balance: Callable[[], Decimal | None] = _not_metered
    network: Callable[[str], str] = _unnamed


class Outcome(NamedTuple, Generic[Options]):
    """What a mail that is taken becomes, told before it is stored; `results` are in the order of the mail,
    `now` is as in `Context`. `price` says what a message costs in credits, also where they are not metered.
    """

    envelope: Envelope
    mail: Mail
    options: Options
    request: SmsRequest
    results: Sequence[PlannedMessage | Refused]
    now: float
    price: Callable[[PlannedMessage], Decimal] = _free

    @property
    def messages(self) -> Sequence[PlannedMessage]:
        """Those that are sent."""
        return [one for one in self.results if not isinstance(one, Refused) and not one.unsent]


@dataclass(frozen=True, slots=True)
class Objection(Generic[Options]):
    """A mail that is refused for good at its end: why, and the reply in the dialect's words.

    `request` is None for a mail that was not understood before.
    """

    cause: Refusal | Denied
    reply: Reply
    envelope: Envelope
    mail: Mail
    options: Options
    request: SmsRequest | None = None


@dataclass(frozen=True, slots=True)
class Complaint:
    """A refusal told by mail; `instead`: the SMTP client then hears that the mail is taken.

    Without `answer` there is nobody who could be told.
    """

    answer: Answer | None
    instead: bool
