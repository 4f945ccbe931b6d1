from __future__ import annotations

from typing import Any

import pytest

from sms_milter.model import UNHEARD
from sms_milter.vitals import Threshold, Verdict, judge

NOW = 1000.0


def link(smsc: str, state: str = "bound", note: str = "") -> dict[str, Any]:
    return {"smsc": smsc, "bind": f"{smsc}/1", "state": state, "note": note, "stale": False}


def unheard(smsc: str) -> dict[str, Any]:
    return link(smsc, UNHEARD) | {"stale": True, "reported_at": NOW - 120}


WELL: dict[str, Any] = {
    "parts": {"uncertain": 0},
    "backlog": [],
    "reports_waiting": 0,
    "dispatchers": [{"name": "a", "alive_until": NOW + 60}],
    "links": [link("one"), link("two")],
}


def verdict(**different: Any) -> Verdict:
    age, uncertain = Threshold(300, 1800), Threshold(10, 100)
    return judge(WELL | different, ["one", "two"], NOW, age=age, uncertain=uncertain)


def waiting(seconds: float) -> list[dict[str, Any]]:
    return [
        {"smsc": "one", "priority": "low", "due": 5, "queued": 9, "oldest_seconds": seconds},
        {"smsc": "one", "priority": "high", "due": 0, "queued": 2, "oldest_seconds": 0.0},
    ]


def test_all_is_well() -> None:
    found = verdict(backlog=waiting(4))
    assert (found.level, found.code) == ("OK", 0)
    assert str(found) == (
        "SMS-MILTER OK - 2 of 2 binds stand, 5 parts wait, the oldest for 4 s"
        " | backlog_age=4s;300;1800;0 backlog=5;;;0 uncertain=0;10;100;0 binds=2;;;0;2 reports=0;;;0"
    )


@pytest.mark.parametrize(
    ("different", "code", "says"),
    [
        ({"backlog": waiting(300)}, 1, "a part has waited for 300 s"),
        ({"backlog": waiting(1800)}, 2, "a part has waited for 1800 s"),
        ({"parts": {"uncertain": 10}}, 1, "10 parts are in doubt"),
        ({"parts": {"uncertain": 100}}, 2, "100 parts are in doubt"),
        ({"dispatchers": []}, 2, "no dispatcher runs"),
        ({"dispatchers": [{"name": "a", "alive_until": NOW - 1}]}, 2, "no dispatcher runs"),
        ({"links": [link("one")]}, 2, "two has no bind"),
        ({"links": [link("one"), link("two", "down", "refused")]}, 2, "two has no bind (refused)"),
        ({"links": [*WELL["links"], link("two", "down")]}, 1, "two has 1 of 2 binds"),
        ({"links": [link("one"), unheard("two")]}, 2, "two has no bind (last heard of 120 s ago)"),
        (
            {"dispatchers": [], "links": [unheard("one"), unheard("two")]},
            2,
            "no dispatcher runs, one has no bind (last heard of 120 s ago), two has",
        ),
        ({"links": [*WELL["links"], link("gone", "down")]}, 0, "2 of 2 binds stand"),
        (
            {"backlog": waiting(300), "links": [link("one")]},
            2,
            "two has no bind, a part has waited for 300 s",
        ),
    ],
)
def test_what_is_wrong(different: dict[str, Any], code: int, says: str) -> None:
    found = verdict(**different)
    assert (found.code, found.says.startswith(says)) == (code, True), found
