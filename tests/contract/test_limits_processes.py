"""Limits that many processes use up at the same time are exact: never over by one, and never short of one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from contract.builders import NOW
from contract.fates import accepted, failed, lease, record
from contract.stores import looked_up, opened
from sms_milter.model import CreditRule

TESTS = Path(__file__).resolve().parent.parent
PROCESSES, MAILS = 6, 60
WORKER = """
import sys
from contract.builders import NOW, mail, message
from sms_milter.model import CreditRule, DuplicateRule, FloodRule, Limits, QuotaRule, Stored
from contract.stores import opened

RULES = {
    "quota": Limits(quota=QuotaRule(100, None, 3600, defer=False)),
    "quota of a sender": Limits(quota=QuotaRule(None, 70, 3600, defer=False)),
    "duplicates": Limits(duplicates=DuplicateRule(40, 60)),
    "flood": Limits(flood=FloodRule(50, 120, per_account=False)),
    "flood of the account": Limits(flood=FloodRule(90, 120, per_account=True)),
    "credits": Limits(credits=CreditRule(49_999)),
}
where, rule, worker, mails = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
queue = opened(where)
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


def started(program: str, where: str, *arguments: str) -> subprocess.Popen[str]:
    """A process that waits for `go`."""
    worker = subprocess.Popen(
        [sys.executable, "-c", program, where, *arguments],
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
def test_many_processes_take_exactly_what_is_allowed(shared: str, rule: str, allowed: int) -> None:
    workers = [started(WORKER, shared, rule, str(number), str(MAILS)) for number in range(PROCESSES)]
    go(workers)
    told = [int(worker.communicate()[0]) for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * PROCESSES
    queue = opened(shared)
    parts = queue.list_parts(limit=10**6)
    assert len(parts) == sum(told) == allowed
    assert max(Counter(part["mta_queue_id"] for part in parts).values()) == 1
    assert sum(queue.summary(NOW)["parts"].values()) == allowed
    queue.close()


STORM = """
import sys
from contract.builders import NOW, mail, message
from sms_milter.model import Limits, Stored, StormRule
from contract.stores import opened

where, worker, mails = sys.argv[1], sys.argv[2], int(sys.argv[3])
queue = opened(where)
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


def test_a_storm_that_many_processes_store_is_counted_exactly(shared: str) -> None:
    workers = [started(STORM, shared, str(number), str(MAILS)) for number in range(PROCESSES)]
    go(workers)
    for worker in workers:
        worker.communicate()
    assert [worker.returncode for worker in workers] == [0] * PROCESSES
    queue = opened(shared)
    assert queue.summary(NOW)["parts"]["queued"] == len(queue.list_parts()) == 2
    with queue.transaction() as work:
        assert len(work.lease("main", "b1", range(9), NOW, "", "other traits")) == 0
        assert len(work.lease("main", "b1", range(9), NOW + 600, "", "other traits")) == 0
        assert [one.text for one in work.ways.unfit(9)] == [
            "disk full",
            f"({PROCESSES * MAILS - 1}x) disk full",
        ]
    queue.close()
    assert looked_up(shared, "SELECT count(*) FROM mail") == [(PROCESSES * MAILS,)]
    assert looked_up(shared, "SELECT count(*) FROM left_out") == [(PROCESSES * MAILS - 2,)]


SPENDER = """
import sys
from contract.builders import NOW, mail, message
from sms_milter.model import CreditRule, Limits, Stored
from contract.stores import opened

queue = opened(sys.argv[1])
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


def test_credits_are_never_below_nothing_while_some_are_spent_and_others_come_back(shared: str) -> None:
    rule = CreditRule(60_000)
    workers = [started(SPENDER, shared, str(number), "150") for number in range(4)]
    queue = opened(shared)
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
    ((had,),) = looked_up(shared, "SELECT count(*) FROM part WHERE smsc_message_id IS NOT NULL")
    ((kept,),) = looked_up(shared, "SELECT coalesce(sum(price), 0) FROM charge WHERE returned = 0")
    (booked,) = looked_up(shared, "SELECT booked, (SELECT sum(amount) FROM booking) FROM balance")
    assert looked_up(shared, "SELECT count(*) FROM mail") == [(mails,)]
    assert kept == 1500 * had
    assert booked == (-kept, -kept)
