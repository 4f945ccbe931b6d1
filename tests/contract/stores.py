"""The stores that several processes can share, by where they are: the path of a file, or a URL."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import Any

import psycopg

from sms_milter.queue.postgresql import PostgresqlQueue
from sms_milter.queue.sqlite import SqliteQueue


def opened(where: str) -> Any:
    """The queue, for this process."""
    if where.startswith("postgresql:"):
        return PostgresqlQueue(where, owner=f"process {os.getpid()}")
    return SqliteQueue(where)


def looked_up(where: str, sql: str) -> list[tuple[Any, ...]]:
    """What stands in its tables."""
    if where.startswith("postgresql:"):
        with psycopg.connect(where) as server:
            return server.execute(sql.encode()).fetchall()
    with contextlib.closing(sqlite3.connect(where)) as file:
        return file.execute(sql).fetchall()
