"""What monitoring is told of the service as a whole: one verdict on what `status` shows.

In the manner of a Nagios plug-in. Knows no queue and no clock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sms_milter.model import LinkState

_CODES = {"OK": 0, "WARNING": 1, "CRITICAL": 2, "UNKNOWN": 3}


@dataclass(frozen=True, slots=True)
class Threshold:
    """From `warning` on someone should look, from `critical` on at once."""

    warning: float
    critical: float

    def judge(self, value: float) -> str:
        """OK, WARNING or CRITICAL."""
        return "CRITICAL" if value >= self.critical else "WARNING" if value >= self.warning else "OK"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`level` is OK, WARNING, CRITICAL or UNKNOWN; `figures` are performance data."""

    level: str
    says: str
    figures: str = ""

    @property
    def code(self) -> int:
        """The exit code."""
        return _CODES[self.level]

    def __str__(self) -> str:
        return f"SMS-MILTER {self.level} - {self.says}" + (f" | {self.figures}" if self.figures else "")


def judge(
    summary: Mapping[str, Any], smscs: Collection[str], now: float, *, age: Threshold, uncertain: Threshold
) -> Verdict:
    """`summary` as in `ports.OperatorQueue`; `smscs` are those of the configuration.

    `age` is that of the part that has waited longest, in seconds; `uncertain` how many parts are in doubt.
    """
    oldest = max((row["oldest_seconds"] for row in summary["backlog"]), default=0.0)
    doubtful = summary["parts"]["uncertain"]
    links = [link for link in summary["links"] if link["smsc"] in smscs]
    standing = [link for link in links if link["state"] == LinkState.BOUND.value]
    waiting = sum(row["due"] for row in summary["backlog"])
    faults = [
        *_dispatchers(summary, smscs, now),
        *_links(links, smscs, now),
        (age.judge(oldest), f"a part has waited for {oldest:.0f} s"),
        (uncertain.judge(doubtful), f"{doubtful} parts are in doubt"),
    ]
    level = max((one for one, _ in faults), key=_CODES.__getitem__)
    wrong = [says for one, says in sorted(faults, key=lambda fault: -_CODES[fault[0]]) if one != "OK"]
    well = f"{len(standing)} of {len(links)} binds stand, {waiting} parts wait, the oldest for {oldest:.0f} s"
    figures = [
        f"backlog_age={oldest:.0f}s;{age.warning:.0f};{age.critical:.0f};0",
        f"backlog={waiting};;;0",
        f"uncertain={doubtful};{uncertain.warning:.0f};{uncertain.critical:.0f};0",
        f"binds={len(standing)};;;0;{len(links)}",
        f"reports={summary['reports_waiting']};;;0",
    ]
    return Verdict(level, ", ".join(wrong) or well, " ".join(figures))


def _dispatchers(summary: Mapping[str, Any], smscs: Collection[str], now: float) -> Iterator[tuple[str, str]]:
    if smscs and not any(one["alive_until"] > now for one in summary["dispatchers"]):
        yield "CRITICAL", "no dispatcher runs"


def _links(
    links: Collection[Mapping[str, Any]], smscs: Collection[str], now: float
) -> Iterator[tuple[str, str]]:
    """An SMSC without any bind is worse than one that has lost some."""
    for name in sorted(smscs):
        own = [link for link in links if link["smsc"] == name]
        down = [link for link in own if link["state"] != LinkState.BOUND.value]
        why = next((f" ({said})" for link in down if (said := _why(link, now))), "")
        if len(down) == len(own):
            yield "CRITICAL", f"{name} has no bind{why}"
        elif down:
            yield "WARNING", f"{name} has {len(own) - len(down)} of {len(own)} binds{why}"


def _why(link: Mapping[str, Any], now: float) -> str:
    if link["stale"]:
        return f"last heard of {now - link['reported_at']:.0f} s ago"
    return str(link["note"])
