"""ENC §5 rule 6, §8."""

import pytest

from sms_milter.errors import ContentFault
from sms_milter.sms import udh


def test_ports() -> None:
    assert udh.compose(udh.ports(5505)) == bytes.fromhex("06050415810000")
    assert udh.compose(udh.ports(2948, 9200)) == bytes.fromhex("0605040B8423F0")


def test_no_header_is_nothing() -> None:
    assert udh.compose(b"") == b""


def test_elements() -> None:
    header = bytes.fromhex("05041582000000035A02010A00")
    assert list(udh.elements(header)) == [
        (0x05, bytes.fromhex("15820000")),
        (0x00, bytes.fromhex("5A0201")),
        (0x0A, b""),
    ]


@pytest.mark.parametrize(
    ("header", "part"), [("00035A0201", True), ("08045A5A0201", True), ("01028005", False)]
)
def test_a_concatenation_element_makes_a_part(header: str, part: bool) -> None:
    assert udh.is_part(bytes.fromhex(header)) is part


def test_a_header_is_cut_off() -> None:
    assert udh.cut_off(bytes.fromhex("0605041582000032F451")) == (
        bytes.fromhex("050415820000"),
        bytes.fromhex("32F451"),
    )
    assert udh.cut_off(bytes.fromhex("04010280054869")) == (bytes.fromhex("01028005"), b"Hi")
    assert udh.cut_off(b"\0") == (b"", b"")
    assert udh.cut_off(bytes((139, 0x0A, 137)) + bytes(137))[1] == b""


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "05",
        "0605041582",
        "0500035A02",
        "060504158200",
        "0100",
        "03000201",
        bytes((140, 10, 138)).hex() + "00" * 140,
    ],
)
def test_what_is_no_header(octets: str) -> None:
    with pytest.raises(ContentFault, match="user data header"):
        udh.cut_off(bytes.fromhex(octets))
