"""What the dispatchers of one queue share: the binds and the rate of each SMSC, and what a dead one of them
had on the wire.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from sms_milter.dispatch.escalation import NOT_SMSC
from sms_milter.dispatch.hearing import Hearing
from sms_milter.dispatch.lanes import Lane
from sms_milter.dispatch.portion import LASTS_SECONDS
from sms_milter.errors import QueueUnavailable
from sms_milter.ports import DispatchQueue, Link

# After which the binds of a dispatcher that is gone are others' to have. All look three times within it, and
# so take over within half a minute.
_BINDS_SECONDS = 20.0


class Leases:
    """Ours. `due_at` is when `keep` must be called; all but `release` raise QueueUnavailable."""

    def __init__(
        self,
        queue: DispatchQueue,
        links: Sequence[Link],
        lanes: Mapping[str, Lane],
        hearing: Hearing,
        *,
        name: str,
    ) -> None:
        """`name` is ours among other dispatchers; one that takes over from us has the same."""
        self._queue = queue
        self._links = links
        self._lanes = lanes
        self._hearing = hearing
        self._name = name
        self.due_at = 0.0

    def keep(self, now: float, ticks: float) -> None:
        """Have the binds that are ours, and see to the parts of those that nobody has renewed."""
        for name, lane in self._lanes.items():
            held = self._queue.hold_binds(name, lane.settings.binds, self._name, now, now + _BINDS_SECONDS)
            lane.ours = bool(held)
            for link in self._links:
                if link.smsc == name:
                    link.permit(ticks, on=link.number in held)
        self._adopt(now)
        self.due_at = now + _BINDS_SECONDS / 3

    def _adopt(self, now: float) -> None:
        """Parts that a dispatcher had on the wire when it died are in doubt, one by one."""
        smscs = [smsc for smsc in self._queue.submitting_to() if NOT_SMSC not in smsc]
        abandoned = [(smsc, part) for smsc in smscs for part in self._queue.abandoned(smsc, self._name, now)]
        for smsc, part in abandoned:
            if not self._hearing.knows(part.part_id):
                self._hearing.in_doubt(smsc, part, "the dispatcher died before the response", now)

    def share_rates(self, now: float) -> None:
        """Have our portion of each contract's rate, where there is something to send and a way."""
        ready = {link.smsc for link in self._links if link.session is not None and link.session.ready}
        for name, lane in self._lanes.items():
            if name in ready and now >= lane.due and lane.pace.wants_portion(now):
                rate, until = lane.settings.rate, now + LASTS_SECONDS
                lane.pace.portion.hold(self._queue.hold_rate(name, rate, self._name, now, until), now)

    def release(self) -> None:
        """Leave our binds to others."""
        with contextlib.suppress(QueueUnavailable):  # then they are free after a while
            self._queue.release_binds(self._name)
