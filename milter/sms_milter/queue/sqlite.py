"""The queue in one SQLite file, as milter workers, dispatcher and operator's commands use it.

Any number of processes use the file at the same time; each makes its own `SqliteQueue` after it was forked.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple
from typing import Any

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
    sqlite_credits,
    sqlite_deeds,
    sqlite_intake,
    sqlite_limits,
    sqlite_mobile,
    sqlite_notify,
    sqlite_records,
    sqlite_reports,
)
from sms_milter.queue.sqlite_file import SqliteFile
from sms_milter.queue.sqlite_work import SqliteWork
from sms_milter.queue.statements import statements

_SQL = statements("queries_dispatch.sql")
_LEFTOVERS_EVERY_SECONDS = 3600.0


class SqliteQueue:
    """`ports.IntakeQueue`, `DispatchQueue`, `ReportQueue`, `MobileQueue` and `OperatorQueue` on a file."""

    def __init__(
        self,
        path: str,
        *,
        retry_window_seconds: float = 5 * 86400.0,
    ) -> None:
        self.path = path
        self._retry_window_seconds = retry_window_seconds
        self._file = SqliteFile(path)
        self._leftovers_before = float("-inf")

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._file.close()

    # --- milter workers -------------------------------------------------------------------------------------

    def put(self, mails: Sequence[NewMail], now: float) -> list[Stored | Refusal]:
        """See `ports.IntakeQueue.put`."""
        return self.put_waiting(lambda: mails, now)

    def put_waiting(self, take: Callable[[], Sequence[NewMail]], now: float) -> list[Stored | Refusal]:
        """As `put`, but `take` is asked for the mails only when this transaction may write.

        It is called at most once; not at all if QueueUnavailable is raised before the transaction has begun.
        """
        with self._file.transaction() as db:
            mails = take()
            return sqlite_intake.put(db, mails, now, retry_window_seconds=self._retry_window_seconds)

    def refusal(self, mail: NewMail, now: float) -> Refusal | None:
        """See `ports.IntakeQueue.refusal`."""
        with self._file.reading() as db:
            return sqlite_limits.refusal(db, mail, now)

    def quota_left(self, account: str, sender: str, rule: QuotaRule, now: float) -> QuotaLeft:
        """See `ports.IntakeQueue.quota_left`."""
        with self._file.reading() as db:
            return sqlite_limits.quota_left(db, account, sender, rule, now)

    def credit_left(self, account: str, rule: CreditRule) -> int:
        """See `ports.IntakeQueue.credit_left`."""
        with self._file.reading() as db:
            return sqlite_credits.left(db, account, rule)

    def next_number(self, account: str) -> int:
        """See `ports.IntakeQueue.next_number`. A mail that names it will be durable after it."""
        with self._file.transaction(synced=False) as db:
            return sqlite_intake.next_number(db, account)

    def last_number(self, account: str) -> int:
        """The last number given out for an account, 0 before the first."""
        with self._file.reading() as db:
            return sqlite_intake.last_number(db, account)

    def suppressed(self, account: str, number: str) -> bool:
        """See `ports.IntakeQueue.suppressed`."""
        with self._file.reading() as db:
            return sqlite_limits.suppressed(db, account, number)

    def login_failed(self, who: str, rule: LoginRule, now: float) -> bool:
        """See `ports.IntakeQueue.login_failed`."""
        with self._file.transaction() as db:
            return sqlite_intake.login_failed(db, who, rule, now)

    def login_blocked(self, who: str, now: float) -> bool:
        """See `ports.IntakeQueue.login_blocked`."""
        with self._file.reading() as db:
            return sqlite_intake.login_blocked(db, who, now)

    def find_record(self, account: str, kind: str, name: str, now: float) -> Record | None:
        """See `ports.IntakeQueue.find_record`."""
        with self._file.reading() as db:
            return sqlite_records.find(db, account, kind, name, now)

    def fates(self, account: str, references: Sequence[str]) -> dict[str, list[PartFate]]:
        """See `ports.IntakeQueue.fates`."""
        with self._file.reading() as db:
            return sqlite_records.fates(db, account, references)

    def free_octets(self) -> int | None:
        """Space left for the file; None if its directory cannot be looked at."""
        try:
            space = os.statvfs(os.path.dirname(self.path) or ".")
        except OSError:
            return None
        return space.f_bavail * space.f_frsize

    # --- dispatcher -----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Work]:
        """See `ports.DispatchQueue.transaction`."""
        with self._work() as work:
            yield work

    def abandoned(self, smsc: str) -> list[LeasedPart]:
        """See `ports.DispatchQueue.abandoned`."""
        with self._file.reading() as db:
            return SqliteWork(db).submitting(smsc)

    def submitting_to(self) -> list[str]:
        """See `ports.DispatchQueue.submitting_to`."""
        with self._file.reading() as db:
            return [row[0] for row in db.execute(_SQL["submitting_smscs"])]

    def next_due(self, smsc: str) -> float | None:
        """See `ports.DispatchQueue.next_due`."""
        with self._file.reading() as db:
            found = [
                db.execute(_SQL["ready_since"], (smsc, int(priority))).fetchone() for priority in Priority
            ]
            found.append(db.execute(_SQL["next_waiting"], (smsc,)).fetchone())
        return min((row[0] for row in found if row), default=None)

    def hold_binds(self, smsc: str, binds: int, owner: str, now: float, until: float) -> frozenset[int]:
        """See `ports.DispatchQueue.hold_binds`."""
        facts = {"smsc": smsc, "owner": owner, "now": now, "until": until}
        with self._file.transaction() as db:
            return frozenset(
                number
                for number in range(1, binds + 1)
                if db.execute(_SQL["hold_bind"], {**facts, "number": number}).rowcount
            )

    def release_binds(self, owner: str) -> None:
        """See `ports.DispatchQueue.release_binds`."""
        with self._file.transaction() as db:
            db.execute(_SQL["release_binds"], (owner,))

    def hold_rate(self, smsc: str, rate: int, owner: str, now: float, until: float) -> Share:
        """See `ports.DispatchQueue.hold_rate`. When the machine stops, all who share stop with it."""
        settled = now - SETTLING_SECONDS
        with self._file.transaction(synced=False) as db:
            db.execute(_SQL["forget_rate_shares"], (smsc, settled))
            holdings = [Holding(*row) for row in db.execute(_SQL["rate_shares"], (smsc, settled))]
            held, share = shared(rate, owner, holdings, now, until)
            db.execute(_SQL["hold_rate"], (smsc, *astuple(held)))
        return share

    def report_links(self, links: Sequence[LinkStatus], now: float) -> None:
        """See `ports.DispatchQueue.report_links`; replaces the report before."""
        with self._file.transaction() as db:
            db.execute(_SQL["delete_links"])
            db.executemany(_SQL["insert_link"], [_link_row(link, now) for link in links])

    def report_loads(self, loads: Sequence[SmscLoad], now: float) -> None:
        """See `ports.DispatchQueue.report_loads`; replaces the report before."""
        with self._file.transaction() as db:
            db.execute(_SQL["delete_loads"])
            db.executemany(_SQL["insert_load"], [(*astuple(load), now) for load in loads])

    def cancellations(self, smsc: str) -> list[Cancellation]:
        """See `ports.DispatchQueue.cancellations`."""
        with self._file.reading() as db:
            return SqliteWork(db).cancellations(smsc)

    def traced(self, now: float) -> frozenset[str]:
        """See `ports.DispatchQueue.traced`."""
        with self._file.reading() as db:
            return sqlite_reports.traced(db, now)

    def purge(self, before: float, limit: int = 1000) -> int:
        """See `ports.DispatchQueue.purge`; now and then also what is left of mails long gone."""
        with self._work() as work:
            if before >= self._leftovers_before + _LEFTOVERS_EVERY_SECONDS:
                work.forget_leftovers(before)
                self._leftovers_before = before
            return work.forget(before, limit)

    @contextlib.contextmanager
    def _work(self) -> Iterator[SqliteWork]:
        with self._file.transaction() as db:
            work = SqliteWork(db)
            yield work
            work.finish()

    # --- report role ----------------------------------------------------------------------------------------

    def due_reports(
        self, now: float, limit: int, *, urls: bool = False, digest_above: int = 0
    ) -> list[DueReport]:
        """See `ports.ReportQueue.due_reports`."""
        with self._file.reading() as db:
            return sqlite_notify.due(db, now, limit, urls=urls, digest_above=digest_above)

    def next_report(self, *, urls: bool = False) -> float | None:
        """See `ports.ReportQueue.next_report`."""
        with self._file.reading() as db:
            return sqlite_notify.next_due(db, urls=urls)

    def record_reports(self, outcomes: Sequence[ReportOutcome]) -> None:
        """See `ports.ReportQueue.record_reports`."""
        with self._file.transaction() as db:
            sqlite_notify.record(db, outcomes)

    def due_mobile(self, now: float, limit: int) -> list[MobileMessage]:
        """See `ports.MobileQueue.due_mobile`."""
        with self._file.reading() as db:
            return sqlite_mobile.due(db, now, limit)

    def conversations(self, phone: str, limit: int) -> list[Conversation]:
        """See `ports.MobileQueue.conversations`."""
        with self._file.reading() as db:
            return sqlite_mobile.conversations(db, phone, limit)

    def mobile_told(self, told: Sequence[tuple[int, NewMail | None]], now: float) -> None:
        """See `ports.MobileQueue.mobile_told`."""
        with self._file.transaction() as db:
            mails = [mail for _, mail in told if mail is not None]
            sqlite_intake.put(db, mails, now, retry_window_seconds=self._retry_window_seconds)
            sqlite_mobile.told(db, [mobile_id for mobile_id, _ in told], now)

    # --- operators ------------------------------------------------------------------------------------------

    def list_parts(self, *, states: Sequence[str] = (), limit: int = 1000) -> list[dict[str, Any]]:
        """See `ports.OperatorQueue.list_parts`."""
        with self._file.reading() as db:
            return sqlite_reports.list_parts(db, states, limit)

    def show_mail(self, name: str) -> dict[str, Any] | None:
        """See `ports.OperatorQueue.show_mail`."""
        with self._file.reading() as db:
            return sqlite_reports.show_mail(db, name)

    def parked_receipts(self, limit: int = 100) -> list[dict[str, Any]]:
        """See `ports.OperatorQueue.parked_receipts`."""
        with self._file.reading() as db:
            return sqlite_reports.parked_receipts(db, limit)

    def list_mobile(self, limit: int = 1000) -> list[dict[str, Any]]:
        """See `ports.OperatorQueue.list_mobile`."""
        with self._file.reading() as db:
            return sqlite_reports.list_mobile(db, limit)

    def suppress(self, account: str, number: str, why: str, now: float) -> bool:
        """See `ports.OperatorQueue.suppress`."""
        with self._file.transaction() as db:
            return sqlite_limits.suppress(db, account, number, why, now)

    def unsuppress(self, account: str, number: str) -> bool:
        """See `ports.OperatorQueue.unsuppress`."""
        with self._file.transaction() as db:
            return sqlite_limits.unsuppress(db, account, number)

    def list_suppressed(self, account: str) -> list[dict[str, Any]]:
        """See `ports.OperatorQueue.list_suppressed`."""
        with self._file.reading() as db:
            return sqlite_limits.list_suppressed(db, account)

    def blocks(self, now: float) -> list[dict[str, Any]]:
        """See `ports.OperatorQueue.blocks`."""
        with self._file.reading() as db:
            return sqlite_intake.blocks(db, now)

    def lift_block(self, who: str, now: float) -> bool:
        """See `ports.OperatorQueue.lift_block`."""
        with self._file.transaction() as db:
            return sqlite_intake.lift_block(db, who, now)

    def balances(self) -> dict[str, int]:
        """See `ports.OperatorQueue.balances`."""
        with self._file.reading() as db:
            return sqlite_credits.balances(db)

    def book(self, account: str, rule: CreditRule, amount: int, note: str, now: float) -> int | None:
        """See `ports.OperatorQueue.book`."""
        with self._file.transaction() as db:
            return sqlite_credits.book(db, account, rule, amount, note, now)

    def bookings(self, account: str, limit: int = 100) -> list[dict[str, Any]]:
        """See `ports.OperatorQueue.bookings`."""
        with self._file.reading() as db:
            return sqlite_credits.bookings(db, account, limit)

    def summary(self, now: float) -> dict[str, Any]:
        """See `ports.OperatorQueue.summary`."""
        with self._file.reading() as db:
            return sqlite_reports.summary(db, now)

    def trace(self, smsc: str, until: float) -> None:
        """See `ports.OperatorQueue.trace`."""
        with self._file.transaction() as db:
            sqlite_deeds.trace(db, smsc, until)

    def change(self, deed: Deed, wanted: Selection, now: float, after: int = 0) -> Done:
        """See `ports.OperatorQueue.change`. What is meant is looked up before the writers' lock is taken."""
        with self._file.reading() as db:
            ids = sqlite_deeds.select(db, deed, wanted, after)
        if not ids:
            return Done((), None)
        with self._file.transaction() as db:
            work = SqliteWork(db)
            done = sqlite_deeds.change(db, work, deed, ids, now)
            work.finish()
        return done


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
