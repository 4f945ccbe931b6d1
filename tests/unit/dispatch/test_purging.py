"""How fast finished mails are forgotten, and that nothing which is to be sent waits for it."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from sms_milter.dispatch.purging import Purging
from sms_milter.errors import QueueUnavailable
from sms_milter.ports import DispatchQueue
from support.exchange import Exchange

KEEP = 1000.0
DAY = 86400.0


class Finished:
    """A queue of so many finished mails; to forget one takes so long."""

    def __init__(self, mails: int, seconds_each: float) -> None:
        self.mails, self._seconds_each = mails, seconds_each
        self.now = 0.0
        self.bites: list[int] = []
        self.away = False

    def purge(self, before: float, limit: int) -> int:
        assert before == self.asked_at - KEEP
        if self.away:
            raise QueueUnavailable("away")
        bite = min(limit, self.mails)
        self.mails -= bite
        self.bites.append(bite)
        self.now += bite * self._seconds_each
        return bite

    def work(self, seconds: float, *, busy: bool, purging: Purging | None = None) -> float:
        """As the dispatcher would; returns which share of the time the bites took."""
        purging = purging or Purging(cast(DispatchQueue, self), KEEP, lambda: self.now)
        began, spent = self.now, 0.0
        while self.now < began + seconds:
            self.asked_at = self.now
            if self.now >= purging.due_at:
                before = self.now
                purging.bite(self.now, busy=busy)
                spent += self.now - before
            self.now = max(self.now, min(purging.due_at, began + seconds))
        return spent / seconds


@pytest.mark.parametrize("seconds_each", [20e-6, 50e-6, 200e-6])
@pytest.mark.parametrize(("busy", "share"), [(True, 0.1), (False, 0.5)])
def test_it_goes_on_for_its_share_of_the_time_while_there_is_more(
    seconds_each: float, busy: bool, share: float
) -> None:
    queue = Finished(10**9, seconds_each)
    assert queue.work(60, busy=busy) == pytest.approx(share, rel=0.05)
    assert sum(queue.bites) == pytest.approx(60 * share / seconds_each, rel=0.05)


@pytest.mark.parametrize("seconds_each", [10e-6, 50e-6, 400e-6])
def test_a_bite_takes_some_milliseconds_whatever_the_machine(seconds_each: float) -> None:
    queue = Finished(10**9, seconds_each)
    queue.work(60, busy=True)
    assert all(0.008 <= bite * seconds_each <= 0.012 for bite in queue.bites[5:])


def test_the_slowest_disk_is_asked_for_a_few_mails_at_a_time() -> None:
    queue = Finished(10**9, 0.01)
    queue.work(600, busy=True)
    assert set(queue.bites[5:]) == {20}


def test_when_nothing_is_left_it_looks_again_after_ten_seconds() -> None:
    queue = Finished(1000, 25e-6)
    purging = Purging(cast(DispatchQueue, queue), KEEP, lambda: queue.now)
    queue.work(5, busy=False, purging=purging)
    assert queue.mails == 0
    assert purging.due_at > queue.now + 4
    looked = len(queue.bites)
    queue.work(30, busy=False, purging=purging)
    assert len(queue.bites) == looked + 3


def test_a_queue_that_is_away_is_not_asked_again_at_once() -> None:
    queue = Finished(1000, 25e-6)
    queue.away, queue.asked_at = True, 5.0
    purging = Purging(cast(DispatchQueue, queue), KEEP, lambda: queue.now)
    with pytest.raises(QueueUnavailable):
        purging.bite(5.0, busy=False)
    assert purging.due_at == 15.0


def test_what_is_due_leaves_before_a_bite_and_all_is_forgotten_in_the_end(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, up=("primary",))
    for _ in range(300):
        exchange.put()
    while set(exchange.states()) != {"accepted"}:
        exchange.step()
        exchange.wires["primary"].answer()
    exchange.now += 60 * DAY
    exchange.start("primary")
    waited: list[int] = []
    purge = exchange.queue.purge

    def watched(before: float, limit: int) -> int:
        states = exchange.states()
        waited.append(states.count("queued"))
        assert exchange.sent("primary") == states.count("submitting"), "these have not left yet"
        return purge(before, limit)

    exchange.queue.purge = watched  # type: ignore[method-assign]
    for _ in range(5):
        exchange.put()
    exchange.step(times=2)
    exchange.wires["primary"].answer()
    exchange.step(times=2)
    assert waited[:2] == [0, 0]
    assert exchange.states() == ["accepted"] * 5
