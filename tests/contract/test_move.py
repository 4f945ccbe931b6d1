"""Everything in a queue goes into another one (queue.move), whatever the stores and whoever is killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from contract.builders import NOW, mail, message
from sms_milter.config.values import QueueUrl, parse_queue_url
from sms_milter.errors import QueueError, QueueUnavailable
from sms_milter.model import CreditRule, Stored
from sms_milter.queue.move import STAYS, TABLES, give_up, move, read, written
from sms_milter.queue.moving import new_queue, old_queue
from sms_milter.queue.postgresql import PostgresqlQueue
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.queue.statements import migrations
from support.places import wait_until
from support.postgres import Postgres

ROWS = 3  # of each table
Content = dict[str, list[tuple[Any, ...]]]
# What PostgreSQL's tables have besides: numbers of rows, and what hosts must know of each other.
MORE = {
    *(("request", "id"), ("failed_login", "id"), ("left_out", "id")),
    *(("reference", "taken"), ("part", "owner"), ("flow", "folded")),
}


def open_queue(url: QueueUrl) -> Any:
    return SqliteQueue(url.path) if url.kind == "sqlite" else PostgresqlQueue(url.dsn)


class Places:
    """Makes queues of either store."""

    def __init__(self, postgres: Postgres, folder: Path, stack: ExitStack) -> None:
        self._postgres, self._folder, self._stack = postgres, folder, stack
        self._count = 0
        self._template = ""
        self._names: dict[QueueUrl, str] = {}

    def empty(self, kind: str, template: str = "template1") -> QueueUrl:
        """A new one, not used yet."""
        self._count += 1
        if kind == "sqlite":
            return parse_queue_url(f"sqlite:{self._folder}/queue{self._count}.db")
        database = self._stack.enter_context(self._postgres.database(template))
        url = parse_queue_url(self._postgres.url(database))
        self._names[url] = database
        return url

    def filled(self, kind: str) -> QueueUrl:
        """One with rows in every table that moves."""
        filled = self._folder / "filled.db"
        if not filled.exists():
            fill(filled)
        if kind == "sqlite":
            url = self.empty(kind)
            Path(url.path).write_bytes(filled.read_bytes())
            return url
        if not self._template:  # the way back is tried with what has come by the way there
            first, there = self.filled("sqlite"), self.empty(kind)
            run(first, there)
            self._template = self._names[there]
        return self.empty(kind, self._template)


def fill(path: Path) -> None:
    queue = open_queue(parse_queue_url(f"sqlite:{path}"))
    queue.balances()
    queue.close()
    with sqlite3.connect(path) as db:
        for table in TABLES:
            columns = [(name, kind) for _, name, kind, *_ in db.execute(f"PRAGMA table_info({table})")]
            for row in range(ROWS):
                content = [value(name, kind, row, place) for place, (name, kind) in enumerate(columns)]
                db.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(content))})", content)
        db.execute("UPDATE counter SET last_id = 4711, queued = 1, submitting = 1, accepted = 1")
    db.close()


def value(name: str, kind: str, row: int, place: int) -> Any:
    """Something else in each row and column."""
    if name in ("flash", "receipt", "is_url"):
        return row % 2
    if name == "state":
        return row
    number = row * 100 + place + 1
    octets = bytes([number % 256, 0, 255])
    return {"INTEGER": number, "REAL": number + 0.1, "TEXT": f"ä'\\{number}\t\n", "BLOB": octets}[kind]


def everything(url: QueueUrl) -> Content:
    """What the tables of a queue hold, in the columns that SQLite's have."""
    if url.kind == "sqlite":
        db = sqlite3.connect(url.path)
        found = {table: rows(db.execute(f"SELECT * FROM {table}")) for table in TABLES}
        db.close()
        return found
    with psycopg.connect(url.dsn) as connection:
        return {
            table: rows(
                connection.execute(
                    sql.SQL("SELECT {} FROM {}").format(
                        sql.SQL(", ").join(map(sql.Identifier, columns_of_sqlite(table))),
                        sql.Identifier(table),
                    )
                )
            )
            for table in TABLES
        }


def rows(found: Any) -> list[tuple[Any, ...]]:
    return sorted(
        (tuple(int(one) if isinstance(one, bool) else one for one in row) for row in found), key=repr
    )


@cache
def columns_of_sqlite(table: str) -> Sequence[str]:
    """As its migrations make them."""
    with sqlite3.connect(":memory:") as db:
        for script in migrations("sqlite"):
            db.executescript(script)
        columns = [name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")]
    db.close()
    return columns


@pytest.fixture(params=["sqlite to sqlite", "sqlite to postgresql", "postgresql to sqlite"])
def kinds(request: pytest.FixtureRequest) -> tuple[str, str]:
    old, _, new = request.param.partition(" to ")
    return old, new


@pytest.fixture
def places(postgres: Postgres, tmp_path: Path) -> Iterator[Places]:
    with ExitStack() as stack:
        yield Places(postgres, tmp_path, stack)


@pytest.fixture
def old(places: Places, kinds: tuple[str, str]) -> QueueUrl:
    return places.filled(kinds[0])


@pytest.fixture
def new(places: Places, kinds: tuple[str, str]) -> QueueUrl:
    return places.empty(kinds[1])


class Mortal:
    """An end of a move whose process dies at a call: before it or after it."""

    def __init__(self, end: Any, tick: Callable[[], None]) -> None:
        self._end, self._tick = end, tick

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._end, name)
        if not callable(attribute):
            return attribute

        def call(*values: Any) -> Any:
            self._tick()
            result = attribute(*values)
            self._tick()
            return result

        return call


def run(old: QueueUrl, new: QueueUrl, tick: Callable[[], None] = lambda: None) -> list[int]:
    """Move; what was told of it."""
    told: list[int] = []
    with old_queue(old) as one, new_queue(new) as other:
        move(Mortal(one, tick), Mortal(other, tick), told.append, told.append)
    return told


def dies_at(old: QueueUrl, new: QueueUrl, moment: int) -> bool:
    """Move in a process of its own that kills itself at this tick; whether it has come so far."""
    child = os.fork()
    if not child:
        left = [moment]

        def tick() -> None:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            run(old, new, tick)
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    for url in (old, new):
        if url.kind == "postgresql":
            wait_until(lambda dsn=url.dsn: not clients(dsn), "the server to notice that it is gone")
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def clients(dsn: str) -> int:
    """How many others use a database."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def usable(url: QueueUrl) -> bool:
    queue = open_queue(url)
    try:
        queue.balances()
    except QueueUnavailable:
        return False
    finally:
        queue.close()
    return True


def holds_anything(url: QueueUrl) -> bool:
    return usable(url) and any(everything(url).values())


def ended(old: QueueUrl, new: QueueUrl) -> bool:
    return usable(new) and not usable(old)


def test_every_table_of_both_stores_goes_or_stays(places: Places) -> None:
    with sqlite3.connect(places.filled("sqlite").path) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    db.close()
    assert tables == TABLES.keys() | STAYS
    with psycopg.connect(places.filled("postgresql").dsn) as connection:
        columns = set(
            connection.execute(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            )
        )
    assert {pair for pair in columns if pair[0] in TABLES} == MORE | {
        (table, column) for table in TABLES for column in columns_of_sqlite(table)
    }


def test_everything_moves(places: Places, old: QueueUrl, new: QueueUrl) -> None:
    before = everything(places.filled("sqlite"))
    total, *came = run(old, new)
    assert total == sum(came) == ROWS * len(TABLES)
    assert everything(new) == before
    queue = open_queue(new)
    counts = queue.summary(0.0)["parts"]
    queue.close()
    assert {state: count for state, count in counts.items() if count} == {
        "queued": 1,
        "submitting": 1,
        "accepted": 1,
    }


def test_minutes_that_many_have_counted_in_are_counted_on(kinds: tuple[str, str], places: Places) -> None:
    """PostgreSQL has a row of each transaction there, and of each purge."""
    old, new = (places.empty(kind) for kind in kinds)
    queue = open_queue(old)
    for turn in range(3):
        for minute in range(3):
            queue.count_refused(turn + 1, NOW + 60 * minute)
            queue.count_refused(10, NOW + 60 * minute)
        if turn < 2:
            queue.purge(NOW - 86400)
    counted = queue.flow(NOW - 60, NOW + 600)
    assert [minute["refused"] for minute in counted] == [36, 36, 36]
    queue.close()
    run(old, new)
    queue = open_queue(new)
    assert queue.flow(NOW - 60, NOW + 600) == counted
    queue.count_refused(1, NOW)
    assert [minute["refused"] for minute in queue.flow(NOW - 60, NOW + 600)] == [37, 36, 36]
    queue.close()


def test_new_ids_come_behind_the_old_ones(old: QueueUrl, new: QueueUrl) -> None:
    run(old, new)
    queue = open_queue(new)
    (stored,) = queue.put([mail(message())], NOW)
    assert queue.book("acme", CreditRule(0), 1000, "", NOW) == 1000
    queue.close()
    assert isinstance(stored, Stored)
    assert stored.queue_id == 4712


def test_the_old_queue_is_never_used_again_and_the_new_one_is(old: QueueUrl, new: QueueUrl) -> None:
    run(old, new)
    with pytest.raises(QueueUnavailable, match="sms-milter queue move"):
        open_queue(old).balances()
    assert usable(new)
    with pytest.raises(QueueError, match="everything has moved already"):
        run(old, new)


def test_killed_before_or_after_a_call_it_goes_on_and_nothing_is_lost_or_doubled(
    places: Places, kinds: tuple[str, str]
) -> None:
    old, new = map(str, kinds)
    before = everything(places.filled("sqlite"))
    ticks: list[None] = []
    run(places.filled(old), places.empty(new), lambda: ticks.append(None))
    calls, stride = len(ticks), 53
    for moment in sorted({*range(1, 9), *range(9, calls, stride), *range(calls - 5, calls + 1)}):
        one, other = places.filled(old), places.empty(new)
        assert dies_at(one, other, moment)
        assert not (usable(one) and holds_anything(other))
        if not ended(one, other):
            dies_at(one, other, moment // 2 + 1)
        if not ended(one, other):
            run(one, other)
        assert everything(other) == before
        assert ended(one, other)


def test_a_queue_in_use_is_neither_left_nor_filled(old: QueueUrl, new: QueueUrl) -> None:
    for used in (old, new):
        queue = open_queue(used)
        queue.balances()
        with pytest.raises(QueueError, match="is in use: stop sms-milter"):
            run(old, new)
        queue.close()
    run(old, new)


def test_a_server_that_has_not_noticed_yet_that_its_user_has_ended_is_waited_for(places: Places) -> None:
    old, new = places.filled("sqlite"), places.empty("postgresql")
    before = everything(old)
    queue = open_queue(new)
    queue.balances()
    ending = threading.Timer(0.5, queue.close)
    ending.start()
    run(old, new)
    ending.join()
    assert everything(new) == before


def test_nobody_gets_in_while_it_moves(old: QueueUrl, new: QueueUrl) -> None:
    looked = []

    def look(_: int) -> None:
        looked.append(usable(old))

    with old_queue(old) as one, new_queue(new) as other:
        move(one, other, look, lambda _: None)
    assert looked == [False]


def test_only_an_empty_queue_is_filled(places: Places, kinds: tuple[str, str], old: QueueUrl) -> None:
    full = places.filled(kinds[1])
    before = everything(full)
    with pytest.raises(QueueError, match="is not empty"):
        run(old, full)
    assert everything(full) == before
    with old_queue(old) as one, new_queue(full) as other:
        give_up(one, other)
    assert usable(old)
    assert everything(full) == before


def test_two_moves_do_not_fill_one_queue(
    places: Places, kinds: tuple[str, str], old: QueueUrl, new: QueueUrl
) -> None:
    assert dies_at(old, new, 100)
    third = places.filled(kinds[0])
    with pytest.raises(QueueError, match="another move is not finished"):
        run(third, new)
    with pytest.raises(QueueError, match="a move into it is not finished"):
        run(new, places.empty("sqlite"))
    run(old, new)


def test_a_move_that_has_not_ended_may_be_given_up(old: QueueUrl, new: QueueUrl) -> None:
    before = everything(old)
    assert dies_at(old, new, 100)
    assert not usable(new)
    with old_queue(old) as one, new_queue(new) as other:
        give_up(one, other)
    assert usable(old)
    assert usable(new)
    assert everything(old) == before
    assert not holds_anything(new)
    run(old, new)
    assert everything(new) == before
    with old_queue(old) as one, new_queue(new) as other, pytest.raises(QueueError, match="moved already"):
        give_up(one, other)


def test_a_key_is_read_as_it_was_written() -> None:
    kinds = TABLES["storm"]
    key = ["acme", "4479\u2603", b"\x00\xff"]
    assert read(written(key), kinds) == key
    assert read(None, kinds) is None


@pytest.mark.slow
def test_the_command_killed_at_many_moments_loses_and_doubles_nothing(places: Places) -> None:
    old, new = places.empty("sqlite"), places.empty("postgresql")
    queue = open_queue(old)
    for first in range(0, 30_000, 1000):
        queue.put([mail(message(f"4479{number:08}")) for number in range(first, first + 1000)], NOW)
    queue.close()
    before = everything(old)
    command = [Path(sys.executable).with_name("sms-milter"), "queue", "move", "--from", f"sqlite:{old.path}"]
    kills = 0
    while True:
        process = subprocess.Popen(
            [*command, "--to", new.dsn], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            said, complained = process.communicate(timeout=0.3 + 0.1 * kills)  # at first it only starts
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            continue
        break
    if process.returncode == 0:
        assert said.startswith(f"everything has moved from sqlite:{old.path} to postgresql:…")
    else:  # the last one that was killed lacked only its last words
        assert "everything has moved already" in complained
    assert kills >= 3
    assert everything(new) == before
    assert ended(old, new)
