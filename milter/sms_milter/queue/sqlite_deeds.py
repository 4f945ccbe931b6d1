"""What operators do to parts on an SQLite store. Only what is not on the wire changes, so that no dispatcher
need be asked; for what an SMSC has, they leave it a word.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from sms_milter.model import HELD_UNTIL, Deed, Done, LeasedPart, PartState, Selection
from sms_milter.queue import sqlite_credits
from sms_milter.queue.sqlite_reports import span_of
from sms_milter.queue.sqlite_work import SqliteWork, leased
from sms_milter.queue.statements import statements
from sms_milter.queue.states import NUMBER_OF

_SQL = statements("queries_operator.sql")
_AT_ONCE = 1000
_QUEUED, _FAILED = NUMBER_OF[PartState.QUEUED], NUMBER_OF[PartState.FAILED]

# What a deed may change; the exact rule stands in its statement.
_CONCERNED = {
    Deed.HOLD: (PartState.QUEUED,),
    Deed.RELEASE: (PartState.QUEUED,),
    Deed.CANCEL: (PartState.QUEUED, PartState.ACCEPTED),
    Deed.RETRY: (PartState.QUEUED, PartState.UNCERTAIN, PartState.FAILED, PartState.EXPIRED),
}
_STATEMENT = {Deed.HOLD: "hold", Deed.RELEASE: "release", Deed.CANCEL: "cancel"}


def select(db: sqlite3.Connection, deed: Deed, wanted: Selection, after: int) -> list[int]:
    """Ids of the next parts that are meant and that the deed may concern, a thousand at most."""
    states = [state for state in _CONCERNED[deed] if wanted.state in (None, state)]
    first, last = _span(db, wanted.name)
    conditions = {
        "first": max(first, after + 1),
        "last": last,
        "states": json.dumps([NUMBER_OF[state] for state in states]),
        "account": wanted.account,
        "smsc": wanted.smsc,
        "destination": wanted.destination,
        "limit": _AT_ONCE,
    }
    return [row[0] for row in db.execute(_SQL["selected"], conditions)]


def change(db: sqlite3.Connection, work: SqliteWork, deed: Deed, ids: Sequence[int], now: float) -> Done:
    """Do it to those of these parts that are still as the deed wants them."""
    facts = {"ids": json.dumps(ids), "now": now, "never": HELD_UNTIL}
    changed: list[int] = []
    if deed is Deed.RETRY:
        changed = _ids(db, "hurry", facts) + _revive(db, work, facts)
    else:
        changed = _ids(db, _STATEMENT[deed], facts)
    asked: list[int] = []
    if deed is Deed.CANCEL:
        work.move(_QUEUED, _FAILED, len(changed))
        work.lost(changed, now)
        asked = _ids(db, "ask_to_cancel", facts)
    return Done(_touched(db, changed), ids[-1] if len(ids) == _AT_ONCE else None, _touched(db, asked))


def trace(db: sqlite3.Connection, smsc: str, until: float) -> None:
    """See `ports.OperatorQueue.trace`."""
    db.execute(_SQL["trace"], (smsc, until))


def _revive(db: sqlite3.Connection, work: SqliteWork, facts: dict[str, Any]) -> list[int]:
    ended = [
        (part_id, state)
        for part_id, state in db.execute(_SQL["ended"], (facts["ids"],)).fetchall()
        if sqlite_credits.pay_again(db, part_id, facts["now"])
    ]
    for _, state in ended:
        work.move(state, _QUEUED, 1)
    ids = [part_id for part_id, _ in ended]
    for name in ("revive", "report_anew", "wait_anew"):
        db.execute(_SQL[name], {**facts, "ids": json.dumps(ids)})
    return ids


def _touched(db: sqlite3.Connection, part_ids: list[int]) -> list[LeasedPart]:
    return [leased(row) for row in db.execute(_SQL["touched"], (json.dumps(part_ids),))]


def _ids(db: sqlite3.Connection, name: str, facts: dict[str, Any]) -> list[int]:
    return [row[0] for row in db.execute(_SQL[name], facts)]


def _span(db: sqlite3.Connection, name: str) -> tuple[int, int]:
    """First and last part id of a mail, or of all; of none when there is no such mail."""
    if not name:
        return 1, db.execute(_SQL["last_part"]).fetchone()[0] or 0
    return span_of(db, name) or (1, 0)
