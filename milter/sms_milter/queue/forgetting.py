"""Forgetting: mails that have been finished for long enough, and what nothing will ask for again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sms_milter.queue import credits, mobile
from sms_milter.queue.database import Database
from sms_milter.queue.overview import count_changes, forget_flow
from sms_milter.queue.settling import PARKED_SECONDS
from sms_milter.queue.states import STATES

_MOBILE_AT_ONCE = 10_000
_Span = tuple[int, int]  # a mail by the first and the last id of its parts


def forget_mails(db: Database, before: float, limit: int) -> int:
    """Delete up to `limit` mails finished before a time; returns how many."""
    forgotten = 0
    seen: set[int] = set()
    place = (float("-inf"), 0)
    changes = [0] * len(STATES)
    while forgotten < limit:
        rows = db.execute("finished_mails", (before, *place, limit)).fetchall()
        if not rows:
            break
        place = rows[-1][:2]
        found = {queue_id: parts for _, _, queue_id, parts in rows if queue_id not in seen}
        seen.update(found)
        spans = [(queue_id, queue_id + parts - 1) for queue_id, parts in found.items()]
        gone = _done_with(db, spans, before)[: limit - forgotten]
        _delete(db, gone, changes)
        forgotten += len(gone)
    count_changes(db, changes)
    partless = db.execute("finished_partless", (before, limit - forgotten)).fetchall()
    _delete_mails(db, partless)
    return forgotten + len(partless)


def forget_leftovers(db: Database, before: float) -> None:
    """Delete what is left of mails long gone: parked receipts, references, usage."""
    db.execute("forget_parked", (before - PARKED_SECONDS, -1))
    db.execute("forget_references", (before - PARKED_SECONDS,))
    mobile.forget(db, before, _MOBILE_AT_ONCE)
    credits.forget(db, before)
    forget_flow(db, before)
    db.execute("forget_cancellations", (before,))
    db.execute("forget_all_usage", (before,))


def _done_with(db: Database, spans: list[_Span], before: float) -> list[_Span]:
    """The mails of which nothing is under way."""
    unfinished = db.each("unfinished", [(*span, before) for span in spans])
    unreported = db.each("unreported", [span[:1] for span in spans])
    states = zip(spans, unfinished, unreported, strict=True)
    return [span for span, (open_part,), (open_report,) in states if not (open_part or open_report)]


def _delete(db: Database, spans: list[_Span], changes: list[int]) -> None:
    """`changes` are so many parts more by state."""
    for counts in db.each("count_states", spans):
        for state, parts in enumerate(counts):
            changes[state] -= parts
    for name in (
        "delete_receipts",
        "delete_former",
        "delete_parts",
        "delete_comments",
        "delete_messages",
        "forget_charges",
    ):
        db.many(name, spans)
    _delete_mails(db, [span[:1] for span in spans])


def _delete_mails(db: Database, mails: Sequence[Sequence[Any]]) -> None:
    """Each by its id alone."""
    for name in (
        "delete_reports",
        "delete_listeners",
        "delete_original",
        "delete_counted",
        "delete_left_out",
        "delete_mail",
    ):
        db.many(name, mails)
