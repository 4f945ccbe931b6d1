"""Storing mails and charging quotas, inside a transaction of an SQLite store."""

from __future__ import annotations

import math
import random
import sqlite3
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sms_milter import reply
from sms_milter.errors import Deferred, RecordChanged, Refusal, Rejected
from sms_milter.model import LoginRule, NewMail, NewMessage, Notify, Priority, QuotaRule, Stored
from sms_milter.queue import sqlite_records
from sms_milter.queue.sqlite_notify import RECEIPT_TOLD, patience
from sms_milter.queue.sqlite_records import storable
from sms_milter.queue.statements import statements

_WHOLE_ACCOUNT = "*"  # no envelope sender looks like this
_FAILURE = Notify.FAILURE.value
_BY_RECEIPT = (Notify.FAILURE | Notify.SUCCESS).value
_SQL = statements("queries_intake.sql")
_ROWS_AT_ONCE = 32


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
        parts = sum([len(message.parts) for message in mail.messages])
        if mail.quota is not None:
            refusal = _charge(db, mail, mail.quota, parts, now)
            if refusal is not None:
                results.append(refusal)
                continue
        queue_id = batch.add(mail, parts)
        if mail.records:
            sqlite_records.write(db, mail.account, mail.records, queue_id, now)
        if fingerprint is not None:
            stored[fingerprint] = queue_id
        results.append(Stored(queue_id))
    batch.store()
    return results


def quota_left(
    db: sqlite3.Connection, account: str, sender: str, rule: QuotaRule, now: float
) -> tuple[int, float]:
    """Parts still free, and when more will be; see `ports.IntakeQueue.quota_left`."""
    left, free_at = sys.maxsize, now
    for scope, limit in _scopes(rule, sender):
        window = _Window(db, account, scope, now - rule.period_seconds)
        if limit - window.used < left:
            left = max(0, limit - window.used)
            free_at = window.first_at + rule.period_seconds if window.used else now
    return left, free_at


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


def _find(db: sqlite3.Connection, fingerprint: bytes, oldest: float) -> int | None:
    row = db.execute(_SQL["find_fingerprint"], (fingerprint, oldest)).fetchone()
    return row[0] if row else None


class _Batch:
    """Rows of the mails that will be stored, and the last id given to them."""

    __slots__ = (
        "_answers",
        "_db",
        "_first_id",
        "_last_id",
        "_mails",
        "_messages",
        "_now",
        "_originals",
        "_partless",
        "_parts",
    )

    def __init__(self, db: sqlite3.Connection, last_id: int, now: float) -> None:
        self._db = db
        self._first_id = self._last_id = last_id
        self._now = now
        self._mails: list[tuple[Any, ...]] = []
        self._messages: list[tuple[Any, ...]] = []
        self._parts: list[tuple[Any, ...]] = []
        self._originals: list[tuple[Any, ...]] = []
        self._partless = 0
        self._answers: list[tuple[Any, ...]] = []

    def add(self, mail: NewMail, parts: int) -> int:
        """Take a mail in; returns its id, which is that of its first part, or of none when it has none."""
        queue_id = self._last_id + 1
        self._mails.append(
            (
                queue_id,
                mail.received_at,
                parts,
                storable(mail.mta_queue_id),
                storable(mail.account),
                mail.dialect,
                storable(mail.sender),
                storable(mail.client),
                storable(mail.mail_message_id),
                mail.fingerprint,
            )
        )
        if not mail.messages:
            self._last_id = queue_id
            self._partless += 1
        for message in mail.messages:
            self._add_message(queue_id, mail, message)
        if mail.original is not None:
            self._originals.append((queue_id, storable(mail.original.envelope_id), mail.original.header))
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
        reference = None
        bodies = [part.body for part in message.parts]
        if plan.concatenation is not None:
            reference = self._next_reference(plan.originator, plan.destination)
            bodies = [part.stamped(reference) for part in message.parts]
        notify = int(plan.notify)
        receipt = RECEIPT_TOLD if notify & _BY_RECEIPT else int(plan.receipt)
        overdue_at = due_at + patience(plan.validity_seconds) if notify & _FAILURE else None
        self._messages.append(
            (
                part_id,
                queue_id,
                priority,
                plan.flash,
                plan.receipt,
                plan.not_before,
                plan.validity_seconds,
                plan.channel,
                str(plan.kind),
                plan.route,
                storable(plan.recipient),
                storable(plan.originator),
                plan.destination,
                None if plan.reference is None else storable(plan.reference),
                None if plan.reference is None else storable(mail.account),
                reference,
                storable(plan.text),
                notify,
                plan.original_recipient and storable(plan.original_recipient),
                overdue_at,
            )
        )
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
                )
            )
            part_id += 1
        self._last_id = part_id - 1

    def _next_reference(self, source: str, destination: str) -> int:
        source = storable(source)
        row = self._db.execute(_SQL["find_reference"], (source, destination)).fetchone()
        # A random start: a phone must not join parts of two gateways, or of before and after a new database.
        value = (row[0] + 1) % 65536 if row else random.randrange(65536)
        self._db.execute(_SQL["store_reference"], (source, destination, value, self._now))
        return value

    def store(self) -> None:
        """Write everything taken in."""
        if not self._mails:
            return
        _insert(self._db, "insert_mail", self._mails)
        _insert(self._db, "insert_message", self._messages)
        _insert(self._db, "insert_part", self._parts)
        ids = self._last_id - self._first_id
        self._db.execute(_SQL["count_new"], (ids, ids - self._partless))
        if self._originals:
            self._db.executemany(_SQL["insert_original"], self._originals)
        if self._answers:
            self._db.executemany(_SQL["insert_answer"], self._answers)


def _insert(db: sqlite3.Connection, name: str, rows: list[tuple[Any, ...]]) -> None:
    """Insert all rows, many with one statement.

    SQLite lets go of the interpreter at each statement, and libmilter's threads are quick to take it: every
    further one would keep the other workers waiting for the writer's lock.
    """
    head, _, values = _SQL[name].rpartition("VALUES")
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[first : first + _ROWS_AT_ONCE]
        places = ",".join([values] * len(some))
        db.execute(f"{head} VALUES {places}", [field for row in some for field in row])


# --- quotas -------------------------------------------------------------------------------------------------


class _Window:
    """What one account, or one of its senders, has used since a time."""

    __slots__ = ("_base", "_db", "_key", "_since", "first_at", "last_at", "last_total", "used")

    def __init__(self, db: sqlite3.Connection, account: str, scope: str, since: float) -> None:
        self._db = db
        self._key = (account, scope)
        self._since = since
        last = db.execute(_SQL["last_usage"], self._key).fetchone()
        first = db.execute(_SQL["first_usage"], (*self._key, since)).fetchone() if last else None
        self.last_at: float = last[0] if last else -math.inf
        self.last_total: int = last[1] if last else 0
        self._base = first[2] - first[1] if first else self.last_total
        self.first_at: float = first[0] if first else -math.inf
        self.used: int = self.last_total - self._base

    def emptied_at(self, parts: int, period: float) -> float:
        """When at least so many of the parts used will have left the window; -inf if none need to."""
        if parts <= 0:
            return -math.inf
        row = self._db.execute(
            _SQL["usage_reaching"], (*self._key, self._since, self._base + parts)
        ).fetchone()
        leaves: float = row[0] if row else max(self.last_at, self._since + period)
        return leaves + period

    def charge(self, parts: int, now: float, period: float) -> None:
        """Add an entry; a clock that was set back does not put it before the last one."""
        at = max(now, self.last_at)
        self._db.execute(_SQL["store_usage"], (*self._key, at, parts, self.last_total + parts, at + period))
        self._db.execute(_SQL["forget_usage"], (*self._key, self._since))


def _scopes(rule: QuotaRule, sender: str) -> list[tuple[str, int]]:
    limits = ((_WHOLE_ACCOUNT, rule.messages), (storable(sender), rule.per_sender))
    return [(scope, limit) for scope, limit in limits if limit is not None]


def _charge(db: sqlite3.Connection, mail: NewMail, rule: QuotaRule, parts: int, now: float) -> Refusal | None:
    """Charge a mail to its account and sender, or say why not."""
    since = now - rule.period_seconds
    scopes = [
        (_Window(db, mail.account, scope, since), limit)
        for scope, limit in _scopes(rule, mail.sender.lower())
    ]
    if any(window.used + parts > limit for window, limit in scopes):
        free_at = max(
            window.emptied_at(window.used + parts - limit, rule.period_seconds) for window, limit in scopes
        )
        answer = reply.quota_exceeded(_iso(free_at), defer=rule.defer)
        return Deferred(answer) if rule.defer else Rejected(answer)
    for window, _ in scopes:
        window.charge(parts, now, rule.period_seconds)
    return None


def _iso(time: float) -> str:
    return datetime.fromtimestamp(math.ceil(time), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
