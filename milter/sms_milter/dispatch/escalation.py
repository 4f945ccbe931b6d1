"""Messages that must go another way than the one they have, and bodies that must be made anew for it.

A message leaves an SMSC that has not kept the promise of its route, or has been unusable for as long; or that
no route names any more. It goes whole: with all the parts that no SMSC has. What an SMSC may have already is
sent again only where the route promises delivery.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from sms_milter.dispatch.lanes import Lane
from sms_milter.dispatch.words import Words
from sms_milter.errors import ContentFault, DecodeError, LocalProtocolError, Rejected
from sms_milter.model import ComposedPart, Outcome, PartState, Promise, WaitingMessage
from sms_milter.policy.destinations import USUAL_PROMISE, RouteTable, Way
from sms_milter.ports import Work
from sms_milter.smpp.codec import compose, parse_submit_sm
from sms_milter.sms.recompose import Said, recomposed
from sms_milter.sms.terms import SmscTraits, traits_in

_EVERY_SECONDS = 1.0
_ASTRAY_EVERY_SECONDS = 10.0
_AT_ONCE = 200  # messages of one SMSC in one transaction
NOT_SMSC = ":"  # outlets of other channels have it in their names, SMSCs never


class Escalation:
    """Decides by routes and lanes. `due_at` is when to look next."""

    def __init__(self, routes: RouteTable, lanes: Mapping[str, Lane], words: Words) -> None:
        self._routes = routes
        self._lanes = lanes
        self._words = words
        self._astray_at = 0.0
        self.due_at = 0.0

    def soon(self) -> None:
        """Something has been set aside."""
        self.due_at = 0.0

    def exit(self, smsc: str) -> bool:
        """Whether another SMSC can be used now."""
        return any(lane.usable for name, lane in self._lanes.items() if name != smsc)

    def look(self, work: Work, now: float) -> list[str]:
        """Move and compose what must be, in this transaction; what the log will say of it."""
        self.due_at = now + (_EVERY_SECONDS if self._routes.choices else _ASTRAY_EVERY_SECONDS)
        lines: list[str] = []
        if self._routes.choices:
            for name, lane in self._lanes.items():
                lines += self._escalate(work, name, lane, now)
        if now >= self._astray_at:
            self._astray_at = now + _ASTRAY_EVERY_SECONDS
            lines += self._bring_home(work, now)
        lines += self._compose_anew(work, now)
        if lines:
            self.due_at = now  # there may be more
        return lines

    # --- promises -------------------------------------------------------------------------------------------

    def _escalate(self, work: Work, name: str, lane: Lane, now: float) -> list[str]:
        unusable = lane.health.unusable_seconds(now)
        if not lane.ours or not self.exit(name):
            return []  # who has its binds sees how it does
        # What waits for an SMSC that cannot be used need not wait for the end of its own promise.
        before = now if unusable is None else math.inf
        lines = []
        for message in work.ways.promised(name, before, _AT_ONCE):
            way = self._routes.way(message.route, message.destination)
            promise = USUAL_PROMISE if way is None else way.promise or USUAL_PROMISE
            if way is None or way.smscs == (message.smsc,) or not _in_hand(message, promise):
                work.ways.postpone(message, None)
            elif not any(part.state is PartState.SUBMITTING for part in message.parts):
                line = self._onward(work, message, way, promise, unusable, now)
                if line:
                    lines.append(line)
        return lines

    def _onward(
        self,
        work: Work,
        message: WaitingMessage,
        way: Way,
        promise: Promise,
        unusable: float | None,
        now: float,
    ) -> str:
        assert message.escalate_at is not None
        over = message.escalate_at <= now
        may_go = message.escalate_at - promise.seconds <= now
        if not over and (unusable is None or unusable < promise.seconds or not may_go):
            return ""
        target = self._next(message, way.smscs, promise, stuck=unusable is not None)
        if target is None:
            if over:
                work.ways.postpone(message, now + promise.seconds)
            return ""
        what = "delivered" if promise.delivered else "accepted"
        why = f"not {what} ({message.why})" if message.why else f"not {what} within {promise.seconds:.0f} s"
        if not over:
            why = f"unusable for {unusable:.0f} s ({self._lanes[message.smsc].health.why})"
        move = work.ways.move_accepted if promise.delivered else work.ways.move
        move(message, target, now, now + promise.seconds, f"from {message.smsc}: {why}")
        self._lanes[target].due = 0.0
        twice = any(part.state is PartState.ACCEPTED for part in message.parts) and promise.delivered
        more = ", possibly a duplicate" if twice else ""
        return self._words.message(message, f"moved from {message.smsc} to {target}: {why}{more}")

    def _next(
        self, message: WaitingMessage, smscs: tuple[str, ...], promise: Promise, *, stuck: bool
    ) -> str | None:
        """The next SMSC of the way that can be used; back to an earlier one only from one that cannot."""
        place = smscs.index(message.smsc) if message.smsc in smscs else -1
        candidates = smscs[place + 1 :] + (smscs[: max(place, 0)] if stuck else ())
        begun = any(part.state is not PartState.QUEUED for part in message.parts) and not promise.delivered
        for name in candidates:
            lane = self._lanes[name]
            # A phone joins parts of two SMSCs only if they were cut alike.
            if lane.usable and lane.carries(message) and not (begun and message.form != lane.form):
                return name
        return None

    # --- messages that nobody sends -------------------------------------------------------------------------

    def _bring_home(self, work: Work, now: float) -> list[str]:
        """What waits for an SMSC that no route names goes by the route that it has."""
        lines = []
        for name in work.ways.smscs():
            if name in self._routes.used or NOT_SMSC in name:
                continue
            for message in work.ways.waiting_for(name, _AT_ONCE):
                way = self._routes.way(message.route, message.destination)
                if way is None:
                    continue
                fit = [smsc for smsc in way.smscs if self._lanes[smsc].carries(message)]
                target, promise = (fit or way.smscs)[0], way.promise
                until = None if promise is None else now + promise.seconds
                work.ways.move(message, target, now, until, f"from {name}: no route names it")
                self._lanes[target].due = 0.0
                lines.append(
                    self._words.message(message, f"moved from {name} to {target}: no route names {name}")
                )
        return lines

    # --- bodies ---------------------------------------------------------------------------------------------

    def _compose_anew(self, work: Work, now: float) -> list[str]:
        lines = []
        for message in work.ways.unfit(_AT_ONCE):
            lane = self._lanes.get(message.smsc)
            if lane is None:
                work.ways.keep_form(message, message.form)  # it will be brought home first
                continue
            lane.due = 0.0
            if any(part.state is not PartState.QUEUED for part in message.parts):
                work.ways.keep_form(message, lane.form)  # it goes on as it has begun
                continue
            try:
                parts = _made_for(message, lane.traits)
            except (Rejected, ContentFault, DecodeError, LocalProtocolError) as error:
                lines.append(self._give_up(work, message, f"cannot be composed for it: {error}", now))
                continue
            if len(parts) > message.room:
                why = f"needs {len(parts)} parts there and has room for {message.room}"
                lines.append(self._give_up(work, message, why, now))
                continue
            work.ways.refit(message, lane.form, parts, now)
            count = f"{len(message.parts)} to {len(parts)} parts"
            lines.append(self._words.message(message, f"composed anew for {message.smsc} ({count})"))
        return lines

    def _give_up(self, work: Work, message: WaitingMessage, why: str, now: float) -> str:
        what = f"{message.smsc}: {why}"
        work.record([Outcome(message.message_id, PartState.FAILED, now, why=what)])
        return self._words.message(message, f"failed ({what})")


def _in_hand(message: WaitingMessage, promise: Promise) -> bool:
    """Whether another SMSC could still do better: nothing has ended, and there is something to send."""
    states = {part.state for part in message.parts}
    if states & {PartState.DELIVERED, PartState.FAILED, PartState.EXPIRED}:
        return False
    if promise.delivered:
        return PartState.UNCERTAIN not in states
    return bool(states & {PartState.QUEUED, PartState.SUBMITTING})


def _made_for(message: WaitingMessage, traits: SmscTraits) -> list[ComposedPart]:
    parts, reference = recomposed(
        [parse_submit_sm(part.body) for part in message.parts],
        Said(message.text, message.kind, message.flash, message.originator),
        traits_in(message.form),
        traits,
    )
    return [compose(part, reference) for part in parts]
