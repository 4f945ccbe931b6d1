"""The test vectors of ENC §11 by number, from content to the octets that leave; references are 5A.

28 is read in smart/test_rtttl.py, 36 to 40 are written and read in smart/test_wap.py.
"""

from __future__ import annotations

import pytest

from sms_milter.model import Binary, PlannedMessage, Wish
from sms_milter.smpp import codec
from sms_milter.sms import smart, udh
from sms_milter.sms.indication import Waiting, waiting_coding, waiting_element
from sms_milter.sms.national import Shift
from sms_milter.sms.smart import Bitmap
from sms_milter.sms.terms import SmscTraits, Terms
from support import tpdu
from support.planning import plan

REFERENCE = 0x5A
CHEQUERED = Bitmap(8, 4, bytes.fromhex("55AA55AA"))
GERMAN = smart.network_code("262", "01")


def planned(content: str | Binary, *, flash: bool = False, **terms: object) -> PlannedMessage:
    is_text = isinstance(content, str)
    wish = Wish("447973100000", content if is_text else "", binary=None if is_text else content, flash=flash)
    (message,) = plan([wish], lambda _: Terms("447700900000", max_parts=255, **terms))  # type: ignore[arg-type]
    return message


def sent(content: str | Binary, **terms: object) -> list[str]:
    """short_message of each part, as it stands in the PDU that leaves, in hex."""
    message = planned(content, **terms)  # type: ignore[arg-type]
    told = []
    for part in message.parts:
        body = codec.compose(part, message.concatenation).stamped(REFERENCE)
        told.append(body[len(body) - len(part.short_message) :].hex().upper())
    return told


def coding(content: str | Binary, **more: object) -> tuple[int, int]:
    (first, *_) = planned(content, **more).parts  # type: ignore[arg-type]
    return first.data_coding, first.esm_class


# --- texts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        pytest.param("Hello", "48656C6C6F", id="1"),
        pytest.param("@£$¥èéùìòÇ\nØø\rÅåΔ_", "000102030405060708090A0B0C0D0E0F1011", id="2"),
        pytest.param("ΦΓΛΩΠΨΣΘΞ", "12131415161718191A", id="3"),
        pytest.param("ÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", "1C1D1E1F24405B5C5D5E5F607B7C7D7E7F", id="4"),
        pytest.param("^{}\\[~]|€", "1B141B281B291B2F1B3C1B3D1B3E1B401B65", id="5"),
        pytest.param("ΩΨΘ", "151719", id="10"),
    ],
)
def test_gsm_texts(text: str, octets: str) -> None:
    assert sent(text) == [octets]
    assert coding(text) == (0x00, 0x00)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("A" * 160, ["41" * 160], id="6"),
        pytest.param("A" * 161, ["0500035A0201" + "41" * 153, "0500035A0202" + "41" * 8], id="7"),
        pytest.param("A" * 159 + "€", ["0500035A0201" + "41" * 153, "0500035A02024141414141411B65"], id="8"),
        pytest.param(
            "A" * 152 + "€" + "B" * 10,
            ["0500035A0201" + "41" * 152, "0500035A02021B6542424242424242424242"],
            id="9",
        ),
        pytest.param("ж" * 70, ["0436" * 70], id="13, 70"),
        pytest.param("ж" * 71, ["0500035A0201" + "0436" * 67, "0500035A02020436043604360436"], id="13, 71"),
        pytest.param(
            "ж" * 66 + "😀" + "ж" * 5,
            ["0500035A0201" + "0436" * 66, "0500035A0202D83DDE0004360436043604360436"],
            id="14",
        ),
    ],
)
def test_texts_in_parts(text: str, parts: list[str]) -> None:
    assert sent(text) == parts


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        pytest.param("Привет", "041F04400438043204350442", id="11"),
        pytest.param("😀", "D83DDE00", id="12"),
    ],
)
def test_ucs2_texts(text: str, octets: str) -> None:
    assert sent(text) == [octets]
    assert coding(text) == (0x08, 0x00)


def test_vector_10_as_ucs2() -> None:
    (message,) = plan([Wish("447973100000", "ΩΨΘ", ucs2=True)], lambda _: Terms("ACME"))
    assert message.parts[0].short_message.hex().upper() == "03A903A80398"


def test_vectors_15_and_16_packed_septets() -> None:
    assert tpdu.packed(b"hellohello").hex().upper() == "E8329BFD4697D9EC37"
    assert tpdu.packed(b"Hello").hex().upper() == "C8329BFD06"
    assert tpdu.packed(b"Hello", header_octets=6).hex().upper() == "906536FB0D"


def test_vector_17_user_data_of_a_part() -> None:
    second = bytes.fromhex(sent("A" * 161)[1])
    length, octets = tpdu.user_data(second, 0, header=True)
    assert (length, octets.hex().upper()) == (0x0F, "0500035A020282C16030180C0601")


def test_vector_18_reference_of_16_bits() -> None:
    message = planned("A" * 161, traits=SmscTraits(long_messages="udh16"))
    body = codec.compose(message.parts[0], message.concatenation).stamped(0x1234)
    assert body.endswith(bytes.fromhex("06080412340201") + b"A" * 152)


@pytest.mark.parametrize(
    ("shift", "text", "header", "octets"),
    [
        pytest.param(Shift(1, 0), "Şişli ğıİ", "03240101", "1B53691B736C69201B671B691B49", id="20"),
        pytest.param(Shift(0, 1), "Şişli ğıİ", "03250101", "1C691D6C69200C0740", id="21"),
        pytest.param(
            Shift(2, 0), "¿Qué tal? Áéíóú", "03240102", "605175052074616C3F201B41051B691B6F1B75", id="22"
        ),
        pytest.param(Shift(3, 0), "ação não", "03240103", "611B091B7B6F206E1B7B6F", id="23 single"),
        pytest.param(Shift(0, 3), "ação não", "03250103", "61097B6F206E7B6F", id="23 locking"),
        pytest.param(Shift(6, 6), "नमस्ते A१", "06250106240106", "2F424C5F2759201B411B1D", id="24 both"),
        pytest.param(Shift(0, 6), "नमस्ते", "03250106", "2F424C5F2759", id="24 locking"),
    ],
)
def test_national_tables(shift: Shift, text: str, header: str, octets: str) -> None:
    encoded = shift.encode(text)
    assert encoded is not None
    assert (udh.compose(shift.header).hex().upper(), encoded.hex().upper()) == (header, octets)
    assert shift.decode(encoded) == text


def test_vector_25_flash() -> None:
    assert sent("Hello", flash=True) == ["48656C6C6F"]
    assert coding("Hello", flash=True) == (0x10, 0x00)
    assert coding("Hello", flash=True, traits=SmscTraits(flash="dcs-f0")) == (0xF0, 0x00)
    (message,) = plan([Wish("447973100000", "Hello", flash=True, ucs2=True)], lambda _: Terms("ACME"))
    assert message.parts[0].data_coding == 0x18
    assert message.parts[0].short_message.hex().upper() == "00480065006C006C006F"


# --- octets -------------------------------------------------------------------------------------------------


def test_vector_19_octets() -> None:
    octets = bytes(range(200))
    assert sent(Binary(octets)) == [
        "0500035A0201" + octets[:134].hex().upper(),
        "0500035A0202" + octets[134:].hex().upper(),
    ]


RTTTL_26 = "Test:d=4,o=5,b=63:c,d,e,8f.,p,16c#6"
RTTTL_27 = "Simpsons:d=8,o=5,b=160:c.6,e6,f#6,a6,g.6,e6,c6,a,f#,f#,f#,2g,p,p,f#,f#,f#,g,a#.,c6,c6,c6"


@pytest.mark.parametrize(
    ("rtttl", "octets"),
    [
        pytest.param(RTTTL_26, "024A3A515195CDD004001496441141341541669042894000", id="26"),
        pytest.param(
            RTTTL_26.replace("63", "63,l=5"), "024A3A515195CDD0040A1496441141341541669042894000", id="26 loop"
        ),
        pytest.param(
            RTTTL_27,
            "024A3A614DA5B5C1CDBDB9CC040036A6481169561761A618695611624D30BB0BB0BB0C10830830BB0BB0BB0C30DB54458458458000",
            id="27",
        ),
    ],
)
def test_ringtones(rtttl: str, octets: str) -> None:
    assert smart.ringtone(rtttl).octets.hex().upper() == octets


def test_vector_29_a_whole_submit() -> None:
    tone = smart.ringtone(RTTTL_26)
    assert sent(tone) == ["06050415810000024A3A515195CDD004001496441141341541669042894000"]
    assert coding(tone) == (0x04, 0x40)
    assert coding(tone, traits=SmscTraits(smart_coding="dcs-f5")) == (0xF5, 0x40)


VCARD = "BEGIN:VCARD\nVERSION:2.1\nN:Bloggs;Joe\nTEL;PREF:+1234567890\nEND:VCARD"
VCALENDAR = (
    "BEGIN:VCALENDAR\nVERSION:1.0\nBEGIN:VTODO\nCATEGORIES:MISCELLANEOUS\nSUMMARY:Meet buyers\n"
    "DTSTART:20030301T133000\nEND:VTODO\nEND:VCALENDAR"
)


@pytest.mark.parametrize(
    ("content", "octets"),
    [
        pytest.param(smart.operator_logo(GERMAN, CHEQUERED), "0605041582000062F2100008040155AA55AA", id="30"),
        pytest.param(
            smart.operator_logo(GERMAN, CHEQUERED, full=True),
            "060504158200003062F2100A0008040155AA55AA",
            id="31",
        ),
        pytest.param(smart.no_operator_logo(), "06050415820000300000000A00000001", id="31, removal"),
        pytest.param(smart.group_logo(CHEQUERED), "060504158300000008040155AA55AA", id="32"),
        pytest.param(
            smart.vcard(VCARD),
            "06050423F40000424547494E3A56434152440D0A56455253494F4E3A322E310D0A4E3A426C6F6767733B4A6F650D0A"
            "54454C3B505245463A2B313233343536373839300D0A454E443A56434152440D0A",
            id="33",
        ),
        pytest.param(
            smart.picture(CHEQUERED, "Hi", text_first=True),
            "060504158A00003000000248690200080008040155AA55AA",
            id="35, text first",
        ),
        pytest.param(
            smart.picture(CHEQUERED, "Hi"), "060504158A0000300200080008040155AA55AA0000024869", id="35"
        ),
    ],
)
def test_smart_messages(content: Binary, octets: str) -> None:
    assert sent(content) == [octets]


def test_vector_34_a_calendar_in_two_parts() -> None:
    first, second = sent(smart.vcalendar(VCALENDAR))
    octets = VCALENDAR.replace("\n", "\r\n").encode() + b"\r\n"
    assert len(octets) == 141
    assert first == "0B050423F5000000035A0201" + octets[:128].hex().upper()
    assert second == "0B050423F5000000035A0202" + octets[128:].hex().upper()


def test_vector_35_a_picture_of_the_usual_size() -> None:
    parts = sent(smart.picture(Bitmap(72, 28, bytes(252)), "Hi"))
    assert [part[:24] for part in parts] == [f"0B0504158A000000035A030{number}" for number in (1, 2, 3)]
    assert [len(part) // 2 - 12 for part in parts] == [128, 128, 9]


def test_vector_41_message_waiting() -> None:
    assert sent(Binary(b"5", udh=waiting_element(Waiting.VOICE, 5), data_coding=0)) == ["040102800535"]
    assert waiting_coding(Waiting.VOICE) == 0xC8
    assert waiting_coding(Waiting.VOICE, active=False) == 0xC0
    assert waiting_coding(Waiting.VOICE, keep="store") == 0xD8
    assert waiting_coding(Waiting.VOICE, keep="store-ucs2") == 0xE8
