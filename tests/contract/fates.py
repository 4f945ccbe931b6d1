"""Short ways to let a queue's parts meet their fate: leased, recorded, settled, expired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contract.builders import NOW
from sms_milter.model import Outcome, PartState, ReceiptNews


def accepted(part_id: int, key: str, at: float = NOW) -> Outcome:
    """The SMSC took the part and calls it `key`."""
    return Outcome(part_id, PartState.ACCEPTED, at, smsc_message_id=key.upper(), smsc_key=key)


def queued(part_id: int, due_at: float, **fields: Any) -> Outcome:
    """The part is to be tried again."""
    return Outcome(part_id, PartState.QUEUED, NOW, due_at=due_at, why="throttled", **fields)


def failed(part_id: int, at: float = NOW) -> Outcome:
    """The SMSC refused the part for good."""
    return Outcome(part_id, PartState.FAILED, at, command_status=0x0B, why="invalid destination")


def uncertain(part_id: int, at: float = NOW) -> Outcome:
    """No response came."""
    return Outcome(part_id, PartState.UNCERTAIN, at, why="no response within 60 s")


def receipt(
    key: str,
    state: PartState | None = PartState.DELIVERED,
    *,
    stat: str = "DELIVRD",
    source: str = "447973100000",
    smsc: str = "main",
    at: float = NOW,
) -> ReceiptNews:
    """A receipt for what `smsc` calls `key`."""
    return ReceiptNews(smsc, key.upper(), key, source, stat, "000", state, None, at)


def lease(
    queue: Any, count: int = 10, *, now: float = NOW, smsc: str = "main", first: int = 1
) -> Sequence[Any]:
    """One transaction that takes parts on bind `b1` with sequence numbers from `first` on."""
    with queue.transaction() as work:
        parts: Sequence[Any] = work.lease(smsc, "b1", range(first, first + count), now)
    return parts


def record(queue: Any, *outcomes: Outcome) -> Sequence[Any]:
    """One transaction that records."""
    with queue.transaction() as work:
        settled: Sequence[Any] = work.record(outcomes)
    return settled


def settle(queue: Any, *receipts: ReceiptNews) -> Sequence[Any]:
    """One transaction that settles."""
    with queue.transaction() as work:
        settled: Sequence[Any] = work.settle(receipts)
    return settled


def expire(queue: Any, now: float) -> Sequence[Any]:
    """One transaction that expires."""
    with queue.transaction() as work:
        parts: Sequence[Any] = work.expire(now)
    return parts


def states(queue: Any) -> list[str]:
    """The states of all parts, oldest part first."""
    return [part["state"] for part in reversed(queue.list_parts())]
