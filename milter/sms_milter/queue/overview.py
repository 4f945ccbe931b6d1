"""What a page for operators shows: the flow by minute, what waits by age, and messages by
what people know of them. Never the text of a message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from sms_milter.model import HELD_UNTIL, Priority
from sms_milter.queue.database import Database
from sms_milter.queue.statements import storable
from sms_milter.queue.states import STATES
from sms_milter.smpp.receipt import other_forms

_MINUTE = 60.0
_SEARCHED_BACK = 1_000_000
_LONG_AGO, _END_OF_TIME = -1.0, HELD_UNTIL * 2


def count_flow(
    db: Database,
    now: float,
    *,
    stored: int = 0,
    refused: int = 0,
    sent: int = 0,
    delivered: int = 0,
    failed: int = 0,
) -> None:
    """Add to what was done in this minute."""
    db.execute("count_flow", (int(now // _MINUTE), stored, refused, sent, delivered, failed))


def count_changes(db: Database, changes: Sequence[int]) -> None:
    """So many parts more, or fewer, by state (in the order of `states`)."""
    if any(changes):
        names = [state.value for state in STATES]
        db.execute("count", {"ids": 0, **dict(zip(names, changes, strict=True))})


def forget_flow(db: Database, before: float) -> None:
    """The minutes that ended before a time."""
    db.execute("forget_flow", (int(before // _MINUTE),))


def flow(db: Database, since: float, until: float) -> list[dict[str, Any]]:
    """See `ports.OperatorQueue.flow`."""
    return _rows(db, "flow", -int(-since // _MINUTE), -int(-until // _MINUTE))


# --- what waits ---------------------------------------------------------------------------------------------


def ages(db: Database, now: float, bounds: Sequence[float]) -> list[dict[str, Any]]:
    """See `ports.OperatorQueue.ages`."""
    spans = list(pairwise([_END_OF_TIME, *(now - bound for bound in bounds), _LONG_AGO]))
    found = []
    for smsc in _smscs(db, "next_ready_smsc"):
        for priority in Priority:
            counts = [0] * len(spans)
            for account in _accounts(db, smsc, priority):
                for place, (until, after) in enumerate(spans):
                    key = (smsc, int(priority), account, after, until)
                    counts[place] += db.execute("count_ready", key).fetchone()[0]
            found.append(_lane(smsc, priority.name.lower(), counts))
    spans[0] = (now, spans[0][1])
    for smsc in _smscs(db, "next_waiting_smsc"):

        def count(after: float, until: float, smsc: str = smsc) -> int:
            parts: int = db.execute("count_waiting", (smsc, after, until)).fetchone()[0]
            return parts

        held = count(HELD_UNTIL - 1, _END_OF_TIME)
        found.append(_lane(smsc, "again", [count(after, until) for until, after in spans]))
        found.append(_lane(smsc, "later", [count(now, HELD_UNTIL - 1)]))
        found.append(_lane(smsc, "held", [held]))
    return [lane for lane in found if lane["parts"]]


def _lane(smsc: str, name: str, counts: Sequence[int]) -> dict[str, Any]:
    return {"smsc": smsc, "lane": name, "parts": sum(counts), "ages": list(counts)}


def _smscs(db: Database, name: str) -> Iterator[str]:
    return _each(lambda after: db.execute(name, (after,)).fetchone())


def _accounts(db: Database, smsc: str, priority: int) -> Iterator[str]:
    def after(account: str) -> Any:
        return db.execute("next_account", (smsc, int(priority), account)).fetchone()

    return _each(after)


def _each(find: Callable[[str], Any]) -> Iterator[str]:
    """One step through the index for each name, however many parts have it."""
    row = find("")
    while row is not None:
        yield row[0]
        row = find(row[0])


# --- search -------------------------------------------------------------------------------------------------


def find_messages(db: Database, name: str, number: str, limit: int) -> list[dict[str, Any]]:
    """See `ports.OperatorQueue.find_messages`."""
    ids = sorted(set(_found(db, storable(name), number, limit)), reverse=True)[:limit]
    messages = _rows(db, "found", db.listed(ids))
    for message in messages:
        first = message["message_id"]
        rows = db.execute("states_between", (first, first + message["parts"] - 1))
        message["states"] = {STATES[state].value: parts for state, parts in rows}
        message["priority"] = Priority(message["priority"]).name.lower()
    return messages


def _found(db: Database, name: str, number: str, limit: int) -> Iterator[int]:
    oldest = db.execute("last_id").fetchone()[0] - _SEARCHED_BACK
    if number:
        yield from _ids(db, "found_numbers", (oldest, number, limit))
    if not name:
        return
    for account in _each(lambda after: db.execute("next_referrer", (after,)).fetchone()):
        yield from _ids(db, "found_reference", (account, name, limit))
    yield from _ids(db, "found_public", (name, limit))
    for key in (name, *other_forms(name)):
        yield from _ids(db, "found_key", (key, limit))
        yield from _ids(db, "found_former_key", (key, limit))
    spans = db.execute("found_mails", (oldest, name, limit)).fetchall()
    if name.isascii() and name.isdecimal() and len(name) < 19:
        spans += db.execute("found_mail", (int(name),)).fetchall()
    for first, last in spans:
        yield from _ids(db, "messages_between", (first, last, limit))


def _ids(db: Database, name: str, values: Any) -> list[int]:
    return [row[0] for row in db.execute(name, values)]


def _rows(db: Database, name: str, *values: Any) -> list[dict[str, Any]]:
    cursor = db.execute(name, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]
