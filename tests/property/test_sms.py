"""What holds for every text: nothing is lost in parts, no part is too long, no character is cut."""

from hypothesis import given
from hypothesis import strategies as st

from sms_milter.model import Wish
from sms_milter.sms.alphabet import decode, encode, nfc, punctuation
from sms_milter.sms.plan import SmscTraits, Terms, plan
from sms_milter.sms.split import gsm_messages, gsm_parts, ucs2_messages, ucs2_parts, ucs2_units

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
    parts = gsm_parts(septets, limit)
    assert b"".join(parts) == septets
    assert "".join(map(decode, parts)) == text
    assert all(limit - 1 <= len(part) <= limit for part in parts[:-1])
    assert len(parts[-1]) <= limit


@given(any_text, st.sampled_from([67, 66, 9, 2]))
def test_ucs2_parts(text: str, limit: int) -> None:
    parts = ucs2_parts(text, limit)
    assert "".join(parts) == text
    assert all(ucs2_units(part) <= limit for part in parts)
    assert all(parts) or parts == [""]


@given(spaced_text)
def test_plain_gsm_messages_lose_white_space_only(text: str) -> None:
    septets = encode(text)
    assert septets is not None
    parts = gsm_messages(septets)
    assert all(len(part) <= 160 for part in parts)
    shown = "".join(map(decode, parts))
    assert shown.translate({32: None, 10: None}) == text.translate({32: None, 10: None})


@given(any_text)
def test_plain_ucs2_messages_lose_white_space_only(text: str) -> None:
    parts = ucs2_messages(text)
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
