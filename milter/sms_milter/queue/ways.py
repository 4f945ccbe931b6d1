"""Messages that go another way: whose promise is over, moving, composing anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sms_milter.model import (
    HELD_UNTIL,
    ComposedPart,
    PartState,
    Priority,
    WaitingMessage,
    WaitingPart,
)
from sms_milter.queue.database import Database
from sms_milter.queue.references import next_reference
from sms_milter.queue.states import NUMBER_OF, STATES

_QUEUED, _ACCEPTED = NUMBER_OF[PartState.QUEUED], NUMBER_OF[PartState.ACCEPTED]


class PartWays:
    """`ports.Ways` inside a transaction; `count` is told how many parts changed from one state to another,
    None for none.
    """

    def __init__(self, db: Database, count: Callable[[int | None, int | None, int], None]) -> None:
        self._db = db
        self._count = count

    # --- finding --------------------------------------------------------------------------------------------

    def promised(self, smsc: str, before: float, limit: int) -> list[WaitingMessage]:
        """See `ports.Ways.promised`."""
        return self._messages(self._db.execute("promised", (smsc, before, limit)))

    def waiting_for(self, smsc: str, limit: int) -> list[WaitingMessage]:
        """See `ports.Ways.waiting_for`."""
        rows = self._db.execute("waiting_for", (smsc, limit)).fetchall()
        for priority in Priority:
            rows += self._db.execute("ready_for", (smsc, int(priority), limit)).fetchall()
        return self._messages(rows[:limit])

    def unfit(self, limit: int) -> list[WaitingMessage]:
        """See `ports.Ways.unfit`."""
        return self._messages(self._db.execute("unfit", (limit,)))

    def smscs(self) -> list[str]:
        """See `ports.Ways.smscs`."""
        found: set[str] = set()
        for name in ("next_ready_smsc", "next_waiting_smsc"):
            last = ""
            while row := self._db.execute(name, (last,)).fetchone():
                last = row[0]
                found.add(last)
        return sorted(found)

    def _messages(self, rows: Iterable[tuple[int]]) -> list[WaitingMessage]:
        return [self._message(message_id) for message_id in dict.fromkeys(row[0] for row in rows)]

    def _message(self, message_id: int) -> WaitingMessage:
        row = self._db.execute("message", (message_id,)).fetchone()
        queue_id, mta_queue_id, destination, originator, route, text, kind, flash, _, *rest = row
        room, total, features = rest
        parts = self._db.execute("parts", (message_id, message_id + total - 1)).fetchall()
        waiting = [part for part in parts if part[1] == _QUEUED] or parts
        return WaitingMessage(
            message_id=message_id,
            queue_id=queue_id,
            mta_queue_id=mta_queue_id,
            destination=destination,
            originator=originator,
            text=text,
            kind=kind,
            flash=bool(flash),
            route=route,
            smsc=waiting[0][3],
            form=waiting[0][4],
            room=room,
            why=waiting[0][6] or "",
            escalate_at=min((part[5] for part in parts if part[5] is not None), default=None),
            parts=tuple(WaitingPart(part[0], STATES[part[1]], part[2]) for part in parts),
            features=features,
        )

    # --- changing -------------------------------------------------------------------------------------------

    def move(
        self, message: WaitingMessage, smsc: str, now: float, escalate_at: float | None, why: str
    ) -> None:
        """See `ports.Ways.move`."""
        facts = {
            **_span(message),
            "smsc": smsc,
            "now": now,
            "escalate_at": escalate_at,
            "why": why,
            "never": HELD_UNTIL,
        }
        self._db.execute("move", facts)

    def move_accepted(
        self, message: WaitingMessage, smsc: str, now: float, escalate_at: float | None, why: str
    ) -> None:
        """See `ports.Ways.move_accepted`."""
        facts = {**_span(message), "smsc": smsc, "now": now, "escalate_at": escalate_at, "why": why}
        self._db.execute("keep_former", _span(message))
        moved = self._db.execute("move_accepted", facts).rowcount
        self._count(_ACCEPTED, _QUEUED, moved)
        self.move(message, smsc, now, escalate_at, why)

    def postpone(self, message: WaitingMessage, escalate_at: float | None) -> None:
        """See `ports.Ways.postpone`."""
        self._db.execute("postpone", {**_span(message), "escalate_at": escalate_at})

    def set_aside(self, part_ids: Sequence[int]) -> None:
        """The messages of these parts must be composed anew before they go."""
        self._db.execute("set_aside", (self._db.listed(part_ids),))

    def keep_form(self, message: WaitingMessage, form: str) -> None:
        """See `ports.Ways.keep_form`."""
        self._db.execute("accept_form", {**_span(message), "form": form})

    def refit(self, message: WaitingMessage, form: str, parts: Sequence[ComposedPart], now: float) -> None:
        """See `ports.Ways.refit`."""
        first = message.message_id
        before, total = len(message.parts), len(parts)
        bodies = self._referenced(message, parts, now)
        for part_id, body in enumerate(bodies, first):
            name = "refit" if part_id < first + before else "add_part"
            facts = {"id": part_id, "body": body, "total": total, "form": form}
            self._db.execute(name, facts if name == "refit" else {**facts, "first": first})
        if total < before:
            self._db.execute("drop_parts", (first + total, first + before - 1))
            self._count(_QUEUED, None, before - total)
        elif total > before:
            self._count(None, _QUEUED, total - before)

    def _referenced(self, message: WaitingMessage, parts: Sequence[ComposedPart], now: float) -> list[bytes]:
        """Bodies with the reference that the message has already, or a fresh one if it needs one now."""
        if not any(part.reference_width for part in parts):
            return [part.body for part in parts]
        reference = self._db.execute("message", (message.message_id,)).fetchone()[8]
        if reference is None:
            reference = next_reference(self._db, message.originator, message.destination, now)
            self._db.execute("set_concatenation", (reference, message.message_id))
        return [part.stamped(reference) for part in parts]


def _span(message: WaitingMessage) -> dict[str, int]:
    return {"first": message.message_id, "last": message.message_id + len(message.parts) - 1}
