"""Planned messages as the queue takes them: composed parts, how long they may take, what they cost."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from decimal import Decimal

from sms_milter.channels import errand
from sms_milter.credits import credits_of
from sms_milter.errors import ContentFault, Rejected
from sms_milter.model import (
    Errand,
    Escalate,
    NewMessage,
    PlannedMessage,
    Promise,
    StormRule,
    SubmitSm,
)
from sms_milter.policy.destinations import USUAL_PROMISE, RouteTable, Way
from sms_milter.policy.storms import counting
from sms_milter.policy.storms import likeness as storm_likeness
from sms_milter.smpp.codec import compose
from sms_milter.sms.recompose import Said, recomposed
from sms_milter.sms.terms import SmscTraits

_AT_ONCE = Promise(1.0)  # as often as the dispatcher looks
_MOST_ALIKE = 999_999  # for which there is room in a held message


class Composition:
    """Knows the routes, the SMSCs' `traits`, and how long each SMSC or outlet has for a message."""

    def __init__(
        self, routes: RouteTable, traits: Mapping[str, SmscTraits], validity_seconds: Mapping[str, float]
    ) -> None:
        self._routes, self._traits = routes, traits
        self._forms = {name: one.form for name, one in traits.items()}
        self._validity_seconds = validity_seconds

    def composed(
        self, message: PlannedMessage, now: float, *, metered: bool, storms: StormRule | None = None
    ) -> NewMessage:
        """A planned message ready for the queue; without a validity of its own it has its SMSC's. It has a
        price where the account is `metered`, and a likeness where there is a rule of `storms`.
        """
        parts = tuple(
            [
                errand.compose(part) if isinstance(part, Errand) else compose(part, message.concatenation)
                for part in message.parts
            ]
        )
        own = message.validity_seconds
        validity = self._validity_seconds[message.smsc] if own is None else own
        start = now if message.not_before is None else message.not_before
        price = self._price(message) if metered else 0
        way = self._routes.way(message.route, message.destination)
        if way is None or message.smsc not in way.smscs:
            return NewMessage(message, parts, start + validity, price)
        form, room, likeness = self._forms[message.smsc], 0, b""
        if storms is not None:
            room = self._room(message, way, counting(message.text, _MOST_ALIKE), set())
            likeness = storm_likeness(storms, message, form, room)
        elif len(way.smscs) > 1:
            room = self._room(message, way, message.text, {self._traits[message.smsc]})
        return NewMessage(
            message,
            parts,
            start + validity,
            price,
            form=form,
            room=room,
            promise=_promise(way, message.escalate),
            likeness=likeness,
        )

    def _room(self, message: PlannedMessage, way: Way, text: str, known: set[SmscTraits]) -> int:
        """How many parts the message needs with that text at that SMSC of its way which cuts it finest, those
        with `known` traits aside.
        """
        own = self._traits[message.smsc]
        submits = [part for part in message.parts if isinstance(part, SubmitSm)]
        said = Said(text, str(message.kind), message.flash, message.originator)
        needed = len(submits)
        for traits in {self._traits[smsc] for smsc in way.smscs} - known:
            with contextlib.suppress(Rejected, ContentFault):  # too much for that one: it will not be asked
                needed = max(needed, len(recomposed(submits, said, own, traits)[0]))
        return needed

    def price(self, message: PlannedMessage) -> Decimal:
        """What a message costs in credits."""
        return credits_of(self._price(message) * len(message.parts))

    def _price(self, message: PlannedMessage) -> int:
        """What each part of it costs, in thousandths of a credit."""
        return self._routes.price(message.route, message.destination)


def _promise(way: Way, escalate: Escalate) -> Promise | None:
    """By when a message must be accepted, or delivered, as its mail and its way say."""
    if escalate is Escalate.AS_ROUTED:
        return way.promise
    if escalate is Escalate.NEVER or len(way.smscs) == 1:
        return None
    return _AT_ONCE if escalate is Escalate.AT_ONCE else way.promise or USUAL_PROMISE
