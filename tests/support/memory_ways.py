"""Messages that go another way, in the plain dictionaries of the memory queue."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sms_milter.model import HELD_UNTIL, ComposedPart, PartState, WaitingMessage, WaitingPart


class MemoryWays:
    """`ports.Ways` on the parts of a memory queue by their ids."""

    def __init__(self, parts: dict[int, dict[str, Any]], reference: Callable[[str, str], int]) -> None:
        self._parts = parts
        self._reference = reference

    def promised(self, smsc: str, before: float, limit: int) -> list[WaitingMessage]:
        over = [
            part
            for part in self._parts.values()
            if part["smsc"] == smsc and part["escalate_at"] is not None and part["escalate_at"] <= before
        ]
        return self._messages(sorted(over, key=lambda part: part["escalate_at"]), limit)

    def waiting_for(self, smsc: str, limit: int) -> list[WaitingMessage]:
        return self._messages((p for p in self._queued() if p["smsc"] == smsc and not p["aside"]), limit)

    def unfit(self, limit: int) -> list[WaitingMessage]:
        return self._messages((part for part in self._queued() if part["aside"]), limit)

    def smscs(self) -> list[str]:
        return sorted({part["smsc"] for part in self._queued() if not part["aside"]})

    def _queued(self) -> list[dict[str, Any]]:
        return [part for part in self._parts.values() if part["state"] is PartState.QUEUED]

    def _messages(self, parts: Iterable[dict[str, Any]], limit: int) -> list[WaitingMessage]:
        firsts = dict.fromkeys(part["part_id"] - part["number"] + 1 for part in parts)
        return [self._message(first) for first in list(firsts)[:limit]]

    def _message(self, first: int) -> WaitingMessage:
        parts = [self._parts[first + place] for place in range(self._parts[first]["total"])]
        one = next((part for part in parts if part["state"] is PartState.QUEUED), parts[0])
        plan = one["plan"]
        promises = [part["escalate_at"] for part in parts if part["escalate_at"] is not None]
        return WaitingMessage(
            message_id=first,
            queue_id=one["queue_id"],
            mta_queue_id=one["mta_queue_id"],
            destination=plan.destination,
            originator=plan.originator,
            text=plan.text,
            kind=str(plan.kind),
            flash=plan.flash,
            route=plan.route,
            smsc=one["smsc"],
            form=one["form"],
            room=one["room"],
            why=one.get("why", ""),
            escalate_at=min(promises, default=None),
            parts=tuple(WaitingPart(part["part_id"], part["state"], part["body"]) for part in parts),
            features=plan.features,
        )

    def _of(self, message: WaitingMessage) -> list[dict[str, Any]]:
        return [self._parts[part.part_id] for part in message.parts]

    def move(
        self, message: WaitingMessage, smsc: str, now: float, escalate_at: float | None, why: str
    ) -> None:
        for part in self._of(message):
            if part["state"] is PartState.QUEUED:
                hurried = part["submitted_at"] and part["due_at"] < HELD_UNTIL
                due_at = min(part["due_at"], now if hurried else math.inf)
                part.update(smsc=smsc, due_at=due_at, attempts=0, escalate_at=escalate_at, why=why)

    def move_accepted(
        self, message: WaitingMessage, smsc: str, now: float, escalate_at: float | None, why: str
    ) -> None:
        for part in self._of(message):
            if part["state"] is PartState.ACCEPTED:
                part["former"].append(part["key"])
                part.update(state=PartState.QUEUED, due_at=now, key=None, finished_at=None)
        self.move(message, smsc, now, escalate_at, why)

    def postpone(self, message: WaitingMessage, escalate_at: float | None) -> None:
        for part in self._of(message):
            if part["escalate_at"] is not None:
                part["escalate_at"] = escalate_at

    def keep_form(self, message: WaitingMessage, form: str) -> None:
        for part in self._of(message):
            if part["state"] is PartState.QUEUED:
                part.update(form=form, aside=False)

    def refit(self, message: WaitingMessage, form: str, parts: Sequence[ComposedPart], now: float) -> None:
        first, total = message.message_id, len(parts)
        pattern = self._parts[first]
        if any(part.reference_width for part in parts) and pattern["concatenation"] is None:
            pattern["concatenation"] = self._reference(message.originator, message.destination)
        for part_id in [first + place for place in range(total, len(message.parts))]:
            del self._parts[part_id]
        for number, part in enumerate(parts, 1):
            before = self._parts.get(first + number - 1, pattern)
            body = part.stamped(pattern["concatenation"]) if part.reference_width else part.body
            names = {"part_id": first + number - 1, "number": number, "total": total}
            self._parts[first + number - 1] = {
                **before,
                **names,
                "body": body,
                "form": form,
                "aside": False,
                "former": [],
            }
