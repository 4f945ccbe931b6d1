from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from sms_milter.errors import QueueUnavailable
from sms_milter.queue.sqlite.role import RoleLock


def test_one_process_at_a_time_plays_a_role(tmp_path: Path) -> None:
    ours = RoleLock(f"{tmp_path}/queue.db", "report")
    assert ours.acquire()
    assert ours.acquire()
    assert not RoleLock(f"{tmp_path}/queue.db", "report").acquire()
    assert RoleLock(f"{tmp_path}/queue.db", "other").acquire()


def test_the_role_is_free_as_soon_as_its_process_is_dead(tmp_path: Path) -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        RoleLock(f"{tmp_path}/queue.db", "report").acquire()
        os.write(write, b"!")
        signal.pause()
    os.read(read, 1)
    ours = RoleLock(f"{tmp_path}/queue.db", "report")
    assert not ours.acquire()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert ours.acquire()


def test_without_its_folder_there_is_no_queue(tmp_path: Path) -> None:
    lock = RoleLock(f"{tmp_path}/away/queue.db", "report")
    with pytest.raises(QueueUnavailable, match="No such file"):
        lock.acquire()
    (tmp_path / "away").mkdir()
    assert lock.acquire()
