"""The tables of a PostgreSQL store, brought up to date while hosts with older and newer versions work.

What a version adds stands in `migrations/` and is added by the first process of that version that comes:
older versions go on beside it. What it makes superfluous stands in `migrations/after/` by the same number and
is removed when the operator says that no older version will come back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from psycopg import Connection
from psycopg.raw_cursor import RawCursor

from sms_milter.errors import QueueUnavailable

MOVING = 1_000_000  # `removed` from here on says that only `queue.postgresql.moving` may use the tables
USE = "hashtext('sms-milter use'), 0"  # the lock that all who use the tables share
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('sms-milter schema'), 0)"
_NAME = re.compile(r"(\d{4})_\w+\.sql")
# `added`: the newest version whose tables are there; `removed`: versions below do not find all of theirs.
_BOOK = """
CREATE TABLE IF NOT EXISTS schema_version (added integer NOT NULL, removed integer NOT NULL);
INSERT INTO schema_version SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM schema_version)
"""


@cache
def scripts(folder: str = "migrations") -> Mapping[int, str]:
    """What each version adds, or with `migrations/after` removes, by its number."""
    there = files("sms_milter.queue").joinpath("sql", "postgresql", *folder.split("/"))
    if not there.is_dir():
        return {}
    found = {match[1]: entry for entry in there.iterdir() if (match := _NAME.fullmatch(entry.name))}
    return {int(number): found[number].read_text("utf-8") for number in sorted(found)}


def version(added: Mapping[int, str] | None = None) -> int:
    """That of this program."""
    return max(scripts() if added is None else added)


def mark(connection: Connection[Any]) -> int:
    """`removed`, whatever it says; 0 where there are no tables yet."""
    there = connection.execute("SELECT to_regclass('schema_version') IS NOT NULL").fetchone()
    return _versions(connection)[1] if there and there[0] else 0


def prepare(connection: Connection[Any], added: Mapping[int, str] | None = None) -> None:
    """Add what this version needs. Raises QueueUnavailable if a newer one has removed something of it."""
    added = scripts() if added is None else added
    ours = version(added)
    there = connection.execute("SELECT to_regclass('schema_version') IS NOT NULL").fetchone()
    found = _versions(connection) if there and there[0] else (0, 0)
    if found[0] < ours:
        with connection.transaction():
            connection.execute(_LOCK)
            _script(connection, _BOOK)
            for number in range(_versions(connection)[0] + 1, ours + 1):
                _script(connection, added[number])
                RawCursor(connection).execute("UPDATE schema_version SET added = $1", [number])
        found = _versions(connection)
    if found[1] >= MOVING:
        raise QueueUnavailable(
            "closed by `sms-milter queue move`, which is to be begun again if it has not ended"
        )
    if found[1] > ours:
        raise QueueUnavailable("the queue's tables belong to a newer version of this program")


def remove(connection: Connection[Any], after: Mapping[int, str] | None = None) -> list[int]:
    """Remove what only older versions need, as an operator says; the versions whose leftovers went."""
    after = scripts("migrations/after") if after is None else after
    done = []
    with connection.transaction():
        connection.execute(_LOCK)
        added, removed = _versions(connection)
        for number in range(removed + 1, added + 1):
            if number in after:
                _script(connection, after[number])
                RawCursor(connection).execute("UPDATE schema_version SET removed = $1", [number])
                done.append(number)
    return done


def _versions(connection: Connection[Any]) -> tuple[int, int]:
    row = connection.execute("SELECT added, removed FROM schema_version").fetchone()
    assert row is not None
    return row[0], row[1]


def _script(connection: Connection[Any], script: str) -> None:
    """Several statements at once, which have no values."""
    connection.execute(script.encode())
