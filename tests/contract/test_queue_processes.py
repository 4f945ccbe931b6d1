"""Several processes on one store, any of which may be killed at any instant."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.builders import NOW
from contract.fates import accepted, lease, record
from contract.stores import looked_up, opened

TESTS = Path(__file__).resolve().parent.parent
# Our own code, not what may be installed.
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent / 'milter'}"}
PARTS_OF_A_MAIL = 5


class Writer:
    """`contract/writer.py` as a process."""

    def __init__(self, where: str, name: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(TESTS / "contract" / "writer.py"), where, name],
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
def writers(shared: str) -> Iterator[list[Writer]]:
    started = [Writer(shared, name) for name in ("A", "B", "C")]
    yield started
    for writer in started:
        writer.kill()


def test_killed_writers_leave_whole_mails_or_none(shared: str, writers: list[Writer]) -> None:
    queue = opened(shared)
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
            writers.append(Writer(shared, "D"))
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
    if not shared.startswith("postgresql:"):
        assert looked_up(shared, "PRAGMA integrity_check") == [("ok",)]
    (used,) = looked_up(shared, "SELECT sum(parts), max(total) FROM usage WHERE sender = '*'")
    assert used == (len(shown), len(shown)), "charged without being stored, or the other way round"


def test_a_dispatcher_killed_after_its_lease_leaves_known_parts(shared: str, writers: list[Writer]) -> None:
    writers[0].hear(3)
    code = (
        "import os, signal, sys\n"
        "from contract.fates import lease\n"
        "from contract.stores import opened\n"
        "parts = lease(opened(sys.argv[1]), 4, first=50)\n"
        "print(*(part.part_id for part in parts), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    died = subprocess.run(
        [sys.executable, "-c", code, shared],
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    queue = opened(shared)
    abandoned = queue.abandoned("main")
    assert [part.part_id for part in abandoned] == list(map(int, died.stdout.split()))
    assert [part.sequence for part in abandoned] == [50, 51, 52, 53]
    queue.close()
