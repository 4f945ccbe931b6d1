"""Threads that hand over: never more than allowed, every errand once, whatever goes wrong."""

from __future__ import annotations

import threading
import time

from sms_milter.channels.pool import Pool
from sms_milter.model import Handed, LeasedPart, PartState
from unit.channels.parts import part


def heard(pool: Pool, count: int) -> list[Handed]:
    found: list[Handed] = []
    deadline = time.monotonic() + 10
    while len(found) < count and time.monotonic() < deadline:
        found += pool.done()
        time.sleep(0.005)
    return found


def test_as_many_at_a_time_as_allowed_and_no_more() -> None:
    running, most, lock, go = 0, 0, threading.Lock(), threading.Event()

    def hand(one: LeasedPart) -> Handed:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        go.wait(10)
        with lock:
            running -= 1
        return Handed(one, PartState.ACCEPTED)

    woken: list[None] = []
    pool = Pool(hand, 3, lambda: woken.append(None))
    assert pool.free == 3
    for number in range(3):
        pool.take(part(number + 1))
    assert pool.free == 0
    while running < 3:
        time.sleep(0.005)
    assert pool.done() == []
    go.set()
    assert {one.part.part_id for one in heard(pool, 3)} == {1, 2, 3}
    assert (most, pool.free, len(woken)) == (3, 3, 3)


def test_threads_start_with_work_only() -> None:
    before = threading.active_count()
    pool = Pool(lambda one: Handed(one, PartState.ACCEPTED), 8, lambda: None)
    assert threading.active_count() == before
    for number in range(5):
        pool.take(part(number + 1))
        heard(pool, 1)
    assert threading.active_count() == before + 1


def test_one_that_breaks_is_in_doubt_and_stops_no_other() -> None:
    def hand(one: LeasedPart) -> Handed:
        if one.part_id == 1:
            raise RuntimeError("text of a mail")
        return Handed(one, PartState.ACCEPTED)

    pool = Pool(hand, 1, lambda: None)
    pool.take(part(1))
    (broken,) = heard(pool, 1)
    pool.take(part(2))
    (fine,) = heard(pool, 1)
    assert (broken.state, fine.state) == (PartState.UNCERTAIN, PartState.ACCEPTED)
    assert "RuntimeError at" in broken.why
    assert "text of a mail" not in broken.why
