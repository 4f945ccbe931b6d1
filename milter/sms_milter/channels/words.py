"""How the log tells of errands and call-backs: one line each, found by the MTA's queue id."""

from __future__ import annotations

from sms_milter.logline import Numbers, clean, line
from sms_milter.model import LeasedPart, Settled


def errand(part: LeasedPart, outlet: str, now: float, status: str, numbers: Numbers) -> str:
    """What happened to an errand."""
    return line(
        part.mta_queue_id,
        to=numbers.shown(part.destination),
        queue=part.queue_id,
        part=f"{part.number}/{part.total}",
        outlet=outlet,
        delay=f"{now - part.received_at:.2f}",
        status=status,
    )


def settlement(settled: Settled, numbers: Numbers) -> str:
    """A call-back that found its part."""
    news = settled.receipt
    word = news.state.value if news.state else "pending"
    known = "" if settled.changed else ", already known"
    return line(
        settled.mta_queue_id,
        to=numbers.shown(settled.destination),
        queue=settled.queue_id,
        part=f"{settled.number}/{settled.total}",
        outlet=news.smsc,
        id=clean(news.smsc_message_id),
        status=f"{word} (err={clean(news.error)}){known}",
    )
