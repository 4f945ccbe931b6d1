"""The dispatcher's transaction: outcomes, leases, expiry; receipts by `settling`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from sms_milter.model import (
    Cancellation,
    Heard,
    LeasedPart,
    MobilePart,
    Notify,
    Outcome,
    PartState,
    ReceiptNews,
    Settled,
)
from sms_milter.policy.quiet import Quiet
from sms_milter.queue import credits, mobile
from sms_milter.queue.database import Database
from sms_milter.queue.lease import next_parts
from sms_milter.queue.notify import Reports
from sms_milter.queue.overview import count_changes, count_flow
from sms_milter.queue.settling import Settling
from sms_milter.queue.states import NUMBER_OF, STATES
from sms_milter.queue.ways import PartWays

_QUEUED, _SUBMITTING, _ACCEPTED, _UNCERTAIN, _DELIVERED, _FAILED, _EXPIRED = range(7)

# Which states an outcome may end, the usual one first. A late response may end an uncertain part, or one that
# already waits for its next try; a part is tried again, or becomes uncertain, only after a submit.
_RECORDED_FROM = {
    PartState.ACCEPTED: (_SUBMITTING, _UNCERTAIN, _QUEUED),
    PartState.FAILED: (_SUBMITTING, _UNCERTAIN, _QUEUED),
    PartState.UNCERTAIN: (_SUBMITTING,),
    PartState.QUEUED: (_SUBMITTING, _UNCERTAIN),
}

# Of which ends of a submit somebody may be told before the message ends.
_FOLLOWED = {PartState.ACCEPTED: Notify.SENT, PartState.QUEUED: Notify.RETRY}

# Receipts are waited for this long after the validity is over (SMPP practice: at least seven days).
_PATIENCE_SECONDS = 7 * 86400.0
_EXPIRE_AT_ONCE = 1000


class PartWork:
    """`ports.Work` inside one transaction. `finish` must be called before the commit."""

    __slots__ = (
        "_at",
        "_changes",
        "_come",
        "_db",
        "_refunded",
        "_reports",
        "_settling",
        "asleep",
        "unfit",
        "ways",
    )

    def __init__(self, db: Database) -> None:
        self._db = db
        self._changes = [0] * len(STATES)
        self._come = [0] * len(STATES)  # how many parts have come to each state
        self._at = 0.0  # when, for the minutes of the flow
        self._reports = Reports(db)
        self._settling = Settling(db, self._reports, self._receipt_moved)
        self._refunded: list[int] = []  # at the end, when all accounts are known
        self.ways = PartWays(db, self.move)
        self.unfit = False
        self.asleep: list[tuple[LeasedPart, float]] = []

    @property
    def reported(self) -> bool:
        """See `ports.Work.reported`."""
        return self._reports.added

    def record(self, outcomes: Sequence[Outcome]) -> list[Settled]:
        """Store outcomes in their order; returns parked receipts that found their part."""
        parked = self._db.execute("any_parked")
        keyed: list[int] = []
        for state, run in groupby(self._not_too_late(outcomes), attrgetter("state")):
            same = list(run)
            keyed += [outcome.part_id for outcome in same if outcome.smsc_key]
            self._record(state, same)
        if not keyed or not parked.fetchone()[0]:
            return []
        return self._settling.settle_for(keyed)

    def _not_too_late(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """Without late ones of parts that have gone another way, or that another dispatcher has on the wire
        by now: what is said of those now is not what they wait for.
        """
        late = [outcome.part_id for outcome in outcomes if outcome.late_from]
        if not late:
            return outcomes
        places = {part_id: self._db.execute("place_of", (part_id,)).fetchone() for part_id in late}
        given_up: set[int] = set()  # in this transaction
        timely = []
        for outcome in outcomes:
            if outcome.late_from:
                smsc, state = places[outcome.part_id] or ("", _QUEUED)
                if smsc != outcome.late_from or (state == _SUBMITTING and outcome.part_id not in given_up):
                    continue
            given_up.add(outcome.part_id)
            timely.append(outcome)
        return timely

    def _record(self, state: PartState, outcomes: list[Outcome]) -> None:
        if state not in _RECORDED_FROM:
            raise ValueError(f"no submit ends in state {state}")
        followed = self._db.execute("any_followed") if state in _FOLLOWED else None  # before they move
        rows = [_row(outcome) for outcome in outcomes]
        self._at = outcomes[-1].at
        missing = len(rows)
        for before in _RECORDED_FROM[state]:
            for row in rows:
                row["before"] = before
            moved = self._db.many(f"record_{state.value}", rows).rowcount
            self.move(before, NUMBER_OF[state], moved)
            missing -= moved
            if not missing:
                break
        if followed is not None and followed.fetchone()[0]:
            moments = {outcome.part_id: outcome.at for outcome in outcomes}
            self._reports.moved(moments, _FOLLOWED[state], state)
        if state is PartState.FAILED:
            siblings = self._db.many("fail_siblings", rows).rowcount
            self.move(_QUEUED, _FAILED, siblings)
            self._reports.lost(rows)
            self._refunded += [row["id"] for row in rows]

    def settle(self, receipts: Sequence[ReceiptNews]) -> list[Settled]:
        """See `ports.Work.settle`."""
        return self._settling.settle(receipts)

    def settle_parked(self, since: float) -> list[Settled]:
        """See `ports.Work.settle_parked`."""
        return self._settling.settle_parked(since)

    def listen(self, parts: Sequence[MobilePart]) -> list[Heard]:
        """Store what phones sent."""
        heard = mobile.listen(self._db, parts)
        self._reports.added |= any(one.arrived == one.part.total for one in heard)
        return heard

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
        """Mark due parts as submitting; parts whose time is over are left for `expire`."""
        rows = next_parts(self._db, smsc, len(sequences), now, after)
        if form:
            rows = self._fitting(rows, form)
        if quiet:
            rows = self._awake(rows, quiet, now)
        if not rows:
            return []
        marks = [(bind, sequence, now, row[0]) for row, sequence in zip(rows, sequences, strict=False)]
        self._db.many("mark_submitting", marks)
        self.move(_QUEUED, _SUBMITTING, len(rows))
        return [leased(row, sequence) for row, sequence in zip(rows, sequences, strict=False)]

    def _fitting(self, rows: list[Any], form: str) -> list[Any]:
        """Those of `rows` that are composed for this SMSC; the messages of the others are set aside."""
        unfit = [row[0] for row in rows if row[-1] and row[-1] != form]
        if not unfit:
            return rows
        self.ways.set_aside(unfit)
        self.unfit = True
        return [row for row in rows if not row[-1] or row[-1] == form]

    def _awake(self, rows: list[Any], quiet: Quiet, now: float) -> list[Any]:
        """Those of `rows` that may ring now; the others are put off, if their time is not over by then."""
        sleeping = [(row, quiet(row[11], row[3], now)) for row in rows]
        asleep = [
            (leased(row), until) for row, until in sleeping if until is not None and now < until < row[9]
        ]
        if not asleep:
            return rows
        # What has begun is not cut in two.
        spans = [(part.part_id - part.number + 1, part.total) for part, _ in asleep]
        begun = self._db.each("begun", [(first, first + total - 1) for first, total in spans])
        asleep = [one for one, (sent,) in zip(asleep, begun, strict=True) if not sent]
        self._db.many("put_off", [(until, until - now, part.part_id) for part, until in asleep])
        self.asleep += asleep
        later = {part.part_id for part, _ in asleep}
        return [row for row in rows if row[0] not in later]

    def reconsider(self, smsc: str, before: float, now: float) -> list[LeasedPart]:
        """Queue what has been uncertain for long enough; see `ports.Work.reconsider`."""
        rows = self._db.execute("doubtful", (smsc, before, now)).fetchall()
        self._db.many("requeue", [(now, row[0]) for row in rows])
        self.move(_UNCERTAIN, _QUEUED, len(rows))
        return [leased(row) for row in rows]

    def expire(self, now: float) -> list[LeasedPart]:
        """Mark up to 1000 queued parts whose time is over; call again while it returns as many."""
        self._reports.overdue(now)
        rows = self._db.execute("expired_parts", (now, _EXPIRE_AT_ONCE)).fetchall()
        if not rows:
            return []
        self._db.many("mark_expired", [(now, row[0]) for row in rows])
        self.move(_QUEUED, _EXPIRED, len(rows))
        self.lost([row[0] for row in rows], now)
        return [leased(row) for row in rows]

    def lost(self, part_ids: Iterable[int], now: float) -> None:
        """These parts have failed or expired before the SMSC had them: their senders are told, and pay
        nothing.
        """
        part_ids = list(part_ids)
        self._at = now
        self._refunded += part_ids
        self._reports.lost([{"id": part_id, "at": now} for part_id in part_ids])

    def cancelled(self, part_id: int, now: float, *, done: bool) -> None:
        """See `ports.Work.cancelled`."""
        self._db.execute("forget_cancellation", (part_id,))
        if done and self._db.execute("record_cancelled", (now, part_id)).rowcount:
            self._at = now
            self.move(_ACCEPTED, _FAILED, 1)
            self._reports.lost([{"id": part_id, "at": now}])

    def cancellations(self, smsc: str) -> list[Cancellation]:
        """See `ports.DispatchQueue.cancellations`."""
        rows = self._db.execute("cancellations", (smsc,))
        return [Cancellation(leased(row), row[-1]) for row in rows]

    def submitting(self, smsc: str, owner: str, now: float) -> list[LeasedPart]:
        """See `ports.DispatchQueue.abandoned`."""
        rows = self._db.execute("submitting_parts", (smsc, owner, now))
        return [leased(row, row[-1]) for row in rows]

    def finish(self) -> None:
        """Give back what parts have cost that were never sent; bring the counters up to date."""
        if self._refunded:
            credits.give_back(self._db, self._refunded, self._at)
        sent, delivered = self._come[_ACCEPTED], self._come[_DELIVERED]
        failed = self._come[_FAILED] + self._come[_EXPIRED]
        if sent or delivered or failed:
            count_flow(self._db, self._at, sent=sent, delivered=delivered, failed=failed)
        count_changes(self._db, self._changes)

    def move(self, before: int | None, after: int | None, parts: int) -> None:
        """So many parts go from one state to another (numbers of `states`; None: from or to nowhere)."""
        if before is not None:
            self._changes[before] -= parts
        if after is not None:
            self._changes[after] += parts
            self._come[after] += parts

    def _receipt_moved(self, before: int, after: int, at: float) -> None:
        self._at = at
        self.move(before, after, 1)


def leased(row: Sequence[Any], sequence: int = 0) -> LeasedPart:
    """A part from the columns of `due_parts`."""
    return LeasedPart._make((*row[:13], sequence))


def _row(outcome: Outcome) -> dict[str, Any]:
    return {
        "id": outcome.part_id,
        "at": outcome.at,
        "smsc_message_id": outcome.smsc_message_id,
        "smsc_key": outcome.smsc_key or None,
        "command_status": outcome.command_status,
        "why": outcome.why,
        "due_at": outcome.due_at,
        "tries": outcome.counts,
        "doubt": outcome.doubt,
        "elsewhere": outcome.elsewhere,
        "patience": _PATIENCE_SECONDS,
        "before": _SUBMITTING,
    }
