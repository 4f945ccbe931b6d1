"""What a page for operators shows of a queue in plain dictionaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sms_milter.model import HELD_UNTIL, NewMail, PartState
from sms_milter.smpp.receipt import other_forms

MINUTE = 60.0
EVENTS = ("stored", "refused", "sent", "delivered", "failed")


class MemoryOverview:
    """The part of `MemoryQueue` that looks at everything at once."""

    _flow: dict[float, Counter[str]]
    _mails: dict[int, NewMail]
    _parts: dict[int, dict[str, Any]]
    show_mail: Callable[[str], dict[str, Any] | None]

    def count_refused(self, times: int, now: float) -> None:
        self._count_flow("refused", times, now)

    def _count_flow(self, event: str, times: int, now: float) -> None:
        if times:
            self._flow.setdefault(now // MINUTE * MINUTE, Counter())[event] += times

    def _forget_flow(self, before: float) -> None:
        self._flow = {
            minute: row for minute, row in self._flow.items() if minute >= before // MINUTE * MINUTE
        }

    def flow(self, since: float, until: float) -> list[dict[str, Any]]:
        return [
            {"minute": minute, **{event: row[event] for event in EVENTS}}
            for minute, row in sorted(self._flow.items())
            if since <= minute < until
        ]

    def ages(self, now: float, bounds: Sequence[float]) -> list[dict[str, Any]]:
        lanes: dict[tuple[str, str], list[float]] = {}
        for part in self._parts.values():
            if part["state"] is PartState.QUEUED:
                lanes.setdefault((part["smsc"], self._lane(part, now)), []).append(now - part["due_at"])
        found = []
        for (smsc, lane), waits in lanes.items():
            edges = [*bounds, HELD_UNTIL] if lane not in ("later", "held") else [HELD_UNTIL]
            counts = [0] * len(edges)
            for wait in waits:
                counts[next(place for place, edge in enumerate(edges) if wait < edge)] += 1
            found.append({"smsc": smsc, "lane": lane, "parts": len(waits), "ages": counts})
        return found

    def _lane(self, part: dict[str, Any], now: float) -> str:
        if part["due_at"] == HELD_UNTIL:
            return "held"
        if part["due_at"] > now:
            return "later"
        if part["due_at"] > self._mails[part["queue_id"]].received_at:
            return "again"
        priority: str = part["plan"].priority.name.lower()
        return "normal" if part["plan"].own_order else priority

    def find_messages(self, name: str, number: str, limit: int) -> list[dict[str, Any]]:
        found = []
        for part in reversed(self._parts.values()):
            same = [one for one in self._parts.values() if one["plan"] is part["plan"]]
            to = bool(number) and part["plan"].destination.endswith(number)
            if part["number"] == 1 and (to or any(name and name in self._names(one) for one in same)):
                found.append(self._found(part, same))
        return found[:limit]

    def show_message(self, message_id: int) -> dict[str, Any] | None:
        part = self._parts.get(message_id)
        mail = self.show_mail(str(part["queue_id"])) if part and part["number"] == 1 else None
        if mail is None:
            return None
        messages = [one for one in mail["messages"] if one["parts"][0]["part_id"] == message_id]
        return {**mail, "messages": messages, "message_count": len(mail["messages"])}

    def _names(self, part: dict[str, Any]) -> list[str | None]:
        mail, plan = self._mails[part["queue_id"]], part["plan"]
        message_id = mail.mail_message_id
        names = [str(part["queue_id"]), mail.mta_queue_id, message_id, message_id.strip("<>")]
        keys = [key for _, key in (part["key"], *part.get("former", [])) if key] if part["key"] else []
        return [
            *names,
            plan.public_id,
            plan.reference,
            *keys,
            *(one for key in keys for one in other_forms(key)),
        ]

    def _found(self, part: dict[str, Any], same: list[dict[str, Any]]) -> dict[str, Any]:
        mail, plan = self._mails[part["queue_id"]], part["plan"]
        return {
            "message_id": part["part_id"],
            "queue_id": part["queue_id"],
            "mta_queue_id": mail.mta_queue_id,
            "received_at": mail.received_at,
            "account": mail.account,
            "dialect": mail.dialect,
            "sender": mail.sender,
            "destination": plan.destination,
            "originator": plan.originator,
            "priority": plan.priority.name.lower(),
            "reference": plan.reference,
            "public_id": plan.public_id or None,
            "smsc": part["smsc"],
            "parts": part["total"],
            "states": dict(Counter(one["state"].value for one in same)),
        }
