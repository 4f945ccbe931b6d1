"""ENC §5 rules 4 and 5, HSL §4.6 (b)."""

import pytest

from sms_milter.sms.alphabet import encode
from sms_milter.sms.split import (
    GSM_BLANKS,
    UCS2_BLANKS,
    filled,
    gsm_capacity,
    gsm_end,
    messages,
    ucs2_capacity,
    ucs2_end,
    ucs2_units,
    word_end,
)

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"  # 8 units
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"  # 14 units
FLAG = "\U0001f1e8\U0001f1ed"  # 4 units
THUMB = "\U0001f44d\U0001f3fd"  # 4 units


def gsm_parts(septets: bytes, limit: int) -> list[bytes]:
    return filled(septets, limit, gsm_end)


def ucs2_parts(text: str, limit: int) -> list[str]:
    return filled(text, limit, ucs2_end)


def gsm_messages(septets: bytes) -> list[bytes]:
    return messages(septets, 160, gsm_end, GSM_BLANKS)


def ucs2_messages(text: str) -> list[str]:
    return messages(text, 70, ucs2_end, UCS2_BLANKS)


def septets(text: str) -> bytes:
    encoded = encode(text)
    assert encoded is not None
    return encoded


@pytest.mark.parametrize(
    ("header", "gsm", "ucs2"),
    [(0, 160, 70), (4, 155, 68), (6, 153, 67), (7, 152, 66), (9, 149, 65), (12, 146, 64)],
)
def test_capacities(header: int, gsm: int, ucs2: int) -> None:
    assert gsm_capacity(header) == gsm
    assert ucs2_capacity(header) == ucs2


def test_units() -> None:
    assert [ucs2_units(text) for text in ("", "ab", "жж", "😀", "a😀")] == [0, 2, 2, 2, 3]


def test_gsm_parts_are_filled() -> None:
    assert [len(part) for part in gsm_parts(b"A" * 161, 153)] == [153, 8]
    assert [len(part) for part in gsm_parts(b"A" * 306, 153)] == [153, 153]
    assert gsm_parts(b"", 153) == [b""]


def test_escape_pair_moves_to_the_next_part() -> None:
    first, second = gsm_parts(septets("A" * 152 + "€" + "B" * 10), 153)
    assert first == b"A" * 152
    assert second == b"\x1be" + b"B" * 10


def test_escape_pair_that_ends_a_part_stays() -> None:
    first, second = gsm_parts(septets("A" * 151 + "€" + "B"), 153)
    assert first == b"A" * 151 + b"\x1be"
    assert second == b"B"


def test_surrogate_pair_moves_to_the_next_part() -> None:
    assert ucs2_parts("ж" * 66 + "😀" + "ж" * 5, 67) == ["ж" * 66, "😀" + "ж" * 5]


def test_many_astral_characters_fill_by_pairs() -> None:
    assert [len(part) for part in ucs2_parts("😀" * 70, 67)] == [33, 33, 4]


CLUSTERS = ["e\u0323\u0302", "☎\ufe0f", FAMILY, SCOTLAND, FLAG, THUMB, "1\ufe0f\u20e3"]


@pytest.mark.parametrize(
    ("cluster", "room"), [(cluster, room) for cluster in CLUSTERS for room in range(1, ucs2_units(cluster))]
)
def test_what_shows_as_one_stays_together(cluster: str, room: int) -> None:
    before = "ж" * (67 - room)
    assert ucs2_parts(before + cluster + "ж" * 5, 67) == [before, cluster + "ж" * 5]


def test_flags_in_a_row_are_cut_between_flags() -> None:
    assert ucs2_parts("ж" + FLAG * 20, 67) == ["ж" + FLAG * 16, FLAG * 4]


def test_what_fits_no_part_is_cut_where_the_part_is_full() -> None:
    marks = "\u0323" * 100
    assert ucs2_parts("жe" + marks, 67) == ["жe" + marks[:65], marks[65:]]


def test_plain_splitting_at_the_last_blank_of_the_last_30_places() -> None:
    text = b"A" * 140 + b" " + b"B" * 10 + b"\n" + b"C" * 60
    assert gsm_messages(text) == [b"A" * 140 + b" " + b"B" * 10, b"C" * 60]


@pytest.mark.parametrize(("place", "cut"), [(129, 160), (130, 130), (159, 159)])
def test_plain_splitting_looks_at_30_places(place: int, cut: int) -> None:
    text = b"A" * place + b" " + b"B" * 100
    assert len(gsm_messages(text)[0]) == cut


def test_plain_splitting_without_blank_is_hard() -> None:
    assert [len(part) for part in gsm_messages(b"A" * 161)] == [160, 1]
    assert [len(part) for part in ucs2_messages("ж" * 71)] == [70, 1]


def test_plain_splitting_drops_all_white_space_at_the_cut() -> None:
    assert gsm_messages(b"A" * 150 + b" \n " + b"B" * 20) == [b"A" * 150, b"B" * 20]


def test_plain_splitting_keeps_form_feed_and_escape_pairs() -> None:
    text = septets("A" * 150 + "\f" + "€" * 20)
    assert gsm_messages(text) == [text[:160], text[160:]]
    assert gsm_messages(septets("A" * 159 + "€"))[0] == b"A" * 159


def test_plain_splitting_of_ucs2() -> None:
    assert ucs2_messages("ж" * 50 + " " + "ж" * 30) == ["ж" * 50, "ж" * 30]
    assert ucs2_messages("ж" * 30 + " " + "ж" * 60) == ["ж" * 30 + " " + "ж" * 39, "ж" * 21]
    assert ucs2_messages("😀" * 25 + " " + "😀" * 20) == ["😀" * 25, "😀" * 20]


def test_nothing_but_blanks_is_one_message() -> None:
    assert gsm_messages(b" " * 200) == [b" " * 160]


def test_trailing_blanks_need_no_message() -> None:
    assert gsm_messages(b"A" * 159 + b" " * 10) == [b"A" * 159]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("A" * 140 + " " + "B" * 60, 141),  # the blank stays, at the end of its part
        ("A" * 122 + " " + "B" * 60, 153),  # too far from the end
        ("A" * 123 + " " + "B" * 60, 124),
        ("A" * 152 + " " + "B" * 60, 153),
        ("A" * 130 + "\n" + "B" * 5 + " " + "C" * 60, 137),
        ("A" * 130 + "\f" + "B" * 60, 132),  # a form feed is white space too, and a pair
        ("A" * 140 + "€" * 40, 152),
    ],
)
def test_words_are_kept_whole_where_one_ends_in_the_last_30_places(text: str, first: int) -> None:
    parts = filled(septets(text), 153, word_end(gsm_end, GSM_BLANKS))
    assert b"".join(parts) == septets(text)
    assert len(parts[0]) == first


def test_words_of_ucs2_are_kept_whole() -> None:
    text = "ж" * 50 + "\u3000" + "😀" * 20 + "ж" * 40
    parts = filled(text, 67, word_end(ucs2_end, UCS2_BLANKS))
    assert parts[0] == "ж" * 50 + "\u3000"
    assert "".join(parts) == text


def test_white_space_that_carries_a_mark_is_no_place_to_cut() -> None:
    text = "ж" * 60 + " \u0301" + "ж" * 20
    assert filled(text, 67, word_end(ucs2_end, UCS2_BLANKS))[0] == text[:67]
    assert messages(text, 70, ucs2_end, UCS2_BLANKS)[0] == text[:70]
