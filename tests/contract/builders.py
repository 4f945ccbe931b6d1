"""Short ways to write mails in tests of a queue; times are around `NOW`."""

from __future__ import annotations

from typing import Any

from sms_milter.model import (
    ComposedPart,
    Limits,
    NewMail,
    NewMessage,
    PlannedMessage,
    QuotaRule,
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
