"""What becomes of each destination of a request: its message, or why it gets none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal

from sms_milter.errors import Rejected
from sms_milter.model import PlannedMessage, Refused, SmsRequest, Wish
from sms_milter.reply import NO_ROUTE, UNREACHABLE, Limit, Reply, too_dear
from sms_milter.sms.plan import Planner
from sms_milter.sms.terms import Terms


class Results:
    """All destinations of a request in the order of the mail; `terms_for` gives the terms of each SMSC that a
    wish may go by, the preferred one first, and raises Rejected when there is none.
    """

    __slots__ = ("_request", "all", "messages", "refused", "unsent")

    def __init__(
        self,
        request: SmsRequest,
        terms_for: Callable[[Wish], Iterable[Terms]],
        price: Callable[[PlannedMessage], Decimal],
    ) -> None:
        """`price` says what a message costs in credits."""
        self._request = request
        self._sort(_results(request, terms_for, price))

    def _sort(self, results: Sequence[PlannedMessage | Refused]) -> None:
        """`messages` are to be sent, `unsent` are taken and fail at once, `refused` get nothing."""
        self.all = results
        messages: list[PlannedMessage] = []
        unsent: list[PlannedMessage] = []
        self.refused: list[Refused] = []
        for one in results:
            if isinstance(one, Refused):
                self.refused.append(one)
            else:
                (unsent if one.unsent else messages).append(one)
        self.messages, self.unsent = tuple(messages), tuple(unsent)

    def leave_out(self, places: Collection[int], why: Reply) -> None:
        """Messages at these places among all that are to be sent are not sent either."""
        at = -1
        results: list[PlannedMessage | Refused] = []
        for place, one in enumerate(self.all):
            if isinstance(one, PlannedMessage) and not one.unsent:
                at += 1
                if at in places:
                    results.append(Refused(place, one.destination, why, one.reference))
                    continue
            results.append(one)
        self._sort(results)

    def fault_of_all(self) -> Reply | None:
        """What is wrong with the content, when all have the same and none can have it."""
        if self.messages or not self.refused:
            return None
        faulty = next((one for one in self.refused if one.of_content), None)
        if faulty is None:
            return None
        contents = {(wish.text, wish.binary) for wish in self._request.wishes}
        return faulty.reply if len(contents) == 1 else None

    def fault(self) -> Reply | None:
        """Why the mail is refused as a whole, None when it is right that some get no message: where somebody
        is told of each of them, or where a destination may be left out, but not for its content nor for want
        of credits (SMSCentre §10.3), or where one that cannot be reached fails like a wrong number (ASPSMS
        §11.9).
        """
        refused = self.refused
        if not refused:
            return None
        if self._request.keep_left_out:
            return next((one.reply for one in refused if one.reply not in UNREACHABLE), None)
        if len(refused) < len(self.all):
            if self._request.reply_to:
                return None
            if self._request.partial:
                return next((one.reply for one in refused if one.of_content or _unpaid(one)), None)
        return refused[0].reply


def _unpaid(one: Refused) -> bool:
    return one.reply.limit is Limit.CREDIT


def _results(
    request: SmsRequest,
    terms_for: Callable[[Wish], Iterable[Terms]],
    price: Callable[[PlannedMessage], Decimal],
) -> list[PlannedMessage | Refused]:
    planner = Planner()
    results: list[PlannedMessage | Refused] = []
    known = list(reversed(request.refused))
    for wish in request.wishes:
        while known and known[-1].place == len(results):
            results.append(known.pop())
        one = _result(wish, len(results), terms_for, planner)
        if wish.max_credits is not None and isinstance(one, PlannedMessage):
            why = _too_dear(price(one), wish.max_credits)
            if why is not None and request.dear_is_taken:
                one = one._replace(smsc="", parts=(), unsent=why.text)
            elif why is not None:
                one = Refused(len(results), one.destination, why, one.reference)
        results.append(one)
    results += reversed(known)
    return results


def _too_dear(price: Decimal, most: Decimal) -> Reply | None:
    return None if price <= most else too_dear(price, most)


def _result(
    wish: Wish, place: int, terms_for: Callable[[Wish], Iterable[Terms]], planner: Planner
) -> PlannedMessage | Refused:
    """By the first SMSC that can do what the message needs."""
    of_content = False
    try:
        for terms in terms_for(wish):
            of_content = True
            message = planner.message(wish, terms)
            if not message.features & ~terms.features:
                return message
    except Rejected as refusal:
        return Refused(place, wish.destination, refusal.reply, wish.reference, of_content)
    return Refused(place, wish.destination, NO_ROUTE, wish.reference)
