"""What people who look after the queue need of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sms_milter.model import (
    CreditRule,
    Deed,
    Done,
    Selection,
)


class OperatorQueue(Protocol):
    """What `sms-milter queue` and `status` read and change. Never the text of a message."""

    def list_parts(self, *, states: Sequence[str] = (), limit: int = 1000) -> list[dict[str, Any]]:
        """Parts, newest first, with state, age, destination, SMSC and ids."""

    def show_mail(self, name: str) -> dict[str, Any] | None:
        """One mail by our queue id or the MTA's, with messages, parts and receipts; of the mail only the one
        message whose client knows it by that name; None if there is none.
        """

    def parked_receipts(self, limit: int = 100) -> list[dict[str, Any]]:
        """Receipts that belong to no part we know, newest first: when, by whom, of what, what they say."""

    def list_mobile(self, limit: int = 1000) -> list[dict[str, Any]]:
        """Messages from phones, newest first: from, to, when, parts, and whether somebody was told."""

    def suppress(self, account: str, number: str, why: str, now: float) -> bool:
        """Send nothing more from an account to a phone; False if that was so already."""

    def unsuppress(self, account: str, number: str) -> bool:
        """It may be written to again; False if it might."""

    def list_suppressed(self, account: str) -> list[dict[str, Any]]:
        """The phones that want nothing more from an account, since when and why, oldest first."""

    def blocks(self, now: float) -> list[dict[str, Any]]:
        """Who may not log in after too many failures, and until when: `who` as the log names it."""

    def lift_block(self, who: str, now: float) -> bool:
        """Let them try again at once; whether they were blocked. What they failed before counts no more."""

    def balances(self) -> dict[str, int]:
        """Thousandths of a credit that are booked, by account; what the configuration gives comes on top."""

    def book(self, account: str, rule: CreditRule, amount: int, note: str, now: float) -> int | None:
        """Add an amount, in thousandths of a credit; the balance after it. None, and nothing done, if an
        amount is taken away that is not there.
        """

    def bookings(self, account: str, limit: int = 100) -> list[dict[str, Any]]:
        """What an account has bought, paid and got back, newest first."""

    def summary(self, now: float, *, backlog: bool = True) -> dict[str, Any]:
        """Counts by state, backlog by priority and age (unless it is not wanted: it costs a step through an
        index for each part), dispatchers, links. An SMSC that several dispatchers send to has one row:
        rates and windows are sums. What a dispatcher has told of SMSCs and links is `stale` when that does
        not live any more: `limited_by` and `state` are `model.UNHEARD`, the rest as it was.
        """

    def flow(self, since: float, until: float) -> list[dict[str, Any]]:
        """What was done in each minute that began within a time, oldest first, none where nothing was:
        `minute` (its beginning) and how many SMS were `stored` (taken from mails), `sent` (an SMSC took
        them), `delivered` and `failed` (or expired, or cancelled), and how many recipients or mails
        `refused`. Counted with the change itself, each SMS by its parts.
        """

    def ages(self, now: float, bounds: Sequence[float]) -> list[dict[str, Any]]:
        """What waits, by `smsc` and `lane`: how many `parts`, and their `ages`, counted between `bounds` (in
        seconds, ascending), the youngest first.

        Lanes of what may go: high, normal, low; again (tried before, released or timed, and soon in one of
        these); the others, of one age: later, held. Costs one step through an index for each part.
        """

    def find_messages(self, name: str, number: str, limit: int) -> list[dict[str, Any]]:
        """The newest messages to numbers that end in these digits (unless ""), or known by a name (unless
        ""): our queue id or the MTA's, the Message-ID, the client's id or ours for the client, the SMSC's for
        a part. Each with its mail, and how many parts are in which of its `states`.

        Where a store has no index for that, only mails among the newest million parts are looked at.
        """

    def show_message(self, message_id: int) -> dict[str, Any] | None:
        """As `show_mail`, of the mail only this message; `message_count` says how many the mail has."""

    def trace(self, smsc: str, until: float) -> None:
        """Log all PDUs of this SMSC until then; a time in the past ends it."""

    def change(self, deed: Deed, wanted: Selection, now: float, after: int = 0) -> Done:
        """Do it to the next parts after that id, a thousand at most, durable together.

        A part that is on the wire is left alone. A cancelled part has failed, its sender is told; what the
        SMSC has is to be cancelled there. A part that is tried again after its end gets its whole validity
        anew, and a new report. Raises QueueUnavailable.
        """
