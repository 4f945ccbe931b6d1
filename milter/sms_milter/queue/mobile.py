"""Messages from phones: their parts in whatever order, and whom nobody has told yet."""

from __future__ import annotations

from collections.abc import Sequence

from sms_milter.model import Conversation, Heard, MobileMessage, MobilePart
from sms_milter.queue.database import Database

_WAIT_SECONDS = 3600.0  # for the missing parts of a message


def listen(db: Database, parts: Sequence[MobilePart]) -> list[Heard]:
    """See `ports.Work.listen`."""
    return [_listen(db, part) for part in parts]


def due(db: Database, now: float, limit: int) -> list[MobileMessage]:
    """See `ports.MobileQueue.due_mobile`."""
    found = []
    for mobile_id, smsc, source, destination, alphabet, total, at in db.execute("due_mobile", (now, limit)):
        contents = dict(db.execute("mobile_contents", (mobile_id,)))
        parts = tuple(contents.get(number) for number in range(1, total + 1))
        found.append(MobileMessage(mobile_id, smsc, source, destination, alphabet, parts, at))
    return found


def conversations(db: Database, phone: str, limit: int) -> list[Conversation]:
    """See `ports.MobileQueue.conversations`."""
    return [Conversation(*row) for row in db.execute("conversations", (phone, limit))]


def told(db: Database, mobile_ids: Sequence[int], now: float) -> None:
    """Take them off the list; see `ports.MobileQueue.mobile_told`."""
    db.many("mobile_told", [(now, mobile_id) for mobile_id in mobile_ids])


def forget(db: Database, before: float, limit: int) -> None:
    """Drop some messages that came before a time, told or not."""
    db.execute("forget_mobile_parts", (before, limit))
    db.execute("forget_mobile", (before, limit))


def _listen(db: Database, part: MobilePart) -> Heard:
    if part.total == 1:
        return _begin(db, part)
    key = (
        part.source,
        part.destination,
        part.smsc,
        part.width,
        part.reference,
        part.total,
        part.at - _WAIT_SECONDS,
    )
    row = db.execute("find_mobile", (*key,)).fetchone()
    if row is None:
        return _begin(db, part)
    mobile_id, arrived = row
    known = db.execute("mobile_content", (mobile_id, part.number)).fetchone()
    if known is not None:
        # The SMSC did not hear our response; or the phone has come round to a reference it used before.
        return Heard(mobile_id, part, arrived, repeat=True) if known[0] == part.content else _begin(db, part)
    db.execute("insert_mobile_part", (mobile_id, part.number, part.content))
    arrived += 1
    db.execute("mobile_grown", (arrived, arrived == part.total, part.at, mobile_id))
    return Heard(mobile_id, part, arrived)


def _begin(db: Database, part: MobilePart) -> Heard:
    due_at = part.at if part.total == 1 else part.at + _WAIT_SECONDS
    identity = (part.smsc, part.source, part.destination, part.alphabet)
    place = (part.width, part.reference, part.total, part.at, due_at)
    mobile_id: int = db.execute("insert_mobile", (*identity, *place)).fetchone()[0]
    db.execute("insert_mobile_part", (mobile_id, part.number, part.content))
    return Heard(mobile_id, part, 1)
