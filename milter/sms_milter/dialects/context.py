"""What a dialect is told besides the mail itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from sms_milter.config.schema import Account
from sms_milter.model import Envelope, Recipient

Options = TypeVar("Options", covariant=True)


@dataclass(frozen=True, slots=True)
class Context(Generic[Options]):
    """The envelope of a mail and what is known about it when its content is read, at end of message.

    `targets` are the recipients of ours in the order of RCPT, each with the digits that the dialect's
    `recipient` made of it, None for a generic word. `options` are the dialect's own; `now` is in seconds
    since the epoch; `reports` says whether any are mailed here.
    """

    envelope: Envelope
    targets: tuple[tuple[Recipient, str | None], ...]
    account: Account
    options: Options
    now: float
    reports: bool = False
