"""What the page says of a queue's numbers: the flow of the last hour, what waits, what accounts have left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from sms_milter.standing import Standing
from sms_milter.statuspage import plots, words

MINUTES = 60
AGE_BOUNDS = (60.0, 900.0, 3600.0)
AGE_NAMES = ("up to 1 min", "1–15 min", "15–60 min", "over 1 h")
LANES = {"high": "High", "normal": "Normal", "low": "Low", "again": "Next try"}
_FLOW = {
    "stored": ("Accepted", "from mails"),
    "sent": ("Sent", "to SMSCs"),
    "delivered": ("Delivered", "to phones"),
    "failed": ("Failed", "or expired, cancelled"),
    "refused": ("Refused", "recipients and mails"),
}
_FEW_ACCOUNTS = 100
_LITTLE = 0.2


@dataclass(frozen=True, slots=True)
class Readings:
    """What the queue said at a time. `flow`, `ages` and `summary` as in `ports.OperatorQueue`."""

    at: float
    flow: Sequence[Mapping[str, Any]]
    ages: Sequence[Mapping[str, Any]]
    summary: Mapping[str, Any]
    accounts: Sequence[Standing]


# --- the flow of the last hour ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Total:
    """One kind of event within the hour: its class, its name and what it is of, how often."""

    kind: str
    name: str
    of: str
    total: str


@dataclass(frozen=True, slots=True)
class Flow:
    """The hour. `plot` and `troubles` are SVG; `top` and `troubles_top` the numbers at their upper edge."""

    totals: Sequence[Total]
    plot: str
    troubles: str
    top: str
    half: str
    troubles_top: str
    ticks: Sequence[str]
    rows: Sequence[tuple[str, ...]]
    quiet: bool


def flow(readings: Readings, zone: tzinfo) -> Flow:
    """By minutes; the last one is still under way."""
    last = readings.at // 60 * 60
    minutes = [last - 60 * (MINUTES - 1 - place) for place in range(MINUTES)]
    found = {row["minute"]: row for row in readings.flow}
    numbers = {kind: [int(found[one][kind]) if one in found else 0 for one in minutes] for kind in _FLOW}
    times = [words.clock(one, zone) for one in minutes]
    sums = {kind: sum(each) for kind, each in numbers.items()}
    top = plots.round_top(max(map(max, (numbers[kind] for kind in ("stored", "sent", "delivered")))))
    both = [failed + refused for failed, refused in zip(numbers["failed"], numbers["refused"], strict=True)]
    return Flow(
        [Total(kind, *_FLOW[kind], words.count(sums[kind])) for kind in _FLOW],
        plots.curves(
            [(kind, numbers[kind]) for kind in ("stored", "sent", "delivered")],
            top,
            [_note(times, numbers, place, ("stored", "sent", "delivered")) for place in range(MINUTES)],
            label="SMS per minute: "
            + ", ".join(f"{sums[kind]} {_FLOW[kind][0].lower()}" for kind in ("stored", "sent", "delivered")),
        ),
        plots.columns(
            [(kind, numbers[kind]) for kind in ("failed", "refused")],
            max(both) or 1,
            [_note(times, numbers, place, ("failed", "refused")) for place in range(MINUTES)],
            label=f"per minute: {sums['failed']} failed, {sums['refused']} refused",
        ),
        words.count(top),
        words.count(top // 2),
        words.count(max(both)),
        [*times[::10], "now"],
        [(times[place], *(words.count(numbers[kind][place]) for kind in _FLOW)) for place in _busy(numbers)],
        not any(sums.values()),
    )


def _note(
    times: Sequence[str], numbers: Mapping[str, Sequence[int]], place: int, kinds: Sequence[str]
) -> str:
    told = ", ".join(f"{words.count(numbers[kind][place])} {_FLOW[kind][0].lower()}" for kind in kinds)
    return f"{times[place]}  {told}"


def _busy(numbers: Mapping[str, Sequence[int]]) -> list[int]:
    """The minutes in which anything was, newest first."""
    return [place for place in reversed(range(MINUTES)) if any(each[place] for each in numbers.values())]


# --- what waits ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LaneLine:
    """What may go, of one priority; `ages` beside AGE_NAMES, and `told` in words."""

    name: str
    parts: str
    ages: Sequence[str]
    told: str
    bar: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for its SMSC."""

    waiting: str
    nothing: bool
    lanes: Sequence[LaneLine]
    facts: Sequence[tuple[str, str]]


def backlog(readings: Readings) -> Backlog:
    """All SMSCs together."""
    lanes = {name: [0] * len(AGE_NAMES) for name in LANES}
    aside: Counter[str] = Counter()
    for row in readings.ages:
        if row["lane"] in lanes:
            lanes[row["lane"]] = [a + b for a, b in zip(lanes[row["lane"]], row["ages"], strict=True)]
        else:
            aside[row["lane"]] += row["parts"]
    most = max(map(sum, lanes.values())) or 1
    parts, summary = readings.summary["parts"], readings.summary
    lines = []
    for lane, ages in lanes.items():
        if lane == "again" and not sum(ages):
            continue
        named = zip(ages, AGE_NAMES, strict=True)
        told = ", ".join(f"{words.count(number)} for {name}" for number, name in named if number)
        pieces = [(f"age{place}", number / most) for place, number in enumerate(ages)]
        counts = [words.count(number) if number else "–" for number in ages]
        lines.append(
            LaneLine(
                LANES[lane], words.count(sum(ages)), counts, told, plots.bar(pieces, label=told or "none")
            )
        )
    facts = [
        ("Timed, or wait for their next try", aside["later"]),
        ("Held by an operator", aside["held"]),
        ("On the wire", parts["submitting"]),
        ("Uncertain", parts["uncertain"]),
        ("Mails to senders that wait for the MTA", summary["reports_waiting"]),
        ("From phones, not yet told", summary["mobile_waiting"]),
        ("Receipts that belong to no SMS", summary["parked_receipts"]),
    ]
    return Backlog(
        words.count(parts["queued"]),
        not parts["queued"],
        lines,
        [(name, words.count(number)) for name, number in facts if number],
    )


# --- accounts -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AccountLine:
    """What one account has left."""

    name: str
    quota: str
    quota_bar: str
    free_again: str
    credits: str
    no_credits: bool
    used_up: bool


def accounts(readings: Readings) -> tuple[list[AccountLine], int]:
    """Those with the least left first, and how many more there are."""
    ordered = sorted(readings.accounts, key=lambda one: (not _no_credits(one), _share(one), one.account))
    lines = [_account_line(readings.at, one) for one in ordered[:_FEW_ACCOUNTS]]
    return lines, max(0, len(ordered) - _FEW_ACCOUNTS)


def _share(one: Standing) -> float:
    """What is left of the quota, 1 without one."""
    if one.quota is None:
        return 1.0
    return (one.quota_left or 0) / one.quota if one.quota else 0.0


def _no_credits(one: Standing) -> bool:
    return one.credits is not None and one.credits <= 0


def _account_line(now: float, one: Standing) -> AccountLine:
    share, quota, bar = _share(one), "", ""
    if one.quota is not None and one.quota_left is not None:
        quota = f"{words.count(one.quota_left)} of {words.count(one.quota)}"
        level = "bad" if not one.quota_left else "fair" if share < _LITTLE else "good"
        bar = plots.bar([(level, share)], label=f"{quota} SMS left")
    used_up = one.quota_left == 0
    return AccountLine(
        one.account,
        quota,
        bar,
        f"more in {words.lasting(one.free_at - now)}" if one.free_at is not None and used_up else "",
        "" if one.credits is None else words.grouped(one.credits),
        _no_credits(one),
        used_up or _no_credits(one),
    )
