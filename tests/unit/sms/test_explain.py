"""What `sms-milter preview --explain` says of a message; refusals for too many SMS say it in these words."""

from __future__ import annotations

import pytest

from sms_milter.errors import Rejected
from sms_milter.model import Binary, Errand, Kind, PlannedMessage, Wish
from sms_milter.sms import smart
from sms_milter.sms.explain import explained
from sms_milter.sms.terms import SmscTraits, Terms
from support.planning import plan


def lines(wish: Wish, **terms: object) -> list[str]:
    chosen = Terms("ACME", max_parts=255, **terms)  # type: ignore[arg-type]
    (message,) = plan([wish], lambda _: chosen)
    return explained(message, chosen.traits.alphabet)


def of_text(text: str, **terms: object) -> list[str]:
    return lines(Wish("447973100000", text), **terms)


def test_a_short_text() -> None:
    assert of_text("Server [db3] down") == [
        "447973100000 from ACME, text: 1 SMS",
        "  GSM 7-bit; 19 septets, 160 in each",
        "  part 1: 19 of 160 septets, 17 of 140 octets; characters 1 to 17, the end: ...'r [db3] down'",
    ]


def test_a_long_text_says_where_each_part_ends() -> None:
    assert of_text("A" * 152 + "€" + "B" * 10) == [
        "447973100000 from ACME, text: 2 SMS",
        "  GSM 7-bit; 164 septets, 153 in each",
        "  part 1: 152 of 153 septets, 140 of 140 octets; characters 1 to 152, the end: ...'AAAAAAAAAAAA'",
        "  part 2: 12 of 153 septets, 17 of 140 octets; characters 153 to 163, the end: '€BBBBBBBBBB'",
    ]


def test_the_character_that_forces_ucs2_is_named() -> None:
    assert of_text("It’s down")[1] == (
        "  UCS-2 for U+2019 RIGHT SINGLE QUOTATION MARK at character 3; 9 units, 70 in each"
    )
    assert of_text("5 €", traits=SmscTraits(alphabet="latin1"))[1].startswith(
        "  UCS-2 for U+20AC EURO SIGN at"
    )
    assert of_text("\t")[1].startswith("  UCS-2 for U+0009 unnamed at character 1;")
    assert lines(Wish("447973100000", "Hi", ucs2=True))[1] == "  UCS-2 as asked for; 2 units, 70 in each"


def test_pairs_beyond_plane_0_count_two() -> None:
    told = of_text("ж" * 66 + "😀" + "ж" * 5)
    assert told[2].startswith("  part 1: 66 of 67 units, 138 of 140 octets; characters 1 to 66,")
    assert told[3].startswith("  part 2: 7 of 67 units, 20 of 140 octets; characters 67 to 72,")


def test_national_tables_are_named() -> None:
    told = of_text("Şişli ğıİ " * 8, languages=("turkish",))
    assert told[1] == "  GSM 7-bit, Turkish single shift; 120 septets, 155 in each"
    assert told[2].startswith("  part 1: 120 of 155 septets, 110 of 140 octets; characters 1 to 80,")


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        ("latin1", "  Latin-1, counted as GSM 7-bit; 6 septets, 160 in each"),
        ("ascii", "  ASCII, counted as GSM 7-bit; 6 septets, 160 in each"),
    ],
)
def test_other_default_alphabets(name: str, counted: str) -> None:
    assert of_text("[ab]", traits=SmscTraits(alphabet=name))[1] == counted  # type: ignore[arg-type]


def test_folding_is_told() -> None:
    assert of_text("“Hi”", punctuation=True)[2] == "  typographic punctuation is written in ASCII"


def test_messages_of_their_own_lose_their_blanks() -> None:
    told = of_text("A" * 150 + "  " + "B" * 20, long_messages="split")
    assert "characters 1 to 150," in told[2]
    assert "characters 153 to 172," in told[3]


def test_octets() -> None:
    assert lines(Wish("447973100000", binary=smart.picture(smart.Bitmap(72, 28, bytes(252)), "Hi"))) == [
        "447973100000 from ACME, picture: 3 SMS",
        "  8-bit data; 265 octets, 128 in each",
        "  part 1: 128 of 128 octets, 140 of 140 octets",
        "  part 2: 128 of 128 octets, 140 of 140 octets",
        "  part 3: 9 of 128 octets, 21 of 140 octets",
    ]


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        (
            Wish("447973100000", "A" * 161),
            "161 octets in message_payload, which the SMSC cuts: GSM 7-bit; 161 septets, 153 in each, 2 SMS",
        ),
        (
            Wish("447973100000", binary=Binary(bytes(200))),
            "200 octets in message_payload, which the SMSC cuts",
        ),
    ],
)
def test_what_the_smsc_cuts(wish: Wish, told: str) -> None:
    kind = wish.kind if wish.binary is None else wish.binary.kind
    assert lines(wish, long_messages="payload") == [f"447973100000 from ACME, {kind}: {told}"]


def test_a_ping_and_another_channel() -> None:
    ping = lines(Wish("447973100000", "", kind=Kind.PING, protocol_id=0x40))
    assert ping[2] == "  part 1: 0 of 160 septets, 0 of 140 octets"
    errand = Errand("voice", "447973100000", "", "Hello")
    message = PlannedMessage("447973100000", "", "Hello", (errand,), kind="voice", channel="voice")
    assert explained(message) == ["447973100000 from the SMSC, voice: no SMS"]


@pytest.mark.parametrize("text", ["A" * 400, "ж" * 200, "Şişli ğıİ " * 40])
def test_refusals_say_the_same(text: str) -> None:
    with pytest.raises(Rejected) as refused:
        plan([Wish("447973100000", text)], lambda _: Terms("ACME", max_parts=1, languages=("turkish",)))
    counted = of_text(text, languages=("turkish",))[1].strip()
    assert refused.value.reply.text.endswith(f" SMS and 1 are allowed ({counted})")
    assert refused.value.reply.text.isascii()
