"""The dispatcher's transaction: outcomes, receipts, leases, expiry."""

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
from sms_milter.queue.notify import RECEIPT_TOLD, News, Reports
from sms_milter.queue.overview import count_flow, forget_flow
from sms_milter.queue.states import NUMBER_OF, STATES
from sms_milter.queue.ways import PartWays
from sms_milter.smpp.receipt import other_forms

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
PARKED_SECONDS = 7 * 86400.0
_EXPIRE_AT_ONCE = 1000
_FORGET_PARKED_AT_ONCE = 100
_FORGET_MOBILE_AT_ONCE = 10_000


class PartWork:
    """`ports.Work` inside one transaction. `finish` must be called before the commit."""

    __slots__ = (
        "_at",
        "_changes",
        "_come",
        "_db",
        "_learned",
        "_refunded",
        "_reports",
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
        self._learned: set[str] = set()  # ids that receipts have told, in this transaction
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
        return self._match(self._db.execute("parked_receipts", (self._db.listed(keyed),)).fetchall())

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
        """Store receipts; those without a part are parked."""
        parts, settled = self._settle(receipts)
        rows = [_receipt_row(receipt, part_id) for receipt, part_id in zip(receipts, parts, strict=True)]
        self._db.insert("insert_receipt", rows)
        if len(settled) < len(receipts):
            oldest = min(receipt.at for receipt in receipts) - PARKED_SECONDS
            self._db.execute("forget_parked", (oldest, _FORGET_PARKED_AT_ONCE))
        return settled

    def settle_parked(self, since: float) -> list[Settled]:
        """See `ports.Work.settle_parked`."""
        return self._match(self._db.execute("parked_since", (since,)).fetchall())

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
        if any(self._changes):
            names = [state.value for state in STATES]
            self._db.execute("count", {"ids": 0, **dict(zip(names, self._changes, strict=True))})

    def forget(self, before: float, limit: int) -> int:
        """Delete mails finished before a time; see `ports.DispatchQueue.purge`."""
        forgotten = 0
        seen: set[int] = set()
        place = (float("-inf"), 0)
        while forgotten < limit:
            rows = self._db.execute("finished_mails", (before, *place, limit)).fetchall()
            if not rows:
                break
            place = rows[-1][:2]
            found = {queue_id: parts for _, _, queue_id, parts in rows if queue_id not in seen}
            seen.update(found)
            spans = [(queue_id, queue_id + parts - 1) for queue_id, parts in found.items()]
            forgotten += self._forget(self._done_with(spans, before)[: limit - forgotten])
        partless = self._db.execute("finished_partless", (before, limit - forgotten)).fetchall()
        self._forget_mails(partless)
        return forgotten + len(partless)

    def _done_with(self, spans: list[tuple[int, int]], before: float) -> list[tuple[int, int]]:
        """The mails of which nothing is under way; each by the first and last id of its parts."""
        unfinished = self._db.each("unfinished", [(*span, before) for span in spans])
        unreported = self._db.each("unreported", [span[:1] for span in spans])
        states = zip(spans, unfinished, unreported, strict=True)
        return [span for span, (open_part,), (open_report,) in states if not (open_part or open_report)]

    def _forget(self, spans: list[tuple[int, int]]) -> int:
        for counts in self._db.each("count_states", spans):
            for state, parts in enumerate(counts):
                self._changes[state] -= parts
        for name in (
            "delete_receipts",
            "delete_former",
            "delete_parts",
            "delete_comments",
            "delete_messages",
            "forget_charges",
        ):
            self._db.many(name, spans)
        self._forget_mails([span[:1] for span in spans])
        return len(spans)

    def _forget_mails(self, mails: Sequence[Sequence[Any]]) -> None:
        """Each by its id alone."""
        for name in (
            "delete_reports",
            "delete_listeners",
            "delete_original",
            "delete_counted",
            "delete_left_out",
            "delete_mail",
        ):
            self._db.many(name, mails)

    def forget_leftovers(self, before: float) -> None:
        """Delete what nothing will ask for again: parked receipts, references, usage."""
        self._db.execute("forget_parked", (before - PARKED_SECONDS, -1))
        self._db.execute("forget_references", (before - PARKED_SECONDS,))
        mobile.forget(self._db, before, _FORGET_MOBILE_AT_ONCE)
        credits.forget(self._db, before)
        forget_flow(self._db, before)
        self._db.execute("forget_cancellations", (before,))
        self._db.execute("forget_all_usage", (before,))

    def move(self, before: int | None, after: int | None, parts: int) -> None:
        """So many parts go from one state to another (numbers of `states`; None: from or to nowhere)."""
        if before is not None:
            self._changes[before] -= parts
        if after is not None:
            self._changes[after] += parts
            self._come[after] += parts

    # --- receipts -------------------------------------------------------------------------------------------

    def _settle(self, receipts: Sequence[ReceiptNews]) -> tuple[list[int | None], list[Settled]]:
        """Let receipts have their effect, in their order: the part of each, None for none; those that have
        one.
        """
        phones = [_digits(receipt.source) for receipt in receipts]
        asked = zip(receipts, phones, strict=True)
        rows = self._db.each("find_by_key", [(one.smsc_key, one.smsc, phone) for one, phone in asked])
        effect = _Effect()
        parts: list[int | None] = []
        settled: list[Settled] = []
        for receipt, phone, row in zip(receipts, phones, rows, strict=True):
            found, former = row, False
            if row is None:
                self._store(effect)  # which part it means depends on what became of others
                found, former = self._elsewhere(receipt, phone)
            parts.append(None if found is None else found[0])
            if found is not None:
                settled.append(effect.of(receipt, found, former=former))
        self._store(effect)
        if effect.ended:
            self._reports.heard(effect.ended)
        if effect.pending:
            self._reports.pending(effect.pending)
        return parts, settled

    def _store(self, effect: _Effect) -> None:
        if effect.interim:
            self._db.many("settle_interim", [(stat, part_id) for part_id, stat in effect.interim.items()])
        if effect.final:
            self._db.many("settle_final", effect.final)
            self._at = effect.final[-1][2]
        for before, after in effect.moves:
            self.move(before, after, 1)
        effect.interim, effect.final, effect.moves = {}, [], []

    def _elsewhere(self, receipt: ReceiptNews, phone: str) -> tuple[Any, bool]:
        """The part of a receipt whose id was no part's, as the columns of `find_by_key`, or None; whether it
        has gone another way since.
        """
        if not receipt.smsc_key:
            return None, False
        if receipt.smsc_key in self._learned:
            return self._db.each("find_by_key", [(receipt.smsc_key, receipt.smsc, phone)])[0], False
        row = self._db.execute("find_former", (receipt.smsc_key, receipt.smsc)).fetchone()
        if row is not None:
            return row, True
        return self._by_other_form(receipt, phone) or self._only_uncertain(receipt, phone), False

    def _by_other_form(self, receipt: ReceiptNews, phone: str) -> Any:
        """The only part for this phone whose response had the id in another form (SMPP §7.4)."""
        forms = [(form, receipt.smsc, phone) for form in other_forms(receipt.smsc_message_id)]
        found = {row[0]: row for row in self._db.each("find_by_key", forms) if row and row[5] == phone}
        return next(iter(found.values())) if len(found) == 1 else None

    def _only_uncertain(self, receipt: ReceiptNews, phone: str) -> Any:
        """The part in doubt that a receipt with a strange id must mean, as the columns of `find_by_key`."""
        found = self._db.execute("find_uncertain", (receipt.smsc, phone, receipt.at)).fetchall()
        if len(found) != 1:
            return None
        *row, text = found[0]
        quoted = receipt.text.rstrip(".").strip()
        if quoted and quoted.isascii() and row[6] == 1 and not text.strip().startswith(quoted):
            return None
        self._db.execute("learn_id", (receipt.smsc_message_id, receipt.smsc_key, row[0]))
        self._learned.add(receipt.smsc_key)
        return row

    def _match(self, rows: list[Any]) -> list[Settled]:
        """Parked receipts (`parked_receipts`) whose part is known now."""
        parts, settled = self._settle([_receipt(fields) for _, *fields in rows])
        for part_id, (receipt_id, *_) in zip(parts, rows, strict=True):
            if part_id is not None:
                self._db.execute("attach_receipt", (part_id, receipt_id))
        return settled


class _Effect:
    """What receipts change, one after the other."""

    __slots__ = ("_now", "ended", "final", "interim", "moves", "pending")

    def __init__(self) -> None:
        self._now: dict[int, tuple[int, str]] = {}  # state and stat of the parts that have changed
        self.interim: dict[int, str] = {}
        self.final: list[tuple[int, str, float, int]] = []
        self.moves: list[tuple[int, int]] = []
        self.ended: list[News] = []
        self.pending: list[News] = []

    def of(self, receipt: ReceiptNews, row: Sequence[Any], *, former: bool) -> Settled:
        """One receipt and its part, the columns of `find_by_key`."""
        part_id, before, stat, queue_id, mta_queue_id, destination, number, total, asked = row
        before, stat = self._now.get(part_id, (before, stat))
        if former and receipt.state is not PartState.DELIVERED:
            before = _DELIVERED  # another SMSC has it in hand now; whatever this one says, it is not the end
        message_id, told = part_id - number + 1, asked >= RECEIPT_TOLD
        changed = before < _DELIVERED and (receipt.state is not None or stat != receipt.stat)
        if changed and receipt.state is not None:
            after = NUMBER_OF[receipt.state]
            self.final.append((after, receipt.stat, receipt.at, part_id))
            self.moves.append((before, after))
            self._now[part_id] = after, receipt.stat
            if told:
                self.ended.append(News(receipt, message_id, total, after))
        elif changed:
            self.interim[part_id] = receipt.stat
            self._now[part_id] = before, receipt.stat
            if told:
                self.pending.append(News(receipt, message_id, total, before))
        return Settled(queue_id, mta_queue_id, destination, number, total, receipt, changed)


def _digits(phone: str) -> str:
    return phone if phone.isdigit() else "".join(filter(str.isdigit, phone))


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


def _receipt_row(receipt: ReceiptNews, part_id: int | None) -> tuple[Any, ...]:
    return (
        part_id,
        receipt.at,
        receipt.done_at,
        None if receipt.state is None else NUMBER_OF[receipt.state],
        receipt.smsc,
        receipt.smsc_message_id,
        receipt.smsc_key,
        receipt.source,
        receipt.stat,
        receipt.error,
    )


def _receipt(row: Sequence[Any]) -> ReceiptNews:
    smsc, smsc_message_id, smsc_key, source, stat, error, state, done_at, at = row
    final = None if state is None else STATES[state]
    return ReceiptNews(smsc, smsc_message_id, smsc_key, source, stat, error, final, done_at, at)
