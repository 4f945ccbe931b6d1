"""Every store there is, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sms_milter.queue.sqlite import SqliteQueue
from support.memory_queue import MemoryQueue

Open = Callable[..., Any]


@pytest.fixture(params=["memory", "sqlite"])
def open_one(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    opened = []

    def open_with(**options: Any) -> Any:
        if request.param == "memory":
            opened.append(MemoryQueue(**options))
        else:
            opened.append(SqliteQueue(f"{tmp_path}/queue.db", **options))
        return opened[-1]

    yield open_with
    for queue in opened:
        queue.close()


@pytest.fixture
def queue(open_one: Open) -> Any:
    return open_one()
