"""What operators do to parts. Only what is not on the wire changes, so that no dispatcher
need be asked; for what an SMSC has, they leave it a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sms_milter.model import HELD_UNTIL, Deed, Done, LeasedPart, PartState, Selection
from sms_milter.queue import credits
from sms_milter.queue.database import Database
from sms_milter.queue.reports import span_of, span_of_message
from sms_milter.queue.states import NUMBER_OF
from sms_milter.queue.work import PartWork, leased

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


def select(db: Database, deed: Deed, wanted: Selection, after: int) -> list[int]:
    """Ids of the next parts that are meant and that the deed may concern, a thousand at most."""
    states = [state for state in _CONCERNED[deed] if wanted.state in (None, state)]
    first, last = _span(db, wanted)
    conditions = {
        "first": max(first, after + 1),
        "last": last,
        "states": db.listed([NUMBER_OF[state] for state in states]),
        "account": wanted.account,
        "smsc": wanted.smsc,
        "destination": wanted.destination,
        "limit": _AT_ONCE,
    }
    return [row[0] for row in db.execute("selected", conditions)]


def change(db: Database, work: PartWork, deed: Deed, ids: Sequence[int], now: float) -> Done:
    """Do it to those of these parts that are still as the deed wants them."""
    facts = {"ids": db.listed(ids), "now": now, "never": HELD_UNTIL}
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


def trace(db: Database, smsc: str, until: float) -> None:
    """See `ports.OperatorQueue.trace`."""
    db.execute("trace", (smsc, until))


def _revive(db: Database, work: PartWork, facts: dict[str, Any]) -> list[int]:
    db.lock("account", [row[0] for row in db.execute("charged_accounts", (facts["ids"],))])
    ended = [
        (part_id, state)
        for part_id, state in db.execute("ended", (facts["ids"],)).fetchall()
        if credits.pay_again(db, part_id, facts["now"])
    ]
    for _, state in ended:
        work.move(state, _QUEUED, 1)
    ids = [part_id for part_id, _ in ended]
    for name in ("revive", "report_anew", "wait_anew"):
        db.execute(name, {**facts, "ids": db.listed(ids)})
    return ids


def _touched(db: Database, part_ids: list[int]) -> list[LeasedPart]:
    return [leased(row) for row in db.execute("touched", (db.listed(part_ids),))]


def _ids(db: Database, name: str, facts: dict[str, Any]) -> list[int]:
    return [row[0] for row in db.execute(name, facts)]


def _span(db: Database, wanted: Selection) -> tuple[int, int]:
    """First and last part id of a mail or a message, or of all; of none when there is no such thing."""
    if wanted.message_id is not None:
        return span_of_message(db, wanted.message_id) or (1, 0)
    if not wanted.name:
        return 1, db.execute("last_part").fetchone()[0] or 0
    return span_of(db, wanted.name) or (1, 0)
