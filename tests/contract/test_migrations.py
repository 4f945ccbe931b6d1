"""A version's tables come before it and an older version's go after that, while hosts work: the real tables,
and a next version of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from contract.builders import NOW, mail
from sms_milter.cli import app
from sms_milter.errors import QueueUnavailable
from sms_milter.queue.postgresql import PostgresqlQueue, schema, tables
from sms_milter.queue.postgresql.server import PostgresqlServer
from sms_milter.queue.postgresql.tables import PostgresqlTables
from support.places import ROOT
from support.postgres import Postgres
from support.postgres_roles import MONITOR, OWNER, run_script, url_of

OURS = schema.version()
NEXT = OURS + 1
ADDED = {
    **schema.scripts(),
    NEXT: """
        ALTER TABLE mail ADD COLUMN colour text NOT NULL DEFAULT 'blue';
        CREATE TABLE colour (name text PRIMARY KEY);
        CREATE INDEX mail_colour ON mail (colour);
    """,
}
AFTER = {**schema.leftovers(), NEXT: "DROP TABLE trace; ALTER TABLE mail DROP COLUMN client"}
# An older version at work: a mail again and again until somebody closes its standard input.
OLDER = """
import os, select, sys
from contract.builders import NOW, mail
from sms_milter.queue.postgresql import PostgresqlQueue
queue = PostgresqlQueue(sys.argv[1], owner="older")
while not select.select([0], [], [], 0.02)[0]:
    queue.put([mail()], NOW)
    os.write(1, b".")
"""


@pytest.fixture
def database(postgres: Postgres, granted: str) -> Iterator[str]:
    with postgres.database(granted) as name:
        with postgres.connection() as connection:
            connection.execute(f"ALTER DATABASE {name} OWNER TO {OWNER}".encode())
        yield name


@pytest.fixture
def owners(postgres: Postgres, database: str) -> str:
    return url_of(postgres, database, OWNER)


def the_next(url: str) -> PostgresqlTables:
    return PostgresqlTables(url, added=ADDED, after=AFTER)


def columns(url: str, table: str) -> set[str]:
    question = "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
    with psycopg.connect(url) as connection:
        return {name for (name,) in connection.execute(question, (table,))}


class Older:
    """A host with an older version, which stores mails."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> Older:
        self._process = subprocess.Popen(
            [sys.executable, "-c", OLDER, self._url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'tests'}:{ROOT / 'milter'}"},
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def goes_on(self) -> None:
        """Two more mails are stored: the first may have been under way."""
        assert self._process.stdout is not None
        assert [self._process.stdout.read(1) for _ in range(2)] == [b".", b"."]

    def end(self) -> None:
        """As it should: nothing has gone wrong in it."""
        _, complaint = self._process.communicate()
        assert (self._process.returncode, complaint) == (0, b"")


def test_an_older_version_works_on_until_it_is_gone(postgres: Postgres, database: str, owners: str) -> None:
    newer = the_next(owners)
    with Older(url_of(postgres, database, "intake")) as older:
        older.goes_on()
        assert newer.add() == [NEXT]
        assert "colour" in columns(owners, "mail")
        older.goes_on()
        assert newer.remaining() == [NEXT]
        assert newer.remove() == []
        assert newer.in_the_way() == ["sms-milter older"]
        older.goes_on()
        older.end()
    assert newer.remove() == [NEXT]
    assert (newer.remaining(), newer.in_the_way()) == ([], [])
    assert "client" not in columns(owners, "mail")
    late = PostgresqlQueue(url_of(postgres, database, "intake"))
    with pytest.raises(QueueUnavailable, match="belong to a newer version"):
        late.put([mail()], NOW)
    late.close()


def test_none_comes_back_while_what_it_needs_goes(owners: str) -> None:
    """Whoever comes in that moment finds all of its tables, or is refused."""
    newer = the_next(owners)
    newer.add()
    went_on: list[object] = []
    with PostgresqlServer(owners, "owner").connect() as connection, connection.transaction():
        assert schema.remove(connection, AFTER) == [NEXT]  # not committed yet
        late = PostgresqlQueue(owners)
        with pytest.raises(QueueUnavailable, match="is being removed"):
            late.put([mail()], NOW)
        late.close()
        fresh = PostgresqlServer(owners, "fresh", scripts=ADDED)
        with fresh.reading() as looking:
            went_on.append(looking.execute("SELECT 1").fetchone())
        fresh.close()
    assert went_on == [(1,)]


def at_once(deed: Callable[[], Any], times: int = 4) -> list[Any]:
    """What each of several hosts gets that begin at the same time."""
    start = threading.Barrier(times)

    def do(_: int) -> Any:
        start.wait(10)
        return deed()

    with ThreadPoolExecutor(times) as hosts:
        return list(hosts.map(do, range(times)))


def test_of_several_hosts_one_applies_each(owners: str) -> None:
    added = at_once(lambda: the_next(owners).add())
    assert sorted(added) == [[], [], [], [NEXT]]
    removed = at_once(lambda: the_next(owners).remove())
    assert sorted(removed) == [[], [], [], [NEXT]]


def test_a_busy_table_is_waited_for(postgres: Postgres, database: str, owners: str) -> None:
    """Whoever has it for longer than a lock is waited for delays the migration only."""
    busy = threading.Event()

    def work() -> None:
        with postgres.connection(database) as connection, connection.transaction():
            connection.execute("LOCK TABLE mail IN ROW EXCLUSIVE MODE")
            busy.set()
            connection.execute("SELECT pg_sleep(4)")

    with ThreadPoolExecutor(1) as others:
        done = others.submit(work)
        assert busy.wait(10)
        assert the_next(owners).add() == [NEXT]
        done.result()


def test_what_the_roles_may_do_is_kept(postgres: Postgres, database: str, owners: str) -> None:
    def work() -> None:
        for group in ("intake", "dispatch", "operator", MONITOR):
            queue = PostgresqlQueue(url_of(postgres, database, group))
            if group == "intake":
                queue.put([mail()], NOW)
            elif group == "dispatch":
                with queue.transaction() as parts:
                    parts.lease("main", "b", range(1, 9), NOW)
            else:
                queue.list_parts()
            queue.close()

    newer = the_next(owners)
    newer.add()
    work()
    run_script(owners, "grants.sql")
    work()
    before = rights(owners)
    assert newer.remove() == [NEXT]
    gone = {table for _, table, _ in before - rights(owners)}
    assert gone == {"trace", "trace.smsc", "trace.until", "mail.client"}


def rights(url: str) -> set[tuple[str, str, str]]:
    """Who may do what with which table or column."""
    with psycopg.connect(url) as connection:
        return set(
            connection.execute(
                "SELECT grantee::text, table_name::text, privilege_type::text"
                " FROM information_schema.table_privileges UNION ALL SELECT grantee::text,"
                " table_name || '.' || column_name, privilege_type::text FROM"
                " information_schema.column_privileges WHERE table_schema = 'public'"
            ).fetchall()
        )


def test_the_command_waits_for_older_versions(
    postgres: Postgres, database: str, owners: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()

    class Watched(PostgresqlTables):
        def in_the_way(self) -> list[str]:
            found = super().in_the_way()
            asked.set()
            return found

    monkeypatch.setattr(tables, "PostgresqlTables", partial(Watched, added=ADDED, after=AFTER))
    file = tmp_path / "owner.yaml"
    file.write_text(f'queue: "{owners}"\n')
    command = ["queue", "migrate", "--config", str(file)]

    def run(*more: str) -> str:
        result = CliRunner().invoke(app, [*command, *more])
        assert result.exit_code == 0, result.output
        return result.output

    with Older(url_of(postgres, database, "intake")) as older:
        older.goes_on()
        assert f"version {NEXT} added; next, as the owner too: grants.sql" in run()
        assert f"need what version {NEXT} did away with (now at work: sms-milter older)" in run()
        with ThreadPoolExecutor(1) as operator:
            asked.clear()
            finished = operator.submit(run, "--finish")
            assert asked.wait(20)
            older.goes_on()
            assert not finished.done()
            older.end()
            said = finished.result(20)
    assert f"up to date, version {NEXT}" in said
    assert "waiting for sms-milter older" in said
    assert f"what version {NEXT} did away with is removed" in said
    assert "nothing is left to remove" in run("--finish")


def test_a_host_can_ask_whether_it_may_come(
    postgres: Postgres,
    database: str,
    owners: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "sms-milter.yaml"

    def asked(url: str) -> tuple[int, str]:
        file.write_text(f'queue: "{url}"\n')
        result = CliRunner().invoke(app, ["queue", "migrate", "--check", "--config", str(file)])
        return result.exit_code, result.output

    hosts = url_of(postgres, database, "intake")
    assert asked(hosts)[0] == 0
    monkeypatch.setattr(tables, "PostgresqlTables", partial(PostgresqlTables, added=ADDED, after=AFTER))
    code, said = asked(hosts)
    assert (code, f"of version {OURS}, not {NEXT}: their owner must run" in said) == (69, True)
    assert asked(owners)[0] == 0, "it would bring them up to date"
    assert the_next(owners).add() == [NEXT]
    assert asked(hosts)[0] == 0
    assert the_next(owners).remove() == [NEXT]
    monkeypatch.setattr(tables, "PostgresqlTables", PostgresqlTables)
    code, said = asked(hosts)
    assert (code, "belong to a newer version" in said) == (69, True)
    assert asked("postgresql://a@127.0.0.1:1/sms")[0] == 75


def test_a_file_needs_no_such_command(tmp_path: Path) -> None:
    file = tmp_path / "sms-milter.yaml"
    file.write_text(f"queue: sqlite:{tmp_path}/queue.db\n")
    result = CliRunner().invoke(app, ["queue", "migrate", "--config", str(file)])
    assert (result.exit_code, "nothing to do" in result.output) == (0, True)
