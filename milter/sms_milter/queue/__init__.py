"""The durable queue between the milter workers, the dispatcher and the operator."""

from __future__ import annotations

from sms_milter.config.values import QueueUrl
from sms_milter.queue.sqlite import SqliteQueue


def open_queue(url: QueueUrl) -> SqliteQueue:
    """The queue that the configuration names; opened on first use (others are refused when it is read)."""
    if url.kind != "sqlite":
        raise NotImplementedError(url.kind)
    return SqliteQueue(url.path)
