"""SQL comes from .sql files, by name, and every store has the same names for the same things."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

import sms_milter.queue
from sms_milter.queue.postgresql import schema
from sms_milter.queue.postgresql.database import compiled
from sms_milter.queue.postgresql.server import PostgresqlServer
from sms_milter.queue.statements import migrations, statements
from support.postgres import Postgres

QUEUE = Path(sms_milter.queue.__file__).parent
STORES = ("sqlite", "postgresql")
BUILT = {f"record_{state}" for state in ("accepted", "queued", "uncertain", "failed")}


def code(*folders: str) -> str:
    """What is written in the rooms that all stores share, and in these."""
    files = [*QUEUE.glob("*.py"), *(path for folder in folders for path in (QUEUE / folder).glob("*.py"))]
    return "".join(path.read_text() for path in files)


@pytest.mark.parametrize("store", STORES)
def test_every_statement_has_a_purpose(store: str) -> None:
    for file in (QUEUE / "sql" / store).glob("*.sql"):
        pieces = re.split(r"^-- (\w+) --$", file.read_text(), flags=re.MULTILINE)
        for name, text in zip(pieces[1::2], pieces[2::2], strict=True):
            assert text.startswith("\n-- "), f"{name} has no purpose"


@pytest.mark.parametrize("store", STORES)
def test_every_statement_is_used(store: str) -> None:
    used = code(store)
    assert not {name for name in statements(store) if f'"{name}"' not in used} - BUILT


def test_the_rooms_find_all_of_their_statements_in_every_store() -> None:
    shared = code()
    ours, theirs = (set(statements(store)) for store in STORES)
    assert {name for name in ours ^ theirs if f'"{name}"' in shared} == set()


def test_every_statement_runs_on_the_newest_sqlite_schema() -> None:
    connection = sqlite3.connect(":memory:")
    for script in migrations("sqlite"):
        connection.executescript(script)
    for sql in statements("sqlite").values():
        connection.execute("EXPLAIN " + sql, _nothing(sql))
    connection.close()


def _nothing(sql: str) -> dict[str, None] | list[None]:
    named = re.findall(r":([a-z_]+)", sql)
    numbered = [int(number) for number in re.findall(r"\?(\d)", sql)]
    return dict.fromkeys(named) if named else [None] * max([sql.count("?") - len(numbered), *numbered])


def test_every_statement_can_be_prepared_on_the_newest_postgresql_schema(
    postgres: Postgres, database: str
) -> None:
    with PostgresqlServer(postgres.url(database), "tests").connect() as connection:
        schema.prepare(connection)
        for name, statement in compiled().items():
            connection.execute(f"PREPARE {name} AS {statement.sql}".encode())


def test_migrations_are_numbered_without_gaps() -> None:
    for numbers in (schema.scripts(), range(1, len(migrations("sqlite")) + 1)):
        assert list(numbers) == list(range(1, len(numbers) + 1))
    files = (QUEUE / "sql" / "sqlite" / "migrations").glob("*.sql")
    assert sorted(int(path.name[:4]) for path in files) == list(range(1, len(migrations("sqlite")) + 1))
