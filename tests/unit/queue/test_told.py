"""Who of several dispatchers is believed about a link."""

from __future__ import annotations

from typing import Any

from sms_milter.queue.reports import told

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


def test_two_that_live_are_both_believed() -> None:
    assert (
        len(
            shown(row("main/1", "bound", until=NOW + 1, at=1.0), row("main/1", "down", until=NOW + 1, at=2.0))
        )
        == 2
    )
