"""What holds for every text: nothing is lost in parts, no part is too long, no character is cut."""

from unicodedata import combining

from hypothesis import given
from hypothesis import strategies as st

from sms_milter.errors import ContentFault, Rejected
from sms_milter.model import Binary, PlannedMessage, Wish
from sms_milter.sms import udh
from sms_milter.sms.alphabet import decode, encode, nfc, punctuation
from sms_milter.sms.explain import explained
from sms_milter.sms.national import LANGUAGES, Shift, shift_of
from sms_milter.sms.national_tables import LOCKING
from sms_milter.sms.split import (
    GSM_BLANKS,
    UCS2_BLANKS,
    filled,
    gsm_capacity,
    gsm_end,
    messages,
    ucs2_end,
    ucs2_units,
    word_end,
)
from sms_milter.sms.terms import SmscTraits, Terms
from sms_milter.sms.times import relative_time, seconds_left
from support.planning import plan

GSM_CHARACTERS = [c for c in map(chr, range(0x2100)) if encode(c) is not None and c == nfc(c) != "\u00a0"]
GSM_CHARACTERS += "[]{}^~|€" * 5  # pairs, more often
gsm_text = st.text(st.sampled_from(GSM_CHARACTERS), max_size=700)
spaced_text = st.text(st.sampled_from("ab€\f \n"), max_size=700)
any_text = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from("e😀\u0301\u200d\ufe0f🇨🇭 ")), max_size=300
)


@given(gsm_text)
def test_septets_decode_to_the_text(text: str) -> None:
    septets = encode(text)
    assert septets is not None
    assert decode(septets) == text


@given(any_text)
def test_what_encodes_reads_back(text: str) -> None:
    septets = encode(text)
    if septets is not None:
        assert decode(septets) == nfc(text).replace("\u00a0", " ")


@given(st.binary(max_size=300))
def test_any_octets_show_something(octets: bytes) -> None:
    assert len(decode(octets)) <= len(octets)


@given(any_text)
def test_punctuation_is_done_once(text: str) -> None:
    assert punctuation(punctuation(text)) == punctuation(text)


@given(gsm_text, st.sampled_from([153, 152, 7, 2]))
def test_gsm_parts(text: str, limit: int) -> None:
    septets = encode(text)
    assert septets is not None
    parts = filled(septets, limit, gsm_end)
    assert b"".join(parts) == septets
    assert "".join(map(decode, parts)) == text
    assert all(limit - 1 <= len(part) <= limit for part in parts[:-1])
    assert len(parts[-1]) <= limit


@given(any_text, st.sampled_from([67, 66, 9, 2]))
def test_ucs2_parts(text: str, limit: int) -> None:
    parts = filled(text, limit, ucs2_end)
    assert "".join(parts) == text
    assert all(ucs2_units(part) <= limit for part in parts)
    assert all(parts) or parts == [""]


@given(spaced_text, any_text)
def test_keeping_words_loses_nothing(spaced: str, text: str) -> None:
    septets = encode(spaced)
    assert septets is not None
    assert b"".join(filled(septets, 153, word_end(gsm_end, GSM_BLANKS))) == septets
    parts = filled(text, 67, word_end(ucs2_end, UCS2_BLANKS))
    assert "".join(parts) == text
    assert all(ucs2_units(part) <= 67 for part in parts)


@given(spaced_text)
def test_plain_gsm_messages_lose_white_space_only(text: str) -> None:
    septets = encode(text)
    assert septets is not None
    parts = messages(septets, 160, gsm_end, GSM_BLANKS)
    assert all(len(part) <= 160 for part in parts)
    shown = "".join(map(decode, parts))
    assert shown.translate({32: None, 10: None}) == text.translate({32: None, 10: None})


@given(any_text)
def test_plain_ucs2_messages_lose_white_space_only(text: str) -> None:
    parts = messages(text, 70, ucs2_end, UCS2_BLANKS)
    assert all(ucs2_units(part) <= 70 for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@given(
    any_text | gsm_text,
    st.sampled_from(["udh", "udh16", "sar", "payload"]),
    st.sampled_from(["gsm7", "latin1", "ascii"]),
)
def test_every_part_fits_an_sms_and_together_they_say_the_text(text: str, way: str, name: str) -> None:
    terms = Terms("ACME", max_parts=255, traits=SmscTraits(name, way))  # type: ignore[arg-type]
    (message,) = plan([Wish("447973100000", text)], lambda _: terms)
    said = []
    for part in message.parts:
        header = part.short_message[0] + 1 if part.esm_class else 0
        octets = part.short_message[header:] + dict(part.tlvs).get(0x0424, b"")
        if part.data_coding == 8:
            said.append(octets.decode("utf-16-be"))
        else:
            said.append(decode(octets) if name == "gsm7" else octets.decode(name))
        assert len(part.short_message) <= 160
    assert "".join(said).replace("\u00a0", " ") == message.text.replace("\u00a0", " ")
    assert message.text == nfc(text)
    assert explained(message, name)  # type: ignore[arg-type]


ESCAPED = [bytes((0x1B, code)) for code in range(128)]
LANGUAGE_LETTERS = {
    name: "".join({Shift(value, value if value in LOCKING else 0).decode(pair) for pair in ESCAPED} - {" "})
    for name, value in LANGUAGES.items()
}


@given(st.sampled_from(sorted(LANGUAGES)), st.sampled_from(["udh", "udh16", "sar"]), st.booleans(), st.data())
def test_national_texts_fit_and_read_back(
    language: str, way: str, keep_words: bool, data: st.DataObject
) -> None:
    letters = st.sampled_from(LANGUAGE_LETTERS[language] + "abc \n" + nfc("\u0958"))
    text = nfc(data.draw(st.text(letters, min_size=60, max_size=500)))
    terms = Terms(
        "ACME",
        max_parts=255,
        languages=(language,),
        keep_words=keep_words,
        traits=SmscTraits(long_messages=way),  # type: ignore[arg-type]
    )
    (message,) = plan([Wish("905321000000", text)], lambda _: terms)
    said = []
    for part in message.parts:
        header, content = udh.cut_off(part.short_message) if part.esm_class else (b"", part.short_message)
        shift = shift_of(tuple(udh.elements(header)))
        if part.data_coding == 8:
            said.append(content.decode("utf-16-be"))
        else:
            said.append(shift.decode(content))
            assert len(content) <= gsm_capacity(len(udh.compose(header)))
        assert not combining(said[-1][:1]) or len(said) == 1 or combining(said[-2][-1:])
    assert nfc("".join(said)) == message.text
    assert explained(message)


# --- what is not text ---------------------------------------------------------------------------------------

elements = st.lists(st.tuples(st.integers(9, 255), st.binary(max_size=20)), max_size=4)


def laid_out(pairs: list[tuple[int, bytes]]) -> bytes:
    return b"".join(bytes((identifier, len(data))) + data for identifier, data in pairs)


@given(elements)
def test_elements_read_back(pairs: list[tuple[int, bytes]]) -> None:
    header = laid_out(pairs)
    assert list(udh.elements(header)) == pairs
    assert udh.cut_off(bytes((len(header),)) + header + b"rest") == (header, b"rest")


@given(st.binary(max_size=300))
def test_any_octets_are_a_header_or_the_one_error(octets: bytes) -> None:
    try:
        header, rest = udh.cut_off(octets)
    except ContentFault:
        return
    assert bytes((len(header),)) + header + rest == octets


def joined(message: PlannedMessage, header: bytes) -> bytes:
    """The octets that a phone reads from the parts, of which each begins with `header`'s elements."""
    pieces = []
    for part in message.parts:
        assert len(part.short_message) <= 140 or part.data_coding == 0
        content = part.short_message + dict(part.tlvs).get(0x0424, b"")
        if part.esm_class & 0x40:
            found, content = udh.cut_off(content)
            assert found.startswith(header)
        pieces.append(content)
    return b"".join(pieces)


@given(
    st.binary(max_size=1500),
    elements,
    st.sampled_from([0, 4, 8, 0x14, 0x19, 0xF5]),
    st.sampled_from(["udh", "udh16", "sar", "payload"]),
)
def test_octets_arrive_whole_with_their_header(
    octets: bytes, pairs: list[tuple[int, bytes]], data_coding: int, way: str
) -> None:
    header = laid_out(pairs)
    content = Binary(octets, udh=header, data_coding=data_coding)
    terms = Terms("ACME", max_parts=255, traits=SmscTraits(long_messages=way))  # type: ignore[arg-type]
    try:
        (message,) = plan([Wish("447973100000", binary=content)], lambda _: terms)
    except Rejected:
        assert len(octets) + len(header) > 120
        return
    assert joined(message, header) == octets


@given(st.integers(1, 30 * 86400), st.integers(0, 2**31))
def test_a_relative_time_is_as_long_as_it_was_written(seconds: int, now: int) -> None:
    assert seconds_left(relative_time(seconds), now) == seconds


@given(st.text(alphabet="0123456789+-R", min_size=14, max_size=17) | st.text())
def test_any_time_is_read_or_the_one_error(time: str) -> None:
    try:
        seconds_left(time, 0.0)
    except ValueError:
        return
    assert len(time) == 16
