"""Requests the URLs by which clients are told what became of their messages (ASPSMS §11.6).

One `step` asks some of them side by side and then records all outcomes in one transaction. A slow URL delays
others of its kind, never a mail. Knows no socket, no thread and no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from sms_milter.dialects import DIALECTS
from sms_milter.errors import WebError
from sms_milter.logline import Numbers, clean, line
from sms_milter.model import DueReport, Notice, ReportOutcome, WebAnswer
from sms_milter.patience import Patience
from sms_milter.ports import Journal, ReportQueue

# Asks URLs side by side; what came of each, in their order.
Ask: TypeAlias = Callable[[Sequence[str]], Sequence[WebAnswer | WebError]]

_AT_ONCE = 32
_POLL_SECONDS = 5.0  # the safety net under the doorbell
_TURN_SECONDS = 0.1
_RETRY_SECONDS = (60.0, 600.0)


class Caller:
    """`step` when the doorbell rings, or time is up. For `our_turn` see `notify.Notifier`."""

    def __init__(
        self,
        queue: ReportQueue,
        ask: Ask,
        journal: Journal,
        numbers: Numbers,
        *,
        our_turn: Callable[[], bool] = lambda: True,
    ) -> None:
        self._queue, self._ask, self._journal, self._numbers = queue, ask, journal, numbers
        self._our_turn = our_turn
        self._patience = Patience(None)  # the report role's other thread says it
        self._outcomes: list[ReportOutcome] = []

    def step(self, now: float) -> float:
        """One turn at `now` (time of day); returns after how many seconds the next must come."""
        return self._patience.take(self._turn, now)

    def _turn(self, now: float) -> float:
        if not self._our_turn():
            return _TURN_SECONDS
        self._record()
        due = self._queue.due_reports(now, _AT_ONCE, urls=True)
        self._call(due, now)
        self._record()
        if len(due) == _AT_ONCE:
            return 0.0
        next_due = self._queue.next_report(urls=True)
        return _POLL_SECONDS if next_due is None else min(max(next_due - now, 0.0), _POLL_SECONDS)

    def _record(self) -> None:
        if self._outcomes:
            self._queue.record_reports(self._outcomes)
            self._outcomes = []

    def _call(self, due: Sequence[DueReport], now: float) -> None:
        urls = [_url(report) for report in due]
        for report, came in zip(due, self._ask(urls) if urls else (), strict=True):
            self._outcomes.append(self._outcome(report, came, now))

    def _outcome(self, report: DueReport, came: WebAnswer | WebError, now: float) -> ReportOutcome:
        """2xx is success, all else is tried again twice; never a redirect."""
        said = clean(came) if isinstance(came, WebError) else f"{came.status} {came.reason}"
        if isinstance(came, WebAnswer) and 200 <= came.status <= 299:
            self._say(report, f"requested ({said})")
            return ReportOutcome(report.report_id, now)
        if report.attempts < len(_RETRY_SECONDS):
            delay = _RETRY_SECONDS[report.attempts]
            self._say(report, f"deferred for {delay:.0f} s ({said})")
            return ReportOutcome(report.report_id, now, said, now + delay)
        self._say(report, f"given up ({said})")
        return ReportOutcome(report.report_id, now, said)

    def _say(self, report: DueReport, what: str) -> None:
        """One line; without what stands in the URL beside its host."""
        notice = _notice(report)
        host = clean(notice.target.partition("//")[2].partition("/")[0].partition("?")[0])
        about = self._numbers.shown(notice.news[0].destination)
        self._journal.info(
            line(report.mta_queue_id, to=host, about=about, queue=report.queue_id, status=f"URL {what}")
        )


def _notice(report: DueReport) -> Notice:
    assert isinstance(report.content, Notice)  # of others there are no URLs
    return report.content


def _url(report: DueReport) -> str:
    notice = _notice(report)
    return DIALECTS[notice.dialect].called(notice)
