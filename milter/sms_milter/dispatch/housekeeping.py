"""What must be done now and then: expiry, parts in doubt, the links' state for `sms-milter status`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sms_milter import metrics
from sms_milter.dispatch.lanes import Lane
from sms_milter.dispatch.words import Words
from sms_milter.model import LeasedPart, LinkStatus, SmscLoad
from sms_milter.ports import DispatchQueue, Doorbell, Journal, Link, Meter

_EVERY_SECONDS = 10.0
_PARKED_WITHIN_SECONDS = 60.0
_TELL_SECONDS = 60.0  # so often `status` hears of us though nothing has changed


class Housekeeping:
    """The dispatcher's chores; `due_at` is when they come next."""

    def __init__(
        self,
        queue: DispatchQueue,
        links: Sequence[Link],
        lanes: Mapping[str, Lane],
        words: Words,
        journal: Journal,
        reports: Doorbell,
        meter: Meter,
    ) -> None:
        self.due_at = 0.0
        self._queue = queue
        self._links = links
        self._lanes = lanes
        self._words = words
        self._journal = journal
        self._reports = reports
        self._meter = meter
        self._shown: list[LinkStatus] = []
        self._loads: list[SmscLoad] = []
        self._tell_at = -math.inf

    def soon(self, now: float) -> None:
        """Something has changed that `status` should show."""
        self.due_at = now

    def keep(self, now: float, ticks: float) -> None:
        """Do all of it. Raises QueueUnavailable."""
        self.due_at = now + _EVERY_SECONDS
        self._expire(now)
        self._settle_parked(now)
        self._reconsider(now)
        self._show_links(now, ticks)
        self._watch_links(now)

    def _expire(self, now: float) -> None:
        with self._queue.transaction() as work:
            expired = work.expire(now)
        if work.reported:
            self._reports.ring()
        self._meter.count(metrics.EXPIRED, by=len(expired))
        for part in expired:
            self._journal.info(self._words.part(part, None, now, status="expired (validity is over)"))
        if expired:
            self.due_at = now  # there may be more

    def _settle_parked(self, now: float) -> None:
        with self._queue.transaction() as work:
            settled = work.settle_parked(now - _PARKED_WITHIN_SECONDS)
        if work.reported:
            self._reports.ring()
        for one in settled:
            self._meter.count(metrics.RECEIPTS, one.receipt.smsc, one.word)
            self._journal.info(self._words.receipt(one))

    def _reconsider(self, now: float) -> None:
        """Parts in doubt for which no receipt has come go once more, where the SMSC's policy is to wait."""
        waits = {
            name: lane.settings.uncertain_wait
            for name, lane in self._lanes.items()
            if lane.settings.on_uncertain == "wait"
        }
        if not waits:
            return
        parts: list[tuple[str, LeasedPart]] = []
        with self._queue.transaction() as work:
            for name, wait in waits.items():
                parts += [(name, part) for part in work.reconsider(name, now - wait, now)]
        for name, part in parts:
            self._lanes[name].due = 0.0
            why = f"no receipt within {waits[name]:.0f} s"
            told = f"uncertain ({why}), sent again: possibly a duplicate"
            self._journal.info(self._words.part(part, None, now, smsc=name, status=told))

    def _show_links(self, now: float, ticks: float) -> None:
        shown = [link.status(ticks) for link in self._links if link.needed]
        loads = [self._load(name, lane, now, ticks) for name, lane in self._lanes.items()]
        again = now >= self._tell_at
        if again:
            self._tell_at = now + _TELL_SECONDS
        if again or loads != self._loads:
            self._queue.report_loads(loads, now)
            self._loads = loads
        if again or shown != self._shown:
            ahead = now - ticks  # the links know no time of day
            self._queue.report_links([replace(link, since=link.since + ahead) for link in shown], now)
            self._shown = shown

    def _watch_links(self, now: float) -> None:
        traced = self._queue.traced(now)
        for link in self._links:
            link.watch(on=link.smsc in traced)

    def _load(self, name: str, lane: Lane, now: float, ticks: float) -> SmscLoad:
        links = [link for link in self._links if link.smsc == name and link.needed]
        sessions = [link.session for link in links if link.session is not None and link.session.ready]
        why = next((note for link in links if (note := link.status(ticks).note)), "")
        return lane.load.report(
            name,
            lane.pace,
            now=ticks,
            time_of_day=now,
            window=sum(session.window for session in sessions),
            window_used=sum(session.open for session in sessions),
            response_seconds=[seconds for session in sessions for seconds in session.response_seconds],
            why_unbound=why,
        )
