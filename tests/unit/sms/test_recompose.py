"""A message for another SMSC than it was composed for."""

from __future__ import annotations

import pytest

from sms_milter.errors import Rejected
from sms_milter.model import Binary, Kind, PlannedMessage, SubmitSm, Wish
from sms_milter.smpp.codec import compose, parse_submit_sm
from sms_milter.sms.recompose import Said, recomposed
from sms_milter.sms.terms import SmscTraits, Terms, traits_in
from support.planning import plan

PLAIN = SmscTraits()
TRAITS = [
    PLAIN,
    SmscTraits("latin1"),
    SmscTraits("ascii", "udh16"),
    SmscTraits(long_messages="sar"),
    SmscTraits(long_messages="payload", source_ton_npi=(0, 1)),
    SmscTraits(flash="dcs-f0", smart_coding="dcs-f5"),
    SmscTraits(flash="subunit"),
]
PICTURE = Binary(b"\1" * 300, udh=b"\x05\x04\x15\x8a\0\0", kind=Kind.PICTURE)
WISHES = {
    "short": Wish("447973100000", text="Pump 3: pressure low"),
    "short, extension": Wish("447973100000", text="5 € {now}"),
    "long": Wish("447973100000", text="Pump 3: pressure low. " * 12),
    "long, Latin-1": Wish("447973100000", text="Zürich: " + "ä" * 200),
    "flash": Wish("447973100000", text="Evacuate " * 30, flash=True),
    "UCS-2": Wish("447973100000", text="насос " * 30),
    "UCS-2 wanted": Wish("447973100000", text="Pump", ucs2=True),
    "picture": Wish("447973100000", binary=PICTURE),
    "octets": Wish("447973100000", binary=Binary(b"\0\1\2")),
    "receipt, priority": Wish("447973100000", text="a", receipt=True, protocol_id=0x41, validity_seconds=60),
}


def planned(wish: Wish, traits: SmscTraits, **terms: object) -> PlannedMessage:
    (message,) = plan([wish], lambda _: Terms("ACME", traits=traits, **terms))  # type: ignore[arg-type]
    return message


def again(message: PlannedMessage, before: SmscTraits, after: SmscTraits) -> tuple[SubmitSm, ...]:
    said = Said(message.text, str(message.kind), message.flash, message.originator)
    stored = [parse_submit_sm(compose(part).body) for part in message.parts]
    parts, reference = recomposed(stored, said, before, after)
    assert (reference is not None) == (len(parts) > 1)
    return parts


@pytest.mark.parametrize("after", TRAITS, ids=lambda traits: traits.form)
@pytest.mark.parametrize("wish", WISHES.values(), ids=WISHES)
def test_from_plain_traits_to_any_others_it_is_as_if_planned_for_them(wish: Wish, after: SmscTraits) -> None:
    assert again(planned(wish, PLAIN), PLAIN, after) == planned(wish, after).parts


@pytest.mark.parametrize("before", TRAITS, ids=lambda traits: traits.form)
@pytest.mark.parametrize(
    "name", ["short", "long", "flash", "UCS-2", "picture", "octets", "receipt, priority"]
)
def test_from_any_traits_to_plain_ones_it_is_as_if_planned_for_them(name: str, before: SmscTraits) -> None:
    wish = WISHES[name]
    assert again(planned(wish, before), before, PLAIN) == planned(wish, PLAIN).parts


def test_what_an_alphabet_cannot_show_becomes_ucs2_and_may_need_more_parts() -> None:
    message = planned(Wish("447973100000", text="à" * 100), PLAIN)
    parts = again(message, PLAIN, SmscTraits("ascii"))
    assert (len(message.parts), len(parts), parts[0].data_coding) == (1, 2, 8)


def test_separate_messages_stay_separate() -> None:
    message = planned(WISHES["long"], PLAIN, long_messages="split")
    after = SmscTraits("latin1", "udh16", (0, 1))
    said = Said(message.text, str(message.kind), message.flash, message.originator)
    parts, reference = recomposed(message.parts, said, PLAIN, after)
    assert reference is None
    assert parts == planned(WISHES["long"], after, long_messages="split").parts


def test_an_account_that_wants_payload_gets_it_everywhere() -> None:
    message = planned(WISHES["long"], PLAIN, long_messages="payload")
    (part,) = again(message, PLAIN, SmscTraits("latin1"))
    assert part.short_message == b""


def test_a_national_table_goes_with_the_text() -> None:
    wish = Wish("447973100000", text="şğ" * 60)
    message = planned(wish, PLAIN, languages=("turkish",))
    after = SmscTraits(long_messages="udh16")
    assert again(message, PLAIN, after) == planned(wish, after, languages=("turkish",)).parts


def test_content_that_fits_no_message_is_refused() -> None:
    message = planned(
        Wish("447973100000", text="à" * 30_000), SmscTraits(long_messages="payload"), max_parts=255
    )
    with pytest.raises(Rejected):
        again(message, SmscTraits(long_messages="payload"), SmscTraits("ascii"))


@pytest.mark.parametrize("traits", TRAITS, ids=lambda traits: traits.form)
def test_traits_can_be_read_back_from_their_line(traits: SmscTraits) -> None:
    assert traits_in(traits.form) == traits
