"""Which ends of messages become reports, and what the report role takes and records.

All of it happens inside somebody's transaction: an outcome and the report about it are durable together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sms_milter.model import (
    Answer,
    DeliveryReport,
    Digest,
    DueReport,
    Notice,
    Notify,
    PartState,
    ReceiptNews,
    ReportOutcome,
)
from sms_milter.queue.database import Database
from sms_milter.queue.states import NUMBER_OF, STATES

_TOLD_OF_FAILURE = Notify.FAILURE.value
_TOLD_OF_SUCCESS = Notify.SUCCESS.value
_TOLD_OF_DELAY = Notify.DELAYED.value
_DELIVERED = NUMBER_OF[PartState.DELIVERED]
_FAILED = NUMBER_OF[PartState.FAILED]
_WAITING = {NUMBER_OF[PartState.QUEUED], NUMBER_OF[PartState.SUBMITTING]}
_SILENT = {NUMBER_OF[PartState.ACCEPTED], NUMBER_OF[PartState.UNCERTAIN]}
_LOST = {NUMBER_OF[PartState.FAILED], NUMBER_OF[PartState.EXPIRED]}

# part.receipt: a receipt was asked for, and somebody is told what it says; or also how the part comes to the
# SMSC.
RECEIPT_TOLD = 2
ALL_TOLD = 3

_USUAL_VALIDITY_SECONDS = 48 * 3600.0  # an SMSC's, where the message names none
_LATE_SECONDS = 24 * 3600.0
_DELAY_SECONDS = 4 * 3600.0  # after which a message that still waits is told to be delayed
_LOOK_AGAIN_SECONDS = 3600.0
_OVERDUE_AT_ONCE = 1000
_GATHERED_AT_ONCE = 1000  # lines of a mail
_DIGEST_AT_ONCE = 2000  # reports looked at for digests


def first_look(due_at: float, told: int, validity_seconds: int | None) -> float | None:
    """When to look first whether a message that falls due then is late; None: nobody is told of it. `told` is
    a sum of `Notify`.
    """
    if told & _TOLD_OF_DELAY:
        return due_at + _DELAY_SECONDS
    return due_at + patience(validity_seconds) if told & _TOLD_OF_FAILURE else None


def patience(validity_seconds: int | None) -> float:
    """For how many seconds after its submit a message may be without its receipt (HSL §6)."""
    return (_USUAL_VALIDITY_SECONDS if validity_seconds is None else validity_seconds) + _LATE_SECONDS


class News(NamedTuple):
    """A receipt for a part of a message of so many parts, and the state that it leaves it in."""

    receipt: ReceiptNews
    message_id: int
    total: int
    state: int


class Reports:
    """The reports that a dispatcher's transaction adds; `added` says whether there are any."""

    __slots__ = ("_db", "added")

    def __init__(self, db: Database) -> None:
        self._db = db
        self.added = False

    def lost(self, parts: Sequence[Mapping[str, Any]]) -> None:
        """Parts (`id`, `at`) have ended before the SMSC had them."""
        if parts and self._db.many("report_loss", parts).rowcount:
            self.added = True

    def heard(self, news: Sequence[News]) -> None:
        """Receipts have ended parts; a message is delivered when all of its parts are."""
        halves = [one for one in news if one.state == _DELIVERED and one.total > 1]
        undelivered = {
            one.message_id
            for one, (found,) in zip(halves, self._db.each("undelivered", _spans(halves)), strict=True)
            if found
        }
        facts = []
        for one in news:
            delivered = one.state == _DELIVERED
            if not (delivered and one.message_id in undelivered):
                told = _TOLD_OF_SUCCESS if delivered else _TOLD_OF_FAILURE
                facts.append(_news(one.message_id, {**_facts(one.receipt), "told": told, "state": one.state}))
        self._add(facts)
        self._look_again([(None, fact["message"]) for fact in facts])

    def pending(self, news: Sequence[News]) -> None:
        """Receipts have told that parts are under way in the network; once, and not after the end."""
        told = Notify.PENDING.value
        ended = self._db.each("is_ended", _spans(news))
        self._add(
            [
                _news(
                    one.message_id,
                    {**_facts(one.receipt), "told": told, "event": told, "state": one.state},
                )
                for one, (over,) in zip(news, ended, strict=True)
                if not over
            ]
        )

    def moved(self, moments: Mapping[int, float], event: Notify, state: PartState) -> None:
        """The SMSC has taken parts (SENT), or not for now (RETRY); parts by id, with the time."""
        ids = self._db.listed(list(moments))
        for part_id, first, last, smsc in self._db.execute("followed_parts", (ids,)).fetchall():
            if event is Notify.SENT and self._db.execute("unsent", (first, last)).fetchone()[0]:
                continue
            facts = {"told": event.value, "event": event.value, "state": NUMBER_OF[state], "smsc": smsc}
            at = moments[part_id]
            self._add([_news(first, {**facts, "stat": "", "error": "", "at": at, "now": at})])

    def overdue(self, now: float) -> None:
        """Report messages whose receipt should have come by now; their parts stay as they are."""
        rows = self._db.execute("overdue_messages", (now, _OVERDUE_AT_ONCE)).fetchall()
        for message_id, validity_seconds in rows:
            parts = self._db.execute("message_parts", (message_id,)).fetchall()
            again_at = self._wait(message_id, parts, patience(validity_seconds), now)
            self._look_again([(again_at, message_id)])

    def _wait(self, message_id: int, parts: Sequence[Any], seconds: float, now: float) -> float | None:
        """When to look again at a message that may be overdue; None: its end is known, or told now."""
        states = {part[0] for part in parts}
        if states & _WAITING:
            self._delayed(message_id, parts, now)
            return now + _LOOK_AGAIN_SECONDS
        silent = [
            (min(submitted_at + seconds, finished_at), submitted_at, state, smsc)
            for state, smsc, submitted_at, finished_at, *_ in parts
            if state in _SILENT
        ]
        if not silent or states & _LOST:
            return None
        deadline: float
        deadline, submitted_at, state, smsc = min(silent)
        if deadline > now:
            return deadline
        facts = {"state": state, "smsc": smsc, "stat": "", "error": "", "at": submitted_at, "now": now}
        self._add([_news(message_id, {**facts, "told": _TOLD_OF_FAILURE})])
        return None

    def _delayed(self, message_id: int, parts: Sequence[Any], now: float) -> None:
        """Told once, to those who ask for it; others are looked at only when their time is over."""
        state, smsc, *_, command_status = next(part for part in parts if part[0] in _WAITING)
        facts = {"state": state, "smsc": smsc, "stat": "", "error": "", "command_status": command_status}
        event = Notify.DELAYED.value
        self._add([_news(message_id, {**facts, "at": now, "now": now, "event": event, "told": event})])

    def _add(self, news: Sequence[Mapping[str, Any]]) -> None:
        if news and self._db.many("report_news", news).rowcount:
            self.added = True

    def _look_again(self, moments: Sequence[tuple[float | None, int]]) -> None:
        if moments:
            self._db.many("look_again", moments)


def _spans(news: Sequence[News]) -> list[tuple[int, int]]:
    return [(one.message_id, one.message_id + one.total - 1) for one in news]


def _news(message_id: int, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {"event": 0, "command_status": 0, **facts, "message": message_id}


def _facts(receipt: ReceiptNews) -> dict[str, Any]:
    return {
        "smsc": receipt.smsc,
        "stat": receipt.stat,
        "error": receipt.error,
        "at": receipt.at if receipt.done_at is None else receipt.done_at,
        "now": receipt.at,
    }


def due(db: Database, now: float, limit: int, *, urls: bool, digest_above: int) -> list[DueReport]:
    """See `ports.ReportQueue.due_reports`."""
    looked_at = _DIGEST_AT_ONCE if digest_above else limit
    rows = db.execute("due_reports", (urls, now, looked_at)).fetchall()
    digests = _digests(rows, digest_above) if digest_above else {}
    groups: list[list[int]] = []
    taken: set[int] = set()
    for report_id, mail_id, listener_id, gather, sender in rows:
        if report_id in taken or len(groups) == limit:
            continue
        group = digests.get(sender, [report_id])
        if gather:
            found = db.execute("gathered", (mail_id, listener_id, _GATHERED_AT_ONCE))
            group = [row[0] for row in found]
        taken.update(group)
        groups.append(group)
    if not groups:
        return []
    known = {row[0]: row for row in db.execute("reports", (db.listed(list(taken)),))}
    return [_due([known[report_id] for report_id in group]) for group in groups]


def _digests(rows: Sequence[Sequence[Any]], above: int) -> dict[str, list[int]]:
    """The reports for envelope senders for whom there are more than so many."""
    by_sender: dict[str, list[int]] = {}
    for report_id, *_, sender in rows:
        if sender is not None:
            by_sender.setdefault(sender, []).append(report_id)
    return {sender: group for sender, group in by_sender.items() if len(group) > above}


def next_due(db: Database, *, urls: bool) -> float | None:
    """See `ports.ReportQueue.next_report`."""
    row = db.execute("next_report", (urls,)).fetchone()
    return row[0] if row else None


def record(db: Database, outcomes: Sequence[ReportOutcome]) -> None:
    """See `ports.ReportQueue.record_reports`."""
    for outcome in outcomes:
        why = outcome.why or None
        if outcome.again_at is None:
            db.execute("finish_report", (outcome.at, why, outcome.report_id))
        else:
            db.execute("defer_report", (outcome.again_at, why, outcome.report_id))


def _due(rows: Sequence[Sequence[Any]]) -> DueReport:
    """One mail, or one request, from the rows that it tells of."""
    report_id, queue_id, mta_queue_id, created_at, attempts, mail_message_id, message_id, account, *rest = (
        rows[0]
    )
    to, subject, body, author, author_name, target, dialect, *news = rest
    all_news = tuple([_told(row[-len(news) :]) for row in rows]) if message_id is not None else ()
    content: DeliveryReport | Digest | Answer | Notice
    if message_id is None:
        content = Answer(to, subject, body, author or "", author_name or "")
    elif target is not None:
        content = Notice(dialect, target, all_news)
    elif len(all_news) > 1:
        content = Digest(all_news)
        if len({row[1] for row in rows}) > 1:
            mail_message_id = ""
    else:
        content = all_news[0]
    more = tuple([row[0] for row in rows[1:]])
    return DueReport(
        report_id, queue_id, mta_queue_id, created_at, attempts, mail_message_id, content, more, account
    )


def _told(row: Sequence[Any]) -> DeliveryReport:
    sender, recipient, destination, state, smsc, stat, error, command_status, at, *more = row
    arrived_at, original_recipient, envelope_id, header, *message = more
    originator, reference, public_id, parts, event, doubts = message
    return DeliveryReport(
        sender=sender,
        recipient=recipient,
        destination=destination,
        state=STATES[state],
        smsc=smsc,
        stat=stat,
        error=error,
        command_status=command_status or 0,
        at=at,
        arrived_at=arrived_at,
        original_recipient=original_recipient,
        envelope_id=envelope_id or "",
        header=header or b"",
        originator=originator,
        reference=reference,
        public_id=public_id,
        parts=parts,
        on_the_way=Notify(event),
        doubts=doubts,
        cancelled=state == _FAILED and command_status is None,
    )
