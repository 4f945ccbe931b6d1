"""The tests' own PostgreSQL (tests/support/postgres.py): starts, dies, recovers, leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from support.places import make_certificate, wait_until
from support.postgres import Postgres


def value(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return row[0]


def shared_memory() -> set[str]:
    listing = subprocess.run(["ipcs", "-m"], capture_output=True, text=True, check=True).stdout
    return {line.split()[1] for line in listing.splitlines() if line.startswith("0x")}


def segment_of(server: Postgres) -> str:
    """Its System V segment, by the id in the seventh line of its lock file."""
    return (server.folder / "data" / "postmaster.pid").read_text().splitlines()[6].split()[1]


def of_folder(folder: Path) -> set[int]:
    """The processes that work there."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.readlink(entry / "cwd").startswith(str(folder)):
                    found.add(int(entry.name))
            except OSError:
                continue
    return found


def test_databases_are_fresh_copies_of_a_template(postgres: Postgres) -> None:
    names = "SELECT count(*) FROM pg_database"
    before = value(postgres.url(), names)
    with postgres.database() as template:
        with postgres.connection(template) as connection:
            connection.execute("CREATE TABLE one (number integer); INSERT INTO one VALUES (1)")
        with postgres.database(template) as first, postgres.connection(first) as connection:
            connection.execute("INSERT INTO one VALUES (2)")
        with postgres.database(template) as second:
            assert value(postgres.url(second), "SELECT count(*) FROM one") == 1
    assert value(postgres.url(), names) == before


def test_the_server_does_not_run_as_root(postgres: Postgres) -> None:
    for pid in postgres.pids():
        assert Path(f"/proc/{pid}").stat().st_uid != 0


def test_other_users_need_their_password_on_the_loopback_port(postgres: Postgres) -> None:
    with postgres.connection() as connection:
        connection.execute("CREATE ROLE somebody LOGIN PASSWORD 'right'")
    try:
        assert value(postgres.url(user="somebody", password="right"), "SELECT current_user") == "somebody"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(postgres.url(user="somebody", password="wrong"))
    finally:
        with postgres.connection() as connection:
            connection.execute("DROP ROLE somebody")


def test_what_is_committed_survives_kill_9_and_nothing_stays_behind(tmp_path: Path) -> None:
    with Postgres(tls=make_certificate(tmp_path), settings={"work_mem": "5MB"}) as server:
        with server.connection() as connection:
            connection.execute("CREATE TABLE one (number integer); INSERT INTO one VALUES (1)")
            # Its own chores come and go.
            wait_until(lambda: of_folder(server.folder) == set(server.pids()), "its processes to be seen")
            segments = {segment_of(server)}
            assert segments <= shared_memory()
            server.kill()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        wait_until(lambda: not of_folder(server.folder), "what was killed to be gone")
        server.start()
        assert "was not properly shut down" in server.log
        assert value(server.url(), "SELECT count(*) FROM one") == 1
        assert value(server.url(), "SELECT current_setting('work_mem')") == "5MB"
        assert value(server.url(), "SELECT current_setting('ssl')") == "on"
        segments.add(segment_of(server))
        server.stop()
        server.start()
        segments.add(segment_of(server))
        assert value(server.url(), "SELECT count(*) FROM one") == 1
    wait_until(lambda: not of_folder(server.folder), "what was stopped to be gone")
    assert not server.folder.exists()
    assert not segments & shared_memory()
