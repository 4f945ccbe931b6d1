"""What keeps an SMSC from being sent to faster, and what the operator is told of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sms_milter.dispatch.load import Limit, Load
from sms_milter.dispatch.pace import Pace
from sms_milter.model import SmscLoad
from sms_milter.policy.rates import Share
from support.exchange import Exchange

TIMES = [0.02] * 90 + [0.04] * 10


def told(load: Load, pace: Pace | None = None, *, now: float = 10.0, **more: Any) -> SmscLoad:
    facts = {"window": 10, "window_used": 10, "response_seconds": TIMES, "why_unbound": ""}
    return load.report("primary", pace or Pace(), now=now, time_of_day=now, **{**facts, **more})


def after(*limits: tuple[Limit, float]) -> Load:
    load, now = Load(), 0.0
    for limit, seconds in limits:
        load.watch(limit, now)
        now += seconds
    return load


def test_what_held_it_back_for_most_of_the_time_is_the_limit() -> None:
    load = after((Limit.QUEUE, 2), (Limit.WINDOW, 5), (Limit.OURSELVES, 1), (Limit.WINDOW, 2))
    assert told(load).limited_by == "window"
    assert told(load, now=20.0).limited_by == "window"


def test_each_report_begins_anew() -> None:
    load = after((Limit.WINDOW, 9))
    load.sent = 50
    assert told(load).sent_per_second == 5.0
    load.watch(Limit.QUEUE, 10.0)
    again = told(load, now=20.0)
    assert (again.limited_by, again.sent_per_second) == ("empty queue", 0.0)


def sharing(rate: int, parts: int) -> Pace:
    pace = Pace(rate)
    pace.portion.hold(Share(parts, 0.0), 0.0)
    return pace


@pytest.mark.parametrize(
    ("limit", "pace", "advice"),
    [
        (
            Limit.WINDOW,
            Pace(),
            "10 on the wire at 40 ms each allow 250/s; twice the window or the binds: 500/s",
        ),
        (
            Limit.WINDOW,
            Pace(300),
            "10 on the wire at 40 ms each allow 250/s; more window: up to the contract's 300/s",
        ),
        (Limit.RATE, Pace(30), "the contract's 30/s; the window would allow 250/s"),
        (Limit.RATE, sharing(30, 10), "the contract's 30/s, of which this dispatcher has 10/s"),
        (Limit.QUEUE, Pace(), "nothing waits"),
        (Limit.BIND, Pace(), "bind refused"),
        (Limit.OURSELVES, Pace(), "the SMSC takes parts as fast as we commit them"),
    ],
)
def test_the_advice_says_what_a_change_would_give(limit: Limit, pace: Pace, advice: str) -> None:
    assert told(after((limit, 9)), pace, why_unbound="bind refused").advice == advice


def test_throttling_says_how_slow_it_is_and_since_when() -> None:
    pace = Pace(30)
    pace.throttled(5.0)
    load = told(after((Limit.THROTTLING, 9)), pace)
    assert (load.rate, load.contract_rate, load.throttled_at) == (15.0, 30, 5.0)
    assert load.advice == "slowed to 15.0/s of 30/s after complaints; it rises by itself"


def test_without_responses_no_number_is_made_up() -> None:
    load = told(after((Limit.WINDOW, 9)), response_seconds=[])
    assert (load.response_p95_ms, load.advice) == (None, "10 on the wire, and no response yet")


def limits(exchange: Exchange) -> dict[str, str]:
    return {one["smsc"]: one["limited_by"] for one in exchange.queue.summary(exchange.now)["smscs"]}


def test_status_names_the_limit_of_each_smsc(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, up=("backup",), primary={"rate": 1})
    exchange.step(11, times=2)
    assert limits(exchange) == {"primary": "bind", "backup": "empty queue"}
    exchange.start("primary", "backup")
    for number in range(30):
        exchange.put(destination=f"4479731000{number:02}")
    exchange.step(0.5, times=60)
    assert limits(exchange)["primary"] == "contract rate"
    exchange.smscs["primary"] = {"window": 2}
    exchange.start("primary", "backup")
    exchange.step(0.5, times=60)
    (primary,) = [one for one in exchange.queue.summary(exchange.now)["smscs"] if one["smsc"] == "primary"]
    assert (primary["limited_by"], primary["window"], primary["window_used"]) == ("window", 2, 2)


def test_status_hears_of_us_every_minute_though_nothing_changes(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    exchange.step(11, times=20)
    summary = exchange.queue.summary(exchange.now)
    told = [*summary["smscs"], *summary["links"]]
    assert len(told) > 2
    assert not any(one["stale"] for one in told)
    assert all(exchange.now - one["reported_at"] <= 71 for one in told)
    (backup,) = [one for one in summary["links"] if one["smsc"] == "backup"]
    assert backup["state"] == "bound"
    later = exchange.queue.summary(exchange.now + 21)
    assert {one["limited_by"] for one in later["smscs"]} == {"unknown"}
    assert {one["state"] for one in later["links"]} == {"unknown"}
