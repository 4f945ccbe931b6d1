"""The messages that wishes become, when every one of them can be planned."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sms_milter.model import PlannedMessage, Wish
from sms_milter.sms.plan import Planner
from sms_milter.sms.terms import Terms


def plan(wishes: Sequence[Wish], terms_for: Callable[[Wish], Terms]) -> tuple[PlannedMessage, ...]:
    """Planned by one planner in their order. Raises Rejected."""
    planner = Planner()
    return tuple([planner.message(wish, terms_for(wish)) for wish in wishes])
