"""Short ways to write mails, outcomes and receipts in tests of a queue; times are around `NOW`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sms_milter.model import (
    ComposedPart,
    Limits,
    NewMail,
    NewMessage,
    Outcome,
    PartState,
    PlannedMessage,
    QuotaRule,
    ReceiptNews,
    Reference,
)

NOW = 1_000_000.0
DAY = 86400.0


def message(
    destination: str = "447973100000",
    *,
    parts: int = 1,
    smsc: str = "main",
    expires_at: float | None = None,
    price: int = 0,
    likeness: bytes = b"",
    form: str = "",
    **plan: Any,
) -> NewMessage:
    """A message of `parts` parts with bodies `destination/1`, `destination/2`, …; a day valid if not said."""
    if expires_at is None:
        expires_at = (plan.get("not_before") or NOW) + (plan.get("validity_seconds") or DAY)
    planned = PlannedMessage(
        destination=destination,
        originator=plan.pop("originator", "ACME"),
        text=plan.pop("text", "secret words"),
        parts=(),
        smsc=smsc,
        receipt=plan.pop("receipt", True),
        **plan,
    )
    bodies = tuple(ComposedPart(f"{destination}/{number}".encode()) for number in range(1, parts + 1))
    return NewMessage(planned, bodies, expires_at, price, form=form, likeness=likeness)


def concatenated(destination: str, *, originator: str = "ACME", width: int = 2) -> NewMessage:
    """A message of two parts whose bodies are nothing but the reference and a letter."""
    plan = PlannedMessage(destination, originator, "", (), smsc="main", concatenation=Reference(0, width))
    bodies = (b"a", b"b")
    return NewMessage(plan, tuple(ComposedPart(bytes(width) + body, 0, width) for body in bodies), NOW + DAY)


def mail(
    *messages: NewMessage,
    at: float = NOW,
    mta_queue_id: str = "4ABC",
    fingerprint: bytes | None = None,
    limits: Limits | None = None,
    quota: QuotaRule | None = None,
    identity: bytes = b"",
    account: str = "acme",
    sender: str = "alerts@acme.example",
) -> NewMail:
    """A mail; of one message with one part unless told otherwise."""
    return NewMail(
        messages=messages or (message(),),
        received_at=at,
        account=account,
        dialect="hsl",
        sender=sender,
        client="192.0.2.1",
        mta_queue_id=mta_queue_id,
        mail_message_id="<1@acme.example>",
        fingerprint=fingerprint,
        limits=limits or (quota and Limits(quota)),
        identity=identity,
    )


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
