"""deploy/postgres as an operator applies it: a login in each group, and a queue that works as all of them."""

from __future__ import annotations

from typing import Any

import psycopg

from sms_milter.ports import DispatchQueue, IntakeQueue, MobileQueue, OperatorQueue, ReportQueue
from sms_milter.queue.postgresql import PostgresqlQueue
from support.places import DEPLOY
from support.postgres import Postgres
from support.secrecy import DATABASE_PASSWORD

OWNER, MONITOR = "owner", "monitor"
WORK = {
    "operator": OperatorQueue,
    "report": ReportQueue,
    "dispatch": DispatchQueue,
    "intake": IntakeQueue,
}
GROUPS = (OWNER, *WORK, MONITOR)
_OPERATORS = frozenset({"book", "lift_block", "trace", "change"})  # the others only look


def works_of(port: type) -> set[str]:
    """The methods of a port."""
    return {name for name in vars(port) if not name.startswith("_")}


def make_roles(postgres: Postgres) -> None:
    """The groups, and a login of the same name in each."""
    run_script(postgres.url(), "roles.sql")
    with postgres.connection() as connection:
        for group in GROUPS:
            who = f"{group} LOGIN PASSWORD '{DATABASE_PASSWORD}'"
            connection.execute(f"CREATE ROLE {who} IN ROLE sms_milter_{group}".encode())


def give_to_owner(postgres: Postgres, database: str) -> None:
    """Nobody else may make tables in it."""
    with postgres.connection(database) as connection:
        connection.execute(f"ALTER DATABASE {database} OWNER TO {OWNER}".encode())
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        connection.execute(f"GRANT CREATE ON SCHEMA public TO {OWNER}".encode())


def make_tables(postgres: Postgres, database: str) -> None:
    """As their owner, with what the groups may do; twice, as after an upgrade."""
    give_to_owner(postgres, database)
    queue = PostgresqlQueue(url_of(postgres, database, OWNER))
    queue.balances()
    queue.close()
    for _ in range(2):
        run_script(url_of(postgres, database, OWNER), "grants.sql")


def url_of(postgres: Postgres, database: str, group: str) -> str:
    """A database for the login in a group."""
    return postgres.url(database, user=group, password=DATABASE_PASSWORD)


def run_script(url: str, name: str) -> None:
    """One of deploy/postgres."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((DEPLOY / "postgres" / name).read_bytes())


class RolesQueue:
    """All of a queue's ports; each method is called with the login whose work it is."""

    def __init__(self, postgres: Postgres, database: str, **options: Any) -> None:
        self._queues = {
            group: PostgresqlQueue(url_of(postgres, database, group), owner="this host", **options)
            for group in GROUPS
        }
        self._groups = dict.fromkeys(works_of(OperatorQueue) - _OPERATORS, MONITOR)
        self._groups |= dict.fromkeys(_OPERATORS, "operator") | dict.fromkeys(works_of(MobileQueue), "report")
        for group in ("report", "dispatch", "intake"):
            self._groups |= dict.fromkeys(works_of(WORK[group]), group)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queues[self._groups.get(name, "intake")], name)

    def close(self) -> None:
        """Let go of the database."""
        for queue in self._queues.values():
            queue.close()
