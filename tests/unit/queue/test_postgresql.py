"""What surrounds a PostgreSQL store: connections, versions of its tables, doorbells, turns, the clock."""

from __future__ import annotations

import re
import select
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg.raw_cursor import RawCursor

from contract.builders import NOW, mail, message
from contract.fates import lease, queued, record
from sms_milter.errors import QueueUnavailable
from sms_milter.model import LinkState, LinkStatus, NewMail, SmscLoad, Stored
from sms_milter.queue.postgresql import PostgresqlQueue, bells, schema
from sms_milter.queue.postgresql.clock import DatabaseClock
from sms_milter.queue.postgresql.database import compiled
from sms_milter.queue.postgresql.home import PostgresqlHome
from sms_milter.queue.postgresql.patient import PatientConnection
from sms_milter.queue.postgresql.server import Contended, PostgresqlServer
from sms_milter.web.prometheus import samples
from support.places import wait_until
from support.postgres import Postgres

HomeOf = Callable[[str], PostgresqlHome]


@pytest.fixture
def url(postgres: Postgres, database: str) -> str:
    return postgres.url(database)


@pytest.fixture
def queue(url: str) -> Iterator[PostgresqlQueue]:
    opened = PostgresqlQueue(url, owner="one")
    yield opened
    opened.close()


@pytest.fixture
def home_of(url: str) -> Iterator[Callable[[str], PostgresqlHome]]:
    """A home for the host of a name."""
    made: list[PostgresqlHome] = []

    def make(host: str) -> PostgresqlHome:
        made.append(PostgresqlHome(url, host))
        return made[-1]

    yield make
    for home in made:
        home.close()


def lease_while(queue: PostgresqlQueue, something: Callable[[], None]) -> None:
    """It happens within the transaction of a lease."""
    with queue.transaction() as work:
        assert len(work.lease("main", "b", range(1, 9), NOW)) == 1
        something()


def end_all_sessions(postgres: Postgres, database: str) -> None:
    with postgres.connection() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database]
        )


# --- connections --------------------------------------------------------------------------------------------


def test_a_lost_connection_is_made_again(postgres: Postgres, database: str, queue: PostgresqlQueue) -> None:
    queue.put([mail()], NOW)
    end_all_sessions(postgres, database)
    with pytest.raises(QueueUnavailable, match="postgresql:test_"):
        queue.put([mail()], NOW)
    assert queue.put([mail()], NOW) == [Stored(2)]
    assert len(queue.list_parts()) == 2


def test_a_server_that_is_away_is_an_unavailable_queue_and_hides_the_password() -> None:
    queue = PostgresqlQueue("postgresql://sms:hidden@127.0.0.1:1/sms")
    with pytest.raises(QueueUnavailable) as caught:
        queue.put([mail()], NOW)
    assert "hidden" not in str(caught.value)


def test_a_server_that_is_silent_is_given_up(
    postgres: Postgres, queue: PostgresqlQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientConnection, "silence_seconds", 0.5)
    queue.balances()
    with postgres.frozen(), pytest.raises(QueueUnavailable, match="no answer for"):
        queue.put([mail()], NOW)
    assert queue.put([mail()], NOW) == [Stored(2)], "the ids of the first are lost"


def test_those_who_wait_for_a_silent_server_share_one_try(postgres: Postgres, database: str) -> None:
    server = PostgresqlServer(postgres.url(database, options="connect_timeout=2"), "tests")
    tries: list[str] = []
    with postgres.frozen():
        began = time.monotonic()
        for _ in range(5):
            with pytest.raises(QueueUnavailable, match="timeout") as caught, server.reading():
                pass
            tries.append(str(caught.value))
        assert time.monotonic() - began < 5 * 2
    assert len(set(tries)) == 1


def test_a_server_stopped_within_a_transaction_leaves_nothing(tmp_path_factory: Any) -> None:
    with Postgres() as server, server.database() as name:
        queue = PostgresqlQueue(server.url(name))
        queue.put([mail()], NOW)
        with pytest.raises(QueueUnavailable):
            lease_while(queue, server.kill)
        with pytest.raises(QueueUnavailable):
            queue.next_due("main")
        server.start()
        assert [part.part_id for part in lease(queue)] == [1]
        queue.close()


def test_what_no_standby_confirms_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the server waits for one at each commit; not when it is sent again either, until there is one."""
    monkeypatch.setattr(PatientConnection, "silence_seconds", 1.0)
    resent = mail(fingerprint=b"the same")
    with Postgres() as server, server.connection() as connection:
        queue = PostgresqlQueue(server.url())

        def taken(one: NewMail) -> Any:
            try:
                return queue.put([one], NOW)[0]
            except QueueUnavailable:
                return None

        assert taken(mail())
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        connection.execute("SELECT pg_reload_conf()")
        wait_until(lambda: not taken(mail()), "commits to be waited for")
        assert [taken(resent) for _ in range(2)] == [None, None]
        connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
        connection.execute("SELECT pg_reload_conf()")
        wait_until(lambda: taken(mail()), "commits to be made")
        assert taken(resent).repeat
        queue.close()


def test_who_may_not_read_is_told_so(postgres: Postgres, database: str, queue: PostgresqlQueue) -> None:
    queue.balances()
    with postgres.connection(database) as connection:
        connection.execute("CREATE ROLE stranger LOGIN PASSWORD 'x'")
    stranger = PostgresqlQueue(postgres.url(database, user="stranger", password="x"))
    with pytest.raises(QueueUnavailable, match="not permitted"):
        stranger.balances()
    stranger.close()
    with postgres.connection(database) as connection:
        connection.execute("DROP ROLE stranger")


def test_two_who_stand_in_each_others_way_are_done_again(url: str, queue: PostgresqlQueue) -> None:
    tries: list[int] = []

    def deed(_: Any) -> str:
        tries.append(len(tries))
        if len(tries) < 3:
            raise Contended("again")
        return "done"

    assert queue._write(deed) == "done"
    assert len(tries) == 3


def test_a_deadlock_is_contention(url: str, queue: PostgresqlQueue) -> None:
    queue.balances()
    first, second = (PostgresqlServer(url, name) for name in ("first", "second"))
    met = threading.Barrier(2)
    failed: list[Exception] = []

    def cross(server: PostgresqlServer, *names: str) -> None:
        try:
            with server.transaction() as connection:
                for name in names:
                    sql = "SELECT name FROM turn WHERE kind = 't' AND name = $1 FOR UPDATE"
                    assert connection.execute(sql, [name]).fetchall() == [(name,)]
                    if name == names[0]:
                        met.wait(10)
        except QueueUnavailable as error:
            failed.append(error)

    with first.transaction() as connection:
        connection.execute("INSERT INTO turn VALUES ('t', 'a'), ('t', 'b')")
    threads = [
        threading.Thread(target=cross, args=(first, "a", "b")),
        threading.Thread(target=cross, args=(second, "b", "a")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(error) for error in failed] == [Contended]
    first.close()
    second.close()


def test_a_text_with_a_nul_is_stored_with_its_picture(queue: PostgresqlQueue) -> None:
    queue.put([mail(mta_queue_id="4\0BC")], NOW)
    assert queue.list_parts()[0]["mta_queue_id"] == "4␀BC"


# --- whose parts --------------------------------------------------------------------------------------------


def test_parts_of_a_dead_dispatcher_are_taken_over_by_one_alone(url: str, queue: PostgresqlQueue) -> None:
    others = [PostgresqlQueue(url, owner=name) for name in ("two", "three")]
    queue.put([mail()], NOW)
    queue.hold_binds("main", 1, "one", NOW, NOW + 20)
    queue.hold_binds("backup", 1, "one", NOW, NOW + 20)
    lease(queue)
    for number, other in enumerate(others):
        other.hold_binds(f"spare{number}", 1, ("two", "three")[number], NOW, NOW + 60)
    assert others[0].abandoned("main", "two", NOW + 19) == []
    taken = [
        other.abandoned("main", name, NOW + 21) for other, name in zip(others, ("two", "three"), strict=True)
    ]
    assert [[part.part_id for part in parts] for parts in taken] == [[1], []]
    record(queue, queued(1, NOW))  # whom it was taken from comes back
    assert queue.list_parts()[0]["state"] == "submitting"
    record(others[0], queued(1, NOW))
    assert queue.list_parts()[0]["state"] == "queued"
    for other in others:
        other.close()


def test_an_smsc_that_two_dispatchers_send_to_is_one_for_those_who_watch(
    url: str, queue: PostgresqlQueue
) -> None:
    other = PostgresqlQueue(url, owner="two")
    for number, (one, name) in enumerate([(queue, "one"), (other, "two")], 1):
        one.hold_binds("main", 2, name, NOW, NOW + 60)
        bind = LinkStatus("main", f"main/{number}", LinkState.BOUND, NOW, 1, 10, 5, 4, 0, 0)
        one.report_links([bind], NOW)
        one.report_loads([SmscLoad("main", "window", "more", 4.0, 0.0, 0.0, 10, 1, 40.0, None)], NOW)
    summary = queue.summary(NOW)
    assert [link["bind"] for link in summary["links"]] == ["main/1", "main/2"]
    assert [(load["sent_per_second"], load["window"]) for load in summary["smscs"]] == [(8.0, 20)]
    told = [(metric.name, labels) for metric, labels, _ in samples(queue, NOW)]
    assert len(told) == len(set(told)), "Prometheus takes no sample twice"
    other.close()


def test_errands_of_a_dead_courier_are_taken_over_though_its_dispatcher_lives(
    url: str, queue: PostgresqlQueue
) -> None:
    other = PostgresqlQueue(url, owner="two")
    queue.put([mail(message(smsc="channel:voice"))], NOW)
    queue.hold_binds("main", 1, "one", NOW, NOW + 60)
    lease(queue, smsc="channel:voice")
    assert [part.part_id for part in other.abandoned("channel:voice")] == [1]
    other.close()


# --- versions -----------------------------------------------------------------------------------------------

FIRST = "CREATE TABLE kept (a int); CREATE TABLE old (a int);"
SECOND = "CREATE TABLE fresh (a int);"


@pytest.fixture
def connection(url: str) -> Iterator[PatientConnection]:
    with PostgresqlServer(url, "tests").connect() as made:
        yield made


def tables(connection: PatientConnection) -> set[str]:
    rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {name for (name,) in rows} - {"schema_version"}


def test_an_older_version_goes_on_beside_a_newer_one(connection: PatientConnection) -> None:
    schema.prepare(connection, {1: FIRST})
    schema.prepare(connection, {1: FIRST, 2: SECOND})
    schema.prepare(connection, {1: FIRST})
    assert tables(connection) == {"kept", "old", "fresh"}


def test_what_an_older_version_needs_goes_when_the_operator_says_so(
    connection: PatientConnection,
) -> None:
    schema.prepare(connection, {1: FIRST, 2: SECOND})
    assert schema.remove(connection, {2: "DROP TABLE old"}) == [2]
    assert schema.remove(connection, {2: "DROP TABLE old"}) == []
    assert tables(connection) == {"kept", "fresh"}
    schema.prepare(connection, {1: FIRST, 2: SECOND})
    with pytest.raises(QueueUnavailable, match="newer version"):
        schema.prepare(connection, {1: FIRST})


def test_what_takes_longer_than_an_answer_may_is_added_all_the_same(
    connection: PatientConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientConnection, "silence_seconds", 0.2)
    schema.prepare(connection, {1: FIRST + "SELECT pg_sleep(1)"})
    assert tables(connection) == {"kept", "old"}
    with pytest.raises(psycopg.OperationalError, match="no answer for"):
        connection.execute("SELECT pg_sleep(1)")


def test_who_may_not_add_it_is_told_who_must(postgres: Postgres, database: str, url: str) -> None:
    with postgres.connection(database) as owner:
        owner.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE guest LOGIN PASSWORD 'x'")
    guest = PostgresqlQueue(postgres.url(database, user="guest", password="x"))
    with pytest.raises(QueueUnavailable, match=r"not made yet.*owner must run `sms-milter queue migrate`"):
        guest.balances()
    guest.close()
    with postgres.connection(database) as owner:
        owner.execute("DROP ROLE guest")


def test_a_version_that_cannot_be_added_is_not_begun(connection: PatientConnection) -> None:
    with pytest.raises(psycopg.errors.DuplicateTable):
        schema.prepare(connection, {1: FIRST, 2: "CREATE TABLE fresh (a int); CREATE TABLE kept (a int)"})
    assert tables(connection) == set()


def test_many_hosts_may_come_first(url: str) -> None:
    queues = [PostgresqlQueue(url, owner=str(number)) for number in range(6)]
    failed: list[Exception] = []

    def put(one: PostgresqlQueue) -> None:
        try:
            one.put([mail()], NOW)
        except QueueUnavailable as error:
            failed.append(error)

    threads = [threading.Thread(target=put, args=(one,)) for one in queues]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(queues[0].list_parts()) == 6
    for one in queues:
        one.close()


# --- vacuum -------------------------------------------------------------------------------------------------

# What hosts tell of themselves, and what people do: a handful of rows.
SMALL = {"link", "smsc_load", "bind_lease", "bind_wish", "rate_share", "cancellation", "suppressed", "trace"}
SMALL |= {"failed_login", "login_block"}


def test_what_mails_are_forgotten_from_is_vacuumed_in_small_steps(url: str, queue: PostgresqlQueue) -> None:
    queue.balances()
    emptied = {name for one in compiled().values() for name in re.findall(r"DELETE FROM (\w+)", one.sql)}
    with psycopg.connect(url) as connection:
        settings = dict(connection.execute("SELECT relname::text, reloptions FROM pg_class").fetchall())
    for table in emptied - SMALL:
        found = dict(one.split("=") for one in settings[table] or [])
        assert float(found.get("autovacuum_vacuum_scale_factor", 1)) <= 0.02, table


# --- doorbells ----------------------------------------------------------------------------------------------


def rung(ear: Any, seconds: float) -> bool:
    return bool(select.select([ear], [], [], seconds)[0])


def hears(ear: Any) -> None:
    """Wait until it listens: it is rung once then, since it may have missed something."""
    assert rung(ear, 10)
    ear.clear()


def test_a_ring_is_heard_by_its_role_on_every_host(home_of: HomeOf) -> None:
    homes = [home_of(name) for name in ("one", "two", "three")]
    dispatch = [home.listener("dispatch") for home in homes[1:]]
    report = homes[1].listener("report")
    for ear in (*dispatch, report):
        hears(ear)
    homes[0].doorbell("dispatch", "courier").ring()
    for ear in dispatch:
        assert rung(ear, 5)
    assert not rung(report, 0.1)


def test_doorbells_ring_again_after_the_server_was_away(
    postgres: Postgres, database: str, home_of: HomeOf
) -> None:
    home = home_of("one")
    ear = home.listener("report")
    hears(ear)
    end_all_sessions(postgres, database)
    hears(ear)  # it may have missed something
    home.doorbell("report").ring()
    assert rung(ear, 5)


def test_a_ring_whose_connection_is_lost_is_rung_by_the_next(
    url: str, home_of: HomeOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear = home_of("one").listener("report")
    hears(ear)
    lost: list[str] = []

    class Lost(RawCursor[Any]):
        def execute(self, *arguments: Any, **more: Any) -> Lost:
            if not lost:
                lost.append("in the middle of the ring")
                raise psycopg.OperationalError(lost[0])
            return super().execute(*arguments, **more)

    monkeypatch.setattr(bells, "RawCursor", Lost)
    ringing = bells.Bells(PostgresqlServer(url, "two").connect)
    ringing.ring("report")
    assert rung(ear, 10)
    assert lost
    ringing.close()


# --- turns --------------------------------------------------------------------------------------------------


def test_a_role_is_had_by_one_host_and_of_dispatchers_one_each(home_of: HomeOf) -> None:
    one, two = (home_of(name) for name in ("one", "two"))
    again = home_of("one")
    assert one.turn("report")()
    assert not two.turn("report")()
    assert one.turn("dispatch")()
    assert two.turn("dispatch")()
    assert not again.turn("dispatch")()


def test_a_role_is_anothers_when_its_connection_ends(
    postgres: Postgres, database: str, home_of: HomeOf
) -> None:
    ours, theirs = (home_of(name).turn("courier") for name in ("one", "two"))
    assert ours()
    assert not theirs()
    end_all_sessions(postgres, database)
    wait_until(lambda: _had(theirs), "the other to have it")
    wait_until(lambda: not _had(ours), "us to notice")


def _had(turn: Callable[[], bool]) -> bool:
    try:
        return turn()
    except QueueUnavailable:
        return False


# --- the clock ----------------------------------------------------------------------------------------------


def test_the_time_of_day_is_the_servers(monkeypatch: pytest.MonkeyPatch, home_of: HomeOf) -> None:
    true = time.time
    monkeypatch.setattr(time, "time", lambda: true() - 7200)
    home = home_of("one")
    assert abs(home.now() - (true() - 7200)) < 1
    queue = home.queue()
    queue.balances()
    queue.close()
    assert abs(home.now() - true()) < 1


def test_a_clock_that_is_set_does_not_disturb_it(
    monkeypatch: pytest.MonkeyPatch, connection: PatientConnection
) -> None:
    clock, true = DatabaseClock(), time.time()
    clock.look(connection)
    monkeypatch.setattr(time, "time", lambda: true + 86400)
    assert abs(clock() - true) < 5
