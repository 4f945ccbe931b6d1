"""Mobile-originated messages: parts by every way of saying so, alphabets, and what makes no sense."""

from __future__ import annotations

from typing import Any

import pytest

from sms_milter.model import MobileMessage, MobilePart
from sms_milter.smpp import mobile
from sms_milter.smpp.codec import DeliverSm

_UDHI = 0x40


def read(content: bytes, *, default: str = "gsm7", **fields: Any) -> MobilePart:
    pdu = DeliverSm(source_addr="447973100000", destination_addr="4477001", short_message=content, **fields)
    return mobile.read(pdu, "primary", default, 5.0)


def text_of(*parts: bytes | None, alphabet: str = mobile.GSM7) -> str:
    return mobile.text_of(MobileMessage(1, "primary", "447973100000", "4477001", alphabet, parts, 5.0))


def place(part: MobilePart) -> tuple[int, int, int, int]:
    return part.reference, part.width, part.number, part.total


WHOLE = (0, 0, 1, 1)


def test_a_short_message_is_whole() -> None:
    part = read(b"Hello")
    assert (part.smsc, part.source, part.destination, part.at) == ("primary", "447973100000", "4477001", 5.0)
    assert (place(part), part.content) == (WHOLE, b"Hello")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("0500034D0302", (0x4D, 1, 2, 3)),
        ("0608041234FF01", (0x1234, 2, 1, 255)),
        ("0800034D0201200100", (0x4D, 1, 1, 2)),  # beside another element
        ("03200100", None),
    ],
)
def test_concatenation_by_user_data_header(header: str, expected: tuple[int, int, int, int] | None) -> None:
    part = read(bytes.fromhex(header) + b"text", esm_class=_UDHI)
    assert place(part) == (expected or WHOLE)


def test_concatenation_by_tlvs() -> None:
    tlvs = {0x020C: b"\x12\x34", 0x020E: b"\x02", 0x020F: b"\x01"}
    assert place(read(b"text", tlvs=tlvs)) == (0x1234, 2, 1, 2)


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (b"\x05\x00\x03\x4d\x02\x03text", {"esm_class": _UDHI}),  # part 3 of 2
        (b"\x05\x00\x03\x4d\x02\x00text", {"esm_class": _UDHI}),  # part 0
        (b"text", {"tlvs": {0x020C: b"\1", 0x020E: b"\0", 0x020F: b"\1"}}),
        (b"text", {"tlvs": {0x020C: b""}}),
    ],
)
def test_a_part_that_cannot_be_is_a_message_of_its_own(content: bytes, fields: dict[str, Any]) -> None:
    assert place(read(content, **fields)) == WHOLE


@pytest.mark.parametrize("content", [b"", b"\x05", b"\xff\x00\x03text", b"\x05\x00\x09\x4d\x02\x01text"])
def test_nothing_is_lost_by_a_header_that_makes_no_sense(content: bytes) -> None:
    part = read(content, esm_class=_UDHI)
    assert (part.alphabet, part.content, place(part)) == (mobile.OCTETS, content, WHOLE)


@pytest.mark.parametrize(
    ("data_coding", "default", "content", "text"),
    [
        (0, "gsm7", b"\x00 10 \x1be", "@ 10 €"),
        (0, "latin1", b"gr\xfcn", "grün"),
        (0, "ascii", b"@", "@"),
        (1, "gsm7", b"@", "@"),
        (3, "gsm7", b"gr\xfcn", "grün"),
        (6, "gsm7", "да".encode("iso8859-5"), "да"),
        (7, "gsm7", "שלום".encode("iso8859-8"), "שלום"),
        (8, "gsm7", "да 😀".encode("utf-16-be"), "да 😀"),
        (0xF0, "latin1", b"\x00", "@"),
        (0x18, "gsm7", "да".encode("utf-16-be"), "да"),
        (4, "gsm7", b"\x01\x02", ""),
        (0xF5, "gsm7", b"\x01\x02", ""),
    ],
)
def test_alphabets(data_coding: int, default: str, content: bytes, text: str) -> None:
    part = read(content, default=default, data_coding=data_coding)
    assert text_of(part.content, alphabet=part.alphabet) == text


def test_what_is_addressed_to_a_program_is_no_text() -> None:
    part = read(bytes.fromhex("06050415821583") + b"data", esm_class=_UDHI)
    assert (part.alphabet, part.content) == (mobile.OCTETS, b"data")


def test_characters_cut_between_two_parts_are_read_whole() -> None:
    smile = "😀".encode("utf-16-be")
    assert text_of(smile[:2], smile[2:], alphabet="utf-16-be") == "😀"
    assert text_of(b"5 \x1b", b"e") == "5 €"


def test_a_part_that_never_came_leaves_a_gap() -> None:
    assert text_of(b"one ", None, b" three") == "one [...] three"
    assert text_of(None, b" two") == "[...] two"
    assert text_of(b"one ", None) == "one [...]"


def test_what_was_said_is_in_no_repr() -> None:
    assert "Hello" not in repr(read(b"Hello"))
    assert "Hello" not in repr(MobileMessage(1, "p", "1", "2", mobile.GSM7, (b"Hello",), 5.0))


@pytest.mark.parametrize(
    ("header", "octets", "alphabet", "text"),
    [
        ("03240101", "1B53691B736C69", "gsm7-0-1", "Şişli"),
        ("080003010201250101", "1C691D6C69", "gsm7-1-0", "Şişli"),
        ("06250106240106", "2F42201B411B1D", "gsm7-6-6", "नम A१"),
        ("03240177", "41", "gsm7", "A"),  # a language that nobody knows
    ],
)
def test_national_tables_of_phones(header: str, octets: str, alphabet: str, text: str) -> None:
    part = read(bytes.fromhex(header + octets), esm_class=_UDHI)
    assert part.alphabet == alphabet
    assert text_of(part.content, alphabet=part.alphabet) == text
