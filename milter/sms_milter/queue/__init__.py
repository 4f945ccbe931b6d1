"""The durable queue between the milter workers, the dispatcher and the operator."""

from __future__ import annotations

import socket

from sms_milter.config.values import QueueUrl
from sms_milter.queue.home import Home
from sms_milter.queue.store import Store


def home_of(url: QueueUrl) -> Home:
    """Where the queue is that the configuration names."""
    host = socket.gethostname()
    if url.kind == "postgresql":
        from sms_milter.queue.postgresql.home import PostgresqlHome  # psycopg enters only where it is used

        return PostgresqlHome(url.dsn, host)
    from sms_milter.queue.sqlite.home import SqliteHome

    return SqliteHome(url.path, host)


def open_queue(url: QueueUrl) -> Store:
    """The queue that the configuration names; opened on first use."""
    return home_of(url).queue()
