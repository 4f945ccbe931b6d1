"""HSL §5.1, §5.2: what may stand in the fields."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sms_milter.dialects.encapsulation import Encapsulated, read
from sms_milter.errors import Rejected
from sms_milter.mail.parse import parse
from sms_milter.model import Binary

NOON = datetime(2024, 11, 21, 12, tzinfo=UTC).timestamp()
HEX_WANTED = "x-smpp-short-message: expected hexadecimal digits, two for each octet"


def given(
    short_message: str | None = "4869", *, longest: int | None = None, extra: str = "", **fields: object
) -> Encapsulated:
    """What is read of these fields; `data_coding=8` is x-smpp-data-coding: 8."""
    named = {f"X-SMPP-{name.replace('_', '-')}": str(value).encode() for name, value in fields.items()}
    if short_message is not None:
        named["x-smpp-short-message"] = short_message.encode()
    pairs = [*named.items(), *([(extra, b"1")] if extra else [])]
    return read(parse(pairs, b"junk"), longest, NOON)


def refusal(*args: str | None, **more: object) -> str:
    with pytest.raises(Rejected) as refused:
        given(*args, **more)  # type: ignore[arg-type]
    return str(refused.value.reply)


def test_defaults() -> None:
    assert given() == Encapsulated(Binary(b"Hi", data_coding=0, whole=True), 0, "", None, None)


def test_every_field() -> None:
    encapsulated = given(
        "0605041582000032F451",
        destination_addr=" +447973100000",
        esm_class=64,
        protocol_id="063",
        data_coding=245,
        validity_period="000001000000000R",
    )
    assert encapsulated == Encapsulated(
        Binary(bytes.fromhex("0605041582000032F451"), data_coding=245, esm_class=64, whole=True),
        63,
        "000001000000000R",
        86400,
        "+447973100000",
    )


@pytest.mark.parametrize(
    ("digits", "octets"), [("", b""), ("4a4B", b"JK"), (" 48\n 6\t9 ", b"Hi"), ("48\r\n 69", b"Hi")]
)
def test_hexadecimal_digits(digits: str, octets: bytes) -> None:
    assert given(digits).content.octets == octets


@pytest.mark.parametrize("digits", ["486", "4G", "0x48", "48 69;", "\u0664\u0668", "48:69"])
def test_what_is_not_hexadecimal(digits: str) -> None:
    assert refusal(digits) == f"554 5.6.0 {HEX_WANTED}"


def test_a_message_there_must_be() -> None:
    assert refusal(None, data_coding=0) == "554 5.6.0 x-smpp-short-message: missing"


@pytest.mark.parametrize("name", ["esm_class", "protocol_id", "data_coding"])
@pytest.mark.parametrize("value", ["", "0x40", "-1", "+1", "256", "0001", "1.0", "1 1", "\u0661", "x"])
def test_what_is_no_number(name: str, value: str) -> None:
    field = f"x-smpp-{name.replace('_', '-')}"
    assert refusal(**{name: value}) == f"554 5.6.0 {field}: expected a decimal number from 0 to 255"


@pytest.mark.parametrize("esm_class", [0, 1, 2, 3, 64, 67, 128, 192])
def test_bits_that_a_sender_may_set(esm_class: int) -> None:
    assert given("00", esm_class=esm_class).content.esm_class == esm_class


@pytest.mark.parametrize("esm_class", [4, 8, 16, 32, 60, 68, 255])
def test_bits_that_only_others_set(esm_class: int) -> None:
    assert "x-smpp-esm-class: expected 0, or 64" in refusal("00", esm_class=esm_class)


@pytest.mark.parametrize("octets", ["", "05", "0605041582", "0500035A02", "0401028005"[:8]])
def test_a_header_that_is_none(octets: str) -> None:
    assert refusal(octets, esm_class=64, data_coding=4).startswith("554 5.6.0 x-smpp-short-message:")
    assert given(octets, data_coding=4).content.octets == bytes.fromhex(octets)


@pytest.mark.parametrize("name", ["destination_addr", "esm_class", "data_coding", "validity_period"])
def test_nothing_is_said_twice(name: str) -> None:
    field = f"X-Smpp-{name.replace('_', '-')}"
    assert refusal(extra=field, **{name: "1"}) == f"554 5.6.0 {field.lower()}: occurs more than once"
    assert "occurs more than once" in refusal(extra="x-smpp-short-MESSAGE")


# --- lengths ------------------------------------------------------------------------------------------------


def header(octets: int) -> str:
    """A user data header of so many octets, UDHL included."""
    return bytes((octets - 1, 0x0A, octets - 3)).hex() + "00" * (octets - 3)


@pytest.mark.parametrize(
    ("data_coding", "head", "octets"),
    [
        (0, "", 160),
        (4, "", 140),
        (8, "", 140),
        (245, "", 140),
        (0x10, "", 160),
        (0, header(6), 159),
        (0, header(7), 159),
        (0, header(12), 158),
        (4, header(6), 140),
        (8, header(6), 140),
    ],
)
def test_what_one_sms_holds(data_coding: int, head: str, octets: int) -> None:
    esm_class = 64 if head else 0
    message = head + "41" * (octets - len(head) // 2)
    assert len(given(message, data_coding=data_coding, esm_class=esm_class).content.octets) == octets
    assert refusal(message + "4141", data_coding=data_coding, esm_class=esm_class) == (
        f"552 5.3.4 message too long, it has {octets + 2} octets and {octets} are allowed"
    )


def test_an_smsc_may_cut_longer_ones() -> None:
    assert len(given("41" * 200, data_coding=4, longest=200).content.octets) == 200
    assert "it has 201 octets and 200 are allowed" in refusal("41" * 201, data_coding=4, longest=200)
    assert len(given("41" * 160, data_coding=0, longest=140).content.octets) == 160


def test_septets() -> None:
    assert "expected octets up to 7F" in refusal("4180", data_coding=0)
    assert given("4180", data_coding=4).content.octets == b"A\x80"
    with_header = given("030A01FF41", data_coding=0, esm_class=64)
    assert with_header.content.octets == bytes.fromhex("030A01FF41")


def test_utf_16_comes_in_pairs() -> None:
    assert "expected pairs of octets" in refusal("041F04", data_coding=8)
    assert given(header(7) + "041F", data_coding=8, esm_class=64).content.octets[7:] == b"\x04\x1f"
    assert "expected pairs of octets" in refusal(header(7) + "04", data_coding=8, esm_class=64)


# --- validity -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "seconds"),
    [
        ("000000020000000R", 7200),
        ("000000000000000R", None),
        ("241121120001000+", 1),
        ("241121130000000-", 3600),
    ],
)
def test_validity(period: str, seconds: int | None) -> None:
    encapsulated = given(validity_period=period)
    assert (encapsulated.validity_period, encapsulated.validity_seconds) == (period, seconds)


def test_a_time_that_has_passed() -> None:
    two_hours_ahead = "241121140000008+"
    assert refusal(validity_period=two_hours_ahead).endswith("x-smpp-validity-period: this time has passed")


@pytest.mark.parametrize("period", ["", "24h", "2411211200", "241321120000000+", "241121250000000+", "0"])
def test_what_is_no_validity(period: str) -> None:
    assert refusal(validity_period=period).startswith("554 5.6.0 x-smpp-validity-period: n")
