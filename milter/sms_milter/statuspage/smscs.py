"""What the page says of each SMSC: how it is, how fast it goes, and what keeps it from going faster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sms_milter.statuspage import plots, words
from sms_milter.statuspage.figures import Readings

_LIMITS = {  # as `dispatch.load.Limit` names them
    "bind": "No bind",
    "throttling": "Throttled",
    "empty queue": "Idle",
    "contract rate": "Limited by the rate",
    "window": "Limited by the window",
    "ourselves": "Limited by ourselves",
}


@dataclass(frozen=True, slots=True)
class SmscCard:
    """One SMSC; `level` is good, fair or bad, and idle when nobody has reported anything of it."""

    name: str
    level: str
    state: str
    waiting: str
    limited_by: str
    advice: str
    sent: str
    of_rate: str
    rate_bar: str
    window: str
    window_bar: str
    response: str
    throttled: str
    links: Sequence[tuple[str, str, str]]


def cards(readings: Readings, configured: Sequence[str]) -> list[SmscCard]:
    """Those of the configuration, and any others that are known or waited for."""
    loads = {row["smsc"]: row for row in readings.summary["smscs"] if not row["stale"]}
    links: dict[str, list[Mapping[str, Any]]] = {}
    for row in readings.summary["links"]:
        links.setdefault(row["smsc"], []).append(row)
    waiting = waiting_for(readings)
    names = dict.fromkeys([*configured, *sorted({*loads, *links, *waiting})])
    return [_card(readings.at, name, loads.get(name), links.get(name, []), waiting[name]) for name in names]


def waiting_for(readings: Readings) -> Counter[str]:
    """How many parts wait for each SMSC, timed and held ones too."""
    waiting: Counter[str] = Counter()
    for row in readings.ages:
        waiting[row["smsc"]] += row["parts"]
    return waiting


def _card(
    now: float, name: str, load: Mapping[str, Any] | None, links: Sequence[Mapping[str, Any]], waiting: int
) -> SmscCard:
    level, state = _state(load, links, now)
    advice = load["advice"] if load is not None else ""
    lines = [(row["bind"], _link(row, now), row["note"] if row["note"] != advice else "") for row in links]
    if load is None:
        return SmscCard(
            name, level, state, words.count(waiting), "", "", "–", "", "", "–", "", "–", "", lines
        )
    sent, present, window = load["sent_per_second"], load["rate"], load["window"]
    of_rate = f"of {words.rate(present)}" if present else "no limit set"
    if load["contract_rate"] and present < load["contract_rate"]:
        of_rate += f" (contract {words.rate(load['contract_rate'])})"
    throttled = load["throttled_at"]
    p95 = load["response_p95_ms"]
    return SmscCard(
        name,
        level,
        state,
        words.count(waiting),
        _LIMITS.get(load["limited_by"], load["limited_by"]),
        load["advice"],
        words.rate(sent),
        of_rate,
        plots.bar([(level, sent / present)], label=f"{sent}/s {of_rate}") if present else "",
        f"{load['window_used']} of {window}" if window else "–",
        plots.bar([(level, load["window_used"] / window)], label="window in use") if window else "",
        f"{p95:,.0f} ms" if p95 is not None else "–",
        f"{words.lasting(now - throttled)} ago" if throttled is not None else "",
        lines,
    )


def _link(row: Mapping[str, Any], now: float) -> str:
    if row["stale"]:
        return f"{row['state']}, last heard of {words.lasting(now - row['reported_at'])} ago"
    return f"{row['state']} for {words.lasting(now - row['since'])}"


def _state(load: Mapping[str, Any] | None, links: Sequence[Mapping[str, Any]], now: float) -> tuple[str, str]:
    bound = [row for row in links if row["state"] == "bound"]
    if not links and load is None:
        return "idle", "not reported"
    if not bound:
        if not links:
            return "bad", "down"
        if load is None and all(row["stale"] for row in links):
            return "bad", _link(max(links, key=lambda row: float(row["reported_at"])), now)
        return "bad", f"down for {words.lasting(now - max(row['since'] for row in links))}"
    if load is not None and load["limited_by"] == "throttling":
        return "fair", "throttled"
    if len(bound) < len(links):
        return "fair", f"{len(bound)} of {len(links)} binds"
    return "good", "bound"
