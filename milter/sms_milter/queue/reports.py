"""What operators read. Never the text of a message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from sms_milter.model import UNHEARD, PartState, Priority
from sms_milter.queue.database import Database
from sms_milter.queue.states import NUMBER_OF, STATES

Of = Callable[[Sequence[dict[str, Any]]], dict[str, Any]]

_LIST_OF = {
    PartState.QUEUED: "list_queued",
    PartState.ACCEPTED: "list_common",
    PartState.DELIVERED: "list_common",
}


def list_parts(db: Database, states: Sequence[str], limit: int) -> list[dict[str, Any]]:
    """See `ports.OperatorQueue.list_parts`. Raises ValueError for a state that does not exist."""
    if not states:
        return [_readable(row) for row in _rows(db, "list_parts", limit)]
    ids: list[int] = []
    for state in {PartState(name) for name in states}:
        name = _LIST_OF.get(state, "list_notable")
        values = (limit,) if state is PartState.QUEUED else (NUMBER_OF[state], limit)
        ids += [row[0] for row in db.execute(name, values)]
    newest = db.listed(sorted(ids, reverse=True)[:limit])
    return [_readable(row) for row in _rows(db, "show_parts", newest)]


def span_of(db: Database, name: str) -> tuple[int, int] | None:
    """First and last part id of a mail, or a message, by its name (see `show_mail`)."""
    mail = _find_mail(db, name)
    return None if mail is None else _span(mail)


def span_of_message(db: Database, message_id: int) -> tuple[int, int] | None:
    """First and last part id of a message."""
    found = _rows(db, "message_mail", message_id)
    return _span(found[0]) if found else None


def _find_mail(db: Database, name: str) -> dict[str, Any] | None:
    found = _rows(db, "find_mail", int(name)) if name.isdecimal() and len(name) < 19 else []
    found = found or _rows(db, "find_mta_mail", name) or _rows(db, "find_public", name)
    return found[0] if found else None


def _span(mail: dict[str, Any]) -> tuple[int, int]:
    """Of the mail's parts, or of the one message that it was found by."""
    first: int = mail.pop("first", mail["queue_id"])
    return first, first + mail.pop("parts") - 1


def show_mail(db: Database, name: str) -> dict[str, Any] | None:
    """See `ports.OperatorQueue.show_mail`. A number is our queue id if we have it, else the MTA's."""
    mail = _find_mail(db, name)
    return None if mail is None else _shown(db, mail)


def show_message(db: Database, message_id: int) -> dict[str, Any] | None:
    """See `ports.OperatorQueue.show_message`."""
    found = _rows(db, "message_mail", message_id)
    return _shown(db, found[0]) if found else None


def _shown(db: Database, mail: dict[str, Any]) -> dict[str, Any]:
    span = _span(mail)
    parts = {row["part_id"]: {**_readable(row), "receipts": []} for row in _rows(db, "mail_parts", *span)}
    for row in _rows(db, "mail_receipts", *span):
        parts[row.pop("part_id")]["receipts"].append(_readable(row))
    messages = {
        row.pop("message_id"): {**_readable(row), "parts": []} for row in _rows(db, "mail_messages", *span)
    }
    for part_id, part in parts.items():
        messages[part_id - part["number"] + 1]["parts"].append(part)
    left_out = _rows(db, "mail_left_out", mail["queue_id"])
    return {**mail, "messages": list(messages.values()), "left_out": left_out}


def parked_receipts(db: Database, limit: int) -> list[dict[str, Any]]:
    """See `ports.OperatorQueue.parked_receipts`."""
    return _rows(db, "parked", limit)


def list_mobile(db: Database, limit: int) -> list[dict[str, Any]]:
    """See `ports.OperatorQueue.list_mobile`."""
    cursor = db.execute("list_mobile", (limit,))
    return [dict(zip((column[0] for column in cursor.description), row, strict=True)) for row in cursor]


def traced(db: Database, now: float) -> frozenset[str]:
    """See `ports.DispatchQueue.traced`."""
    return frozenset(row[0] for row in db.execute("traced", (now,)))


def summary(db: Database, now: float, *, backlog: bool) -> dict[str, Any]:
    """See `ports.OperatorQueue.summary`."""
    waiting = _rows(db, "backlog", now) if backlog else []
    for row in waiting:
        row["oldest_seconds"] = max(0.0, now - row.pop("first_due_at"))
    return {
        "parts": _rows(db, "count_all")[0],
        "backlog": [_readable(row) for row in waiting],
        "parked_receipts": db.execute("count_parked").fetchone()[0],
        "reports_waiting": db.execute("count_reports").fetchone()[0],
        "mobile_waiting": db.execute("count_mobile").fetchone()[0],
        "dispatchers": _rows(db, "dispatchers"),
        "smscs": told(_rows(db, "loads"), now, "limited_by", "smsc", of_all=of_smsc),
        "links": told(_rows(db, "links"), now, "state", "smsc", "bind"),
    }


def told(
    rows: Sequence[dict[str, Any]], now: float, state: str, *names: str, of_all: Of = itemgetter(-1)
) -> list[dict[str, Any]]:
    """What living dispatchers report: `of_all` that report of the same, the latest last. What none of them
    does, as it was heard last: `stale`, and its `state` not known. `names` are what a row is about;
    `alive_until` goes.
    """
    living: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    silent: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in sorted(rows, key=itemgetter("reported_at")):
        until = row.pop("alive_until")
        row["stale"] = until is None or until <= now
        about = tuple([row[name] for name in names])
        if row["stale"]:
            row[state] = UNHEARD
            silent[about] = row
        else:
            living.setdefault(about, []).append(row)
    believed = silent | {about: of_all(those) for about, those in living.items()}
    return [believed[about] for about in sorted(believed)]


def of_smsc(loads: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What several dispatchers say of one SMSC: rates and windows are sums, and it is limited by what limits
    the one that sends most.
    """
    bound = [load for load in loads if load["window"]] or loads
    busiest = max(bound, key=itemgetter("sent_per_second"))
    rates = [load["rate"] for load in bound]
    rate = sum(rates) if all(rates) else 0.0
    contract = busiest["contract_rate"]
    latest = {
        name: max((load[name] for load in loads if load[name] is not None), default=None)
        for name in ("response_p95_ms", "throttled_at", "reported_at")
    }
    return {
        **busiest,
        **latest,
        "sent_per_second": round(sum(load["sent_per_second"] for load in loads), 1),
        "rate": round(min(rate, contract) if contract else rate, 1),
        "window": sum(load["window"] for load in loads),
        "window_used": sum(load["window_used"] for load in loads),
    }


def _rows(db: Database, name: str, *values: Any) -> list[dict[str, Any]]:
    cursor = db.execute(name, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """States and priorities by name, flags as booleans."""
    if row.get("state") is not None:
        row["state"] = STATES[row["state"]].value
    if "priority" in row:
        row["priority"] = Priority(row["priority"]).name.lower()
    for flag in ("flash", "receipt"):
        if flag in row:
            row[flag] = bool(row[flag])
    return row
