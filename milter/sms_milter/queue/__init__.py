"""The durable queue between the milter workers, the dispatcher and the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sms_milter.errors import ConfigError, Fault
from sms_milter.queue.sqlite import SqliteQueue

if TYPE_CHECKING:
    from sms_milter.config.values import QueueUrl

_SQLITE = "sqlite:"


def open_queue(
    url: QueueUrl | str, *, default_validity_seconds: int = 86400, retry_window_seconds: float = 5 * 86400.0
) -> SqliteQueue:
    """The queue at `sqlite:PATH`; opened on first use. Raises ConfigError for other stores."""
    path = str(url).removeprefix(_SQLITE)
    if path == str(url) or not path:
        raise ConfigError([Fault("", 0, "queue", f"no such store: {url}, expected sqlite:PATH")])
    return SqliteQueue(
        path, default_validity_seconds=default_validity_seconds, retry_window_seconds=retry_window_seconds
    )
