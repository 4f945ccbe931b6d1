"""Turns the ends of messages into mails and hands them to the MTA.

One `step` is one turn: take what is due, compose and hand over one after the other, then record all outcomes
in one transaction. What the MTA took and the queue does not know yet is remembered, so that only a crash can
send a report twice; none is lost. Knows no socket and no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sms_milter.dialects import DIALECTS
from sms_milter.errors import OutboxUnavailable, ReportDeferred, ReportRefused
from sms_milter.logline import Numbers, Senders, clean, line
from sms_milter.metrics import REPORTS, UNMETERED
from sms_milter.model import (
    Answer,
    DeliveryReport,
    Digest,
    DueReport,
    Notice,
    Notify,
    PartState,
    ReportOutcome,
)
from sms_milter.patience import Patience
from sms_milter.ports import Journal, Meter, Outbox, ReportQueue
from sms_milter.report import answer, dsn
from sms_milter.report.letter import Frame
from sms_milter.report.texts import ENGLISH, Texts

_AT_ONCE = 50  # a crash may repeat so many
_POLL_SECONDS = 5.0  # the safety net under the doorbell
_TURN_SECONDS = 0.1
_OUTBOX_PAUSE_SECONDS = (1.0, 60.0)  # first and longest pause while the MTA is away
_RETRY_SECONDS = (60.0, 300.0, 900.0, 1800.0, 3600.0)
_GIVE_UP_SECONDS = 5 * 86400.0  # as MTAs do (RFC 5321 §4.5.4.1)


_PLAIN_TEXTS = {"": ENGLISH}
_NO_TABLE: Mapping[str, frozenset[str]] = {}
_ALL_SHOWN = Senders()


class Notifier:
    """The report role without its sockets: `step` when the doorbell rings, or time is up.

    `author` is the From address, "" for postmaster in the domain of the SMS; `host_name` names this host.
    `texts` are those of delivery status notifications, by account, with "" for all others; of more than
    `digest_above` for one sender there is a digest (0: never). `no_subscriber` are the error numbers of
    each SMSC that say that nobody has a number.
    `our_turn` says whether no other process, one that we replace, still has reports of this queue in hand;
    `alive` is called before each report, for which the MTA may take its time.
    """

    def __init__(
        self,
        queue: ReportQueue,
        outbox: Outbox,
        journal: Journal,
        numbers: Numbers,
        *,
        host_name: str,
        author: str = "",
        texts: Mapping[str, Texts] = _PLAIN_TEXTS,
        no_subscriber: Mapping[str, frozenset[str]] = _NO_TABLE,
        digest_above: int = 0,
        meter: Meter = UNMETERED,
        our_turn: Callable[[], bool] = lambda: True,
        alive: Callable[[], None] = lambda: None,
        senders: Senders = _ALL_SHOWN,
    ) -> None:
        self._queue, self._outbox, self._journal, self._numbers = queue, outbox, journal, numbers
        self._host_name, self._author, self._our_turn = host_name, author, our_turn
        self._alive = alive
        self._texts, self._digest_above = texts, digest_above
        self._no_subscriber, self._senders = no_subscriber, senders
        self._meter = meter
        self._outcomes: list[ReportOutcome] = []
        self._pause = 0.0  # the MTA is away
        self._outbox_back_at = 0.0
        self._patience = Patience(journal)

    def step(self, now: float) -> float:
        """One turn at `now` (time of day); returns after how many seconds the next must come."""
        return self._patience.take(self._turn, now)

    def _turn(self, now: float) -> float:
        if not self._our_turn():
            return _TURN_SECONDS
        self._record()
        if now < self._outbox_back_at:
            return self._outbox_back_at - now
        due = self._queue.due_reports(now, _AT_ONCE, digest_above=self._digest_above)
        for report in due:
            self._alive()
            try:
                self._outcomes += self._hand_over(report, now)
            except OutboxUnavailable as error:
                self._wait_for_mta(error, now)
                # Should it be this mail that the MTA chokes on, others go first when it is back.
                again_at = now + 2 * self._pause
                self._outcomes += _outcomes(report, now, clean(error), again_at)
                break
            self._mta_is_back()
        self._record()
        if self._outbox_back_at > now:
            return self._pause
        if len(due) == _AT_ONCE:
            return 0.0
        self._outbox.close()
        next_due = self._queue.next_report()
        return _POLL_SECONDS if next_due is None else min(max(next_due - now, 0.0), _POLL_SECONDS)

    def _record(self) -> None:
        if self._outcomes:
            self._queue.record_reports(self._outcomes)
            self._outcomes = []

    # --- one report -----------------------------------------------------------------------------------------

    def _hand_over(self, report: DueReport, now: float) -> list[ReportOutcome]:
        """Compose and submit; what became of it. Raises OutboxUnavailable."""
        to = _recipient(report)
        try:
            mail = self._composed(report, to, now)
        except Exception as error:  # noqa: BLE001 -- one that cannot be written must not stop the others
            return self._given_up(report, f"cannot be written: {type(error).__name__}", now)
        try:
            thanks = self._outbox.submit(to, mail)
        except ReportDeferred as error:
            return self._deferred(report, error, now)
        except ReportRefused as error:
            return self._given_up(report, str(error), now)
        self._meter.count(REPORTS, "sent")
        self._say(self._journal.info, report, f"sent ({_subject(report)})", reply=thanks)
        return _outcomes(report, now)

    def _composed(self, report: DueReport, to: str, now: float) -> bytes:
        created = datetime.fromtimestamp(int(report.created_at), UTC).strftime("%Y%m%d%H%M%S")
        # The same at every try, so that a second copy can be told; another when more goes with it meanwhile.
        unique = f"{created}.{report.report_id}" + (f"-{report.more[-1]}" if report.more else "")
        message_id = f"<{unique}@{self._host_name}>"
        content = report.content
        frame = Frame("", to, message_id, now, report.mail_message_id)
        if isinstance(content, Notice):
            told = DIALECTS[content.dialect].notice(content)
            frame = replace(frame, author=told.author, author_name=told.author_name, unasked=True)
            return answer.compose(told, frame)
        if isinstance(content, Answer) and content.author:
            return answer.compose(
                content, replace(frame, author=content.author, author_name=content.author_name)
            )
        if isinstance(content, Answer):
            author = self._author or f"postmaster@{self._host_name}"
            return answer.compose(content, replace(frame, author=author))
        reports = [
            replace(one, no_subscriber=one.error in self._no_subscriber.get(one.smsc, ()))
            for one in _news(report)
        ]
        texts = self._texts.get(report.account, self._texts[""])
        author = self._author or f"postmaster@{reports[0].recipient.rpartition('@')[2]}"
        frame = replace(frame, author=author, author_name=texts["author"])
        return dsn.compose(reports, frame, texts, reporting_mta=self._host_name, boundary=f"=_{unique}")

    def _deferred(self, report: DueReport, error: ReportDeferred, now: float) -> list[ReportOutcome]:
        if now - report.created_at > _GIVE_UP_SECONDS:
            return self._given_up(report, f"too often: {error}", now)
        delay = _RETRY_SECONDS[min(report.attempts, len(_RETRY_SECONDS) - 1)]
        self._meter.count(REPORTS, "deferred")
        self._say(self._journal.info, report, f"deferred for {delay:.0f} s ({clean(error)})")
        return _outcomes(report, now, clean(error), now + delay)

    def _given_up(self, report: DueReport, why: str, now: float) -> list[ReportOutcome]:
        self._meter.count(REPORTS, "given up")
        self._say(self._journal.error, report, f"given up ({clean(why)})")
        return _outcomes(report, now, clean(why))

    # --- the MTA --------------------------------------------------------------------------------------------

    def _wait_for_mta(self, error: OutboxUnavailable, now: float) -> None:
        if not self._pause:
            self._journal.warning(line("", status=f"the MTA takes no reports, trying again ({clean(error)})"))
        first, longest = _OUTBOX_PAUSE_SECONDS
        self._pause = min(self._pause * 2 or first, longest)
        self._outbox_back_at = now + self._pause

    def _mta_is_back(self) -> None:
        if self._pause:
            self._pause = 0.0
            self._journal.info(line("", status="the MTA takes reports again"))

    # --- the log --------------------------------------------------------------------------------------------

    def _say(self, write: Callable[[str], None], report: DueReport, what: str, **more: object) -> None:
        pairs: dict[str, object] = {"to": self._senders.shown(_recipient(report))}
        news = _news(report)
        if news:
            more = {"and_more": len(news) - 1, **more} if len(news) > 1 else more
            pairs["about"] = self._numbers.shown(news[0].destination)
        write(line(report.mta_queue_id, **pairs, queue=report.queue_id, **more, status=f"report {what}"))


def _outcomes(
    report: DueReport, at: float, why: str = "", again_at: float | None = None
) -> list[ReportOutcome]:
    return [ReportOutcome(one, at, why, again_at) for one in (report.report_id, *report.more)]


def _recipient(report: DueReport) -> str:
    match report.content:
        case DeliveryReport(sender=sender):
            return sender
        case Digest(reports=reports):
            return reports[0].sender
        case Notice(target=target):
            return target
        case Answer(to=to):
            return to


def _news(report: DueReport) -> Sequence[DeliveryReport]:
    match report.content:
        case DeliveryReport() as news:
            return [news]
        case Notice(news=several) | Digest(reports=several):
            return several
        case _:
            return []


def _subject(report: DueReport) -> str:
    """What it tells, for the log."""
    return ", ".join(dict.fromkeys(map(_word, _news(report)))) or "answer"


def _word(news: DeliveryReport) -> str:
    if news.on_the_way is not Notify.NEVER:
        return str(news.on_the_way.name).lower()
    return "delivered" if news.state is PartState.DELIVERED else "failed"
