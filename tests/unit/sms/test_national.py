"""ENC §6 and appendix A: which table writes what, and when one is taken."""

from __future__ import annotations

import pytest

from sms_milter.errors import Rejected
from sms_milter.model import PlannedMessage, Wish
from sms_milter.sms.alphabet import nfc
from sms_milter.sms.national import LANGUAGES, Shift, shift_of, shifts
from sms_milter.sms.national_tables import LOCKING, SINGLE
from sms_milter.sms.terms import SmscTraits, Terms
from support.planning import plan

TURKISH, HINDI = "Şişli ğıİ ", "नमस्ते "


def planned(text: str, *languages: str, **terms: object) -> PlannedMessage:
    chosen = Terms("ACME", languages=languages, **terms)  # type: ignore[arg-type]
    (message,) = plan([Wish("905321000000", text)], lambda _: chosen)
    return message


def shape(message: PlannedMessage) -> list[tuple[int, int, str, int]]:
    """data_coding, esm_class, user data header and octets behind it of each part."""
    shaped = []
    for part in message.parts:
        head = part.short_message[: part.short_message[0] + 1] if part.esm_class & 0x40 else b""
        octets = len(part.short_message) - len(head)
        shaped.append((part.data_coding, part.esm_class, head.hex().upper(), octets))
    return shaped


# --- the tables ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES.values())
def test_each_table_writes_and_reads_all_of_its_characters(language: int) -> None:
    for shift in shifts((next(name for name, value in LANGUAGES.items() if value == language),)):
        text = " ".join(  # apart, so that marks stay in their order
            shown
            for code in range(128)
            for septets in (bytes((code,)), bytes((0x1B, code)))
            if code != 0x1B and (shown := shift.decode(septets)) != "\ufffd"
        )
        octets = shift.encode(text)
        assert octets is not None
        assert shift.decode(octets) == text
        assert len(set(text)) > 100


def test_letters_that_nfc_takes_apart_are_whole_again() -> None:
    assert Shift(10, 10).encode(nfc("\u0a5c")) == b"\x1b\x2b"
    assert Shift(0, 4).encode(nfc("\u09dc")) == b"\x7c"
    assert Shift(0, 4).encode("\u09bc") == b"\x4e"


def test_tables_are_whole() -> None:
    assert sorted(SINGLE) == sorted(LANGUAGES.values())
    assert sorted(LOCKING) == [1, *range(3, 14)]  # Spanish has none
    assert {len(table.split()) for table in LOCKING.values()} == {128}
    assert {table.split()[0x1B] for table in LOCKING.values()} == {"ESC"}
    assert {table.split()[0x20] for table in LOCKING.values()} == {"0020"}


@pytest.mark.parametrize(
    ("shift", "text"),
    [
        (Shift(single=1), "ш"),
        (Shift(locking=1), "ì"),  # which the default table has, at the place of the dotless i
        (Shift(locking=6), "A"),  # the capitals are in the single-shift table
        (Shift(single=2), "à lá ã"),
        (Shift(locking=4), "\ufffd"),
        (Shift(locking=4), "\x1b"),
    ],
)
def test_what_a_table_cannot_show(shift: Shift, text: str) -> None:
    assert shift.encode(text) is None


@pytest.mark.parametrize(
    ("shift", "septets", "text"),
    [
        (Shift(single=1), "1B4C", "L"),  # unassigned: the default table's
        (Shift(locking=7), "00", "\ufffd"),
        (Shift(7, 7), "1B0C", "+"),  # unassigned in the locking table, but not behind the escape
        (Shift(single=1), "411B1B411B", "A A "),
        (Shift(single=1), "80", "\ufffd"),
        (Shift(single=1), "1B80", "\ufffd"),
        (Shift(), "1B65", "€"),
    ],
)
def test_reading_what_nobody_should_send(shift: Shift, septets: str, text: str) -> None:
    assert shift.decode(bytes.fromhex(septets)) == text


@pytest.mark.parametrize(
    ("elements", "shift"),
    [
        ([(0x24, b"\1")], Shift(1, 0)),
        ([(0x00, b"\5\2\1"), (0x25, b"\6"), (0x24, b"\6")], Shift(6, 6)),
        ([(0x25, b"\2")], Shift()),  # no Spanish locking table
        ([(0x24, b"\x50")], Shift()),
        ([(0x24, b"")], Shift()),
    ],
)
def test_what_a_header_announces(elements: list[tuple[int, bytes]], shift: Shift) -> None:
    assert shift_of(elements) == shift


# --- when one is taken --------------------------------------------------------------------------------------


def test_nobody_gets_them_unasked() -> None:
    assert {part[0] for part in shape(planned(TURKISH * 8))} == {8}


def test_a_table_is_taken_where_it_saves_parts() -> None:
    assert shape(planned(TURKISH * 8, "turkish")) == [(0, 0x40, "03240101", 120)]
    assert shape(planned(TURKISH * 7, "turkish")) == [(8, 0, "", 140)]  # UCS-2 needs no more
    assert shape(planned("A" * 161, "turkish")) == [
        (0, 0x40, "050003000201", 153),
        (0, 0x40, "050003000202", 8),
    ]


def test_the_first_of_the_tables_that_need_fewest_parts() -> None:
    # 12 extension characters in 100: single shift needs more septets than locking shift.
    assert shape(planned(TURKISH * 15, "turkish")) == [(0, 0x40, "03250101", 150)]
    assert shape(planned("ação " * 20 + "Ω", "portuguese"))[0][2] == "03240103"
    assert shape(planned("ação " * 20, "turkish", "portuguese"))[0][2] == "03240103"
    assert shape(planned(HINDI * 12 + "A", "turkish", "hindi")) == [(0, 0x40, "06250106240106", 86)]


def test_language_elements_come_last_in_every_part() -> None:
    text = "ğ" * 400
    assert shape(planned(text, "turkish")) == [
        (0, 0x40, f"08000300030{n}250101", octets) for n, octets in ((1, 149), (2, 149), (3, 102))
    ]
    udh16 = planned(text, "turkish", traits=SmscTraits(long_messages="udh16"))
    assert shape(udh16)[0] == (0, 0x40, "0908040000" + "0301" + "250101", 148)
    sar = planned(text, "turkish", traits=SmscTraits(long_messages="sar"))
    assert shape(sar)[0] == (0, 0x40, "03250101", 149)
    assert sar.concatenation is not None
    assert sar.concatenation.tlv


@pytest.mark.parametrize(
    "terms",
    [
        {"long_messages": "payload"},  # the SMSC would have to repeat the elements
        {"traits": SmscTraits(long_messages="payload")},
        {"traits": SmscTraits(alphabet="latin1")},  # data_coding 0 is not GSM there
    ],
)
def test_where_there_is_no_place_for_them(terms: dict[str, object]) -> None:
    assert planned(TURKISH * 20, "turkish", **terms).parts[0].data_coding == 8


def test_messages_of_their_own_each_have_their_table() -> None:
    message = planned("ğ" * 90 + " " + "ş" * 90, "turkish", long_messages="split")
    assert shape(message) == [(0, 0x40, "03250101", 155), (0, 0x40, "03250101", 26)]


def test_truncation_leaves_room_for_the_header() -> None:
    message = planned("ğ" * 200, "turkish", long_messages="truncate", append=" ACME")
    assert shape(message) == [(0, 0x40, "03250101", 155)]
    assert message.text == "ğ" * 150 + " ACME"


def test_a_letter_and_its_marks_stay_in_one_part() -> None:
    message = planned("क" * 148 + "स्ते" + "क" * 10, "hindi")
    contents = [Shift(0, 6).decode(part.short_message[9:]) for part in message.parts]
    assert contents == ["क" * 148, "स्ते" + "क" * 10]


def test_flash_goes_with_a_table() -> None:
    terms = Terms("ACME", languages=("turkish",))
    (message,) = plan([Wish("905321000000", TURKISH * 8, flash=True)], lambda _: terms)
    assert message.parts[0].data_coding == 0x10


def test_folding_comes_before_tables_and_helps_them() -> None:
    folded = planned("“" + TURKISH * 8, "turkish", punctuation=True)
    assert folded.text.startswith('"Ş')
    assert folded.folded
    assert planned("“" + "A" * 100, "turkish", punctuation=True).parts[0].esm_class == 0


def test_refusals_name_the_table() -> None:
    with pytest.raises(Rejected) as refused:
        planned("ğ" * 200, "turkish", max_parts=1)
    assert "(GSM 7-bit, Turkish locking shift; 200 septets, 149 in each)" in str(refused.value.reply)
