"""Storing mails, inside a transaction of an SQLite store."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import Any

from sms_milter import reply
from sms_milter.errors import RecordChanged, Refusal
from sms_milter.model import LoginRule, NewMail, NewMessage, Notify, PlannedMessage, Priority, Stored
from sms_milter.queue import sqlite_credits, sqlite_limits, sqlite_records
from sms_milter.queue.sqlite_notify import ALL_TOLD, RECEIPT_TOLD, Reports, first_look
from sms_milter.queue.sqlite_references import next_reference
from sms_milter.queue.statements import statements, storable

_BY_RECEIPT = (Notify.FAILURE | Notify.SUCCESS | Notify.PENDING).value
_ON_THE_WAY = (Notify.SENT | Notify.RETRY).value
_SQL = statements("queries_intake.sql")
_ROWS_AT_ONCE = 32
_NO_SUCH_DESTINATION = 0x0B  # ESME_RINVDSTADR (SMPP 3.4 §5.1.3)


def put(
    db: sqlite3.Connection,
    mails: Sequence[NewMail],
    now: float,
    *,
    retry_window_seconds: float,
) -> list[Stored | Refusal]:
    """Store or refuse each mail; see `ports.IntakeQueue.put`. Raises ValueError for a message
    without parts.
    """
    last_id: int = db.execute(_SQL["last_id"]).fetchone()[0]
    batch = _Batch(db, last_id, now)
    oldest = now - retry_window_seconds
    results: list[Stored | Refusal] = []
    stored: dict[bytes, int] = {}
    limited = False
    for mail in mails:
        fingerprint = mail.fingerprint
        if fingerprint is not None:
            known = stored.get(fingerprint) or _find(db, fingerprint, oldest)
            if known:
                results.append(Stored(known, repeat=True))
                continue
        if mail.records and not sqlite_records.are_as_read(db, mail.account, mail.records, now):
            results.append(RecordChanged(reply.QUEUE_UNAVAILABLE, "its records change all the time"))
            continue
        if mail.limits is not None:
            limited = True
            refusal = sqlite_limits.admit(db, mail, now)
            if refusal is not None:
                results.append(refusal)
                continue
        queue_id = batch.add(mail)
        if mail.limits is not None and mail.limits.credits is not None:
            sqlite_credits.reserve(db, mail, mail.limits.credits, queue_id, now)
        if mail.records:
            sqlite_records.write(db, mail.account, mail.records, queue_id, now)
        if fingerprint is not None:
            stored[fingerprint] = queue_id
        results.append(Stored(queue_id))
    batch.store()
    if limited:
        sqlite_limits.forget(db, now)
    return results


def next_number(db: sqlite3.Connection, account: str) -> int:
    """See `ports.IntakeQueue.next_number`."""
    number: int = db.execute(_SQL["next_number"], (storable(account),)).fetchone()[0]
    return number


def last_number(db: sqlite3.Connection, account: str) -> int:
    """The last one that `next_number` has given, 0 before the first."""
    row = db.execute(_SQL["last_number"], (storable(account),)).fetchone()
    return row[0] if row else 0


def login_failed(db: sqlite3.Connection, who: str, rule: LoginRule, now: float) -> bool:
    """Count a failed login, forget some old ones; see `ports.IntakeQueue.login_failed`."""
    who = storable(who)
    db.execute(_SQL["forget_failures"], (now,))
    db.execute(_SQL["forget_blocks"], (now,))
    db.execute(_SQL["store_failure"], (who, now, now + rule.within_seconds))
    if db.execute(_SQL["count_failures"], (who, now - rule.within_seconds)).fetchone()[0] < rule.count:
        return False
    db.execute(_SQL["clear_failures"], (who,))
    db.execute(_SQL["store_block"], (who, now + rule.block_seconds))
    return True


def login_blocked(db: sqlite3.Connection, who: str, now: float) -> bool:
    """See `ports.IntakeQueue.login_blocked`."""
    return db.execute(_SQL["find_block"], (storable(who), now)).fetchone() is not None


def blocks(db: sqlite3.Connection, now: float) -> list[dict[str, Any]]:
    """See `ports.OperatorQueue.blocks`."""
    return [{"who": who, "until": until} for who, until in db.execute(_SQL["list_blocks"], (now,))]


def lift_block(db: sqlite3.Connection, who: str, now: float) -> bool:
    """See `ports.OperatorQueue.lift_block`."""
    return db.execute(_SQL["lift_block"], (storable(who), now)).rowcount > 0


def _find(db: sqlite3.Connection, fingerprint: bytes, oldest: float) -> int | None:
    row = db.execute(_SQL["find_fingerprint"], (fingerprint, oldest)).fetchone()
    return row[0] if row else None


class _Batch:
    """Rows of the mails that will be stored, and the last id given to them."""

    __slots__ = (
        "_answers",
        "_comments",
        "_db",
        "_failed",
        "_first_id",
        "_last_id",
        "_left_out",
        "_listeners",
        "_mails",
        "_messages",
        "_now",
        "_originals",
        "_partless",
        "_parts",
        "_spare",
    )

    def __init__(self, db: sqlite3.Connection, last_id: int, now: float) -> None:
        self._db = db
        self._first_id = self._last_id = last_id
        self._now = now
        self._mails: list[tuple[Any, ...]] = []
        self._messages: list[tuple[Any, ...]] = []
        self._parts: list[tuple[Any, ...]] = []
        self._failed: list[tuple[Any, ...]] = []
        self._originals: list[tuple[Any, ...]] = []
        self._listeners: list[tuple[Any, ...]] = []
        self._partless = self._spare = 0  # ids without a part
        self._answers: list[tuple[Any, ...]] = []
        self._comments: list[tuple[Any, ...]] = []
        self._left_out: list[tuple[Any, ...]] = []

    def add(self, mail: NewMail) -> int:
        """Take a mail in; returns its id, which is that of its first part, or of none when it has none."""
        queue_id = self._last_id + 1
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
        if not (mail.messages or mail.failed):
            self._last_id = queue_id
            self._partless += 1
        for message in mail.messages:
            self._add_message(queue_id, mail, message)
        for plan in mail.failed:
            self._add_failed(queue_id, mail, plan)
        if mail.original is not None:
            self._originals.append((queue_id, storable(mail.original.envelope_id), mail.original.header))
        for one in mail.listeners:
            row = (queue_id, storable(one.target), int(one.told), one.is_url, one.gather_seconds)
            self._listeners.append(row)
        for destination in mail.left_out:
            written, why = storable(destination.destination), storable(destination.why)
            self._left_out.append((queue_id, written, why))
        for answer in mail.answers:
            texts = map(storable, (answer.to, answer.subject, answer.body, answer.author, answer.author_name))
            self._answers.append((queue_id, self._now, self._now, *texts))
        return queue_id

    def _add_message(self, queue_id: int, mail: NewMail, message: NewMessage) -> None:
        plan = message.plan
        total = len(message.parts)
        if not total:
            raise ValueError("a message without parts cannot be stored")
        part_id = self._last_id + 1
        priority = int(plan.priority)
        due_at = mail.received_at if plan.not_before is None else plan.not_before
        lane, rank = (Priority.NORMAL.value, priority) if plan.own_order else (priority, 0)
        account, waiting = storable(mail.account), due_at > self._now
        promise, escalate_at = _promise(message, due_at)
        reference = None
        bodies = [part.body for part in message.parts]
        if plan.concatenation is not None:
            originator = storable(plan.originator)
            reference = next_reference(self._db, originator, plan.destination, self._now)
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
        self._spare += max(0, message.room - total)
        self._last_id = part_id - 1 + max(0, message.room - total)

    def _add_failed(self, queue_id: int, mail: NewMail, plan: PlannedMessage) -> None:
        """One part that no SMSC is asked for: it has failed, as if the SMSC had refused its destination
        unless the message says why else.
        """
        part_id = self._last_id = self._last_id + 1
        self._describe(part_id, queue_id, mail, plan, None, None)
        row = (part_id, queue_id, int(plan.priority), self._now, storable(plan.destination))
        why = (0, plan.unsent) if plan.unsent else (_NO_SUCH_DESTINATION, "no such destination")
        self._failed.append((*row, *why, storable(mail.account)))

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

    def store(self) -> None:
        """Write everything taken in."""
        if not self._mails:
            return
        _insert(self._db, "insert_mail", self._mails)
        _insert(self._db, "insert_message", self._messages)
        _insert(self._db, "insert_part", self._parts)
        ids = self._last_id - self._first_id
        failed = len(self._failed)
        queued = ids - self._partless - self._spare - failed
        self._db.execute(_SQL["count_new"], (ids, queued, failed))
        if self._originals:
            self._db.executemany(_SQL["insert_original"], self._originals)
        if self._listeners:
            self._db.executemany(_SQL["insert_listener"], self._listeners)
        if self._comments:
            self._db.executemany(_SQL["insert_comment"], self._comments)
        if self._left_out:
            self._db.executemany(_SQL["insert_left_out"], self._left_out)
        if self._failed:
            self._db.executemany(_SQL["insert_failed"], self._failed)
            Reports(self._db).lost([{"id": row[0], "at": self._now} for row in self._failed])
        if self._answers:
            self._db.executemany(_SQL["insert_answer"], self._answers)


def _promise(message: NewMessage, due_at: float) -> tuple[int, float | None]:
    if message.promise is None:
        return 0, None
    return 1 + message.promise.delivered, due_at + message.promise.seconds


def _insert(db: sqlite3.Connection, name: str, rows: list[tuple[Any, ...]]) -> None:
    """Insert all rows, many with one statement.

    SQLite lets go of the interpreter at each statement, and libmilter's threads are quick to take it: every
    further one would keep the other workers waiting for the writer's lock.
    """
    head, _, values = _SQL[name].rpartition("VALUES")
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[first : first + _ROWS_AT_ONCE]
        places = ",".join([values] * len(some))
        db.execute(f"{head} VALUES {places}", list(chain.from_iterable(some)))
