"""What the dispatcher needs: the queue, one transaction of it at a time, and links."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from sms_milter.model import (
    Cancellation,
    ComposedPart,
    Heard,
    LeasedPart,
    LinkState,
    LinkStatus,
    MobilePart,
    Outcome,
    ReceiptNews,
    Settled,
    SmscLoad,
    WaitingMessage,
)
from sms_milter.policy.quiet import Quiet
from sms_milter.policy.rates import Share
from sms_milter.smpp.events import Event
from sms_milter.smpp.session import Session


class DispatchQueue(Protocol):
    """The dispatcher's side of the queue. Raises QueueUnavailable."""

    def transaction(self) -> AbstractContextManager[Work]:
        """Everything done inside is committed at its end, or rolled back on an exception."""

    def abandoned(self, smsc: str, owner: str = "", now: float = 0.0) -> list[LeasedPart]:
        """Parts that are still `submitting`, but for those on binds that another than `owner` holds at that
        time. What `owner` does not know of itself is in doubt: the process that had it is gone.
        """

    def submitting_to(self) -> list[str]:
        """The SMSCs and outlets with parts that are still `submitting`, configured or not."""

    def next_due(self, smsc: str) -> float | None:
        """When the next queued part of `smsc` falls due (may be in the past); None without any."""

    def hold_binds(self, smsc: str, binds: int, owner: str, now: float, until: float) -> frozenset[int]:
        """The numbers of 1 to `binds` that `owner` may have until a time: those it has and those that nobody
        else has, or has had renewed in time; not more than its share among all who have asked. To be called
        again well before; what it then may not keep stays its own until the time it was told last. Their
        names (`Link.name`) are SMSC/NUMBER, with -transmitter behind that or not.
        """

    def release_binds(self, owner: str) -> None:
        """Others may have them at once."""

    def hold_rate(self, smsc: str, rate: int, owner: str, now: float, until: float) -> Share:
        """What `owner` may have until a time of the `rate` (parts per second, at least 1) that all who ask
        for it share; to be called again well before, while there is something to send. See `policy.rates`.

        It need not survive the end of the machine.
        """

    def report_links(self, links: Sequence[LinkStatus], now: float) -> None:
        """Leave the state of the links for `sms-milter status`."""

    def report_loads(self, loads: Sequence[SmscLoad], now: float) -> None:
        """Leave what limits each SMSC for `sms-milter status`."""

    def cancellations(self, smsc: str) -> list[Cancellation]:
        """What this SMSC is to be asked to cancel; they stay until `Work.cancelled`."""

    def traced(self, now: float) -> frozenset[str]:
        """The SMSCs whose PDUs an operator wants to see in the log."""

    def purge(self, before: float, limit: int = 1000) -> int:
        """Forget up to `limit` mails that were finished before that time; returns how many."""


class Work(Protocol):
    """One transaction of the dispatcher: durable together, or not at all."""

    def record(self, outcomes: Sequence[Outcome]) -> list[Settled]:
        """Store outcomes. Returns receipts that had arrived earlier and now found their part.

        A FAILED part takes its siblings that are still QUEUED with it (SMPP §6: do not submit the rest).
        What the SMSC never had of a metered account's message is given back.
        """

    def settle(self, receipts: Sequence[ReceiptNews]) -> list[Settled]:
        """Store receipts; those that match no part yet are parked and returned by a later `record`.

        One with an id that nobody knows settles the only uncertain part for its phone, if there is one.
        """

    def settle_parked(self, since: float) -> list[Settled]:
        """Settle receipts parked since a time whose part is known meanwhile: while one dispatcher stores the
        response, another may park the receipt, and neither sees what the other does.
        """

    def lease(
        self,
        smsc: str,
        bind: str,
        sequences: Sequence[int],
        now: float,
        after: str = "",
        form: str = "",
        quiet: Quiet | None = None,
    ) -> list[LeasedPart]:
        """Mark up to `len(sequences)` due parts of `smsc` as `submitting` on `bind`, each with its sequence
        number.

        Order: priority; within one the accounts share alike, those behind `after` (by name, around) first;
        within an account its own order, due time, age; parts of one message in order. Messages composed for
        another `form` ("": any is right) are not leased but set aside, see `unfit`. Messages of which nothing
        has gone yet are put off while it is `quiet`, unless they end before; see `asleep`.
        """

    def listen(self, parts: Sequence[MobilePart]) -> list[Heard]:
        """Store what phones sent; a message is told once all of its parts are there, in whatever order, or an
        hour after the first.
        """

    def reconsider(self, smsc: str, before: float, now: float) -> list[LeasedPart]:
        """Parts of `smsc` that were submitted before a time and are uncertain since, for the first time, are
        queued once more; returns them.
        """

    def cancelled(self, part_id: int, now: float, *, done: bool) -> None:
        """The SMSC has cancelled a part, which has failed by that, or cannot any more."""

    def expire(self, now: float) -> list[LeasedPart]:
        """Mark queued parts whose time is over as `expired` and return them (at most 1000 at a time).

        Messages whose receipts are overdue keep their states, but are reported.
        """

    @property
    def asleep(self) -> Sequence[tuple[LeasedPart, float]]:
        """What a lease has put off because it is quiet, and until when."""

    @property
    def unfit(self) -> bool:
        """Whether a lease has set messages aside that must be composed anew (`Ways.unfit`)."""

    @property
    def ways(self) -> Ways:
        """Messages that go another way."""

    @property
    def reported(self) -> bool:
        """Whether anything done so far has ended a message whose sender is to be told (`ReportQueue`)."""


class Ways(Protocol):
    """Messages that go another way, in a transaction of the dispatcher; what is on the wire is left alone."""

    def promised(self, smsc: str, before: float, limit: int) -> list[WaitingMessage]:
        """Some of the messages of `smsc` whose promise is over by then, the oldest first."""

    def waiting_for(self, smsc: str, limit: int) -> list[WaitingMessage]:
        """Some of the messages with parts that wait for `smsc`."""

    def unfit(self, limit: int) -> list[WaitingMessage]:
        """Some of the messages that a lease has set aside to be composed anew."""

    def smscs(self) -> list[str]:
        """All that parts wait for, configured or not."""

    def move(
        self, message: WaitingMessage, smsc: str, now: float, escalate_at: float | None, why: str
    ) -> None:
        """Its queued parts go to `smsc`, at the place they had in time, with a new promise."""

    def move_accepted(
        self, message: WaitingMessage, smsc: str, now: float, escalate_at: float | None, why: str
    ) -> None:
        """As `move`, and the parts that another SMSC has accepted go once more. Receipts for these still
        find them, and count if they say delivered.
        """

    def postpone(self, message: WaitingMessage, escalate_at: float | None) -> None:
        """Look again at that time whether its promise is kept; None: never."""

    def keep_form(self, message: WaitingMessage, form: str) -> None:
        """Its queued parts go as they are, whatever they were composed for."""

    def refit(self, message: WaitingMessage, form: str, parts: Sequence[ComposedPart], now: float) -> None:
        """`parts`, at most `message.room`, take the place of its parts, all of which must be queued."""


class Link(Protocol):
    """One SMPP link with its session; all methods return at once."""

    smsc: str
    name: str
    number: int  # of the bind at its SMSC, from 1 on
    needed: bool  # False while it stands by

    @property
    def session(self) -> Session | None:
        """The session on the present connection, None while there is none."""

    @property
    def state(self) -> LinkState:
        """What the link is doing."""

    def pump(self, now: float) -> list[Event]:
        """Read what has arrived, let time pass; connect when it is time. What came of it."""

    def flush(self) -> None:
        """Write what waits."""

    def deadline(self) -> float | None:
        """When `pump` must be called even if nothing arrives."""

    def watch(self, *, on: bool) -> None:
        """Whether every PDU goes to the log from now on."""

    def permit(self, now: float, *, on: bool) -> None:
        """Whether the bind is ours to have; without that it stays down."""

    def shutdown(self, now: float) -> None:
        """Unbind and stay down; `pump` until the state is DOWN."""

    def status(self, now: float) -> LinkStatus:
        """For `sms-milter status`."""
