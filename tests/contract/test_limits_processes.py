"""Limits that many processes use up at the same time are exact: never over by one, and never short of one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from contract.builders import NOW
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
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(path), rule, str(number), str(MAILS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])},
        )
        for number in range(PROCESSES)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    told = [int(worker.communicate()[0]) for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * PROCESSES
    queue = SqliteQueue(str(path))
    parts = queue.list_parts(limit=10**6)
    assert len(parts) == sum(told) == allowed
    assert max(Counter(part["mta_queue_id"] for part in parts).values()) == 1
    assert sum(queue.summary(NOW)["parts"].values()) == allowed
    queue.close()
