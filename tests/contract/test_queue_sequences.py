"""Any sequence of puts, leases, outcomes, receipts and expiries leaves every part in exactly one place."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.builders import NOW, mail, message
from contract.fates import accepted, expire, failed, lease, queued, receipt, record, settle, uncertain
from sms_milter.model import Notify, PartState, Priority, ReportOutcome
from sms_milter.queue.postgresql import PostgresqlQueue
from sms_milter.queue.sqlite import SqliteQueue
from support.memory_queue import MemoryQueue
from support.postgres import Postgres

FINAL = {"delivered", "failed", "expired"}
EVERYTHING = Notify.LOST | Notify.FAILURE | Notify.SUCCESS
STEPS = ("put", "lease", "record", "settle", "expire", "crash", "late")


class Walk:
    """A dispatcher that does everything in any order, and remembers what it was given."""

    def __init__(self, queue: Any, dice: random.Random) -> None:
        self.queue = queue
        self.dice = dice
        self.now = NOW
        self.stored = 0
        self.held: list[int] = []  # leased, outcome not recorded yet
        self.seen: list[int] = []
        self.final: dict[int, str] = {}

    def step(self, name: str) -> None:
        self.now += self.dice.choice((0, 1, 30))
        getattr(self, name)()
        self.check()

    def put(self) -> None:
        mails = []
        for _ in range(self.dice.randrange(1, 4)):
            messages = [
                message(
                    f"4479731{self.dice.randrange(5)}",
                    parts=self.dice.randrange(1, 4),
                    priority=self.dice.choice(list(Priority)),
                    not_before=self.dice.choice((None, self.now + 20)),
                    validity_seconds=self.dice.choice((None, 40)),
                    notify=self.dice.choice((Notify.NEVER, Notify.LOST, EVERYTHING)),
                )
                for _ in range(self.dice.randrange(1, 3))
            ]
            self.stored += sum(len(one.parts) for one in messages)
            mails.append(mail(*messages, at=self.now))
        self.queue.put(mails, self.now)

    def lease(self) -> None:
        parts = lease(self.queue, self.dice.randrange(1, 6), now=self.now)
        ids = [part.part_id for part in parts]
        assert not set(ids) & set(self.held), "leased twice"
        assert not set(ids) & set(self.final), "leased after its end"
        assert all(part.expires_at > self.now for part in parts)
        self.held += ids
        self.seen += ids

    def outcome(self, part_id: int) -> Any:
        return self.dice.choice(
            (
                accepted(part_id, f"k{part_id % 7}", self.now),
                queued(part_id, self.now + self.dice.choice((0, 25))),
                failed(part_id, self.now),
                uncertain(part_id, self.now),
            )
        )

    def record(self) -> None:
        chosen = [part_id for part_id in self.held if self.dice.random() < 0.6]
        self.held = [part_id for part_id in self.held if part_id not in chosen]
        record(self.queue, *map(self.outcome, chosen))

    def late(self) -> None:
        free = [part_id for part_id in self.seen if part_id not in self.held]
        if free:
            record(self.queue, self.outcome(self.dice.choice(free)))

    def settle(self) -> None:
        state = self.dice.choice((None, PartState.DELIVERED, PartState.FAILED))
        source = f"4479731{self.dice.randrange(5)}"
        settle(self.queue, receipt(f"k{self.dice.randrange(9)}", state, source=source, at=self.now))

    def expire(self) -> None:
        expired = [part.part_id for part in expire(self.queue, self.now)]
        assert not set(expired) & set(self.held), "expired on the wire"

    def crash(self) -> None:
        if self.dice.random() < 0.2:
            abandoned = [part.part_id for part in self.queue.abandoned("main")]
            assert sorted(abandoned) == sorted(self.held)
            record(self.queue, *(uncertain(part_id) for part_id in abandoned))
            self.held = []

    def reports(self) -> list[tuple[object, ...]]:
        due = self.queue.due_reports(self.now, 10_000)
        return sorted(((one.queue_id, one.content) for one in due), key=repr)

    def finish_reports(self) -> None:
        due = self.queue.due_reports(self.now, 10_000)
        self.queue.record_reports([ReportOutcome(one.report_id, self.now) for one in due])

    def check(self) -> None:
        listed = self.queue.list_parts(limit=10_000)
        assert len(listed) == len({part["part_id"] for part in listed}) == self.stored, "lost or doubled"
        now_at = {part["part_id"]: part["state"] for part in listed}
        assert {part_id for part_id, state in now_at.items() if state == "submitting"} == set(self.held)
        for part_id, state in self.final.items():
            assert now_at[part_id] == state, "a final state changed"
        self.final = {part_id: state for part_id, state in now_at.items() if state in FINAL}
        counted = self.queue.summary(self.now)["parts"]
        assert {state: parts for state, parts in counted.items() if parts} == Counter(now_at.values())


@contextmanager
def fresh(store: str, postgres: Postgres, prepared: str) -> Iterator[Any]:
    """An empty queue."""
    if store == "memory":
        yield MemoryQueue()
    elif store == "sqlite":
        with tempfile.TemporaryDirectory() as folder, closing(SqliteQueue(f"{folder}/queue.db")) as queue:
            yield queue
    else:
        with postgres.database(prepared) as name, closing(PostgresqlQueue(postgres.url(name))) as queue:
            yield queue


STEPS_OF_A_WALK = st.lists(st.sampled_from(STEPS), min_size=10, max_size=40)


@pytest.mark.parametrize("store", ["memory", "sqlite", "postgresql"])
@settings(max_examples=25, deadline=None)
@given(names=STEPS_OF_A_WALK, seed=st.integers(0, 2**32))
def test_nothing_is_lost_doubled_or_leased_twice(
    postgres: Postgres, prepared: str, store: str, names: list[str], seed: int
) -> None:
    with fresh(store, postgres, prepared) as queue:
        walk = Walk(queue, random.Random(seed))
        for name in names:
            walk.step(name)
        walk.finish_reports()
        while queue.purge(NOW + 10**9):
            pass
        unfinished = queue.list_parts(states=["queued", "submitting"])
        kept = {part["queue_id"] for part in queue.list_parts(limit=10_000)}
        assert kept == {part["queue_id"] for part in unfinished}, "forgotten too early or not at all"


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
@settings(max_examples=25, deadline=None)
@given(names=STEPS_OF_A_WALK, seed=st.integers(0, 2**32))
def test_all_stores_walk_the_same_way(
    postgres: Postgres, prepared: str, store: str, names: list[str], seed: int
) -> None:
    with fresh(store, postgres, prepared) as queue:
        walks = [Walk(MemoryQueue(), random.Random(seed)), Walk(queue, random.Random(seed))]
        for name in names:
            for walk in walks:
                walk.step(name)
            seen = [
                [(part["part_id"], part["state"], part["attempts"], part["due_at"]) for part in parts]
                for parts in (walk.queue.list_parts(limit=10_000) for walk in walks)
            ]
            assert seen[0] == seen[1]
            assert walks[0].reports() == walks[1].reports()
        for walk in walks:
            walk.finish_reports()
        before = NOW + random.Random(seed).randrange(10**6)
        assert walks[0].queue.purge(before) == walks[1].queue.purge(before)
        assert walks[0].queue.summary(before)["parts"] == walks[1].queue.summary(before)["parts"]
