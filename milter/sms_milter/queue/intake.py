"""Storing mails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sms_milter import reply
from sms_milter.errors import RecordChanged, Refusal
from sms_milter.model import (
    CreditRule,
    LoginRule,
    NewMail,
    NewMessage,
    Notify,
    PlannedMessage,
    Priority,
    Stored,
)
from sms_milter.queue import credits, limits, records
from sms_milter.queue.database import Database, Entry
from sms_milter.queue.notify import ALL_TOLD, RECEIPT_TOLD, Reports, first_look
from sms_milter.queue.overview import count_flow
from sms_milter.queue.statements import storable
from sms_milter.queue.storms import Counted, Storm

_BY_RECEIPT = (Notify.FAILURE | Notify.SUCCESS | Notify.PENDING).value
_ON_THE_WAY = (Notify.SENT | Notify.RETRY).value
_NO_SUCH_DESTINATION = 0x0B  # ESME_RINVDSTADR (SMPP 3.4 §5.1.3)


def put(
    db: Database,
    mails: Sequence[NewMail],
    now: float,
    *,
    retry_window_seconds: float,
) -> list[Stored | Refusal]:
    """Store or refuse each mail; see `ports.IntakeQueue.put`. Raises ValueError for a message
    without parts.
    """
    if not mails:
        return []
    entry = db.entry(mails, now, now - retry_window_seconds)
    batch = _Batch(db, entry, now)
    results: list[Stored | Refusal] = []
    stored: dict[bytes, int] = {}
    limited = False
    for number, mail in enumerate(mails):
        fingerprint = mail.fingerprint
        if fingerprint is not None:
            known = stored.get(fingerprint) or entry.known(fingerprint)
            if known:
                results.append(Stored(known, repeat=True))
                continue
        storm = None
        if mail.limits is not None:
            limited = True
            if mail.limits.storms is not None:
                storm = Storm(db, mail, mail.limits.storms, now, batch.write)
                mail = storm.mail
        refusal = _refusal(db, mail, now)
        if refusal is not None:
            results.append(refusal if storm is None else storm.refusal(refusal))
            continue
        counted = () if storm is None else storm.counted
        queue_id = batch.add(mail, entry.place(number, batch.last_id), counted)
        if mail.limits is not None and mail.limits.credits is not None:
            batch.pay(mail, mail.limits.credits, queue_id)
        if mail.records:
            records.write(db, mail.account, mail.records, queue_id, now)
        if fingerprint is not None:
            stored[fingerprint] = queue_id
        results.append(Stored(queue_id, counted_in=() if storm is None else storm.record(queue_id)))
    batch.store()
    entry.finish(stored)
    if limited:
        limits.forget(db, now)
    return results


def _refusal(db: Database, mail: NewMail, now: float) -> Refusal | None:
    if mail.records and not records.are_as_read(db, mail.account, mail.records, now):
        return RecordChanged(reply.QUEUE_UNAVAILABLE, "its records change all the time")
    return None if mail.limits is None else limits.admit(db, mail, now)


def refusal(db: Database, mail: NewMail, now: float) -> Refusal | None:
    """See `ports.IntakeQueue.refusal`."""
    if mail.limits is None or mail.limits.storms is None:
        return limits.refusal(db, mail, now)
    storm = Storm(db, mail, mail.limits.storms, now)
    why = limits.refusal(db, storm.mail, now)
    return None if why is None else storm.refusal(why)


def next_number(db: Database, account: str) -> int:
    """See `ports.IntakeQueue.next_number`."""
    number: int = db.execute("next_number", (storable(account),)).fetchone()[0]
    return number


def last_number(db: Database, account: str) -> int:
    """The last one that `next_number` has given, 0 before the first."""
    row = db.execute("last_number", (storable(account),)).fetchone()
    return row[0] if row else 0


def login_failed(db: Database, who: str, rule: LoginRule, now: float) -> bool:
    """Count a failed login, forget some old ones; see `ports.IntakeQueue.login_failed`."""
    who = storable(who)
    db.lock("login", [who])
    db.execute("forget_failures", (now,))
    db.execute("forget_blocks", (now,))
    db.execute("store_failure", (who, now, now + rule.within_seconds))
    if db.execute("count_failures", (who, now - rule.within_seconds)).fetchone()[0] < rule.count:
        return False
    db.execute("clear_failures", (who,))
    db.execute("store_block", (who, now + rule.block_seconds))
    return True


def login_blocked(db: Database, who: str, now: float) -> bool:
    """See `ports.IntakeQueue.login_blocked`."""
    return db.execute("find_block", (storable(who), now)).fetchone() is not None


def blocks(db: Database, now: float) -> list[dict[str, Any]]:
    """See `ports.OperatorQueue.blocks`."""
    return [{"who": who, "until": until} for who, until in db.execute("list_blocks", (now,))]


def lift_block(db: Database, who: str, now: float) -> bool:
    """See `ports.OperatorQueue.lift_block`."""
    return db.execute("lift_block", (storable(who), now)).rowcount > 0


class _Batch:
    """Rows of the mails that will be stored, and the last id given to them."""

    __slots__ = (
        "_answers",
        "_bookings",
        "_charges",
        "_comments",
        "_counted",
        "_db",
        "_entry",
        "_failed",
        "_first_id",
        "_ids",
        "_left_out",
        "_listeners",
        "_mails",
        "_messages",
        "_now",
        "_originals",
        "_parts",
        "last_id",
    )

    def __init__(self, db: Database, entry: Entry, now: float) -> None:
        self._db, self._entry = db, entry
        self.last_id = 0  # the last id given
        self._now = now
        self._begin()

    def _begin(self) -> None:
        """Nothing is taken in behind the last id."""
        self._first_id = self.last_id
        self._ids = 0
        self._mails: list[tuple[Any, ...]] = []
        self._messages: list[tuple[Any, ...]] = []
        self._parts: list[tuple[Any, ...]] = []
        self._failed: list[tuple[Any, ...]] = []
        self._originals: list[tuple[Any, ...]] = []
        self._listeners: list[tuple[Any, ...]] = []
        self._answers: list[tuple[Any, ...]] = []
        self._comments: list[tuple[Any, ...]] = []
        self._left_out: list[tuple[Any, ...]] = []
        self._counted: list[tuple[Any, ...]] = []
        self._charges: list[tuple[Any, ...]] = []
        self._bookings: list[tuple[Any, ...]] = []

    def add(self, mail: NewMail, before: int, counted: Sequence[Counted] = ()) -> int:
        """Take a mail in behind the id `before`, and what of it is `counted` in others; returns its id, which
        is that of its first part, or of none when it has none.
        """
        queue_id = before + 1
        self.last_id = before
        self._mails.append(
            (
                queue_id,
                mail.received_at,
                sum([max(len(message.parts), message.room) for message in mail.messages]) + len(mail.failed),
                storable(mail.mta_queue_id),
                storable(mail.account),
                mail.dialect,
                storable(mail.sender),
                storable(mail.client),
                storable(mail.mail_message_id),
                mail.fingerprint,
            )
        )
        if not (mail.messages or mail.failed or counted):
            self.last_id = queue_id
        for message in mail.messages:
            self._add_message(queue_id, mail, message)
        for plan in mail.failed:
            self._add_failed(queue_id, mail, plan)
        for one in counted:
            self._add_counted(queue_id, mail, one)
        if mail.original is not None:
            self._originals.append((queue_id, storable(mail.original.envelope_id), mail.original.header))
        for listener in mail.listeners:
            told = int(listener.told)
            row = (queue_id, storable(listener.target), told, listener.is_url, listener.gather_seconds)
            self._listeners.append(row)
        for destination in mail.left_out:
            written, why = storable(destination.destination), storable(destination.why)
            self._left_out.append((queue_id, written, why))
        for answer in mail.answers:
            texts = map(storable, (answer.to, answer.subject, answer.body, answer.author, answer.author_name))
            self._answers.append((queue_id, self._now, self._now, *texts))
        self._ids += self.last_id - before
        return queue_id

    def pay(self, mail: NewMail, rule: CreditRule, queue_id: int) -> None:
        """A mail that was taken in costs its account credits."""
        charges, bookings = credits.reserve(self._db, mail, rule, queue_id, self._now)
        self._charges += charges
        self._bookings += bookings

    def _add_message(self, queue_id: int, mail: NewMail, message: NewMessage) -> None:
        plan = message.plan
        total = len(message.parts)
        if not total:
            raise ValueError("a message without parts cannot be stored")
        part_id = self.last_id + 1
        priority = int(plan.priority)
        due_at = mail.received_at if plan.not_before is None else plan.not_before
        lane, rank = (Priority.NORMAL.value, priority) if plan.own_order else (priority, 0)
        account, waiting = storable(mail.account), due_at > self._now
        promise, escalate_at = _promise(message, due_at)
        reference = None
        bodies = [part.body for part in message.parts]
        if plan.concatenation is not None:
            originator = storable(plan.originator)
            reference = self._entry.reference(originator, plan.destination)
            bodies = [part.stamped(reference) for part in message.parts]
        told = int(plan.notify) | int(plan.notice)
        receipt = RECEIPT_TOLD if told & _BY_RECEIPT else int(plan.receipt)
        if told & _ON_THE_WAY:
            receipt = ALL_TOLD
        overdue_at = first_look(due_at, told, plan.validity_seconds)
        self._describe(part_id, queue_id, mail, plan, reference, overdue_at, message.room)
        for number, body in enumerate(bodies, 1):
            self._parts.append(
                (
                    part_id,
                    queue_id,
                    number,
                    total,
                    lane,
                    receipt,
                    due_at,
                    message.expires_at,
                    plan.smsc,
                    plan.destination,
                    body,
                    account,
                    rank,
                    waiting,
                    message.form,
                    promise,
                    escalate_at,
                )
            )
            part_id += 1
        self.last_id = part_id - 1 + max(0, message.room - total)

    def _add_failed(self, queue_id: int, mail: NewMail, plan: PlannedMessage) -> None:
        """One part that no SMSC is asked for: it has failed, as if the SMSC had refused its destination
        unless the message says why else.
        """
        part_id = self.last_id = self.last_id + 1
        self._describe(part_id, queue_id, mail, plan, None, None)
        row = (part_id, queue_id, int(plan.priority), self._now, storable(plan.destination))
        why = (0, plan.unsent) if plan.unsent else (_NO_SUCH_DESTINATION, "no such destination")
        self._failed.append((*row, *why, storable(mail.account)))

    def _add_counted(self, queue_id: int, mail: NewMail, one: Counted) -> None:
        """One message that has no parts: what becomes of the other is told of it. Its id is one of those that
        its parts would have had; on PostgreSQL no others were taken for this mail.
        """
        plan = one.message.plan
        self.last_id += 1
        self._counted.append(
            (
                self.last_id,
                queue_id,
                one.message_id,
                storable(plan.recipient),
                plan.original_recipient and storable(plan.original_recipient),
                None if plan.reference is None else storable(plan.reference),
                None if plan.reference is None else storable(mail.account),
                plan.public_id and storable(plan.public_id),
                int(plan.notify),
                int(plan.notice),
            )
        )

    def _describe(
        self,
        message_id: int,
        queue_id: int,
        mail: NewMail,
        plan: PlannedMessage,
        reference: int | None,
        overdue_at: float | None,
        room: int = 0,
    ) -> None:
        self._messages.append(
            (
                message_id,
                queue_id,
                int(plan.priority),
                plan.flash,
                plan.receipt,
                plan.not_before,
                plan.validity_seconds,
                plan.channel,
                str(plan.kind),
                plan.route,
                storable(plan.recipient),
                storable(plan.originator),
                storable(plan.destination),
                None if plan.reference is None else storable(plan.reference),
                None if plan.reference is None else storable(mail.account),
                reference,
                storable(plan.text),
                int(plan.notify),
                plan.original_recipient and storable(plan.original_recipient),
                overdue_at,
                int(plan.notice),
                plan.public_id and storable(plan.public_id),
                room,
                plan.features,
            )
        )
        if plan.comment:
            self._comments.append((message_id, storable(plan.comment)))

    def write(self, part_id: int) -> None:
        """What has this id must be found where the others are."""
        if part_id > self._first_id:
            self.store()

    def store(self) -> None:
        """Write everything taken in."""
        if not self._mails:
            return
        self._db.insert("insert_mail", self._mails)
        self._db.insert("insert_message", self._messages)
        self._db.insert("insert_part", self._parts)
        counts = {"ids": self._ids, "queued": len(self._parts), "failed": len(self._failed)}
        self._db.execute("count_new", counts)
        if self._parts or self._failed:
            stored = len(self._parts) + len(self._failed)
            count_flow(self._db, self._now, stored=stored, failed=len(self._failed))
        if self._originals:
            self._db.insert("insert_original", self._originals)
        if self._listeners:
            self._db.insert("insert_listener", self._listeners)
        if self._comments:
            self._db.insert("insert_comment", self._comments)
        if self._left_out:
            self._db.insert("insert_left_out", self._left_out)
        if self._counted:
            self._db.insert("insert_counted", self._counted)
        if self._charges:
            self._db.insert("insert_charge", self._charges)
        if self._bookings:
            self._db.insert("insert_booking", self._bookings)
        if self._failed:
            self._db.many("insert_failed", self._failed)
            Reports(self._db).lost([{"id": row[0], "at": self._now} for row in self._failed])
        if self._answers:
            self._db.insert("insert_answer", self._answers)
        self._begin()


def _promise(message: NewMessage, due_at: float) -> tuple[int, float | None]:
    if message.promise is None:
        return 0, None
    return 1 + message.promise.delivered, due_at + message.promise.seconds
