"""What the events of a link mean: outcomes of parts, receipts, and what the log will say of them.

Nothing is stored here. `News` waits for the next transaction, and only then is anybody told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sms_milter import metrics
from sms_milter.dispatch.lanes import Lane
from sms_milter.dispatch.words import Words
from sms_milter.logline import clean, line
from sms_milter.model import LeasedPart, MobilePart, Outcome, PartState, ReceiptNews
from sms_milter.ports import Journal, Link, Meter
from sms_milter.smpp import events, mobile, receipt, status
from sms_milter.smpp.session import Session

_MOST_DOUBTFUL = 10_000  # parts that are remembered after they were given up


@dataclass(slots=True)
class News:
    """What the links told us and the queue does not know yet."""

    outcomes: list[Outcome] = field(default_factory=list)
    receipts: list[ReceiptNews] = field(default_factory=list)
    mobile: list[MobilePart] = field(default_factory=list)
    cancelled: list[tuple[int, int]] = field(default_factory=list)  # part id, command_status
    answers: list[tuple[Link, Session, events.Delivery]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.outcomes or self.receipts or self.answers or self.cancelled)

    def __len__(self) -> int:
        return len(self.outcomes) + len(self.answers)

    @property
    def concerns_waiting(self) -> bool:
        """Whether any of it may change what still waits in the queue: everything but acceptances in time."""
        plain = all(one.state is PartState.ACCEPTED and not one.late_from for one in self.outcomes)
        return not plain or bool(self.answers or self.cancelled)


class Hearing:
    """Turns events into news. `in_flight` holds the parts on the wire by their id."""

    def __init__(
        self,
        lanes: Mapping[str, Lane],
        words: Words,
        journal: Journal,
        exit: Callable[[str], bool],
        meter: Meter,
    ) -> None:
        """`exit` says whether another SMSC than the given one can be used."""
        self._exit = exit
        self._lanes = lanes
        self._words = words
        self._journal = journal
        self._meter = meter
        self.in_flight: dict[int, LeasedPart] = {}
        self._doubtful: dict[int, LeasedPart] = {}
        self.news = News()

    def stored(self) -> None:
        """The queue knows the news."""
        self.news = News()

    def knows(self, part_id: int) -> bool:
        """Whether a part is on the wire, or the queue is to hear what became of it."""
        return part_id in self.in_flight or any(one.part_id == part_id for one in self.news.outcomes)

    def hear(self, link: Link, event: events.Event, now: float) -> bool:
        """Take in one event; whether it is about the link itself rather than about a part."""
        match event:
            case events.Accepted(key, message_id, seconds):
                self._accepted(link, self.in_flight.pop(key), message_id, now)
                self._meter.took(metrics.RESPONSE, seconds, link.smsc)
            case events.Refused(key, command_status, text):
                self._refused(link, self.in_flight.pop(key), command_status, text, now)
            case events.Uncertain(key, why):
                self._remember(self.in_flight.pop(key))
                self.in_doubt(link.smsc, self._doubtful[key], why, now)
            case events.CancelAnswered(key, command_status):
                self.news.cancelled.append((key, command_status))
            case events.Delivery():
                self._delivery(link, event, now)
            case events.LateResponse():
                self._late(link, event, now)
            case events.Bound():
                self._lanes[link.smsc].due = 0.0
                return True
            case _:
                return True  # the link logs it
        return False

    def _remember(self, part: LeasedPart) -> None:
        """Its response may still come."""
        self._doubtful[part.part_id] = part
        if len(self._doubtful) > _MOST_DOUBTFUL:
            del self._doubtful[next(iter(self._doubtful))]

    # --- responses ------------------------------------------------------------------------------------------

    def _accepted(self, link: Link, part: LeasedPart, message_id: str, now: float) -> None:
        lane = self._lanes[link.smsc]
        lane.taken(now)
        key = receipt.key(message_id, lane.settings.receipt_ids, "response")
        self.news.outcomes.append(
            Outcome(part.part_id, PartState.ACCEPTED, now, smsc_message_id=message_id, smsc_key=key)
        )
        self._meter.count(metrics.PARTS, link.smsc, "accepted")
        self._say(part, link, now, status=f"accepted (message_id={clean(message_id)})")

    def _refused(self, link: Link, part: LeasedPart, command_status: int, text: str, now: float) -> None:
        lane = self._lanes[link.smsc]
        verdict = lane.meaning(command_status)
        why = f"{verdict} {clean(text)}".rstrip()
        self._meter.count(metrics.STATUSES, link.smsc, verdict.name)
        tries = part.attempts + 1
        lane.health.answered(verdict.kind is not status.Class.TEMPORARY, now)
        elsewhere = part.promised and verdict.is_final(tries) and verdict.elsewhere and self._exit(link.smsc)
        if verdict.is_final(tries) and not elsewhere:
            if verdict.kind is status.Class.CONFIGURATION:
                self._journal.error(
                    line("", smsc=link.smsc, status=f"our fault or the configuration's: {why}")
                )
            self._outcome(part, PartState.FAILED, now, command_status=command_status, why=why)
            self._meter.count(metrics.PARTS, link.smsc, "refused")
            self._say(part, link, now, status=f"refused ({why})")
            return
        again = lane.again_at(verdict.kind, part, now)
        counts = verdict.kind is status.Class.TEMPORARY
        self._outcome(
            part,
            PartState.QUEUED,
            now,
            command_status=command_status,
            why=why,
            due_at=again,
            counts=counts,
            elsewhere=elsewhere,
        )
        self._meter.count(metrics.PARTS, link.smsc, "deferred")
        self._say(part, link, now, tries=tries, status=f"deferred for {again - now:.0f} s ({why})")

    def in_doubt(self, smsc: str, part: LeasedPart, why: str, now: float) -> None:
        """No answer before the link or the process died: the SMSC may have the part, or not."""
        lane = self._lanes.get(smsc)  # None: an SMSC that is not configured any more
        what = "not sent again"
        self._meter.count(metrics.PARTS, smsc, "uncertain")
        if lane is not None:
            lane.health.answered(False, now)
        if lane is not None and not part.doubts and lane.settings.on_uncertain == "retry":
            self._outcome(part, PartState.QUEUED, now, why=why, due_at=now, doubt=True)
            lane.due = 0.0
            what = "sent again: possibly a duplicate"
        else:
            self._outcome(part, PartState.UNCERTAIN, now, why=why)
        if lane is not None and not part.doubts and lane.settings.on_uncertain == "wait":
            what = f"sent again unless a receipt comes within {lane.settings.uncertain_wait:.0f} s"
        self._say(part, None, now, smsc=smsc, status=f"uncertain ({clean(why)}), {what}")

    def _late(self, link: Link, event: events.LateResponse, now: float) -> None:
        """The response came after its timer; it settles a part that is not on the wire a second time."""
        part = self._doubtful.pop(event.key, None)
        if part is None:  # longer ago than we remember
            return
        lane = self._lanes[link.smsc]
        verdict = lane.meaning(event.status)
        word = f"accepted (message_id={clean(event.message_id)})" if event.status == 0 else str(verdict)
        late = Outcome(event.key, PartState.ACCEPTED, now, late_from=link.smsc)
        if event.key in self.in_flight:
            word += ", sent again before it came"
        elif event.status == 0:
            key = receipt.key(event.message_id, lane.settings.receipt_ids, "response")
            self.news.outcomes.append(late._replace(smsc_message_id=event.message_id, smsc_key=key))
        else:
            end = PartState.FAILED if verdict.is_final(status.LIMITED_TRIES) else PartState.QUEUED
            why = str(verdict)
            self.news.outcomes.append(
                late._replace(state=end, command_status=event.status, why=why, due_at=now)
            )
            lane.due = 0.0
        self._say(part, link, now, status=f"late response: {word}")

    def _outcome(
        self,
        part: LeasedPart,
        state: PartState,
        now: float,
        *,
        why: str,
        command_status: int = 0,
        due_at: float = 0.0,
        counts: bool = True,
        doubt: bool = False,
        elsewhere: bool = False,
    ) -> None:
        self.news.outcomes.append(
            Outcome(
                part.part_id,
                state,
                now,
                command_status=command_status,
                why=why,
                due_at=due_at,
                counts=counts,
                doubt=doubt,
                elsewhere=elsewhere,
            )
        )

    # --- deliveries -----------------------------------------------------------------------------------------

    def _delivery(self, link: Link, delivery: events.Delivery, now: float) -> None:
        bound = link.session
        assert bound is not None
        news = receipt.read(delivery.pdu)
        self.news.answers.append((link, bound, delivery))
        settings = self._lanes[link.smsc].settings
        if news is None:
            self.news.mobile.append(mobile.read(delivery.pdu, link.smsc, settings.alphabet, now))
            return
        rule = settings.receipt_ids
        self.news.receipts.append(
            ReceiptNews(
                smsc=link.smsc,
                smsc_message_id=news.message_id,
                smsc_key=receipt.key(news.message_id, rule, "receipt"),
                source=delivery.pdu.source_addr,
                stat=news.stat,
                error=news.error,
                state=news.state,
                done_at=news.done_at,
                at=now,
                text=news.text,
            )
        )

    def _say(
        self, part: LeasedPart, link: Link | None, now: float, *, smsc: str = "", **pairs: object
    ) -> None:
        self.news.lines.append(self._words.part(part, link, now, smsc=smsc, **pairs))
