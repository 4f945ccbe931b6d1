"""The queue as milter workers, dispatcher, roles and operators use it, on whatever database."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple
from typing import Any, TypeVar

from sms_milter.errors import Refusal
from sms_milter.model import (
    Cancellation,
    Conversation,
    CreditRule,
    Deed,
    Done,
    DueReport,
    LeasedPart,
    LinkStatus,
    LoginRule,
    MobileMessage,
    NewMail,
    PartFate,
    Priority,
    QuotaLeft,
    QuotaRule,
    Record,
    ReportOutcome,
    Selection,
    SmscLoad,
    Stored,
)
from sms_milter.policy.rates import SETTLING_SECONDS, Holding, Share, shared
from sms_milter.ports import Work
from sms_milter.queue import (
    credits,
    deeds,
    intake,
    limits,
    mobile,
    notify,
    overview,
    records,
    reports,
)
from sms_milter.queue.database import Database
from sms_milter.queue.forgetting import forget_leftovers, forget_mails
from sms_milter.queue.work import PartWork

_LEFTOVERS_EVERY_SECONDS, _TIDIED_EVERY_SECONDS = 60.0, 1.0

_Given = TypeVar("_Given")


class Store(ABC):
    """`ports.IntakeQueue`, `DispatchQueue`, `ReportQueue`, `MobileQueue`, `OperatorQueue` on a database."""

    def __init__(self, retry_window_seconds: float) -> None:
        self._retry_window_seconds = retry_window_seconds
        self._leftovers_before = self._tidied_before = float("-inf")

    def open(self) -> None:
        """Any other use does it too; bringing up to date what an older version wrote may take its time.
        Raises QueueUnavailable.
        """
        with self._reading():
            pass

    @abstractmethod
    def close(self) -> None:
        """Let go of the database; the next use opens it again."""

    @abstractmethod
    def free_octets(self) -> int | None:
        """Space left where the queue is stored; None if nobody can tell."""

    @abstractmethod
    def _transaction(self, *, synced: bool = True) -> AbstractContextManager[Database]:
        """Everything inside is durable together at its end, or not at all. Raises QueueUnavailable.

        Not `synced`: durable with the next transaction that is, and until then lost if the machine stops.
        """

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Database]:
        """For statements that only read; each sees what is committed by then. Raises QueueUnavailable."""

    def _write(self, deed: Callable[[Database], _Given], *, synced: bool = True) -> _Given:
        """One transaction; where writers can get in each other's way, `deed` may be done again from the
        start.
        """
        with self._transaction(synced=synced) as db:
            return deed(db)

    # --- milter workers -------------------------------------------------------------------------------------

    def put(self, mails: Sequence[NewMail], now: float) -> list[Stored | Refusal]:
        """See `ports.IntakeQueue.put`."""
        return self.put_waiting(lambda: mails, now)

    def put_waiting(self, take: Callable[[], Sequence[NewMail]], now: float) -> list[Stored | Refusal]:
        """As `put`, but `take` is asked for the mails only when this transaction may write.

        It is called at most once; not at all if QueueUnavailable is raised before the transaction has begun.
        """
        taken: list[Sequence[NewMail]] = []

        def store(db: Database) -> list[Stored | Refusal]:
            if not taken:
                taken.append(take())
            return intake.put(db, taken[0], now, retry_window_seconds=self._retry_window_seconds)

        return self._write(store)

    def refusal(self, mail: NewMail, now: float) -> Refusal | None:
        """See `ports.IntakeQueue.refusal`."""
        with self._reading() as db:
            return intake.refusal(db, mail, now)

    def quota_left(self, account: str, sender: str, rule: QuotaRule, now: float) -> QuotaLeft:
        """See `ports.IntakeQueue.quota_left`."""
        with self._reading() as db:
            return limits.quota_left(db, account, sender, rule, now)

    def credit_left(self, account: str, rule: CreditRule) -> int:
        """See `ports.IntakeQueue.credit_left`."""
        with self._reading() as db:
            return credits.left(db, account, rule)

    def next_number(self, account: str) -> int:
        """See `ports.IntakeQueue.next_number`. A mail that names it will be durable after it."""
        return self._write(lambda db: intake.next_number(db, account), synced=False)

    def last_number(self, account: str) -> int:
        """The last number given out for an account, 0 before the first."""
        with self._reading() as db:
            return intake.last_number(db, account)

    def suppressed(self, account: str, number: str) -> bool:
        """See `ports.IntakeQueue.suppressed`."""
        with self._reading() as db:
            return limits.suppressed(db, account, number)

    def login_failed(self, who: str, rule: LoginRule, now: float) -> bool:
        """See `ports.IntakeQueue.login_failed`."""
        return self._write(lambda db: intake.login_failed(db, who, rule, now))

    def login_blocked(self, who: str, now: float) -> bool:
        """See `ports.IntakeQueue.login_blocked`."""
        with self._reading() as db:
            return intake.login_blocked(db, who, now)

    def count_refused(self, times: int, now: float) -> None:
        """See `ports.IntakeQueue.count_refused`. Nobody waits for it to be durable."""
        self._write(lambda db: overview.count_flow(db, now, refused=times), synced=False)

    def find_record(self, account: str, kind: str, name: str, now: float) -> Record | None:
        """See `ports.IntakeQueue.find_record`."""
        with self._reading() as db:
            return records.find(db, account, kind, name, now)

    def fates(self, account: str, references: Sequence[str]) -> dict[str, list[PartFate]]:
        """See `ports.IntakeQueue.fates`."""
        with self._reading() as db:
            return records.fates(db, account, references)

    # --- dispatcher -----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Work]:
        """See `ports.DispatchQueue.transaction`."""
        with self._transaction() as db:
            work = PartWork(db)
            yield work
            work.finish()

    def abandoned(self, smsc: str, owner: str = "", now: float = 0.0) -> list[LeasedPart]:
        """See `ports.DispatchQueue.abandoned`."""
        with self._reading() as db:
            return PartWork(db).submitting(smsc, owner, now)

    def submitting_to(self) -> list[str]:
        """See `ports.DispatchQueue.submitting_to`."""
        with self._reading() as db:
            return [row[0] for row in db.execute("submitting_smscs")]

    def next_due(self, smsc: str) -> float | None:
        """See `ports.DispatchQueue.next_due`."""
        with self._reading() as db:
            found = [db.execute("ready_since", (smsc, int(priority))).fetchone() for priority in Priority]
            found.append(db.execute("next_waiting", (smsc,)).fetchone())
        return min((row[0] for row in found if row), default=None)

    def hold_binds(self, smsc: str, binds: int, owner: str, now: float, until: float) -> frozenset[int]:
        """See `ports.DispatchQueue.hold_binds`."""
        facts = {"smsc": smsc, "owner": owner, "now": now, "until": until}

        def hold(db: Database) -> frozenset[int]:
            db.lock("smsc", [smsc])
            db.execute("forget_wishes", (smsc, now))
            db.execute("wish_binds", (smsc, owner, until))
            most = -(-binds // db.execute("count_wishes", (smsc,)).fetchone()[0])
            had = [number for (number,) in db.execute("binds_of", (smsc, owner)) if number <= binds]
            held: set[int] = set()
            for number in dict.fromkeys([*had, *range(1, binds + 1)]):
                if len(held) < most and db.execute("hold_bind", {**facts, "number": number}).rowcount:
                    held.add(number)
            return frozenset(held)

        return self._write(hold)

    def release_binds(self, owner: str) -> None:
        """See `ports.DispatchQueue.release_binds`."""

        def release(db: Database) -> None:
            db.execute("release_wishes", (owner,))
            db.execute("release_binds", (owner,))

        self._write(release)

    def hold_rate(self, smsc: str, rate: int, owner: str, now: float, until: float) -> Share:
        """See `ports.DispatchQueue.hold_rate`. When the machine stops, all who share stop with it."""
        settled = now - SETTLING_SECONDS

        def hold(db: Database) -> Share:
            db.lock("smsc", [smsc])
            db.execute("forget_rate_shares", (smsc, settled))
            holdings = [Holding(*row) for row in db.execute("rate_shares", (smsc, settled))]
            held, share = shared(rate, owner, holdings, now, until)
            db.execute("hold_rate", (smsc, *astuple(held)))
            return share

        return self._write(hold, synced=False)

    def report_links(self, links: Sequence[LinkStatus], now: float) -> None:
        """See `ports.DispatchQueue.report_links`; replaces the report before."""

        def report(db: Database) -> None:
            db.execute("delete_links")
            db.insert("insert_link", [_link_row(link, now) for link in links])

        self._write(report)

    def report_loads(self, loads: Sequence[SmscLoad], now: float) -> None:
        """See `ports.DispatchQueue.report_loads`; replaces the report before."""

        def report(db: Database) -> None:
            db.execute("delete_loads")
            db.insert("insert_load", [(*astuple(load), now) for load in loads])

        self._write(report)

    def cancellations(self, smsc: str) -> list[Cancellation]:
        """See `ports.DispatchQueue.cancellations`."""
        with self._reading() as db:
            return PartWork(db).cancellations(smsc)

    def traced(self, now: float) -> frozenset[str]:
        """See `ports.DispatchQueue.traced`."""
        with self._reading() as db:
            return reports.traced(db, now)

    def purge(self, before: float, limit: int = 1000) -> int:
        """See `ports.DispatchQueue.purge`; now and then also what is left of mails long gone. What a crash
        brings back is forgotten again.
        """
        leftovers = before >= self._leftovers_before + _LEFTOVERS_EVERY_SECONDS
        untidy = before >= self._tidied_before + _TIDIED_EVERY_SECONDS

        def forget(db: Database) -> int:
            if not db.alone("purge"):
                return 0
            if leftovers:
                forget_leftovers(db, before)
            forgotten = forget_mails(db, before, limit)
            if untidy:
                db.tidy(before - self._retry_window_seconds)
            return forgotten

        # Also if it fails: whatever takes too long must not be tried again at once.
        if leftovers:
            self._leftovers_before = before
        if untidy:
            self._tidied_before = before
        return self._write(forget, synced=False)

    # --- report role ----------------------------------------------------------------------------------------

    def due_reports(
        self, now: float, limit: int, *, urls: bool = False, digest_above: int = 0
    ) -> list[DueReport]:
        """See `ports.ReportQueue.due_reports`."""
        with self._reading() as db:
            return notify.due(db, now, limit, urls=urls, digest_above=digest_above)

    def next_report(self, *, urls: bool = False) -> float | None:
        """See `ports.ReportQueue.next_report`."""
        with self._reading() as db:
            return notify.next_due(db, urls=urls)

    def record_reports(self, outcomes: Sequence[ReportOutcome]) -> None:
        """See `ports.ReportQueue.record_reports`."""
        self._write(lambda db: notify.record(db, outcomes))

    def due_mobile(self, now: float, limit: int) -> list[MobileMessage]:
        """See `ports.MobileQueue.due_mobile`."""
        with self._reading() as db:
            return mobile.due(db, now, limit)

    def conversations(self, phone: str, limit: int) -> list[Conversation]:
        """See `ports.MobileQueue.conversations`."""
        with self._reading() as db:
            return mobile.conversations(db, phone, limit)

    def mobile_told(self, told: Sequence[tuple[int, NewMail | None]], now: float) -> None:
        """See `ports.MobileQueue.mobile_told`."""
        mails = [mail for _, mail in told if mail is not None]

        def store(db: Database) -> None:
            intake.put(db, mails, now, retry_window_seconds=self._retry_window_seconds)
            mobile.told(db, [mobile_id for mobile_id, _ in told], now)

        self._write(store)

    # --- operators ------------------------------------------------------------------------------------------

    def list_parts(self, *, states: Sequence[str] = (), limit: int = 1000) -> list[dict[str, Any]]:
        """See `ports.OperatorQueue.list_parts`."""
        with self._reading() as db:
            return reports.list_parts(db, states, limit)

    def show_mail(self, name: str) -> dict[str, Any] | None:
        """See `ports.OperatorQueue.show_mail`."""
        with self._reading() as db:
            return reports.show_mail(db, name)

    def parked_receipts(self, limit: int = 100) -> list[dict[str, Any]]:
        """See `ports.OperatorQueue.parked_receipts`."""
        with self._reading() as db:
            return reports.parked_receipts(db, limit)

    def list_mobile(self, limit: int = 1000) -> list[dict[str, Any]]:
        """See `ports.OperatorQueue.list_mobile`."""
        with self._reading() as db:
            return reports.list_mobile(db, limit)

    def suppress(self, account: str, number: str, why: str, now: float) -> bool:
        """See `ports.OperatorQueue.suppress`."""
        return self._write(lambda db: limits.suppress(db, account, number, why, now))

    def unsuppress(self, account: str, number: str) -> bool:
        """See `ports.OperatorQueue.unsuppress`."""
        return self._write(lambda db: limits.unsuppress(db, account, number))

    def list_suppressed(self, account: str) -> list[dict[str, Any]]:
        """See `ports.OperatorQueue.list_suppressed`."""
        with self._reading() as db:
            return limits.list_suppressed(db, account)

    def blocks(self, now: float) -> list[dict[str, Any]]:
        """See `ports.OperatorQueue.blocks`."""
        with self._reading() as db:
            return intake.blocks(db, now)

    def lift_block(self, who: str, now: float) -> bool:
        """See `ports.OperatorQueue.lift_block`."""
        return self._write(lambda db: intake.lift_block(db, who, now))

    def balances(self) -> dict[str, int]:
        """See `ports.OperatorQueue.balances`."""
        with self._reading() as db:
            return credits.balances(db)

    def book(self, account: str, rule: CreditRule, amount: int, note: str, now: float) -> int | None:
        """See `ports.OperatorQueue.book`."""
        return self._write(lambda db: credits.book(db, account, rule, amount, note, now))

    def bookings(self, account: str, limit: int = 100) -> list[dict[str, Any]]:
        """See `ports.OperatorQueue.bookings`."""
        with self._reading() as db:
            return credits.bookings(db, account, limit)

    def summary(self, now: float, *, backlog: bool = True) -> dict[str, Any]:
        """See `ports.OperatorQueue.summary`."""
        with self._reading() as db:
            return reports.summary(db, now, backlog=backlog)

    def flow(self, since: float, until: float) -> list[dict[str, Any]]:
        """See `ports.OperatorQueue.flow`."""
        with self._reading() as db:
            return overview.flow(db, since, until)

    def ages(self, now: float, bounds: Sequence[float]) -> list[dict[str, Any]]:
        """See `ports.OperatorQueue.ages`."""
        with self._reading() as db:
            return overview.ages(db, now, bounds)

    def find_messages(self, name: str, number: str, limit: int) -> list[dict[str, Any]]:
        """See `ports.OperatorQueue.find_messages`."""
        with self._reading() as db:
            return overview.find_messages(db, name, number, limit)

    def show_message(self, message_id: int) -> dict[str, Any] | None:
        """See `ports.OperatorQueue.show_message`."""
        with self._reading() as db:
            return reports.show_message(db, message_id)

    def trace(self, smsc: str, until: float) -> None:
        """See `ports.OperatorQueue.trace`."""
        self._write(lambda db: deeds.trace(db, smsc, until))

    def change(self, deed: Deed, wanted: Selection, now: float, after: int = 0) -> Done:
        """See `ports.OperatorQueue.change`. What is meant is looked up before the writers' lock is taken."""
        with self._reading() as db:
            ids = deeds.select(db, deed, wanted, after)
        if not ids:
            return Done((), None)

        def do(db: Database) -> Done:
            work = PartWork(db)
            done = deeds.change(db, work, deed, ids, now)
            work.finish()
            return done

        return self._write(do)


def _link_row(link: LinkStatus, now: float) -> tuple[Any, ...]:
    return (
        link.smsc,
        link.bind,
        link.state.value,
        link.since,
        link.window_used,
        link.window,
        link.submitted,
        link.accepted,
        link.refused,
        link.uncertain,
        link.note,
        now,
    )
