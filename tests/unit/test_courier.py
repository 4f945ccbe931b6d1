"""The courier between a queue and outlets that answer as told, without threads and clocks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from sms_milter.channels import errand
from sms_milter.courier import Courier, Lane
from sms_milter.errors import QueueUnavailable
from sms_milter.logline import Numbers
from sms_milter.model import (
    Errand,
    Handed,
    LeasedPart,
    NewMail,
    NewMessage,
    Notify,
    PartState,
    PlannedMessage,
    Priority,
    ReceiptNews,
)
from sms_milter.policy.quiet import Quiet
from support.gate import Lines
from support.memory_queue import MemoryQueue

NOW = 1_700_000_000.0
DAY = 86400.0

Meaning = Callable[[LeasedPart], Handed]


def accepted(part: LeasedPart) -> Handed:
    return Handed(part, PartState.ACCEPTED, outlet_id=f"their-{part.part_id}", key=f"their-{part.part_id}")


class Outlet:
    """A `ports.Outlet`: what it took waits until `finish`."""

    def __init__(self, size: int = 2, meaning: Meaning = accepted) -> None:
        self.size, self.meaning = size, meaning
        self.taken: list[LeasedPart] = []
        self._in_hand: list[LeasedPart] = []
        self._done: list[Handed] = []

    @property
    def free(self) -> int:
        return self.size - len(self._in_hand) - len(self._done)

    def take(self, part: LeasedPart) -> None:
        assert self.free > 0
        self.taken.append(part)
        self._in_hand.append(part)

    def finish(self) -> None:
        self._done += [self.meaning(part) for part in self._in_hand]
        self._in_hand = []

    def done(self) -> list[Handed]:
        done, self._done = self._done, []
        return done


class Bell:
    def __init__(self) -> None:
        self.rung = 0

    def ring(self) -> None:
        self.rung += 1


class House:
    """A courier with everything around it."""

    def __init__(
        self,
        meaning: Meaning = accepted,
        *,
        size: int = 2,
        retries_doubt: bool = True,
        queue: MemoryQueue | None = None,
        our_turn: Callable[[], bool] = lambda: True,
        quiet: Quiet | None = None,
    ) -> None:
        self.queue = queue or MemoryQueue()
        self.outlet, self.lines, self.bell = Outlet(size, meaning), Lines(), Bell()
        self.courier = Courier(
            self.queue,
            {"voice": Lane(self.outlet, retries_doubt)},
            self.lines,  # type: ignore[arg-type]  # its methods are made on demand
            Numbers(masked=False),
            reports=self.bell,
            our_turn=our_turn,
            quiet=quiet,
        )

    def put(self, *destinations: str, channel: str = "voice", **plan: Any) -> None:
        parts = [Errand(channel, one, "ACME", "Call me") for one in destinations]
        messages = [
            NewMessage(
                PlannedMessage(
                    **(
                        {
                            "destination": one.destination,
                            "originator": one.originator,
                            "text": one.text,
                            "parts": (one,),
                            "kind": channel,
                            "channel": channel,
                            "smsc": errand.outlet_name(channel),
                        }
                        | plan
                    )
                ),
                (errand.compose(one),),
                NOW + DAY,
            )
            for one in parts
        ]
        self.queue.put([NewMail(tuple(messages), NOW, "acme", "smscentre", "a@b.example", "", "4ABC")], NOW)

    def step(self, now: float = NOW) -> float:
        return self.courier.step(now)

    def turn(self, now: float = NOW) -> None:
        """Take what is due, let the outlet answer, hear it."""
        self.step(now)
        self.outlet.finish()
        self.step(now)

    @property
    def states(self) -> list[str]:
        return [part["state"] for part in reversed(self.queue.list_parts())]


def said(state: PartState, **more: Any) -> Meaning:
    return lambda part: Handed(part, state, "HTTP 500", **more)


def test_an_errand_is_marked_before_it_goes_and_recorded_after() -> None:
    house = House()
    house.put("4471")
    house.step()
    assert house.states == ["submitting"]
    assert [errand.read(part.body).text for part in house.outlet.taken] == ["Call me"]
    house.outlet.finish()
    house.step()
    assert house.states == ["accepted"]
    assert house.queue.list_parts()[0]["smsc"] == "channel:voice"
    assert "4ABC: to=4471, queue=1, part=1/1, outlet=channel:voice" in house.lines.text
    assert "status=accepted (id=their-1)" in house.lines.text
    assert house.courier.idle


def test_no_more_at_a_time_than_the_outlet_takes_in_the_order_of_priority() -> None:
    house = House(size=2)
    house.put("1", "2", "3", priority=Priority.LOW)
    house.put("4", priority=Priority.HIGH)
    house.step()
    assert [part.destination for part in house.outlet.taken] == ["4", "1"]
    assert house.step() > 0
    house.outlet.finish()
    house.step()
    assert [part.destination for part in house.outlet.taken] == ["4", "1", "2", "3"]


def test_what_is_over_its_time_neither_goes_nor_keeps_us_busy() -> None:
    house = House()
    house.put("1")
    assert house.step(NOW + DAY + 1) > 0
    assert house.outlet.taken == []


def test_other_channels_and_sms_are_not_touched() -> None:
    house = House()
    house.put("1", channel="viber")
    house.put("2", smsc="voice")
    house.turn()
    assert house.states == ["queued", "queued"]


def test_what_is_for_later_waits() -> None:
    house = House()
    house.put("1", not_before=NOW + 3)
    assert house.step() == 3
    assert house.outlet.taken == []
    house.turn(NOW + 3)
    assert house.states == ["accepted"]


def test_what_comes_late_in_the_night_waits_for_the_morning() -> None:
    house = House(quiet=lambda account, phone, now: NOW + 3600 if phone == "1" and now < NOW + 3600 else None)
    house.put("1", "2")
    house.turn()
    assert [part.destination for part in house.outlet.taken] == ["2"]
    assert house.states == ["queued", "accepted"]
    assert house.lines.text.count("deferred for 3600 s (quiet hours)") == 1
    house.turn(NOW + 3600)
    assert house.states == ["accepted", "accepted"]


def test_the_doorbell_brings_new_work_at_once() -> None:
    house = House()
    assert house.step() == 5
    house.put("1")
    house.step(NOW + 1)
    assert house.outlet.taken == []
    house.courier.rung()
    house.step(NOW + 1)
    assert len(house.outlet.taken) == 1


def test_without_a_doorbell_it_looks_now_and_then() -> None:
    house = House()
    rest = house.step()
    house.put("1")
    house.step(NOW + rest)
    assert len(house.outlet.taken) == 1


def test_what_is_refused_for_good_has_failed_and_is_told() -> None:
    house = House(said(PartState.FAILED))
    house.put("1", notify=Notify.LOST)
    house.turn()
    assert house.states == ["failed"]
    assert house.bell.rung == 1
    assert "refused (HTTP 500)" in house.lines.text


def test_what_is_not_taken_now_is_tried_again_ever_later_until_its_time_is_over() -> None:
    house = House(said(PartState.QUEUED))
    house.put("1")
    now, waits = NOW, []
    for _ in range(8):
        house.turn(now)
        (part,) = house.queue.list_parts()
        assert part["state"] == "queued"
        waits.append(part["due_at"] - now)
        house.turn(part["due_at"] - 1)
        now = part["due_at"]
    assert waits == [30, 60, 120, 300, 600, 900, 900, 900]
    assert len(house.outlet.taken) == 8
    house.turn(NOW + DAY + 1)
    assert len(house.outlet.taken) == 8


def test_the_outlet_may_ask_for_more_time_but_not_for_ever() -> None:
    house = House(said(PartState.QUEUED, pause_seconds=100.0))
    house.put("1")
    house.turn()
    assert house.queue.list_parts()[0]["due_at"] == NOW + 100
    endless = House(said(PartState.QUEUED, pause_seconds=1e9))
    endless.put("1")
    endless.turn()
    assert endless.queue.list_parts()[0]["due_at"] == NOW + 3600


def test_an_outlet_that_is_closed_is_left_alone_as_a_whole() -> None:
    house = House(said(PartState.QUEUED, closed=True))
    house.put("1", "2", "3", "4")
    now = NOW
    house.turn(now)
    assert len(house.outlet.taken) == 2
    assert house.step(now + 0.9) == pytest.approx(0.1)
    tries = [len(house.outlet.taken)]
    for pause in (1, 2, 4, 8, 16, 32, 60, 60):
        now += pause
        house.turn(now - 0.01)
        assert len(house.outlet.taken) == tries[-1]
        house.turn(now)
        tries.append(len(house.outlet.taken))
        assert tries[-1] > tries[-2]
    assert {part["attempts"] for part in house.queue.list_parts()} == {0}
    house.outlet.meaning = accepted
    house.turn(now + 60)
    house.turn(now + 60)
    house.turn(now + 60)
    assert house.states == ["accepted"] * 4
    told = [one for one in house.lines.written if "NOQUEUE" in one[1]]
    assert told == [
        ("warning", "NOQUEUE: outlet=channel:voice, status=takes nothing, trying again (HTTP 500)"),
        ("info", "NOQUEUE: outlet=channel:voice, status=takes messages again"),
    ]


def test_what_is_in_doubt_goes_once_more_and_then_never() -> None:
    house = House(said(PartState.UNCERTAIN, key="ours"))
    house.put("1")
    house.turn()
    assert house.states == ["queued"]
    assert "once more in 30 s: possibly a duplicate" in house.lines.text
    house.turn(NOW + 30)
    assert house.states == ["uncertain"]
    house.turn(NOW + 3600)
    assert len(house.outlet.taken) == 2


def test_what_must_never_go_twice_does_not() -> None:
    house = House(said(PartState.UNCERTAIN, key="ours"), retries_doubt=False)
    house.put("1")
    house.turn()
    assert house.states == ["uncertain"]
    assert "not sent again" in house.lines.text


@pytest.mark.parametrize(("retries_doubt", "state"), [(True, "submitting"), (False, "uncertain")])
def test_what_a_courier_before_us_had_in_hand_is_in_doubt(retries_doubt: bool, state: str) -> None:
    before = House()
    before.put("1")
    before.step()
    house = House(queue=before.queue, retries_doubt=retries_doubt)
    house.step()
    assert house.states == [state]  # the outlet is well: it goes at once, or never
    assert [part.doubts for part in house.outlet.taken] == ([1] if retries_doubt else [])
    assert "the courier died before the answer" in house.lines.text
    # What it did ask the service for is known by our id, and a call-back may still tell of it.
    (part,) = before.outlet.taken
    news = ReceiptNews(
        "channel:voice", "x", errand.identity(part), "", "DELIVRD", "", PartState.DELIVERED, None, NOW
    )
    with house.queue.transaction() as work:
        assert [one.changed for one in work.settle([news])] == [True]
    assert house.states == ["delivered"]


def test_a_call_back_that_was_quicker_than_the_answer_finds_its_part() -> None:
    house = House()
    house.put("1", receipt=True)
    house.step()
    news = ReceiptNews(
        "channel:voice", "their-1", "their-1", "", "UNDELIV", "240", PartState.FAILED, None, NOW
    )
    with house.queue.transaction() as work:
        assert work.settle([news]) == []
    house.outlet.finish()
    house.step()
    assert house.states == ["failed"]
    assert "id=their-1, status=failed (err=240)" in house.lines.text


def test_not_our_turn_nothing_happens() -> None:
    turn = False
    house = House(our_turn=lambda: turn)
    house.put("1")
    assert 0 < house.step() < 1
    assert house.outlet.taken == []
    turn = True
    house.step()
    assert len(house.outlet.taken) == 1


def test_draining_it_takes_no_more_and_ends_when_all_is_known() -> None:
    house = House()
    house.put("1", "2", "3")
    house.step()
    house.courier.drain()
    assert not house.courier.idle
    house.outlet.finish()
    house.step()
    assert house.courier.idle
    assert house.states == ["accepted", "accepted", "queued"]


class Failing(MemoryQueue):
    """Writes nothing while `away`."""

    away = False

    def transaction(self) -> AbstractContextManager[MemoryQueue]:
        if self.away:
            raise QueueUnavailable("disk full")
        return super().transaction()


def test_what_was_heard_waits_for_a_queue_that_cannot_be_written() -> None:
    queue = Failing()
    house = House(queue=queue)
    house.put("1")
    house.step()
    house.outlet.finish()
    queue.away = True
    assert house.step() == 1
    assert house.step() == 1
    assert house.lines.text.count("queue not available") == 1
    queue.away = False
    house.step()
    assert house.states == ["accepted"]


def test_nothing_goes_that_could_not_be_marked() -> None:
    queue = Failing()
    house = House(queue=queue)
    house.put("1")
    queue.away = True
    house.step()
    assert house.outlet.taken == []


def test_accounts_share_the_slots() -> None:
    house = House(size=1)
    house.put("1", "2", "3")
    other = house.queue._mails[1]
    house.queue.put([other._replace(account="zeta")], NOW)
    for _ in range(4):
        house.turn()
    assert [part.account for part in house.outlet.taken[:4]] == ["acme", "zeta", "acme", "zeta"]
