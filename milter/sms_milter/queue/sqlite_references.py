"""Concatenation references on an SQLite store: counted from one originator to one destination."""

from __future__ import annotations

import random
import sqlite3

from sms_milter.queue.statements import statements

_SQL = statements("queries_intake.sql")


def next_reference(db: sqlite3.Connection, originator: str, destination: str, now: float) -> int:
    """The one after the last, 0..65535, remembered as used; `originator` in a form that can be stored."""
    row = db.execute(_SQL["find_reference"], (originator, destination)).fetchone()
    # A random start: a phone must not join parts of two gateways, or of before and after a new database.
    value = (row[0] + 1) % 65536 if row else random.randrange(65536)
    db.execute(_SQL["store_reference"], (originator, destination, value, now))
    return value
