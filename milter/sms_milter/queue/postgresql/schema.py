"""The tables of a PostgreSQL store, brought up to date while hosts with older and newer versions work.

What a version adds stands in `migrations/` and is added by the first process of that version that comes and
may do so: older versions go on beside it. What it makes superfluous stands in `migrations/after/` by the same
number and is removed when the operator says so, once no process of an older version is at work; none comes
back then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.raw_cursor import RawCursor

from sms_milter.errors import QueueUnavailable
from sms_milter.queue.postgresql.patient import PatientConnection

MOVING = 1_000_000  # `removed` from here on says that only `queue.postgresql.moving` may use the tables
USE = "hashtext('sms-milter use'), 0"  # the lock that all who use the tables share
# The lock that all processes of one version share; who removes what a version needs has it alone.
_VERSION = "hashtext('sms-milter version'), $1::integer"
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('sms-milter schema'), 0)"
_NAME = re.compile(r"(\d{4})_\w+\.sql")
# `added`: the newest version whose tables are there; `removed`: versions below do not find all of theirs.
_BOOK = """
CREATE TABLE IF NOT EXISTS schema_version (added integer NOT NULL, removed integer NOT NULL);
INSERT INTO schema_version SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM schema_version)
"""
# A script takes as long as it takes; but whoever wants a table behind it waits while it waits for the table.
_PATIENCE = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '3s'"
# Whether we may change the tables.
_OURS = """
SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('schema_version')
"""
_AT_WORK = """
SELECT DISTINCT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND objsubid = 2 AND objid < $1::bigint
    AND classid::bigint = (hashtext('sms-milter version')::bigint & 4294967295)
    AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY application_name
"""


@cache
def scripts(folder: str = "migrations") -> Mapping[int, str]:
    """What each version adds, or with `migrations/after` removes, by its number."""
    there = files("sms_milter.queue").joinpath("sql", "postgresql", *folder.split("/"))
    if not there.is_dir():
        return {}
    found = {match[1]: entry for entry in there.iterdir() if (match := _NAME.fullmatch(entry.name))}
    return {int(number): found[number].read_text("utf-8") for number in sorted(found)}


def leftovers() -> Mapping[int, str]:
    """What each version has removed in the end."""
    return scripts("migrations/after")


def version(added: Mapping[int, str] | None = None) -> int:
    """That of this program."""
    return max(scripts() if added is None else added)


def mark(connection: Connection[Any]) -> int:
    """`removed`, whatever it says; 0 where there are no tables yet."""
    return _versions(connection)[1]


def enter(connection: PatientConnection, added: Mapping[int, str] | None = None) -> None:
    """Work on these tables from now on, until the connection ends. Raises QueueUnavailable."""
    row = RawCursor(connection).execute(
        f"SELECT pg_try_advisory_lock_shared({_VERSION}), pg_try_advisory_lock_shared({USE})",
        [version(added)],
    )
    stays, unmoved = row.fetchone() or (False, False)
    if not unmoved:
        raise QueueUnavailable("in use by `sms-milter queue move`")
    if not stays:
        raise QueueUnavailable("what this version needs of the queue's tables is being removed")
    prepare(connection, added)


def prepare(connection: PatientConnection, added: Mapping[int, str] | None = None) -> list[int]:
    """Add what this version needs; the versions that were added now. Raises QueueUnavailable if a newer one
    has removed something of it, or if the role may not.
    """
    added = scripts() if added is None else added
    ours = version(added)
    done: list[int] = []
    before, removed = _versions(connection)
    if before < ours:
        try:
            with _changing(connection):
                _script(connection, _BOOK)
                for number in range(_versions(connection)[0] + 1, ours + 1):
                    _script(connection, added[number])
                    RawCursor(connection).execute("UPDATE schema_version SET added = $1", [number])
                    done.append(number)
        except psycopg.errors.InsufficientPrivilege as error:
            raise QueueUnavailable(
                f"{_too_old(before, ours)} ({error.diag.message_primary})",
            ) from error
        before, removed = _versions(connection)
    if why := _closed(removed, ours):
        raise QueueUnavailable(why)
    return done


def unfit(connection: Connection[Any], added: Mapping[int, str] | None = None) -> str:
    """Why this version cannot work with these tables, if it comes as they are; "" if it can."""
    before, removed = _versions(connection)
    ours = version(added)
    if before < ours and connection.execute(_OURS).fetchone() != (True,):
        return _too_old(before, ours)
    return _closed(removed, ours)


def _too_old(found: int, ours: int) -> str:
    those = f"of version {found}, not {ours}" if found else "not made yet"
    return f"the queue's tables are {those}: their owner must run `sms-milter queue migrate` first"


def _closed(removed: int, ours: int) -> str:
    if removed >= MOVING:
        return "closed by `sms-milter queue move`, which is to be begun again if it has not ended"
    return "the queue's tables belong to a newer version of this program" if removed > ours else ""


def remaining(connection: Connection[Any], after: Mapping[int, str] | None = None) -> list[int]:
    """The versions that have left something behind which only older ones need."""
    after = leftovers() if after is None else after
    added, removed = _versions(connection)
    return [number for number in after if removed < number <= added]


def at_work(connection: Connection[Any], below: int) -> list[str]:
    """Who works here with a version below that, as the server calls them: `sms-milter HOST`."""
    return [name for (name,) in RawCursor(connection).execute(_AT_WORK, [below])]


def remove(connection: PatientConnection, after: Mapping[int, str] | None = None) -> list[int]:
    """Remove what only older versions need, as an operator says; the versions whose leftovers went. It stops
    at the first that somebody still needs (`remaining`, `at_work`).
    """
    after = leftovers() if after is None else after
    done: list[int] = []
    with _changing(connection):
        for number in remaining(connection, after):
            if not all(_alone(connection, older) for older in range(1, number)):
                break
            _script(connection, after[number])
            RawCursor(connection).execute("UPDATE schema_version SET removed = $1", [number])
            done.append(number)
    return done


def _alone(connection: Connection[Any], number: int) -> bool:
    """Nobody has that version, and nobody comes with it until this transaction has ended."""
    row = RawCursor(connection).execute(f"SELECT pg_try_advisory_xact_lock({_VERSION})", [number])
    return row.fetchone() == (True,)


@contextmanager
def _changing(connection: PatientConnection) -> Iterator[None]:
    """A transaction in which nobody else changes the tables' versions."""
    with connection.unhurried(), connection.transaction():
        connection.execute(_LOCK)
        _script(connection, _PATIENCE)
        yield


def _versions(connection: Connection[Any]) -> tuple[int, int]:
    there = connection.execute("SELECT to_regclass('schema_version') IS NOT NULL").fetchone()
    if there != (True,):
        return 0, 0
    row = connection.execute("SELECT added, removed FROM schema_version").fetchone()
    assert row is not None
    return row[0], row[1]


def _script(connection: Connection[Any], script: str) -> None:
    """Several statements at once, which have no values."""
    connection.execute(script.encode())
