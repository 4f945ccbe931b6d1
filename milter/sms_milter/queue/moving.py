"""The two ends of a move, of each store."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing

from sms_milter.config.values import QueueUrl
from sms_milter.queue.move import New, Old


def old_queue(url: QueueUrl) -> AbstractContextManager[Old]:
    """The queue that everything leaves. Raises QueueError, QueueUnavailable."""
    if url.kind == "postgresql":
        from sms_milter.queue.postgresql.moving import OldDatabase  # psycopg enters only where it is used

        return closing(OldDatabase(url.dsn))
    from sms_milter.queue.sqlite.moving import OldFile

    return closing(OldFile(url.path))


def new_queue(url: QueueUrl) -> AbstractContextManager[New]:
    """The queue that everything comes into. Raises QueueError, QueueUnavailable."""
    if url.kind == "postgresql":
        from sms_milter.queue.postgresql.moving import NewDatabase

        return closing(NewDatabase(url.dsn))
    from sms_milter.queue.sqlite.moving import NewFile

    return closing(NewFile(url.path))
