"""What leaves in how much time, by a clock that stands still while we compute."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from support.dispatchers import most_in_a_second
from support.exchange import NOW, Exchange
from support.wire import SUBMIT_RESP, Wire, pdu

Answer = Callable[[float], int]  # the command_status of a submit_sm that comes at that time


class TimedSmsc:
    """Answers each submit_sm after `delay_seconds` with what `answer` says; counts those it takes."""

    def __init__(self, wire: Wire, delay_seconds: float, answer: Answer = lambda _: 0) -> None:
        self._wire = wire
        self._delay = delay_seconds
        self._answer = answer
        self._due: list[tuple[float, int, int]] = []
        self.taken: list[float] = []

    def take(self, now: float) -> None:
        for sequence, _ in self._wire.submits:
            status = self._answer(now)
            heapq.heappush(self._due, (now + self._delay, sequence, status))
            if not status:
                self.taken.append(now)
        self._wire.sent.clear()

    def speak(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            _, sequence, status = heapq.heappop(self._due)
            body = b"" if status else f"{sequence:X}\0".encode()
            self._wire.say(pdu(SUBMIT_RESP, sequence, body, status))

    def speaks_at(self) -> float:
        return self._due[0][0] if self._due else float("inf")


def at_most(rate: int) -> Answer:
    """Throttles what is more than `rate` in one second."""
    times: list[float] = []

    def answer(now: float) -> int:
        while times and times[0] <= now - 1.0:
            times.pop(0)
        if len(times) >= rate:
            return 0x58
        times.append(now)
        return 0

    return answer


def run(exchange: Exchange, seconds: float, *smscs: TimedSmsc) -> None:
    end = exchange.now + seconds
    while exchange.now < end:
        for one in smscs:
            one.speak(exchange.now)
        rest = exchange.dispatcher.step(exchange.now, exchange.now - NOW)
        for one in smscs:
            one.take(exchange.now)
        following = min(exchange.now + rest, *(one.speaks_at() for one in smscs))
        exchange.now = max(exchange.now + 0.0001, following)


def fill(exchange: Exchange, prefix: str, count: int) -> None:
    for number in range(count):
        exchange.put(destination=f"{prefix}{number:07}")


def split(path: Path, name: str = "", **primary: object) -> Exchange:
    """Numbers that begin with 41 go by the primary, all others by the backup."""
    exchange = Exchange(path, primary=primary, name=name)
    exchange.rules = [{"to": "+41", "via": ["primary"]}, {"to": "*", "via": ["backup"]}]
    exchange.start("primary", "backup")
    return exchange


def test_a_window_of_ten_at_forty_milliseconds_reaches_its_250_a_second(tmp_path: Path) -> None:
    exchange = split(tmp_path)
    fill(exchange, "4479", 1500)
    smsc = TimedSmsc(exchange.wires["backup"], 0.040)
    run(exchange, 5.0, smsc)
    assert len(smsc.taken) >= 0.95 * 250 * 5


def test_a_throttled_smsc_slows_no_other(tmp_path: Path) -> None:
    exchange = split(tmp_path)
    fill(exchange, "4179", 300)
    fill(exchange, "4479", 3000)
    slow = TimedSmsc(exchange.wires["primary"], 0.040, at_most(5))
    other = TimedSmsc(exchange.wires["backup"], 0.040)
    run(exchange, 10.0, slow, other)
    assert len(other.taken) >= 0.95 * 250 * 10
    assert 10 <= len(slow.taken) <= 50


def test_a_throttled_smsc_gets_nearly_what_it_takes_after_a_while(tmp_path: Path) -> None:
    exchange = split(tmp_path)
    fill(exchange, "4179", 600)
    slow = TimedSmsc(exchange.wires["primary"], 0.040, at_most(5))
    run(exchange, 200.0, slow)
    assert sum(at > NOW + 100 for at in slow.taken) >= 0.5 * 5 * 100


@pytest.mark.parametrize("rate", [5, 100])
def test_the_contracts_rate_is_kept_and_used(tmp_path: Path, rate: int) -> None:
    exchange = split(tmp_path, rate=rate, binds=1)
    fill(exchange, "4179", rate * 6)
    smsc = TimedSmsc(exchange.wires["primary"], 0.040, at_most(rate))
    run(exchange, 5.0, smsc)
    assert len(smsc.taken) == pytest.approx(rate * 5, rel=0.05, abs=2)
    assert "THROTTLED" not in exchange.lines.text


# --- several dispatchers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [5, 60])
def test_dispatchers_that_come_and_go_keep_the_rate_together_and_use_it(tmp_path: Path, rate: int) -> None:
    lives = {"one": (0.0, 15.0), "two": (3.3, 9.7), "three": (6.1, 20.0)}
    exchanges = {name: split(tmp_path, name, rate=rate, binds=3) for name in lives}
    fill(exchanges["one"], "4179", rate * 20)
    smscs = {name: TimedSmsc(one.wires["primary"], 0.040) for name, one in exchanges.items()}
    for turn in range(2000):
        at = turn * 0.01
        for name, (begin, end) in lives.items():
            if begin <= at < end:
                smscs[name].speak(NOW + at)
                exchanges[name].dispatcher.step(NOW + at, at)
                smscs[name].take(NOW + at)
    times = [at for smsc in smscs.values() for at in smsc.taken]
    assert most_in_a_second(times) <= rate
    taken = {name: Counter(int(at - NOW) for at in smsc.taken) for name, smsc in smscs.items()}
    alone, all_three = range(1, 3), (8, 9)
    assert min(taken["one"][second] for second in alone) >= 0.9 * rate - 1
    assert all(sum(taken[name][second] for second in all_three) for name in lives)
    assert min(taken["three"][second] for second in range(18, 20)) >= 0.9 * rate - 1
    assert len(times) >= 0.75 * rate * 20
