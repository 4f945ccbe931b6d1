"""With millions of finished rows beside those that wait, no statement of the PostgreSQL store reads a whole
table.

PostgreSQL is asked for its plan of every statement as it is prepared for any values (generic plan); what runs
for each part and mail is executed, and the pages that it touches are counted. SMS_MILTER_FULL_SIZE=1 makes
1,000,000 waiting and 10,000,000 finished parts; without it, a tenth.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sms_milter.queue.postgresql.arrays import Bigints, Octets
from sms_milter.queue.postgresql.database import Statement, compiled
from sms_milter.queue.postgresql.patient import PatientConnection
from sms_milter.queue.postgresql.server import PostgresqlServer
from support.postgres import Postgres

pytestmark = pytest.mark.slow

Connection = psycopg.Connection[Any]
FULL = os.environ.get("SMS_MILTER_FULL_SIZE") == "1"
_EXPLAINED = """
LOAD 'auto_explain'; SET LOCAL auto_explain.log_min_duration = 0; SET LOCAL auto_explain.log_analyze = on;
SET LOCAL auto_explain.log_buffers = on; SET LOCAL auto_explain.log_format = json;
SET LOCAL client_min_messages = log
"""
WAITING, FINISHED = (1_000_000, 10_000_000) if FULL else (100_000, 1_000_000)
NOW = 1_800_000_000
SETTINGS = {
    "shared_buffers": "512MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "20GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "synchronous_commit": "off",
}
MADE = (Path(__file__).parent / "months.sql").read_text()
BIG = frozenset(re.findall(r"^INSERT INTO (\w+)", MADE, re.MULTILINE))
# Statements that read an index from its one end, or all of a table, and why that does no harm.
WHOLE = {
    "any_charge": "the first one found is enough",
    "any_followed": "the first one found is enough",
    "any_parked": "the first one found is enough",
    "backlog": "for sms-milter status: counts what waits, by indexes that hold nothing else",
    "count_mobile": "for sms-milter status: an index of what waits",
    "count_parked": "for sms-milter status: an index of what is parked",
    "count_reports": "for sms-milter status: an index of what waits",
    "find_mta_mail": "for sms-milter queue show: the newest mails are looked at first",
    "fold_flow": "an index of what has been counted within the last minutes",
    "list_bookings": "for sms-milter account history: the newest are looked at first",
    "list_common": "for sms-milter queue list: the newest are looked at first",
    "list_mobile": "for sms-milter queue mobile: ends after the newest",
    "list_notable": "for sms-milter queue list: the newest are looked at first",
    "list_parts": "for sms-milter queue list: ends after the newest",
    "list_queued": "for sms-milter queue list: the newest are looked at first",
    "parked": "for sms-milter receipts: ends after the newest",
    "unfit": "an index of nothing else, which is nearly always empty",
}
# Tables with a row for each host, SMSC or account, or with what is added up now and then.
SMALL = {
    *(
        "balance",
        "bind_lease",
        "bind_wish",
        "cancellation",
        "link",
        "login_block",
        "number",
        "part_count",
        "rate_share",
    ),
    *("smsc_load", "trace", "turn"),
}


@pytest.fixture(scope="module")
def filled() -> Iterator[Connection]:
    """The store's own connection to a database as a queue has it after some months."""
    with Postgres(SETTINGS) as postgres:
        server = PostgresqlServer(postgres.url(), "plans")
        with server.reading() as connection:
            assert isinstance(connection, PatientConnection)
            connection.silence_seconds = 0
            connection.prepare_threshold = None
            connection.execute("SET statement_timeout = 0; SET enable_seqscan = on; SET enable_hashjoin = on")
            fill(connection)
        server.close()
        with server.reading() as connection:
            connection.prepare_threshold = None
            yield connection
        server.close()


def fill(connection: Connection) -> None:
    indexes = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
    ).fetchall()
    for name, _ in indexes:  # made in the end, they take half the time
        connection.execute(f"DROP INDEX {name}")
    numbers = {"finished": FINISHED, "parts": FINISHED + WAITING, "now": NOW}
    made = re.sub(
        r"(?<!:):([a-z]+)", lambda name: str(numbers[name[1]]) if name[1] in numbers else name[0], MADE
    )
    connection.execute(made.encode())
    for _, definition in indexes:
        connection.execute(definition)
    connection.execute("VACUUM ANALYZE")


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A step of a plan and all below it."""
    yield plan
    for step in plan.get("Plans", ()):
        yield from nodes(step)


def plan_of(connection: Connection, statement: Statement) -> Mapping[str, Any]:
    """As it is for any values."""
    values = ", ".join(["NULL"] * len(statement.columns))
    connection.execute(f"PREPARE planned AS {statement.sql}")
    try:
        row = connection.execute(
            "EXPLAIN (FORMAT JSON) EXECUTE planned" + (f"({values})" if values else "")
        ).fetchone()
    finally:
        connection.execute("DEALLOCATE planned")
    assert row is not None
    plan: Mapping[str, Any] = row[0][0]["Plan"]
    return plan


def run(connection: Connection, statement: Statement, values: Sequence[Any]) -> Mapping[str, Any]:
    """Execute it as the store does; its plan, and what it took, as the server itself has seen it."""
    said: list[str] = []
    connection.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
    with connection.transaction():
        connection.execute(_EXPLAINED)
        connection.execute(statement.sql, values, prepare=True, binary=True)
        connection.execute("SET LOCAL client_min_messages = error")
    plan: Mapping[str, Any] = json.loads(said[-1].partition("plan:")[2])["Plan"]
    return plan


def touched(plan: Mapping[str, Any]) -> int:
    """How many pages."""
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def read_whole(plan: Mapping[str, Any]) -> list[str]:
    """The big tables of which a plan reads all, or all that an index holds."""
    return [
        f"{step['Relation Name']} ({step['Node Type']})"
        for step in nodes(plan)
        if step.get("Relation Name", "") in BIG
        and step["Node Type"] != "ModifyTable"
        and not ("Index Cond" in step or step["Node Type"] == "Bitmap Heap Scan")
    ]


def test_every_table_is_filled_or_small(filled: Connection) -> None:
    rows = filled.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert {name for (name,) in rows} == BIG | SMALL | {"schema_version"}


def test_no_statement_reads_a_whole_table(filled: Connection) -> None:
    found = {name: read_whole(plan_of(filled, statement)) for name, statement in compiled().items()}
    assert {name: tables for name, tables in found.items() if tables and name not in WHOLE} == {}
    assert {name for name in WHOLE if not found[name]} == set(), "better than they are called"


# What runs for each part, mail, receipt or step of a role, with values of a busy queue: statement, values,
# and how many pages of 8 KB it may touch.
BATCH = 100
LAST = FINISHED + WAITING
IDS = Bigints(range(LAST - BATCH, LAST))
BUSY: list[tuple[str, Any, int]] = [
    ("due_parts", ("smsc1", 1, "account25", float(NOW), BATCH, 0), 2000),
    ("next_account", ("smsc1", 1, "account25"), 100),
    ("next_accounts", {"smsc": "smsc1", "after": "account25", "most": BATCH}, 1000),
    ("ready_since", ("smsc1", 1), 100),
    ("next_waiting", ("smsc1",), 100),
    ("ripen", ("smsc1", float(NOW), BATCH), 5000),
    ("ready_for", ("smsc1", 1, BATCH), 500),
    ("expired_parts", (float(NOW), 1000), 500),
    ("any_parked", (), 100),
    ("any_followed", (), 100),
    ("find_former", (f"{50:x}", "smsc9"), 100),
    ("overdue_messages", (float(NOW - 86400), BATCH), 500),
    ("due_reports", (False, float(NOW), 50), 2000),
    ("next_report", (False,), 100),
    ("finished_mails", (float(NOW), 0.0, 0, BATCH), 2000),
    ("finished_partless", (float(NOW), BATCH), 500),
    ("known_fingerprints", (Octets([bytes([7]) * 16]),), 100),
    ("newest_message", ("account0", "c100"), 100),
    ("find_fates", {"message": LAST}, 100),
    ("conversations", ("4479100", 10), 200),
    ("due_mobile", (float(NOW), 10), 500),
    ("last_usage", ("account0", "*"), 100),
    ("first_usage", ("account0", "*", float(LAST - 1000)), 100),
    ("parked_receipts", (IDS,), 3000),
    ("parked_since", (float(NOW - 60),), 3000),
]


@pytest.mark.parametrize(("name", "values", "pages"), BUSY, ids=[name for name, *_ in BUSY])
def test_a_busy_statement_touches_few_pages(filled: Connection, name: str, values: Any, pages: int) -> None:
    statement = compiled()[name]
    with filled.transaction(force_rollback=True):
        plan = run(filled, statement, statement.values(values, "host1"))
    assert touched(plan) <= pages, json.dumps(plan, indent=1)


def test_a_part_goes_all_its_way_by_indexes(filled: Connection) -> None:
    """Marked, accepted, receipt: a batch of each, pages counted."""
    steps: list[tuple[str, list[Any]]] = [
        ("mark_submitting", [("smsc1/1", number, float(NOW), LAST - number) for number in range(BATCH)]),
        (
            "record_accepted",
            [
                {
                    "id": LAST - number,
                    "at": float(NOW),
                    "smsc_message_id": f"m{number}",
                    "smsc_key": f"m{number}",
                    "patience": 86400.0,
                    "before": 1,
                }
                for number in range(BATCH)
            ],
        ),
        ("find_by_key", [(f"m{number}", f"smsc{(LAST - number) % 4}", "4479") for number in range(BATCH)]),
        ("settle_final", [(4, "DELIVRD", float(NOW), LAST - number) for number in range(BATCH)]),
    ]
    with filled.transaction(force_rollback=True):
        for name, rows in steps:
            statement = compiled()[name]
            plan = run(filled, statement, statement.batch(rows, "host1"))
            assert touched(plan) <= 60 * BATCH, (name, plan)
