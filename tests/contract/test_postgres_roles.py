"""deploy/postgres: what each role is refused. What each may do, the contract tests show as well."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from sms_milter.errors import QueueUnavailable
from sms_milter.queue.postgresql import PostgresqlQueue
from support.postgres import Postgres
from support.postgres_roles import GROUPS, MONITOR, OWNER, give_to_owner, run_script, url_of

Rights = set[tuple[str, str]]
TEXTS = {
    *(
        ("message", "text"),
        ("part", "body"),
        ("original", "header"),
        ("report", "subject"),
        ("report", "body"),
    ),
    ("mobile_part", "content"),
}
READ = {
    "intake": set[tuple[str, str]](),
    "dispatch": TEXTS,
    "report": TEXTS - {("message", "text"), ("part", "body")},
    "operator": set[tuple[str, str]](),
    MONITOR: set[tuple[str, str]](),
}


@pytest.fixture
def database(postgres: Postgres, granted: str) -> Iterator[str]:
    with postgres.database(granted) as name:
        yield name


def ask(postgres: Postgres, database: str, group: str, question: str) -> Rights:
    with psycopg.connect(url_of(postgres, database, group)) as connection:
        return set(connection.execute(question.encode()).fetchall())


def refused(postgres: Postgres, database: str, group: str, statement: str) -> bool:
    with psycopg.connect(url_of(postgres, database, group)) as connection:
        try:
            connection.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege:
            return True
    return False


@pytest.mark.parametrize("group", READ)
def test_texts_are_read_by_those_who_must(postgres: Postgres, database: str, group: str) -> None:
    denied = {
        (table, column)
        for table, column in TEXTS
        if refused(postgres, database, group, f"SELECT {column} FROM {table}")
    }
    assert denied == TEXTS - READ[group]
    for table in {table for table, _ in denied}:
        assert refused(postgres, database, group, f"SELECT * FROM {table}")
        assert refused(postgres, database, group, f"COPY {table} TO STDOUT")


def test_all_columns_that_may_hold_a_text_are_known(postgres: Postgres, database: str) -> None:
    """A new column is either harmless or named in grants.sql."""
    octets = ask(
        postgres, database, OWNER,
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public'"
        " AND (data_type = 'bytea' OR column_name IN ('text', 'body', 'subject'))",
    )  # fmt: skip
    harmless = {
        *(
            ("mail", "fingerprint"),
            ("fingerprint", "fingerprint"),
            ("request", "identity"),
            ("storm", "likeness"),
        ),
        ("comment", "text"),  # what the sender noted for himself
    }
    assert octets == TEXTS | harmless


def test_a_monitor_changes_nothing(postgres: Postgres, database: str) -> None:
    changes = ask(
        postgres, database, MONITOR,
        "SELECT tablename::text, privilege FROM pg_tables,"
        " unnest(ARRAY['INSERT', 'UPDATE', 'REFERENCES']) AS privilege"
        " WHERE schemaname = 'public' AND has_any_column_privilege(tablename::regclass, privilege)"
        " UNION SELECT tablename::text, privilege FROM pg_tables,"
        " unnest(ARRAY['DELETE', 'TRUNCATE']) AS privilege"
        " WHERE schemaname = 'public' AND has_table_privilege(tablename::regclass, privilege)",
    )  # fmt: skip
    assert changes == set()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM part",
        "UPDATE part SET state = 0",
        "UPDATE part SET body = ''",
        "UPDATE mail SET account = 'acme'",
        "DELETE FROM mail",
        "DELETE FROM report",
        "INSERT INTO receipt (at, smsc, smsc_message_id, smsc_key, source, stat, error)"
        " VALUES (0, '', '', '', '', '', '')",
        "DELETE FROM suppressed",
        "SELECT 1 FROM mobile",
    ],
)
def test_a_milter_host_stores_and_no_more(postgres: Postgres, database: str, statement: str) -> None:
    assert refused(postgres, database, "intake", statement)


@pytest.mark.parametrize("group", [group for group in GROUPS if group != OWNER])
def test_only_the_owner_changes_tables(postgres: Postgres, database: str, group: str) -> None:
    for statement in (
        "DROP TABLE trace",
        "CREATE TABLE mine (id int)",
        "TRUNCATE part",
        "DROP INDEX part_ready",
    ):
        assert refused(postgres, database, group, statement)


def test_grants_are_not_given_where_every_role_may_make_tables(postgres: Postgres, database: str) -> None:
    with postgres.connection(database) as connection:
        connection.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")  # as it is before PostgreSQL 15
        connection.execute(f"REVOKE CREATE ON SCHEMA public FROM {OWNER}".encode())
        connection.execute("REVOKE ALL ON trace FROM sms_milter_operator")
    with pytest.raises(psycopg.errors.RaiseException) as caught:
        run_script(url_of(postgres, database, OWNER), "grants.sql")
    hint = str(caught.value.diag.message_hint)
    assert refused(postgres, database, "operator", "SELECT * FROM trace")
    with postgres.connection(database) as connection:
        connection.execute(hint.partition(": ")[2].encode())
    run_script(url_of(postgres, database, OWNER), "grants.sql")
    assert not refused(postgres, database, "operator", "SELECT * FROM trace")
    assert not refused(postgres, database, OWNER, "CREATE TABLE of_the_next_version (id int)")


def test_a_host_says_when_its_role_may_not_make_the_tables(postgres: Postgres, granted: str) -> None:
    with postgres.database() as empty:
        give_to_owner(postgres, empty)
        queue = PostgresqlQueue(url_of(postgres, empty, "intake"))
        with pytest.raises(QueueUnavailable, match="not made yet: their owner must run"):
            queue.balances()
