"""ENC §9.3 to §9.5 and its vectors 30 to 32 and 35."""

import pytest

from sms_milter.errors import ContentFault
from sms_milter.model import Binary, Kind
from sms_milter.sms import udh
from sms_milter.sms.parts import binary_parts
from sms_milter.sms.smart import (
    Bitmap,
    group_logo,
    network_code,
    no_operator_logo,
    operator_logo,
    picture,
    ready_picture,
)
from sms_milter.sms.terms import Terms

CHEQUERED = Bitmap(8, 4, bytes.fromhex("55AA55AA"))
GERMAN = network_code("262", "01")


def user_data(content: Binary) -> str:
    return (udh.compose(content.udh) + content.octets).hex().upper()


@pytest.mark.parametrize(
    ("mcc", "mnc", "octets"),
    [
        ("262", "01", "62F210"),
        ("244", "05", "42F450"),
        ("234", "15", "32F451"),
        ("452", "02", "54F220"),
        ("228", "1", "22F810"),
    ],
)
def test_network_codes(mcc: str, mnc: str, octets: str) -> None:
    assert network_code(mcc, mnc).hex().upper() == octets


@pytest.mark.parametrize(
    ("mcc", "mnc"), [("26", "01"), ("2620", "01"), ("262", "001"), ("262", ""), ("٢٦٢", "01"), ("26a", "01")]
)
def test_networks_without_a_place(mcc: str, mnc: str) -> None:
    with pytest.raises(ContentFault, match="digits"):
        network_code(mcc, mnc)


def test_operator_logos() -> None:
    assert user_data(operator_logo(GERMAN, CHEQUERED)) == "0605041582000062F2100008040155AA55AA"
    assert user_data(operator_logo(GERMAN, CHEQUERED, full=True)) == (
        "060504158200003062F2100A0008040155AA55AA"
    )
    assert user_data(no_operator_logo()) == "06050415820000300000000A00000001"
    assert operator_logo(GERMAN, CHEQUERED).kind is no_operator_logo().kind is Kind.OPERATOR_LOGO


def test_group_logos() -> None:
    assert user_data(group_logo(CHEQUERED)) == "060504158300000008040155AA55AA"
    assert user_data(group_logo(CHEQUERED, versioned=True)) == "06050415830000300008040155AA55AA"
    assert group_logo(CHEQUERED).kind is Kind.GROUP_LOGO


@pytest.mark.parametrize(("full", "octets"), [(False, [140]), (True, [140, 19])])
def test_a_logo_of_the_usual_size(full: bool, octets: list[int]) -> None:
    logo = operator_logo(GERMAN, Bitmap(72, 14, bytes(126)), full=full)
    assert [len(part) for part, _ in binary_parts(logo, Terms("447700900000")).parts] == octets


def test_pictures() -> None:
    assert user_data(picture(CHEQUERED)) == "060504158A000030020008" + "0008040155AA55AA"
    assert user_data(picture(CHEQUERED, "Hi", text_first=True)) == (
        "060504158A00003000000248690200080008040155AA55AA"
    )
    assert user_data(picture(CHEQUERED, "Hi")) == "060504158A0000300200080008040155AA55AA0000024869"
    assert user_data(picture(CHEQUERED, "Ж")).endswith("55AA0100020416")
    assert picture(CHEQUERED).kind is Kind.PICTURE


def test_a_picture_of_the_usual_size() -> None:
    whole = picture(Bitmap(72, 28, bytes(252)), "Hi")
    assert len(whole.octets) == 265
    parts = [part for part, _ in binary_parts(whole, Terms("447700900000")).parts]
    assert [part[:12].hex().upper() for part in parts] == [f"0B0504158A0000000300030{n}" for n in (1, 2, 3)]
    assert [len(part) - 12 for part in parts] == [128, 128, 9]


def test_the_text_of_a_picture_is_short() -> None:
    assert picture(CHEQUERED, "x" * 120).octets.endswith(b"x" * 120)
    with pytest.raises(ContentFault, match="at most 120 characters, not 121"):
        picture(CHEQUERED, "x" * 121)


def test_a_ready_picture_is_what_was_made() -> None:
    made = picture(CHEQUERED, "Hello")
    assert ready_picture(made.octets) == made
    with pytest.raises(ContentFault, match="begins with 30"):
        ready_picture(CHEQUERED.octets)
