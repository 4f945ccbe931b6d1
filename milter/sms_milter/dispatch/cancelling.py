"""Asks SMSCs to cancel what an operator no longer wants sent (cancel_sm, SMPP 3.4 §4.9)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sms_milter.dispatch.words import Words
from sms_milter.model import Cancellation, LeasedPart
from sms_milter.ports import DispatchQueue, Link
from sms_milter.smpp import status
from sms_milter.smpp.session import Session

_EVERY_SECONDS, _RUNG_SECONDS = 10.0, 1.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """A cancel_sm under way; with its session it is gone."""

    part: LeasedPart
    link: Link
    session: Session


class Cancelling:
    """What has been asked and not answered yet; after a lost link it is asked again. `due_at` is when to look
    next.
    """

    def __init__(self, queue: DispatchQueue, links: Sequence[Link], words: Words) -> None:
        self._queue = queue
        self._links = links
        self._words = words
        self._asked: dict[int, _Asked] = {}
        self.due_at = 0.0
        self._looked_at = -math.inf

    def soon(self) -> None:
        """There may be new ones; most of the time there are not, so that a second lies between two looks."""
        self.due_at = min(self.due_at, self._looked_at + _RUNG_SECONDS)

    def ask(self, now: float) -> None:
        """Look for new ones. Raises QueueUnavailable."""
        self._looked_at, self.due_at = now, now + _EVERY_SECONDS
        asked: set[str] = set()
        for link in self._links:
            if link.smsc not in asked and link.session is not None and link.session.ready:
                asked.add(link.smsc)
                for one in self._queue.cancellations(link.smsc):
                    self._ask(link, one)

    def _ask(self, link: Link, one: Cancellation) -> None:
        before = self._asked.get(one.part.part_id)
        if before is not None and before.link.session is before.session:
            return
        assert link.session is not None
        self._asked[one.part.part_id] = _Asked(one.part, link, link.session)
        link.session.cancel(one.part.part_id, one.part.body, one.smsc_message_id)

    def answered(self, part_id: int, command_status: int, now: float) -> str:
        """The line for the log."""
        asked = self._asked.pop(part_id)
        word = "cancelled by the operator"
        if command_status:
            word = f"cannot be cancelled any more ({status.classify(command_status)})"
        return self._words.part(asked.part, None, now, smsc=asked.link.smsc, status=word)
