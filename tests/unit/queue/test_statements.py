"""SQL comes from .sql files, by name."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import sms_milter.queue
from sms_milter.queue.statements import migrations, statements

QUEUE = Path(sms_milter.queue.__file__).parent
FOLDER = QUEUE / "sql" / "sqlite"


def test_every_statement_has_a_purpose_and_runs_on_the_newest_schema() -> None:
    connection = sqlite3.connect(":memory:")
    for script in migrations("sqlite"):
        connection.executescript(script)
    sql = statements("sqlite")
    for file in FOLDER.glob("*.sql"):
        pieces = re.split(r"^-- (\w+) --$", file.read_text(), flags=re.MULTILINE)
        for name, text in zip(pieces[1::2], pieces[2::2], strict=True):
            assert text.startswith("\n-- "), f"{name} has no purpose"
            connection.execute("EXPLAIN " + sql[name], _nothing(sql[name]))
    connection.close()


def _nothing(sql: str) -> dict[str, None] | list[None]:
    named = re.findall(r":([a-z_]+)", sql)
    numbered = [int(number) for number in re.findall(r"\?(\d)", sql)]
    return dict.fromkeys(named) if named else [None] * max([sql.count("?") - len(numbered), *numbered])


def test_every_statement_is_used() -> None:
    code = "".join(path.read_text() for path in QUEUE.rglob("*.py"))
    built = {f"record_{state}" for state in ("accepted", "queued", "uncertain", "failed")}
    unused = {name for name in statements("sqlite") if f'"{name}"' not in code} - built
    assert not unused


def test_migrations_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in (FOLDER / "migrations").glob("*.sql"))
    assert numbers == list(range(1, len(migrations("sqlite")) + 1))
