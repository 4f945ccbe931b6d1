"""What a dialect is told besides the mail itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from sms_milter.config.schema import Account
from sms_milter.mail.parse import Mail
from sms_milter.model import Answer, Envelope, Recipient, SmsRequest

Options = TypeVar("Options", covariant=True)

# The recipients of ours in the order of RCPT, each with the digits that the dialect's `recipient` made of it,
# None for a generic word.
Targets: TypeAlias = tuple[tuple[Recipient, str | None], ...]


@dataclass(frozen=True, slots=True)
class Context(Generic[Options]):
    """The envelope of a mail and what is known about it when its content is read, at end of message.

    `account` is who sends it: by then every check is passed. `options` are the dialect's own; `now` is in
    seconds since the epoch; `reports` says whether any are mailed here.
    """

    envelope: Envelope
    targets: Targets
    account: Account
    options: Options
    now: float
    reports: bool = False


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Options]):
    """What a mail that is taken becomes, told before it is stored: `parts` SMS in all."""

    envelope: Envelope
    mail: Mail
    options: Options
    request: SmsRequest
    parts: int


@dataclass(frozen=True, slots=True)
class Complaint:
    """A refusal told by mail; `instead`: the SMTP client then hears that the mail is taken."""

    answer: Answer
    instead: bool
