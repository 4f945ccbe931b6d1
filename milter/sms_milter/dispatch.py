"""Takes due parts from the queue to the SMSCs and records what becomes of them.

One `step` is one turn: hear the links, store in one transaction what was learnt together with the marks of
what is to be sent next, and only then let octets leave, receipts be acknowledged and the log speak. Knows no
socket and no clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sms_milter.config.schema import Smsc
from sms_milter.errors import QueueUnavailable
from sms_milter.logline import Numbers, clean, line
from sms_milter.model import LeasedPart, LinkState, LinkStatus, Outcome, PartState, ReceiptNews, Settled
from sms_milter.ports import DispatchQueue, Doorbell, Journal, Link, Work
from sms_milter.smpp import receipt, session, status

_POLL_SECONDS = 5.0  # the safety net under the doorbell
_STORE_PAUSE_SECONDS = 1.0  # after the queue could not be written
_HOUSEKEEPING_SECONDS = 10.0
_THROTTLE_SECONDS = (1.0, 30.0)  # first and longest pause after 0x58 or 0x14
_GATHER_SECONDS = (
    0.005,
    0.02,
)  # between two transactions: when parts come singly, and when they come in crowds
_HEARD_LIMIT = 5000  # outcomes and deliveries that may wait for a queue that cannot be written


@dataclass(slots=True)
class _Lane:
    """What we know of one SMSC between turns."""

    settings: Smsc
    due: float = 0.0  # when the next part falls due; 0: look now
    paused_until: float = 0.0
    pause: float = 0.0
    backlog: bool = False  # the last lease filled all free slots: there is more
    look: bool = False  # it did not: find out when the next part falls due


@dataclass(slots=True)
class _Heard:
    """What the links told us and the queue does not know yet."""

    outcomes: list[Outcome] = field(default_factory=list)
    receipts: list[ReceiptNews] = field(default_factory=list)
    answers: list[tuple[Link, session.Session, session.Delivery]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.outcomes or self.receipts or self.answers)


class Dispatcher:
    """The dispatch role without its sockets: `step` whenever a link or the doorbell has something, or time is
    up.
    """

    def __init__(
        self,
        queue: DispatchQueue,
        links: Sequence[Link],
        smscs: Mapping[str, Smsc],
        journal: Journal,
        numbers: Numbers,
        *,
        keep_seconds: float,
        reports: Doorbell | None = None,
    ) -> None:
        """`reports` wakes the report role, where there is one."""
        self._queue = queue
        self._links = links
        self._lanes = {name: _Lane(settings) for name, settings in smscs.items()}
        self._journal = journal
        self._numbers = numbers
        self._keep_seconds = keep_seconds
        self._reports = reports
        self._in_flight: dict[int, LeasedPart] = {}
        self._heard = _Heard()
        self._adopted = False
        self._store_back_at = 0.0
        self._poll_at = 0.0
        self._housekeeping_at = 0.0
        self._draining = False
        self._ticks = 0.0
        self._exchanged_at = -math.inf
        self._gather_seconds = _GATHER_SECONDS[0]
        self._shown: list[LinkStatus] = []

    # --- turns ----------------------------------------------------------------------------------------------

    def rung(self) -> None:
        """The doorbell: there may be new work."""
        for lane in self._lanes.values():
            lane.due = 0.0

    def step(self, now: float, ticks: float) -> float:
        """One turn; returns after how many seconds the next must come, even if nothing happens.

        `now` is the time of day, for the queue; `ticks` a clock that never jumps, for the links' timers.
        """
        self._ticks = ticks
        if self.listening:
            for link in self._links:
                for event in link.pump(ticks):
                    self._hear(link, event, now)
        gathering = self._gathering_seconds()
        if now >= self._store_back_at and gathering <= 0:
            try:
                self._turn(now)
            except QueueUnavailable as error:
                self._journal.error(line("", status=f"queue not available, trying again ({clean(error)})"))
                self._store_back_at = now + _STORE_PAUSE_SECONDS
        for link in self._links:
            link.flush()
        return min(self._rest(now), gathering) if gathering > 0 else self._rest(now)

    @property
    def listening(self) -> bool:
        """Whether more may be heard; not while too much waits for a queue that cannot be written."""
        return len(self._heard.outcomes) + len(self._heard.answers) < _HEARD_LIMIT

    def drain(self) -> None:
        """Take no more parts; what is under way may end. Call `close` when `idle`, or when time is up."""
        self._draining = True

    @property
    def idle(self) -> bool:
        """Whether no submit_sm waits for its response and everything heard is stored."""
        return not self._in_flight and not self._heard

    def close(self) -> None:
        """Unbind every link; go on calling `step` until `closed`."""
        for link in self._links:
            link.shutdown(self._ticks)

    @property
    def closed(self) -> bool:
        """Whether every link is down."""
        return all(link.state is LinkState.DOWN for link in self._links)

    def _gathering_seconds(self) -> float:
        """How long to wait for more before the next transaction; nothing after a pause.

        A transaction costs the same for one part as for ten, and the milter workers want to write too. With a
        backlog it is worth its price as soon as half a window is answered.
        """
        if any(len(self._heard.outcomes) * 2 >= lane.settings.window for lane in self._backlogged()):
            return 0.0
        return self._exchanged_at + self._gather_seconds - self._ticks

    def _backlogged(self) -> list[_Lane]:
        return [lane for lane in self._lanes.values() if lane.backlog]

    def _turn(self, now: float) -> None:
        if not self._adopted:
            self._adopt(now)
        if now >= self._poll_at:
            self._poll_at = now + _POLL_SECONDS
            self.rung()
        wanted = self._wanted(now)
        if self._heard or wanted:
            self._exchange(wanted, now)
        if now >= self._housekeeping_at:
            self._housekeeping_at = now + _HOUSEKEEPING_SECONDS
            self._keep_house(now)

    def _exchange(self, wanted: list[tuple[Link, session.Session, list[int]]], now: float) -> None:
        heard = self._heard
        leased = []
        with self._queue.transaction() as work:
            settled = work.record(heard.outcomes) if heard.outcomes else []
            if heard.receipts:
                settled += work.settle(heard.receipts)
            for link, bound, sequences in wanted:
                leased.append((link, bound, len(sequences), work.lease(link.smsc, link.name, sequences, now)))
        self._exchanged_at = self._ticks
        self._gather_seconds = _GATHER_SECONDS[sum(len(parts) for *_, parts in leased) > 2]
        # From here on it is durable: octets may leave, receipts be acknowledged, the log speak.
        self._heard = _Heard()
        self._ring(work)
        for link, bound, asked, parts in leased:
            for part in parts:
                self._in_flight[part.part_id] = part
                bound.submit(part.part_id, part.sequence, part.body, self._ticks)
            lane = self._lanes[link.smsc]
            lane.backlog = len(parts) == asked
            lane.look = not lane.backlog
        for link, bound, delivery in heard.answers:
            if link.session is bound:
                bound.acknowledge(delivery.sequence, 0, self._ticks, data_sm=delivery.data_sm)
        for text in heard.lines:
            self._journal.info(text)
        for one in settled:
            self._log_receipt(one)
        for name, lane in self._lanes.items():
            if lane.look:
                due = self._queue.next_due(name)
                lane.due, lane.look = (math.inf if due is None else due), False

    def _wanted(self, now: float) -> list[tuple[Link, session.Session, list[int]]]:
        wanted = []
        for link in () if self._draining else self._links:
            lane, bound = self._lanes[link.smsc], link.session
            if bound is None or not bound.ready or now < lane.paused_until or now < lane.due:
                continue
            if bound.free:
                wanted.append((link, bound, bound.reserve(bound.free)))
        return wanted

    def _rest(self, now: float) -> float:
        moments = [self._poll_at, self._housekeeping_at]
        if self._store_back_at > now:
            moments = [self._store_back_at]
        for link in self._links:
            deadline = link.deadline()
            if deadline is not None and self.listening:
                moments.append(now + deadline - self._ticks)
        for lane in self._lanes.values():
            if lane.paused_until > now:
                moments.append(lane.paused_until)
            elif lane.due > now:
                moments.append(lane.due)
        return max(0.0, min(moments) - now)

    def _ring(self, work: Work) -> None:
        if self._reports is not None and work.reported:
            self._reports.ring()

    # --- hearing --------------------------------------------------------------------------------------------

    def _hear(self, link: Link, event: session.Event, now: float) -> None:
        match event:
            case session.Accepted(key, message_id):
                self._accepted(link, self._in_flight.pop(key), message_id, now)
            case session.Refused(key, command_status, text):
                self._refused(link, self._in_flight.pop(key), command_status, text, now)
            case session.Uncertain(key, why):
                self._uncertain(link.smsc, self._in_flight.pop(key), why, now)
            case session.Delivery():
                self._delivery(link, event, now)
            case session.LateResponse():
                self._late(link, event, now)
            case session.Bound():
                self._lanes[link.smsc].due = 0.0
                self._housekeeping_at = now
            case _:
                self._housekeeping_at = now  # the link logs it; `status` shows it soon

    def _accepted(self, link: Link, part: LeasedPart, message_id: str, now: float) -> None:
        lane = self._lanes[link.smsc]
        lane.pause = 0.0
        key = receipt.key(message_id, lane.settings.receipt_ids, "response")
        self._heard.outcomes.append(
            Outcome(part.part_id, PartState.ACCEPTED, now, smsc_message_id=message_id, smsc_key=key)
        )
        self._say(part, link, now, status=f"accepted (message_id={clean(message_id)})")

    def _refused(self, link: Link, part: LeasedPart, command_status: int, text: str, now: float) -> None:
        verdict = status.classify(command_status)
        why = f"{verdict} {clean(text)}".rstrip()
        tries = part.attempts + 1
        if verdict.is_final(tries):
            if verdict.kind is status.Class.CONFIGURATION:
                self._journal.error(
                    line("", smsc=link.smsc, status=f"our fault or the configuration's: {why}")
                )
            self._outcome(part, PartState.FAILED, now, command_status=command_status, why=why)
            self._say(part, link, now, status=f"refused ({why})")
            return
        again = self._again_at(self._lanes[link.smsc], verdict.kind, part, now)
        counts = verdict.kind is status.Class.TEMPORARY
        self._outcome(
            part, PartState.QUEUED, now, command_status=command_status, why=why, due_at=again, counts=counts
        )
        self._say(part, link, now, tries=tries, status=f"deferred for {again - now:.0f} s ({why})")

    def _again_at(self, lane: _Lane, kind: status.Class, part: LeasedPart, now: float) -> float:
        """When a part that was refused for now goes again; a throttled SMSC gets a pause as a whole."""
        again = now + status.retry_delay(part.attempts)
        if kind is status.Class.THROTTLED:
            if now >= lane.paused_until:
                lane.pause = min(lane.pause * 2 or _THROTTLE_SECONDS[0], _THROTTLE_SECONDS[1])
                lane.paused_until = now + lane.pause
            again = lane.paused_until
        elif kind is status.Class.LINK:
            again = now
        lane.due = min(lane.due, again)
        return again

    def _uncertain(self, smsc: str, part: LeasedPart, why: str, now: float) -> None:
        """No answer before the link or the process died: the SMSC may have the part, or not."""
        lane = self._lanes[smsc]
        if lane.settings.on_uncertain == "retry" and part.doubts == 0:
            self._outcome(part, PartState.QUEUED, now, why=why, due_at=now, doubt=True)
            lane.due = 0.0
            self._say(
                part,
                None,
                now,
                smsc=smsc,
                status=f"uncertain ({clean(why)}), sent again: possibly a duplicate",
            )
        else:
            self._outcome(part, PartState.UNCERTAIN, now, why=why)
            self._say(part, None, now, smsc=smsc, status=f"uncertain ({clean(why)}), not sent again")

    def _late(self, link: Link, event: session.LateResponse, now: float) -> None:
        """The response came after its timer; it settles a part that is not on the wire a second time."""
        part_id = int(event.key)
        if event.status == 0 and part_id not in self._in_flight:
            key = receipt.key(event.message_id, self._lanes[link.smsc].settings.receipt_ids, "response")
            self._heard.outcomes.append(
                Outcome(part_id, PartState.ACCEPTED, now, smsc_message_id=event.message_id, smsc_key=key)
            )
        self._journal.warning(
            line(
                "",
                smsc=link.smsc,
                bind=link.name,
                sequence=event.sequence,
                status="late response: possibly a duplicate",
            )
        )

    def _delivery(self, link: Link, delivery: session.Delivery, now: float) -> None:
        bound = link.session
        assert bound is not None
        news = receipt.read(delivery.pdu)
        self._heard.answers.append((link, bound, delivery))
        if news is None:
            source = self._numbers.shown(delivery.pdu.source_addr)
            self._heard.lines.append(
                line("", smsc=link.smsc, from_=source, status="mobile-originated message dropped")
            )
            return
        rule = self._lanes[link.smsc].settings.receipt_ids
        self._heard.receipts.append(
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
            )
        )

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
    ) -> None:
        self._heard.outcomes.append(
            Outcome(
                part.part_id,
                state,
                now,
                command_status=command_status,
                why=why,
                due_at=due_at,
                counts=counts,
                doubt=doubt,
            )
        )

    # --- housekeeping ---------------------------------------------------------------------------------------

    def _adopt(self, now: float) -> None:
        """Parts that a dispatcher before us had on the wire when it died are in doubt, one by one."""
        abandoned = [(smsc, part) for smsc in self._lanes for part in self._queue.abandoned(smsc)]
        for smsc, part in abandoned:
            self._uncertain(smsc, part, "the dispatcher died before the response", now)
        self._adopted = True

    def _keep_house(self, now: float) -> None:
        with self._queue.transaction() as work:
            expired = work.expire(now)
        self._ring(work)
        for part in expired:
            self._say(part, None, now, status="expired (validity is over)")
        if expired:
            self._housekeeping_at = now  # there may be more
        shown = [link.status(self._ticks) for link in self._links]
        if shown != self._shown:
            ahead = now - self._ticks
            self._queue.report_links([replace(link, since=link.since + ahead) for link in shown], now)
            self._shown = shown
        self._queue.purge(now - self._keep_seconds)

    # --- the log --------------------------------------------------------------------------------------------

    def _say(self, part: LeasedPart, link: Link | None, now: float, **pairs: object) -> None:
        where = {} if link is None else {"smsc": link.smsc, "bind": link.name, "sequence": part.sequence}
        self._heard.lines.append(
            line(
                part.mta_queue_id,
                to=self._numbers.shown(part.destination),
                queue=part.queue_id,
                part=f"{part.number}/{part.total}",
                **where,
                delay=f"{now - part.received_at:.2f}",
                **pairs,
            )
        )

    def _log_receipt(self, settled: Settled) -> None:
        news = settled.receipt
        word = news.state.value if news.state else "pending"
        self._journal.info(
            line(
                settled.mta_queue_id,
                to=self._numbers.shown(settled.destination),
                queue=settled.queue_id,
                part=f"{settled.number}/{settled.total}",
                smsc=news.smsc,
                message_id=clean(news.smsc_message_id),
                status=f"{word} (stat={clean(news.stat)} err={clean(news.error)})"
                + ("" if settled.changed else ", already known"),
            )
        )
