"""Limits that many processes use up at the same time are exact: never over by one, and never short of one."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from contract.builders import NOW, accepted, failed, lease, record
from sms_milter.model import CreditRule
from sms_milter.queue.sqlite import SqliteQueue

TESTS = Path(__file__).resolve().parent.parent
PROCESSES, MAILS = 6, 60
WORKER = """
import sys
from contract.builders import NOW, mail, message
from sms_milter.model import CreditRule, DuplicateRule, FloodRule, Limits, QuotaRule, Stored
from sms_milter.queue.sqlite import SqliteQueue

RULES = {
    "quota": Limits(quota=QuotaRule(100, None, 3600, defer=False)),
    "quota of a sender": Limits(quota=QuotaRule(None, 70, 3600, defer=False)),
    "duplicates": Limits(duplicates=DuplicateRule(40, 60)),
    "flood": Limits(flood=FloodRule(50, 120, per_account=False)),
    "flood of the account": Limits(flood=FloodRule(90, 120, per_account=True)),
    "credits": Limits(credits=CreditRule(49_999)),
}
path, rule, worker, mails = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
queue = SqliteQueue(path)
print("ready", flush=True)
sys.stdin.readline()
taken = 0
for number in range(0, mails, 3):
    batch = [
        mail(
            message(f"44797310{worker}{number + one:04}" if "account" in rule else "447973100001", price=750),
            limits=RULES[rule],
            identity=b"the same",
            mta_queue_id=f"{worker}-{number + one}",
        )
        for one in range(3)
    ]
    taken += sum(isinstance(result, Stored) for result in queue.put(batch, NOW))
print(taken, flush=True)
"""


def started(program: str, path: Path, *arguments: str) -> subprocess.Popen[str]:
    """A process that waits for `go`."""
    worker = subprocess.Popen(
        [sys.executable, "-c", program, str(path), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])},
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    return worker


def go(workers: list[subprocess.Popen[str]]) -> None:
    """All of them at once."""
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ("quota", 100),
        ("quota of a sender", 70),
        ("duplicates", 40),
        ("flood", 50),
        ("flood of the account", 90),
        ("credits", 66),
    ],
)
def test_many_processes_take_exactly_what_is_allowed(tmp_path: Path, rule: str, allowed: int) -> None:
    path = tmp_path / "queue.db"
    workers = [started(WORKER, path, rule, str(number), str(MAILS)) for number in range(PROCESSES)]
    go(workers)
    told = [int(worker.communicate()[0]) for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * PROCESSES
    queue = SqliteQueue(str(path))
    parts = queue.list_parts(limit=10**6)
    assert len(parts) == sum(told) == allowed
    assert max(Counter(part["mta_queue_id"] for part in parts).values()) == 1
    assert sum(queue.summary(NOW)["parts"].values()) == allowed
    queue.close()


STORM = """
import sys
from contract.builders import NOW, mail, message
from sms_milter.model import Limits, Stored, StormRule
from sms_milter.queue.sqlite import SqliteQueue

path, worker, mails = sys.argv[1], sys.argv[2], int(sys.argv[3])
queue = SqliteQueue(path)
print("ready", flush=True)
sys.stdin.readline()
for number in range(0, mails, 3):
    batch = [
        mail(
            message("447973100001", text="disk full", likeness=b"disk", form="gsm7 udh auto dcs-10 dcs-04"),
            limits=Limits(storms=StormRule(600.0, similar=False)),
            mta_queue_id=f"{worker}-{number + one}",
        )
        for one in range(3)
    ]
    assert all(isinstance(result, Stored) for result in queue.put(batch, NOW))
"""


def test_a_storm_that_many_processes_store_is_counted_exactly(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    workers = [started(STORM, path, str(number), str(MAILS)) for number in range(PROCESSES)]
    go(workers)
    for worker in workers:
        worker.communicate()
    assert [worker.returncode for worker in workers] == [0] * PROCESSES
    queue = SqliteQueue(str(path))
    assert queue.summary(NOW)["parts"]["queued"] == len(queue.list_parts()) == 2
    with queue.transaction() as work:
        assert len(work.lease("main", "b1", range(9), NOW, "", "other traits")) == 0
        assert len(work.lease("main", "b1", range(9), NOW + 600, "", "other traits")) == 0
        assert [one.text for one in work.ways.unfit(9)] == [
            "disk full",
            f"({PROCESSES * MAILS - 1}x) disk full",
        ]
    queue.close()
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM mail").fetchone() == (PROCESSES * MAILS,)
        assert db.execute("SELECT count(*) FROM left_out").fetchone() == (PROCESSES * MAILS - 2,)


SPENDER = """
import sys
from contract.builders import NOW, mail, message
from sms_milter.model import CreditRule, Limits, Stored
from sms_milter.queue.sqlite import SqliteQueue

queue = SqliteQueue(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
spent = 0
for number in range(int(sys.argv[3])):
    one = mail(
        message(f"44797310{sys.argv[2]}{number:04}", parts=1 + number % 3, price=1500),
        limits=Limits(credits=CreditRule(60_000)),
        mta_queue_id=f"{sys.argv[2]}-{number}",
    )
    (result,) = queue.put([one], NOW)
    spent += isinstance(result, Stored)
print(spent, flush=True)
"""


def test_credits_are_never_below_nothing_while_some_are_spent_and_others_come_back(tmp_path: Path) -> None:
    path, rule = tmp_path / "queue.db", CreditRule(60_000)
    workers = [started(SPENDER, path, str(number), "150") for number in range(4)]
    queue = SqliteQueue(str(path))
    go(workers)
    lowest, turn = rule.deposit, 0
    while any(worker.poll() is None for worker in workers):
        parts = lease(queue, 7)
        outcomes = [
            failed(part.part_id) if (part.part_id + turn) % 3 else accepted(part.part_id, f"k{part.part_id}")
            for part in parts
        ]
        record(queue, *outcomes)
        lowest = min(lowest, queue.credit_left("acme", rule))
        turn += 1
    mails = sum(int(worker.communicate()[0]) for worker in workers)
    while parts := lease(queue, 100):
        record(queue, *(failed(part.part_id) for part in parts))
    assert lowest >= 0
    assert mails < 4 * 150  # the credits have been used up
    queue.close()
    with contextlib.closing(sqlite3.connect(path)) as db:
        (stored,) = db.execute("SELECT count(*) FROM mail").fetchone()
        (had,) = db.execute("SELECT count(*) FROM part WHERE smsc_message_id IS NOT NULL").fetchone()
        (kept,) = db.execute("SELECT coalesce(sum(price), 0) FROM charge WHERE returned = 0").fetchone()
        booked = db.execute("SELECT booked, (SELECT sum(amount) FROM booking) FROM balance").fetchone()
    assert stored == mails
    assert kept == 1500 * had
    assert booked == (-kept, -kept)
