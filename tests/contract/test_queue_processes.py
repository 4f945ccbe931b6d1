"""Several processes on one SQLite file, any of which may be killed at any instant."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.builders import NOW, accepted, lease, record
from sms_milter.queue.sqlite import SqliteQueue

TESTS = Path(__file__).resolve().parent.parent
# Our own code, not what may be installed.
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent / 'milter'}"}
PARTS_OF_A_MAIL = 5


class Writer:
    """`contract/writer.py` as a process."""

    def __init__(self, path: Path, name: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(TESTS / "contract" / "writer.py"), str(path), name],
            stdout=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        self.stored: dict[str, int] = {}

    def hear(self, mails: int) -> None:
        """Wait until so many more are stored."""
        assert self._process.stdout is not None
        for _ in range(mails):
            name, queue_id = self._process.stdout.readline().split()
            self.stored[name] = int(queue_id)

    def kill(self) -> None:
        """SIGKILL; what it said before counts."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            assert self._process.stdout is not None
            for line in self._process.stdout:
                if line.endswith("\n"):
                    name, queue_id = line.split()
                    self.stored[name] = int(queue_id)
            self._process.stdout.close()
            self._process.wait()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue.db"


@pytest.fixture
def writers(path: Path) -> Iterator[list[Writer]]:
    started = [Writer(path, name) for name in ("A", "B", "C")]
    yield started
    for writer in started:
        writer.kill()


def test_killed_writers_leave_whole_mails_or_none(path: Path, writers: list[Writer]) -> None:
    queue = SqliteQueue(str(path))
    leased: list[int] = []
    for round_number in range(30):
        for writer in writers:
            with contextlib.suppress(ValueError):  # killed
                writer.hear(3)
        parts = lease(queue, 20)
        leased += [part.part_id for part in parts]
        record(queue, *(accepted(part.part_id, f"k{part.part_id}") for part in parts))
        if round_number == 10:
            writers[0].kill()
        if round_number == 20:
            writers[1].kill()
            writers.append(Writer(path, "D"))
    for writer in writers:
        writer.kill()
    while parts := lease(queue, 1000):
        leased += [part.part_id for part in parts]
    assert len(leased) == len(set(leased)), "leased twice"
    stored: dict[str, int] = {
        name: queue_id for writer in writers for name, queue_id in writer.stored.items()
    }
    shown = queue.list_parts(limit=10**6)
    assert sorted(leased) == sorted(part["part_id"] for part in shown), "lost"
    parts_of_mail = Counter(part["queue_id"] for part in shown)
    assert set(parts_of_mail.values()) == {PARTS_OF_A_MAIL}, "half a mail"
    assert {queue_id: parts_of_mail[queue_id] for queue_id in stored.values()} == dict.fromkeys(
        stored.values(), PARTS_OF_A_MAIL
    ), "acknowledged and lost"
    ids = {part["mta_queue_id"]: part["queue_id"] for part in shown}
    assert len(ids) == len(parts_of_mail), "one queue id for two mails"
    assert all(ids[name] == queue_id for name, queue_id in stored.items())
    assert sum(queue.summary(NOW)["parts"].values()) == len(shown)
    queue.close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        used = connection.execute("SELECT sum(parts), max(total) FROM usage WHERE sender = '*'").fetchone()
    assert used == (len(shown), len(shown)), "charged without being stored, or the other way round"


def test_a_dispatcher_killed_after_its_lease_leaves_known_parts(path: Path, writers: list[Writer]) -> None:
    writers[0].hear(3)
    code = (
        "import os, signal, sys\n"
        "from contract.builders import lease\n"
        "from sms_milter.queue.sqlite import SqliteQueue\n"
        "parts = lease(SqliteQueue(sys.argv[1]), 4, first=50)\n"
        "print(*(part.part_id for part in parts), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    died = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    queue = SqliteQueue(str(path))
    abandoned = queue.abandoned("main")
    assert [part.part_id for part in abandoned] == list(map(int, died.stdout.split()))
    assert [part.sequence for part in abandoned] == [50, 51, 52, 53]
    queue.close()
