"""How it goes, in a few words: what a person wants to know before anything else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sms_milter.statuspage import words
from sms_milter.statuspage.figures import LANES, Readings
from sms_milter.statuspage.smscs import SmscCard, waiting_for

_MANY_FAILED = 0.1


def headline(readings: Readings, cards: Sequence[SmscCard]) -> tuple[str, str, list[str]]:
    """How it goes: a level as in `SmscCard`, a few words, and what wants to be known."""
    troubles = list(_troubles(readings, cards))
    if not troubles:
        waiting = readings.summary["parts"]["queued"]
        return "good", "All is well", [f"{words.sms(waiting)} wait." if waiting else "Nothing waits."]
    worst = "bad" if any(level == "bad" for level, _ in troubles) else "fair"
    return worst, "Wants attention" if worst == "bad" else "Worth a look", [text for _, text in troubles]


def _troubles(readings: Readings, cards: Sequence[SmscCard]) -> Iterator[tuple[str, str]]:
    waiting = waiting_for(readings)
    for card in cards:
        wait = f"; {words.sms(waiting[card.name])} wait for it" if waiting[card.name] else ""
        if card.level == "bad":
            yield "bad", f"{card.name} is {card.state}{wait}."
        elif card.level == "fair":
            what = "slows us down" if card.state == "throttled" else f"has only {card.state}"
            yield "fair", f"{card.name} {what}{wait}."
        elif card.level == "idle" and any(other.level != "idle" for other in cards):
            yield "fair", f"No dispatcher has reported {card.name}{wait}."
    if cards and all(card.level == "idle" for card in cards):
        yield "fair", "No dispatcher has reported any SMSC: does `sms-milter run` run?"
    old = sum(row["ages"][-1] for row in readings.ages if row["lane"] in LANES)
    if old:
        yield "fair", f"{words.sms(old)} could have gone for over an hour."
    if doubtful := readings.summary["parts"]["uncertain"]:
        them = "it" if doubtful == 1 else "them"
        yield "fair", f"Nobody knows of {words.sms(doubtful)} whether the SMSC has {them}."
    ended = sum(row["failed"] + row["delivered"] for row in readings.flow)
    failed = sum(row["failed"] for row in readings.flow)
    if failed and failed >= _MANY_FAILED * ended:
        yield "fair", f"{failed:,} of {ended:,} that ended in this hour have failed."
