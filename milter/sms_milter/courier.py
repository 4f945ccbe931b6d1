"""Takes due errands from the queue to the outlets of their channels and records what becomes of them.

One `step` hears the outlets, stores in one transaction what was learnt together with the marks of what goes
next, and only then hands it over: as the dispatcher does with SMS. Knows no socket, no clock and no thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from sms_milter.channels import words
from sms_milter.channels.errand import identity, outlet_name
from sms_milter.logline import Numbers, clean, line
from sms_milter.metrics import ERRANDS, UNMETERED
from sms_milter.model import Handed, LeasedPart, Outcome, PartState
from sms_milter.patience import Patience
from sms_milter.policy.quiet import Quiet
from sms_milter.ports import DispatchQueue, Doorbell, Journal, Meter, Outlet
from sms_milter.smpp.status import retry_delay

_POLL_SECONDS = 5.0  # the safety net under the doorbell
_TURN_SECONDS = 0.1
_CLOSED_SECONDS = (1.0, 60.0)  # first and longest pause of an outlet that takes nothing
_LONGEST_PAUSE_SECONDS = 3600.0  # whatever an outlet asks for
_BIND = "courier"


@dataclass(slots=True)
class Lane:
    """One channel's outlet, and what we know of it between turns."""

    outlet: Outlet
    retries_doubt: bool  # what is in doubt goes once more; else never twice
    due: float = 0.0  # when the next errand falls due; 0: look now
    paused_until: float = 0.0
    pause: float = 0.0
    served: str = ""  # the account that had the last slot

    def close(self, now: float, seconds: float) -> float:
        """It takes nothing now; until when it is left alone."""
        if now >= self.paused_until:
            first, longest = _CLOSED_SECONDS
            self.pause = min(self.pause * 2 or first, longest)
            self.paused_until = now + max(self.pause, seconds)
        return self.paused_until


class Courier:
    """The dispatch role's other half, without its threads: `step` when an outlet or the doorbell has
    something, or time is up.

    `lanes` by channel; `reports` wakes the report role. `our_turn` says whether no other process, one that we
    replace, still has errands of this queue in hand.
    """

    def __init__(
        self,
        queue: DispatchQueue,
        lanes: Mapping[str, Lane],
        journal: Journal,
        numbers: Numbers,
        *,
        reports: Doorbell,
        meter: Meter = UNMETERED,
        our_turn: Callable[[], bool] = lambda: True,
        quiet: Quiet | None = None,
    ) -> None:
        """`quiet` tells which phones are left alone."""
        self._queue, self._journal, self._numbers = queue, journal, numbers
        self._lanes = {outlet_name(channel): lane for channel, lane in lanes.items()}
        self._reports, self._our_turn, self._meter = reports, our_turn, meter
        self._quiet = quiet
        self._sequences: Iterator[int] = count(1)
        self._in_hand = 0
        self._outcomes: list[Outcome] = []
        self._lines: list[str] = []
        self._adopted = False
        self._draining = False
        self._poll_at = 0.0
        self._patience = Patience(journal)

    def rung(self) -> None:
        """The doorbell: there may be new work."""
        for lane in self._lanes.values():
            lane.due = 0.0

    def drain(self) -> None:
        """Take no more errands; what outlets have in hand may end."""
        self._draining = True

    @property
    def idle(self) -> bool:
        """Whether no outlet has anything in hand and everything heard is stored."""
        return not self._in_hand and not self._outcomes

    def step(self, now: float) -> float:
        """One turn at `now` (time of day); returns after how many seconds the next must come."""
        return self._patience.take(self._turn, now)

    def _turn(self, now: float) -> float:
        if not self._our_turn():
            return _TURN_SECONDS
        if not self._adopted:
            self._adopt(now)
        for name, lane in self._lanes.items():
            for handed in lane.outlet.done():
                self._in_hand -= 1
                self._judge(name, lane, handed, now)
        if now >= self._poll_at:
            self._poll_at = now + _POLL_SECONDS
            self.rung()
        wanted = [] if self._draining else [one for one in self._lanes.items() if _open(one[1], now)]
        if self._outcomes or wanted:
            self._exchange(wanted, now)
        return self._rest(now)

    def _adopt(self, now: float) -> None:
        """What a courier before us had in hand when it died is in doubt, one by one."""
        abandoned = [(name, part) for name in self._lanes for part in self._queue.abandoned(name)]
        for name, part in abandoned:
            died = Handed(part, PartState.UNCERTAIN, "the courier died before the answer", key=identity(part))
            self._judge(name, self._lanes[name], died, now)
        self._adopted = True

    def _exchange(self, wanted: list[tuple[str, Lane]], now: float) -> None:
        leased: list[tuple[str, Lane, list[LeasedPart]]] = []
        asleep: list[tuple[str, LeasedPart, float]] = []
        with self._queue.transaction() as work:
            settled = work.record(self._outcomes) if self._outcomes else []
            for name, lane in wanted:
                sequences = [next(self._sequences) for _ in range(lane.outlet.free)]
                before = len(work.asleep)
                parts = work.lease(name, _BIND, sequences, now, lane.served, quiet=self._quiet)
                leased.append((name, lane, parts))
                asleep += [(name, *one) for one in work.asleep[before:]]
        # From here on it is durable: errands may go, the log speak.
        lines, self._outcomes, self._lines = self._lines, [], []
        for name, part, until in asleep:
            said = f"deferred for {until - now:.0f} s (quiet hours)"
            lines.append(words.errand(part, name, now, said, self._numbers))
        if work.reported:
            self._reports.ring()
        for name, lane, parts in leased:
            for part in parts:
                self._in_hand += 1
                lane.outlet.take(part)
            if parts:
                lane.served = parts[-1].account
            if lane.outlet.free:
                due = self._queue.next_due(name)
                # What is over its time stays due until somebody expires it.
                lane.due = math.inf if due is None else max(due, now + _TURN_SECONDS)
        for text in lines:
            self._journal.info(text)
        for one in settled:
            self._journal.info(words.settlement(one, self._numbers))

    def _rest(self, now: float) -> float:
        moments = [self._poll_at]
        if not self._draining:
            moments += [max(lane.due, lane.paused_until) for lane in self._lanes.values() if lane.outlet.free]
        return max(0.0, min(moments) - now)

    # --- what came of an errand -----------------------------------------------------------------------------

    def _judge(self, name: str, lane: Lane, handed: Handed, now: float) -> None:
        part = handed.part
        outcome = Outcome(part.part_id, handed.state, now, handed.outlet_id, handed.key, why=handed.why)
        why = clean(handed.why)
        match handed.state:
            case PartState.ACCEPTED:
                self._opened(name, lane)
                said = f"accepted (id={clean(handed.outlet_id or '-')})"
            case PartState.QUEUED:
                outcome = self._later(name, lane, handed, outcome, now)
                said = f"deferred for {outcome.due_at - now:.0f} s ({why})"
            case PartState.UNCERTAIN if lane.retries_doubt and part.doubts == 0:
                # Whoever gave no answer in time needs a pause, whoever outlived us does not.
                again = now + retry_delay(part.attempts) if self._adopted else now
                lane.due = min(lane.due, again)
                outcome = outcome._replace(state=PartState.QUEUED, due_at=again, doubt=True)
                said = f"uncertain ({why}), once more in {again - now:.0f} s: possibly a duplicate"
            case PartState.UNCERTAIN:
                said = f"uncertain ({why}), not sent again"
            case _:
                said = f"refused ({why})"
        self._meter.count(ERRANDS, name, said.partition(" ")[0])
        self._outcomes.append(outcome)
        self._lines.append(words.errand(part, name, now, said, self._numbers))

    def _opened(self, name: str, lane: Lane) -> None:
        if lane.pause:
            self._journal.info(line("", outlet=name, status="takes messages again"))
        lane.pause = 0.0

    def _later(self, name: str, lane: Lane, handed: Handed, outcome: Outcome, now: float) -> Outcome:
        """When an errand that was not taken goes again; an outlet that is closed is left alone as a whole."""
        asked = min(handed.pause_seconds, _LONGEST_PAUSE_SECONDS)
        if handed.closed:
            if not lane.pause:
                why = clean(handed.why)
                self._journal.warning(line("", outlet=name, status=f"takes nothing, trying again ({why})"))
            again = lane.close(now, asked)
        else:
            again = now + max(retry_delay(handed.part.attempts), asked)
        lane.due = min(lane.due, again)
        return outcome._replace(due_at=again, counts=not handed.closed)


def _open(lane: Lane, now: float) -> bool:
    return lane.outlet.free > 0 and now >= lane.paused_until and now >= lane.due
