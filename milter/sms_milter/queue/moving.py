"""The two ends of a move, of each store."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing

from sms_milter.config.values import QueueUrl
from sms_milter.queue.move import New, Old
from sms_milter.queue.postgresql.moving import NewDatabase, OldDatabase
from sms_milter.queue.sqlite.moving import NewFile, OldFile


def old_queue(url: QueueUrl) -> AbstractContextManager[Old]:
    """The queue that everything leaves. Raises QueueError, QueueUnavailable."""
    return closing(OldFile(url.path) if url.kind == "sqlite" else OldDatabase(url.dsn))


def new_queue(url: QueueUrl) -> AbstractContextManager[New]:
    """The queue that everything comes into. Raises QueueError, QueueUnavailable."""
    return closing(NewFile(url.path) if url.kind == "sqlite" else NewDatabase(url.dsn))
