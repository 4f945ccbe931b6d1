"""The durable queue between the milter workers, the dispatcher and the operator."""

from __future__ import annotations

import socket

from sms_milter.config.values import QueueUrl
from sms_milter.queue.home import Home
from sms_milter.queue.statements import migrations, statements
from sms_milter.queue.store import Store


def home_of(url: QueueUrl) -> Home:
    """Where the queue is that the configuration names."""
    host = socket.gethostname()
    if url.kind == "postgresql":
        from sms_milter.queue.postgresql.home import PostgresqlHome  # psycopg enters only where it is used

        return PostgresqlHome(url.dsn, host)
    from sms_milter.queue.sqlite.home import SqliteHome

    return SqliteHome(url.path, host)


def learn(url: QueueUrl) -> None:
    """Read now what processes on that queue will ever read from files: programs, statements, migrations. What
    is installed from now on is another version's.
    """
    home_of(url).close()
    if url.kind == "postgresql":
        from sms_milter.queue.postgresql import schema
        from sms_milter.queue.postgresql.database import compiled

        compiled()
        schema.scripts()
    else:
        statements("sqlite")
        migrations("sqlite")


def open_queue(url: QueueUrl) -> Store:
    """The queue that the configuration names; opened on first use."""
    return home_of(url).queue()
