"""What the page says of a queue's numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest

from contract.builders import NOW
from sms_milter.dispatch.load import Limit
from sms_milter.model import UNHEARD
from sms_milter.standing import Standing
from sms_milter.statuspage import figures, headline, smscs
from sms_milter.statuspage.figures import Readings

MINUTE = NOW // 60 * 60
COUNTS = dict.fromkeys(("queued", "submitting", "accepted", "uncertain", "delivered", "failed", "expired"), 0)
SUMMARY: dict[str, Any] = {
    "parts": COUNTS,
    "backlog": [],
    "reports_waiting": 0,
    "mobile_waiting": 0,
    "parked_receipts": 0,
    "smscs": [],
    "links": [],
}
QUIET = Readings(NOW, [], [], SUMMARY, [])
LOAD = {
    "smsc": "main",
    "limited_by": "window",
    "advice": "10 on the wire",
    "sent_per_second": 42.0,
    "rate": 50.0,
    "contract_rate": 50.0,
    "window": 10,
    "window_used": 4,
    "response_p95_ms": 120.4,
    "throttled_at": None,
    "reported_at": NOW,
    "stale": False,
}
LINK = {
    "smsc": "main",
    "bind": "main/1",
    "state": "bound",
    "since": NOW - 7200,
    "note": "",
    "reported_at": NOW,
    "stale": False,
}
UNHEARD_LOAD = LOAD | {"limited_by": UNHEARD, "stale": True, "reported_at": NOW - 400}
UNHEARD_LINK = LINK | {"state": UNHEARD, "stale": True, "reported_at": NOW - 300}


def minute(back: int, **counts: int) -> dict[str, Any]:
    none = dict.fromkeys(("stored", "refused", "sent", "delivered", "failed"), 0)
    return {"minute": MINUTE - 60 * back, **none, **counts}


def lane(name: str, *ages: int, smsc: str = "main") -> dict[str, Any]:
    return {"smsc": smsc, "lane": name, "parts": sum(ages), "ages": list(ages)}


def with_summary(**changes: Any) -> Readings:
    return replace(QUIET, summary=SUMMARY | changes)


# --- flow ---------------------------------------------------------------------------------------------------


def test_the_hour_is_summed_and_named() -> None:
    flow = figures.flow(replace(QUIET, flow=[minute(59, stored=7), minute(0, stored=1200, failed=3)]), UTC)
    assert [(one.kind, one.total) for one in flow.totals] == [
        ("stored", "1,207"),
        ("sent", "0"),
        ("delivered", "0"),
        ("failed", "3"),
        ("refused", "0"),
    ]
    assert (flow.top, flow.half, flow.troubles_top, flow.quiet) == ("2,000", "1,000", "3", False)
    assert flow.ticks == ["12:47", "12:57", "13:07", "13:17", "13:27", "13:37", "now"]
    assert flow.rows == [("13:46", "1,200", "0", "0", "3", "0"), ("12:47", "7", "0", "0", "0", "0")]
    assert "13:46  1,200 accepted, 0 sent, 0 delivered" in flow.plot


def test_an_hour_without_anything_is_quiet() -> None:
    flow = figures.flow(QUIET, UTC)
    assert flow.quiet
    assert flow.rows == []


# --- what waits ---------------------------------------------------------------------------------------------


def test_lanes_of_all_smscs_are_added_and_what_is_aside_is_told() -> None:
    rows = [
        lane("normal", 1, 2, 0, 0),
        lane("normal", 0, 0, 0, 5, smsc="backup"),
        lane("later", 9),
        lane("held", 1),
    ]
    readings = replace(
        QUIET, ages=rows, summary=SUMMARY | {"parts": COUNTS | {"queued": 18, "submitting": 4}}
    )
    backlog = figures.backlog(readings)
    assert [(one.name, one.parts, list(one.ages)) for one in backlog.lanes] == [
        ("High", "0", ["–"] * 4),
        ("Normal", "8", ["1", "2", "–", "5"]),
        ("Low", "0", ["–"] * 4),
    ]
    assert backlog.lanes[1].told == "1 for up to 1 min, 2 for 1–15 min, 5 for over 1 h"
    assert (backlog.waiting, backlog.nothing) == ("18", False)
    assert backlog.facts == [
        ("Timed, or wait for their next try", "9"),
        ("Held by an operator", "1"),
        ("On the wire", "4"),
    ]


def test_nothing_waits() -> None:
    assert figures.backlog(QUIET).nothing


# --- SMSCs --------------------------------------------------------------------------------------------------


def test_configured_smscs_come_first_and_none_is_forgotten() -> None:
    rows = [lane("normal", 3, 0, 0, 0, smsc="gone"), lane("held", 2, smsc="gone")]
    cards = smscs.cards(replace(QUIET, ages=rows), ["main"])
    assert [(one.name, one.level, one.waiting) for one in cards] == [
        ("main", "idle", "0"),
        ("gone", "idle", "5"),
    ]


@pytest.mark.parametrize(
    ("load", "links", "level", "state"),
    [
        ({}, [{}], "good", "bound"),
        ({"limited_by": "throttling"}, [{}], "fair", "throttled"),
        ({}, [{}, {"state": "down", "note": "refused"}], "fair", "1 of 2 binds"),
        ({"limited_by": "bind"}, [{"state": "connecting", "since": NOW - 300}], "bad", "down for 5 min"),
        ({"limited_by": "bind"}, [], "bad", "down"),
        ({}, [{}, UNHEARD_LINK], "fair", "1 of 2 binds"),
        (UNHEARD_LOAD, [UNHEARD_LINK], "bad", "unknown, last heard of 5 min ago"),
    ],
)
def test_the_state_of_an_smsc_in_a_word(
    load: dict[str, Any], links: list[dict[str, Any]], level: str, state: str
) -> None:
    readings = with_summary(smscs=[LOAD | load], links=[LINK | one for one in links])
    (card,) = smscs.cards(readings, ["main"])
    assert (card.level, card.state) == (level, state)


def test_what_limits_an_smsc_is_shown() -> None:
    load = LOAD | {"rate": 2.5, "sent_per_second": 2.4, "throttled_at": NOW - 30}
    (card,) = smscs.cards(with_summary(smscs=[load], links=[LINK]), ["main"])
    assert (card.sent, card.of_rate, card.window) == ("2.4", "of 2.5 (contract 50)", "4 of 10")
    assert (card.limited_by, card.advice) == ("Limited by the window", "10 on the wire")
    assert (card.response, card.throttled) == ("120 ms", "30 s ago")
    assert card.links == [("main/1", "bound for 2 h", "")]


def test_of_what_nobody_reports_any_more_no_figures_are_shown() -> None:
    (card,) = smscs.cards(with_summary(smscs=[UNHEARD_LOAD], links=[UNHEARD_LINK]), ["main"])
    assert (card.sent, card.window, card.response, card.limited_by) == ("–", "–", "–", "")
    assert card.links == [("main/1", "unknown, last heard of 5 min ago", "")]


def test_every_limit_has_its_words() -> None:
    assert set(smscs._LIMITS) == {str(limit) for limit in Limit}


def test_a_note_is_not_said_twice() -> None:
    load = LOAD | {"limited_by": "bind", "advice": "refused"}
    readings = with_summary(smscs=[load], links=[LINK | {"state": "down", "note": "refused"}])
    (card,) = smscs.cards(readings, ["main"])
    assert (card.advice, card.links[0][-1]) == ("refused", "")


# --- accounts -----------------------------------------------------------------------------------------------


def test_accounts_with_little_left_come_first() -> None:
    rows = [
        Standing("plenty", 1000, 900, None, None),
        Standing("free", None, None, None, None),
        Standing("empty", 40, 0, NOW + 7200, None),
        Standing("poor", None, None, None, Decimal("0")),
        Standing("little", 100, 10, None, Decimal("2321.5")),
    ]
    lines, more = figures.accounts(replace(QUIET, accounts=rows))
    assert more == 0
    assert [(one.name, one.quota, one.credits, one.used_up) for one in lines] == [
        ("poor", "", "0", True),
        ("empty", "0 of 40", "", True),
        ("little", "10 of 100", "2,321.5", False),
        ("plenty", "900 of 1,000", "", False),
        ("free", "", "", False),
    ]
    assert lines[1].free_again == "more in 2 h"
    assert 'class="fair"' in lines[2].quota_bar


def test_a_quota_of_nothing_is_used_up() -> None:
    ((line,), _) = figures.accounts(replace(QUIET, accounts=[Standing("shut", 0, 0, None, None)]))
    assert (line.quota, line.used_up) == ("0 of 0", True)


def test_many_accounts_are_counted_only() -> None:
    rows = [Standing(f"a{number}", None, None, None, None) for number in range(130)]
    lines, more = figures.accounts(replace(QUIET, accounts=rows))
    assert (len(lines), more) == (100, 30)


# --- in one sentence ----------------------------------------------------------------------------------------


def said(readings: Readings, *configured: str) -> tuple[str, list[str]]:
    level, _, sentences = headline.headline(readings, smscs.cards(readings, configured))
    return level, sentences


def test_all_is_well() -> None:
    assert said(with_summary(links=[LINK], smscs=[LOAD])) == ("good", ["Nothing waits."])
    waiting = with_summary(links=[LINK], smscs=[LOAD], parts=COUNTS | {"queued": 2})
    assert said(waiting) == ("good", ["2 SMS wait."])


def test_trouble_is_told_with_what_waits_for_its_end() -> None:
    down = LINK | {"smsc": "backup", "state": "down", "since": NOW - 120}
    readings = replace(
        with_summary(links=[LINK, down], smscs=[LOAD], parts=COUNTS | {"uncertain": 3}),
        ages=[lane("normal", 1, 0, 0, 0), lane("high", 0, 0, 0, 4, smsc="backup")],
        flow=[minute(3, delivered=9, failed=1)],
    )
    assert said(readings) == (
        "bad",
        [
            "backup is down for 2 min; 4 SMS wait for it.",
            "4 SMS could have gone for over an hour.",
            "Nobody knows of 3 SMS whether the SMSC has them.",
            "1 of 10 that ended in this hour have failed.",
        ],
    )


def test_few_failures_are_no_news() -> None:
    readings = with_summary(links=[LINK], smscs=[LOAD])
    assert said(replace(readings, flow=[minute(3, delivered=10, failed=1)])) == ("good", ["Nothing waits."])


def test_a_service_that_does_not_run_is_told_once() -> None:
    assert said(QUIET, "main", "backup") == (
        "fair",
        ["No dispatcher has reported any SMSC: does `sms-milter run` run?"],
    )
    readings = with_summary(links=[LINK], smscs=[LOAD])
    assert said(readings, "main", "backup") == ("fair", ["No dispatcher has reported backup."])
