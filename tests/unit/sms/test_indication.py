"""ENC §4, §8 and vector 41 of ENC §11; SMPP §3.1."""

import pytest

from sms_milter.sms import udh
from sms_milter.sms.indication import TYPE_0, Waiting, replace_type, waiting_coding, waiting_element


def test_voice_mails_by_header() -> None:
    assert udh.compose(waiting_element(Waiting.VOICE, 5)).hex().upper() == "0401028005"
    assert waiting_element(Waiting.OTHER, 0, store=False).hex().upper() == "01020300"


@pytest.mark.parametrize("count", [-1, 256])
def test_a_count_is_an_octet(count: int) -> None:
    with pytest.raises(ValueError, match="0 to 255"):
        waiting_element(Waiting.FAX, count)


def test_voice_mails_by_data_coding() -> None:
    assert waiting_coding(Waiting.VOICE) == 0xC8
    assert waiting_coding(Waiting.VOICE, active=False) == 0xC0
    assert waiting_coding(Waiting.VOICE, keep="store") == 0xD8
    assert waiting_coding(Waiting.VOICE, keep="store-ucs2") == 0xE8
    assert waiting_coding(Waiting.MAIL, active=False, keep="store") == 0xD2


def test_protocol_ids() -> None:
    assert TYPE_0 == 0x40
    assert [replace_type(number) for number in (1, 7)] == [0x41, 0x47]
    for number in (0, 8):
        with pytest.raises(ValueError, match="1 to 7"):
            replace_type(number)
