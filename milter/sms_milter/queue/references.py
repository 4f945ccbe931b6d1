"""Concatenation references: counted from one originator to one destination."""

from __future__ import annotations

import random

from sms_milter.queue.database import Database


def next_reference(db: Database, originator: str, destination: str, now: float) -> int:
    """The one after the last, 0..65535, remembered as used; `originator` in a form that can be stored."""
    row = (originator, destination, first_reference(), now)
    value: int = db.execute("next_reference", row).fetchone()[0]
    return value


def first_reference() -> int:
    """A random start: a phone must not join parts of two gateways, or of before and after a new database."""
    return random.randrange(65536)
