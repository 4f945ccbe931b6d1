"""Tells a story: goes over a log until it knows all that belongs together, then gives it line by line."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol

from sms_milter.logbook.entry import Entry, read_entry
from sms_milter.logbook.story import Story

_KEPT = 20_000  # lines that may turn out to belong to a story which begins in the middle of a mail


class Lines(Protocol):
    """A log that can be read several times."""

    def __iter__(self) -> Iterator[str]:
        """All its lines, oldest first, without line ends."""


def told(story: Story, lines: Lines, now: datetime, since: float | None = None) -> Iterator[Entry]:
    """What a log has of it, oldest first. A line that does not say when it was written counts as recent."""
    learning = True
    while learning:
        learning = max(map(story.learn, _entries(lines, now, since)), default=False)
    return (entry for entry in _entries(lines, now, since) if story.tells(entry))


def followed(story: Story, lines: Iterable[str], now: datetime) -> Iterator[Entry]:
    """What comes from now on, as it comes; before it what of the recent lines turns out to belong to it."""
    recent: deque[Entry] = deque(maxlen=_KEPT)
    for line in lines:
        entry = read_entry(line, now)
        if entry is None:
            continue
        learnt = story.learn(entry)
        if learnt:
            earlier = [one for one in recent if story.tells(one)]
            for one in earlier:
                recent.remove(one)
            yield from earlier
        if story.tells(entry):
            yield entry
        else:
            recent.append(entry)


def _entries(lines: Lines, now: datetime, since: float | None) -> Iterator[Entry]:
    for line in lines:
        entry = read_entry(line, now)
        if entry is not None and (since is None or entry.at is None or entry.at >= since):
            yield entry
