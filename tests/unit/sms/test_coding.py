"""ENC §4."""

import pytest

from sms_milter.sms.coding import Coding, coding_of

GSM, OCTETS, UCS2 = Coding.GSM, Coding.OCTETS, Coding.UCS2


@pytest.mark.parametrize(
    ("values", "coding"),
    [
        ((0x00, 0x10, 0x13, 0x40, 0x53), GSM),
        ((0x04, 0x14, 0x17, 0x44, 0x57), OCTETS),
        ((0x08, 0x18, 0x1B, 0x48, 0x5B), UCS2),
        ((0x20, 0x30, 0x60), OCTETS),  # compressed
        ((0x0C, 0x80, 0xBF), OCTETS),  # reserved
        ((0xC0, 0xC8, 0xCF, 0xD0, 0xDF), GSM),
        ((0xE0, 0xE8, 0xEF), UCS2),
        ((0xF0, 0xF3), GSM),
        ((0xF4, 0xF5, 0xF7), OCTETS),
    ],
)
def test_what_a_data_coding_names(values: tuple[int, ...], coding: Coding) -> None:
    assert {coding_of(value) for value in values} == {coding}


def test_every_octet_names_one() -> None:
    assert all(isinstance(coding_of(value), Coding) for value in range(256))
