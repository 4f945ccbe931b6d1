"""Each destination of a request: its message, or why it gets none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

from sms_milter import reply
from sms_milter.errors import Rejected
from sms_milter.model import EVERY_FEATURE, Binary, Feature, PlannedMessage, Refused, SmsRequest, Wish
from sms_milter.reply import BAD_NUMBER, NO_ROUTE, Limit, Reply
from sms_milter.sms.results import Results
from sms_milter.sms.terms import Terms

HI = Wish("447973100000", "Hi")
LONG = HI._replace(text="A" * 161, max_parts=1)


def request(*wishes: Wish, refused: tuple[Refused, ...] = (), **more: object) -> SmsRequest:
    return SmsRequest(wishes, 10, refused=refused, **more)  # type: ignore[arg-type]


def by(*features: int) -> Callable[[Wish], Iterator[Terms]]:
    """Ways for all but numbers that end in 9."""

    def terms(wish: Wish) -> Iterator[Terms]:
        if wish.destination.endswith("9"):
            raise Rejected(NO_ROUTE)
        for at, one in enumerate(features):
            yield Terms("ACME", max_parts=wish.max_parts or 10, smsc=f"smsc{at}", features=one)

    return terms


def results(asked: SmsRequest, *features: int) -> Results:
    return Results(asked, by(*features or (EVERY_FEATURE,)), lambda message: Decimal(len(message.parts)))


def whys(found: Results) -> list[Reply | None]:
    return [one.reply if isinstance(one, Refused) else None for one in found.all]


def test_they_stand_in_the_order_of_the_mail() -> None:
    bad = tuple(Refused(place, "x", BAD_NUMBER) for place in (0, 3, 4))
    found = results(request(HI, HI._replace(destination="4479"), refused=bad))
    assert whys(found) == [BAD_NUMBER, None, NO_ROUTE, BAD_NUMBER, BAD_NUMBER]
    assert [one.place for one in found.refused] == [0, 2, 3, 4]


def test_a_single_fault_refuses_all_unless_somebody_is_told_of_each() -> None:
    both = (HI, HI._replace(destination="4479"))
    assert results(request(*both)).fault() == NO_ROUTE
    assert results(request(*both, reply_to=("a@b.example",))).fault() is None
    assert results(request(*both, partial=True)).fault() is None
    assert results(request(both[1], reply_to=("a@b.example",))).fault() == NO_ROUTE


def test_what_is_wrong_with_a_text_is_no_reason_to_leave_somebody_out() -> None:
    fault = results(request(HI, HI._replace(destination="4479"), LONG, partial=True)).fault()
    assert fault is not None
    assert fault.text.startswith("message too long")
    assert results(request(HI, LONG, reply_to=("a@b.example",))).fault() is None


def test_a_text_that_nobody_can_have_is_told_before_bad_numbers() -> None:
    bad = (Refused(0, "x", BAD_NUMBER),)
    assert results(request(LONG, LONG, refused=bad)).fault_of_all() is not None
    assert results(request(LONG, HI, refused=bad)).fault_of_all() is None
    other = LONG._replace(text="B" * 161)
    assert results(request(LONG, other, refused=bad)).fault_of_all() is None


def test_the_first_smsc_that_can_do_it_is_taken() -> None:
    text, octets = int(Feature.TEXT), int(Feature.OCTETS | Feature.UDH)

    def smsc(wish: Wish, *features: int) -> str | None:
        (one,) = results(request(wish), *features).all
        return one.smsc if isinstance(one, PlannedMessage) else None

    assert smsc(HI, octets, text, EVERY_FEATURE) == "smsc1"
    ring = HI._replace(text="", binary=Binary(b"\x01", udh=b"\x05\x04\x15\x81\x00\x00"))
    assert smsc(ring, text, octets) == "smsc1"
    assert smsc(HI._replace(text="A" * 161), text, text | Feature.CONCATENATION) == "smsc1"
    assert smsc(HI._replace(text="\u4f60"), text, int(Feature.UCS2)) == "smsc1"
    assert smsc(HI._replace(features=int(Feature.ALPHA)), text) is None
    assert smsc(HI._replace(features=128), EVERY_FEATURE) is None


def test_messages_may_be_left_out_later() -> None:
    found = results(request(HI, HI._replace(destination="4479"), HI._replace(reference="r"), HI))
    why = replace(reply.no_credit(Decimal(1)))
    found.leave_out({1}, why)
    assert whys(found) == [None, NO_ROUTE, why, None]
    assert found.refused[1].reference == "r"
    assert len(found.messages) == 2


def test_what_costs_too_much_is_refused() -> None:
    dear = LONG._replace(max_parts=None, max_credits=Decimal("1.5"))
    found = results(request(HI._replace(max_credits=Decimal("1.5")), dear))
    assert found.messages[0].text == "Hi"
    assert found.refused[0].reply.limit is Limit.PRICE
