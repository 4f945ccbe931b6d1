"""What several dispatchers say of the same link or SMSC: who is believed, and what is added up."""

from __future__ import annotations

from typing import Any

import pytest

from sms_milter.queue.reports import of_smsc, told

NOW = 1000.0


def row(bind: str, state: str, *, until: float | None, at: float) -> dict[str, Any]:
    return {"smsc": "main", "bind": bind, "state": state, "reported_at": at, "alive_until": until}


def shown(*rows: dict[str, Any]) -> list[tuple[str, str, float]]:
    found = told(rows, NOW, "state", "smsc", "bind")
    assert all(one["stale"] == (one["state"] == "unknown") for one in found)
    return [(one["bind"], one["state"], one["reported_at"]) for one in found]


def test_of_a_bind_that_a_living_dispatcher_has_taken_over_the_dead_one_says_nothing() -> None:
    dead, alive = {"until": NOW - 5}, {"until": NOW + 5}
    assert shown(
        row("main/2", "bound", **dead, at=980.0),
        row("main/1", "bound", **dead, at=981.0),
        row("main/1", "connecting", **alive, at=970.0),
    ) == [("main/1", "connecting", 970.0), ("main/2", "unknown", 980.0)]


def test_of_two_dead_the_one_that_was_heard_last_is_shown() -> None:
    assert shown(
        row("main/1", "bound", until=None, at=990.0), row("main/1", "bound", until=NOW, at=980.0)
    ) == [("main/1", "unknown", 990.0)]


def test_of_two_that_live_the_one_that_was_heard_last_is_believed() -> None:
    alive = {"until": NOW + 1}
    assert shown(row("main/1", "down", **alive, at=2.0), row("main/1", "bound", **alive, at=1.0)) == [
        ("main/1", "down", 2.0)
    ]


# --- what limits an SMSC ------------------------------------------------------------------------------------


def load(limited_by: str, sent: float, rate: float, window: int, **more: Any) -> dict[str, Any]:
    told = {"response_p95_ms": None, "throttled_at": None, "reported_at": 990.0, "contract_rate": 0.0}
    figures = {"sent_per_second": sent, "rate": rate, "window": window, "window_used": window // 2}
    return {"smsc": "main", "limited_by": limited_by, "advice": f"of {limited_by}", **figures, **told, **more}


def test_what_two_dispatchers_send_is_added_up() -> None:
    busy = load("window", 40.0, 60.0, 10, response_p95_ms=40.0, contract_rate=100.0)
    other = load("empty queue", 5.1, 40.0, 10, response_p95_ms=55.0, throttled_at=900.0, reported_at=995.0)
    assert of_smsc([busy, other]) == {
        **busy,
        "sent_per_second": 45.1,
        "rate": 100.0,
        "window": 20,
        "window_used": 10,
        "response_p95_ms": 55.0,
        "throttled_at": 900.0,
        "reported_at": 995.0,
    }


@pytest.mark.parametrize(
    ("loads", "rate", "limited_by"),
    [
        ([load("window", 1.0, 0.0, 10), load("throttling", 1.0, 20.0, 10)], 0.0, "window"),
        ([load("rate", 1.0, 60.0, 10), load("window", 0.0, 60.0, 10)], 120.0, "rate"),
        (
            [load("rate", 1.0, 60.0, 10, contract_rate=100.0), load("rate", 0.0, 60.0, 10)],
            100.0,
            "rate",
        ),
        # Who has no bind is not held to anything, and knows of no limit but that.
        ([load("bind", 0.0, 100.0, 0), load("throttling", 0.0, 20.0, 10)], 20.0, "throttling"),
        ([load("bind", 0.0, 100.0, 0)], 100.0, "bind"),
    ],
)
def test_the_rate_is_that_of_those_who_have_a_bind(
    loads: list[dict[str, Any]], rate: float, limited_by: str
) -> None:
    found = of_smsc(loads)
    assert (found["rate"], found["limited_by"], found["advice"]) == (rate, limited_by, f"of {limited_by}")
