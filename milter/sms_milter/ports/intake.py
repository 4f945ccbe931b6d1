"""What a mail needs on its way in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sms_milter.errors import Refusal
from sms_milter.model import (
    CreditRule,
    LoginRule,
    NewMail,
    PartFate,
    QuotaLeft,
    QuotaRule,
    Record,
    Stored,
)


class IntakeQueue(Protocol):
    """The milter worker's side of the queue. Every method is one transaction; raises QueueUnavailable."""

    def put(self, mails: Sequence[NewMail], now: float) -> list[Stored | Refusal]:
        """Store each mail whole or not at all; durable when this returns.

        A mail whose fingerprint is stored already within the retry window gives `Stored(…, repeat=True)`; one
        beyond its limits gives a `Refusal`, an `Excess` when some of its messages would be taken, and one
        with a record that was written since it was read gives `RecordChanged`; the others of the batch are
        not affected. Nothing is left of what is refused, but that a message refused as part of a flood counts
        as the last one for the pause after it (SMSCentre §12.1).

        Where `limits.storms` is set, a message with a likeness goes at once unless one alike went, or is to
        go, less than the window before (`policy.storms.held_until`): then it is held until the window is
        over. While one is held and nothing of it was ever submitted, those alike are not stored beside it but
        counted in it: it says what the last of them said, with how many they are, and its mail's name stands
        in `Stored.counted_in`. What is counted has no price, and no limit is asked; what is held is no
        duplicate. Messages of one mail are not counted in each other.
        """

    def refusal(self, mail: NewMail, now: float) -> Refusal | None:
        """How `put` would refuse the mail as its limits stand; nothing is changed."""

    def quota_left(self, account: str, sender: str, rule: QuotaRule, now: float) -> QuotaLeft:
        """What the quota of an account and one of its senders leaves."""

    def credit_left(self, account: str, rule: CreditRule) -> int:
        """The account's balance, in thousandths of a credit."""

    def suppressed(self, account: str, number: str) -> bool:
        """Whether a phone has asked for nothing more from an account."""

    def next_number(self, account: str) -> int:
        """A number for a request of the account that brings none: from 1 on, and after 2147483647 from 1
        again. Durable before any mail that is put later.
        """

    def login_failed(self, who: str, rule: LoginRule, now: float) -> bool:
        """Remember a failed login; whether `who` is blocked by it."""

    def login_blocked(self, who: str, now: float) -> bool:
        """Whether `who` may not try to log in now."""

    def count_refused(self, times: int, now: float) -> None:
        """So many more recipients or mails were refused (see `OperatorQueue.flow`)."""

    def find_record(self, account: str, kind: str, name: str, now: float) -> Record | None:
        """What the account's mails have left behind by that name; None if nothing, or if its time is over."""

    def fates(self, account: str, references: Sequence[str]) -> dict[str, list[PartFate]]:
        """The parts, in order, of the account's newest message with each reference; unknown ones are left
        out.
        """


class Intake(Protocol):
    """Where a callback thread leaves a mail: the committer, which groups waiting mails."""

    def put(self, mail: NewMail, progress: Callable[[], None] | None = None) -> Stored:
        """Wait until the mail is durable. Raises Deferred when that cannot be had in time, or
        Rejected/Deferred on quota.

        `progress` is called every few seconds while a commit is under way: the MTA's timer starts anew.
        """

    def refusal(self, mail: NewMail) -> Refusal | None:
        """As `IntakeQueue.refusal`, bounded in time; raises Deferred."""

    def quota_left(self, account: str, sender: str, rule: QuotaRule) -> QuotaLeft:
        """As `IntakeQueue.quota_left`, bounded in time; raises Deferred."""

    def credit_left(self, account: str, rule: CreditRule) -> int:
        """As `IntakeQueue.credit_left`, bounded in time; raises Deferred."""

    def suppressed(self, account: str, number: str) -> bool:
        """As `IntakeQueue.suppressed`, bounded in time; raises Deferred."""

    def next_number(self, account: str) -> int:
        """As `IntakeQueue.next_number`, bounded in time; raises Deferred."""

    def login_failed(self, who: str, rule: LoginRule) -> bool:
        """As `IntakeQueue.login_failed`, bounded in time; raises Deferred."""

    def login_blocked(self, who: str) -> bool:
        """As `IntakeQueue.login_blocked`, bounded in time; raises Deferred."""

    def count_refused(self) -> None:
        """One more recipient or mail was refused: returns at once, counted within seconds."""

    def find_record(self, account: str, kind: str, name: str) -> Record | None:
        """As `IntakeQueue.find_record`, bounded in time; raises Deferred."""

    def fates(self, account: str, references: Sequence[str]) -> dict[str, list[PartFate]]:
        """As `IntakeQueue.fates`, bounded in time; raises Deferred."""
