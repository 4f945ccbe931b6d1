"""Every store there is, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sms_milter.queue.postgresql import PostgresqlQueue
from sms_milter.queue.sqlite import SqliteQueue
from support.memory_queue import MemoryQueue
from support.postgres import Postgres
from support.postgres_roles import RolesQueue, make_roles, make_tables

Open = Callable[..., Any]


@pytest.fixture(scope="session")
def prepared(postgres: Postgres) -> Iterator[str]:
    """A database with the store's tables, to be copied."""
    with postgres.database() as name:
        queue = PostgresqlQueue(postgres.url(name))
        queue.balances()
        queue.close()
        yield name


@pytest.fixture
def tables(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a PostgreSQL store of its own, still empty."""
    postgres: Postgres = request.getfixturevalue("postgres")
    with postgres.database(request.getfixturevalue("prepared")) as name:
        yield postgres.url(name)


@pytest.fixture(scope="session")
def granted(postgres: Postgres) -> Iterator[str]:
    """The same, with roles that may do no more than they must."""
    make_roles(postgres)
    with postgres.database() as name:
        make_tables(postgres, name)
        yield name


@pytest.fixture
def granted_tables(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a database of its own with these, still empty."""
    postgres: Postgres = request.getfixturevalue("postgres")
    with postgres.database(request.getfixturevalue("granted")) as name:
        yield name


@pytest.fixture(params=["memory", "sqlite", "postgresql", pytest.param("roles", marks=pytest.mark.slow)])
def open_one(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    opened: list[Any] = []
    url = request.getfixturevalue("tables") if request.param == "postgresql" else ""
    granted = request.getfixturevalue("granted_tables") if request.param == "roles" else ""

    def open_with(**options: Any) -> Any:
        if request.param == "memory":
            opened.append(MemoryQueue(**options))
        elif request.param == "postgresql":
            opened.append(PostgresqlQueue(url, owner="this host", **options))
        elif request.param == "roles":
            opened.append(RolesQueue(request.getfixturevalue("postgres"), granted, **options))
        else:
            opened.append(SqliteQueue(f"{tmp_path}/queue.db", **options))
        return opened[-1]

    yield open_with
    for queue in opened:
        queue.close()


@pytest.fixture
def queue(open_one: Open) -> Any:
    return open_one()


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store is that several processes use (`contract.stores`); still empty."""
    where: str = (
        request.getfixturevalue("tables") if request.param == "postgresql" else f"{tmp_path}/queue.db"
    )
    return where
