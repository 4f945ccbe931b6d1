"""The dispatcher's turn.

One `step` hears the links, stores in one transaction what was learnt together with the marks of what is to be
sent next, and only then lets octets leave, receipts be acknowledged and the log speak.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from sms_milter import metrics
from sms_milter.config.schema import RouteRule, Smsc
from sms_milter.dispatch.cancelling import Cancelling
from sms_milter.dispatch.escalation import Escalation
from sms_milter.dispatch.hearing import Hearing
from sms_milter.dispatch.housekeeping import Housekeeping
from sms_milter.dispatch.lanes import Lane
from sms_milter.dispatch.leases import Leases
from sms_milter.dispatch.purging import Purging
from sms_milter.dispatch.recording import Recording
from sms_milter.dispatch.words import Words
from sms_milter.logline import Numbers
from sms_milter.model import LeasedPart, LinkState
from sms_milter.patience import Patience
from sms_milter.policy.destinations import RouteTable
from sms_milter.policy.quiet import Quiet
from sms_milter.ports import DispatchQueue, Doorbell, Journal, Link, Meter
from sms_milter.smpp.session import Session

_POLL_SECONDS = 5.0  # the safety net under the doorbell
_TURN_SECONDS = 0.2  # between two looks whether it is our turn
# Between two transactions: when parts come singly, and when they come in crowds.
_GATHER_SECONDS = (0.005, 0.02)
_HEARD_LIMIT = 5000  # outcomes and deliveries that may wait for a queue that cannot be written


class Dispatcher:
    """The dispatch role without its sockets: `step` whenever a link or the doorbell has something, or time is
    up.
    """

    def __init__(
        self,
        queue: DispatchQueue,
        links: Sequence[Link],
        smscs: Mapping[str, Smsc],
        routes: Mapping[str, Sequence[RouteRule]],
        journal: Journal,
        numbers: Numbers,
        *,
        reports: Doorbell,
        keep_seconds: float,
        name: str = "",
        meter: Meter = metrics.UNMETERED,
        our_turn: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = lambda: 0.0,
        quiet: Quiet | None = None,
    ) -> None:
        """`reports` wakes the report role; `name` is ours among other dispatchers; `our_turn` says whether
        the one before us has ended; `clock` measures what need not be done at once, in seconds; `quiet` tells
        which phones are left alone.
        """
        words = Words(numbers)
        self._queue = queue
        self._links = links
        self._journal = journal
        self._words = words
        self._reports = reports
        self._lanes = {name: Lane(settings) for name, settings in smscs.items()}
        self._escalation = Escalation(RouteTable(routes), self._lanes, words)
        self._hearing = Hearing(self._lanes, words, journal, self._escalation.exit, meter)
        self._leases = Leases(queue, links, self._lanes, self._hearing, name=name)
        self._cancelling = Cancelling(queue, links, words)
        self._recording = Recording(words, journal, meter, self._cancelling)
        self._housekeeping = Housekeeping(queue, links, self._lanes, words, journal, reports, meter)
        self._purging = Purging(queue, keep_seconds, clock)
        self._our_turn, self._quiet = our_turn, quiet
        self._adopted = False
        self._patience = Patience(journal)
        self._poll_at = 0.0
        self._draining = False
        self._ticks = 0.0
        self._exchanged_at = -math.inf
        self._gather_seconds = _GATHER_SECONDS[0]

    # --- turns ----------------------------------------------------------------------------------------------

    def rung(self) -> None:
        """The doorbell: there may be new work."""
        for lane in self._lanes.values():
            lane.due = 0.0
        self._cancelling.soon()

    def step(self, now: float, ticks: float) -> float:
        """One turn; returns after how many seconds the next must come, even if nothing happens.

        `now` is the time of day, for the queue; `ticks` a clock that never jumps, for the links' timers.
        """
        self._ticks = ticks
        if not self._adopted and not self._take_over(now):
            return _TURN_SECONDS
        if self.listening:
            for link in self._links:
                for event in link.pump(ticks):
                    if self._hearing.hear(link, event, now):
                        self._housekeeping.soon(now)
                        self._cancelling.soon()
        gathering = self._gathering_seconds()
        if now >= self._patience.again_at and gathering <= 0:
            self._patience.take(self._turn, now)
        for link in self._links:
            link.flush()
        if now >= max(self._purging.due_at, self._patience.again_at) and not self._draining:
            self._patience.take(self._purge, now)
        self._watch_load(now)
        return min(self._rest(now), gathering) if gathering > 0 else self._rest(now)

    @property
    def listening(self) -> bool:
        """Whether more may be heard; not while too much waits for a queue that cannot be written."""
        return len(self._hearing.news) < _HEARD_LIMIT

    def drain(self) -> None:
        """Take no more parts; what is under way may end. Call `close` when `idle`, or when time is up."""
        self._draining = True

    @property
    def idle(self) -> bool:
        """Whether no submit_sm waits for its response and everything heard is stored."""
        return not self._hearing.in_flight and not self._hearing.news

    def close(self) -> None:
        """Unbind every link; go on calling `step` until `closed`."""
        for link in self._links:
            link.shutdown(self._ticks)

    def release(self) -> None:
        """Leave our binds to others, once `closed`."""
        self._leases.release()

    @property
    def closed(self) -> bool:
        """Whether every link is down."""
        return all(link.state is LinkState.DOWN for link in self._links)

    def _gathering_seconds(self) -> float:
        """How long to wait for more before the next transaction; nothing after a pause.

        A transaction costs the same for one part as for ten, and the milter workers want to write too. With a
        backlog it is worth its price as soon as half a window is answered.
        """
        if any(len(self._hearing.news.outcomes) * 2 >= lane.settings.window for lane in self._backlogged()):
            return 0.0
        return self._exchanged_at + self._gather_seconds - self._ticks

    def _backlogged(self) -> list[Lane]:
        return [lane for lane in self._lanes.values() if lane.backlog]

    def _turn(self, now: float) -> float:
        if now >= self._poll_at:
            self._poll_at = now + _POLL_SECONDS
            self.rung()
        if now >= self._leases.due_at:
            self._leases.keep(now, self._ticks)
        wanted = [] if self._draining else self._wanted(now)
        if self._hearing.news or wanted:
            self._exchange(wanted, now)
        if now >= self._escalation.due_at:
            self._escalate(now)
        if now >= self._housekeeping.due_at:
            self._housekeeping.keep(now, self._ticks)
        if now >= self._cancelling.due_at:
            self._cancelling.ask(now)
        return 0.0

    def _purge(self, now: float) -> float:
        self._purging.bite(now, busy=bool(self._hearing.in_flight or self._backlogged()))
        return 0.0

    def _take_over(self, now: float) -> bool:
        """Begin, once no other dispatcher of this name has parts on the wire; whether that is so."""
        if now >= self._patience.again_at and self._patience.take(self._first_turn, now) == 0.0:
            self._adopted = True
        return self._adopted

    def _first_turn(self, now: float) -> float:
        if not self._our_turn():
            return _TURN_SECONDS
        self._leases.keep(now, self._ticks)
        return 0.0

    def _exchange(self, wanted: list[tuple[Link, Session, list[int]]], now: float) -> None:
        news = self._hearing.news
        leased: list[tuple[Link, Session, int, list[LeasedPart]]] = []
        with self._queue.transaction() as work:
            recorded = self._recording.store(news, work, now) if news.concerns_waiting else None
            for link, bound, sequences in wanted:
                lane = self._lanes[link.smsc]
                parts = work.lease(link.smsc, link.name, sequences, now, lane.served, lane.form, self._quiet)
                leased.append((link, bound, len(sequences), parts))
            # A server writes those marks while we make this ready.
            recorded = recorded or self._recording.store(news, work, now)
        self._exchanged_at = self._ticks
        self._gather_seconds = _GATHER_SECONDS[sum(len(parts) for *_, parts in leased) > 2]
        # From here on it is durable: octets may leave, receipts be acknowledged, the log speak.
        self._hearing.stored()
        if work.reported:
            self._reports.ring()
        for link, bound, asked, parts in leased:
            self._submit(link, bound, asked, parts, now)
        for link, bound, delivery in news.answers:
            if link.session is bound:
                bound.acknowledge(delivery.sequence, 0, self._ticks, data_sm=delivery.data_sm)
        self._recording.tell(recorded, now)
        for part, until in work.asleep:
            later = f"deferred for {until - now:.0f} s (quiet hours)"
            self._journal.info(self._words.part(part, None, now, status=later))
        if work.unfit:
            self._escalation.soon()
        self._look_ahead()

    def _escalate(self, now: float) -> None:
        bound = {link.smsc for link in self._links if link.session is not None and link.session.ready}
        for name, lane in self._lanes.items():
            lane.health.watch(name in bound or not lane.ours, now)
        with self._queue.transaction() as work:
            lines = self._escalation.look(work, now)
        if work.reported:
            self._reports.ring()
        for text in lines:
            self._journal.info(text)

    def _submit(self, link: Link, bound: Session, asked: int, parts: list[LeasedPart], now: float) -> None:
        lane = self._lanes[link.smsc]
        for part in parts:
            self._hearing.in_flight[part.part_id] = part
            bound.submit(part.part_id, part.sequence, lane.body(part, now), self._ticks)
        lane.pace.took(len(parts), now)
        lane.load.sent += len(parts)
        lane.backlog = len(parts) == asked
        lane.served = parts[-1].account if parts else ""
        lane.look = not lane.backlog

    def _look_ahead(self) -> None:
        """Where nothing more was due, find out when the next part will be."""
        for name, lane in self._lanes.items():
            if lane.look:
                due = self._queue.next_due(name)
                lane.due, lane.look = (math.inf if due is None else due), False

    def _wanted(self, now: float) -> list[tuple[Link, Session, list[int]]]:
        self._leases.share_rates(now)
        wanted = []
        room = {name: lane.room(now) for name, lane in self._lanes.items()}
        for link in self._links:
            bound = link.session
            if bound is not None and bound.ready and (slots := int(min(bound.free, room[link.smsc]))):
                room[link.smsc] -= slots
                wanted.append((link, bound, bound.reserve(slots)))
        return wanted

    def _watch_load(self, now: float) -> None:
        """Remember what holds each SMSC back until the next step."""
        slots = dict.fromkeys(self._lanes, -1)  # -1: no bind stands
        for link in self._links:
            bound = link.session
            if bound is not None and bound.ready and bound.window:
                slots[link.smsc] = max(slots[link.smsc], 0) + bound.free
        for name, lane in self._lanes.items():
            limit = lane.limit(now, bound=slots[name] >= 0, slots=slots[name])
            lane.load.watch(limit, self._ticks)

    def _rest(self, now: float) -> float:
        rooms = (self._housekeeping, self._escalation, self._leases, self._purging, self._cancelling)
        moments = [self._poll_at, *(room.due_at for room in rooms)]
        if self._patience.again_at > now:
            moments = [self._patience.again_at]
        for link in self._links:
            deadline = link.deadline()
            if deadline is not None and self.listening:
                moments.append(now + deadline - self._ticks)
        for lane in self._lanes.values():
            opens_at = lane.opens_at(now)
            if opens_at is not None:
                moments.append(opens_at)
        return max(0.0, min(moments) - now)
