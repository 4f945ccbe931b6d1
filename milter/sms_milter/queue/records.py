"""What mails of an account leave behind, and what became of its messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sms_milter.model import PartFate, PartState, Record
from sms_milter.queue.database import Database
from sms_milter.queue.statements import storable
from sms_milter.queue.states import NUMBER_OF, STATES

_ENDED = {NUMBER_OF[state] for state in (PartState.DELIVERED, PartState.FAILED, PartState.EXPIRED)}


def find(db: Database, account: str, kind: str, name: str, now: float) -> Record | None:
    """See `ports.IntakeQueue.find_record`."""
    row = db.execute("find_record", _key(account, kind, name)).fetchone()
    if row is None:
        return None
    value, until, written_by = row
    return None if until is not None and until <= now else Record(kind, name, value, until, written_by)


def are_as_read(db: Database, account: str, records: Sequence[Record], now: float) -> bool:
    """Whether nobody has written any of them since."""
    for record in records:
        stored = find(db, account, record.kind, record.name, now)
        if (stored.written_by if stored else 0) != record.written_by:
            return False
    return True


def write(db: Database, account: str, records: Sequence[Record], mail_id: int, now: float) -> None:
    """Leave them behind, forget some old ones."""
    db.execute("forget_records", (now,))
    for record in records:
        row = (*_key(account, record.kind, record.name), storable(record.value), record.until, mail_id)
        db.execute("store_record", row)


def fates(db: Database, account: str, references: Sequence[str]) -> dict[str, list[PartFate]]:
    """See `ports.IntakeQueue.fates`."""
    found = {}
    for reference in dict.fromkeys(references):
        row = db.execute("newest_message", (storable(account), storable(reference))).fetchone()
        if row is not None:
            parts = db.execute("find_fates", {"message": row[0]})
            found[reference] = [_fate(part) for part in parts]
    return found


def _fate(row: Sequence[Any]) -> PartFate:
    state, submitted_at, heard_at, done_at, finished_at, stat, error, command_status = row
    told_at = heard_at if done_at is None else done_at
    if told_at is None and state in _ENDED:
        told_at = finished_at
    return PartFate(STATES[state], submitted_at, told_at, stat or "", error or "", command_status or 0)


def _key(account: str, kind: str, name: str) -> tuple[str, str, str]:
    return storable(account), kind, storable(name)
