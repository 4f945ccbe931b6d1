"""PDUs as lines: what they show, and what they never do."""

from __future__ import annotations

import pytest

from sms_milter.logline import Numbers
from sms_milter.smpp import codec
from sms_milter.smpp.trace import Trace
from support.smpp_client import submit_body, tlv

OPEN, MASKED = Numbers(masked=False), Numbers(masked=True)


def line(command: int, body: bytes = b"", *, status: int = 0, sent: bool = True, **trace: object) -> str:
    numbers = trace.pop("numbers", OPEN)
    return Trace(numbers, **trace).line((command, status, 7, body), sent=sent)  # type: ignore[arg-type]


def test_a_bind_hides_its_password() -> None:
    body = b"acme\0secret\0cp\0\x34\0\0\0"
    shown = line(codec.BIND_TRANSCEIVER, body)
    assert shown.startswith(
        "> bind_transceiver sequence=7 status=0 system_id=acme password=(hidden) system_type=cp"
    )
    assert "secret" not in shown
    assert b"secret".hex().upper() not in shown
    assert shown.endswith("61636D6500............0063700034000000")


def test_a_submit_sm_shows_its_fields_and_not_its_text() -> None:
    body = submit_body("447973100000", b"Hello", registered_delivery=1, tlvs=tlv(0x0424, b"private"))
    shown = line(codec.SUBMIT_SM, body)
    assert "> submit_sm sequence=7 status=0 source=ME(5/0) destination=447973100000(1/1)" in shown
    assert "registered_delivery=0x01 octets=5 tlvs=0424(7)" in shown
    assert b"Hello".hex().upper() not in shown
    assert b"private".hex().upper() not in shown
    assert shown.count("..") == 12


def test_a_text_is_shown_where_the_postmaster_wants_it() -> None:
    shown = line(codec.SUBMIT_SM, submit_body("447973100000", b"Hello"), texts=True)
    octets = shown.rpartition("hex=")[2]
    assert bytes.fromhex(octets)[16:] == submit_body("447973100000", b"Hello")
    assert int(octets[:8], 16) == len(octets) // 2


def test_numbers_are_masked_in_both_forms() -> None:
    shown = line(codec.SUBMIT_SM, submit_body("447973100000", b"Hi"), numbers=MASKED)
    assert "destination=4479******00(1/1)" in shown
    assert "447973100000" not in shown
    assert b"447973100000".hex().upper() not in shown


def test_of_a_receipt_only_the_quoted_text_is_hidden() -> None:
    receipt = b"id:1A sub:001 dlvrd:001 stat:DELIVRD err:000 text:Hello you"
    body = submit_body("4477001", receipt, esm_class=0x04)
    shown = line(codec.DELIVER_SM, body, sent=False)
    assert shown.startswith("< deliver_sm ")
    assert b"stat:DELIVRD err:000 text:".hex().upper() in shown
    assert b"Hello you".hex().upper() not in shown


def test_what_a_phone_says_is_hidden_even_if_it_looks_like_a_receipt() -> None:
    body = submit_body("4477001", b"id:1A stat:DELIVRD text:", esm_class=0)
    assert b"DELIVRD".hex().upper() not in line(codec.DELIVER_SM, body)


@pytest.mark.parametrize(
    ("command", "body", "says"),
    [
        (codec.SUBMIT_SM_RESP, b"5F1A2B\0", "submit_sm_resp sequence=7 status=0 message_id=5F1A2B hex="),
        (codec.SUBMIT_SM_RESP, b"5F1A2B", "message_id=5F1A2B"),
        (codec.ENQUIRE_LINK, b"", "> enquire_link sequence=7 status=0 hex=00000010000000150000000000000007"),
        (
            codec.BIND_COMMANDS["transmitter"] | codec.RESPONSE,
            b"SMSC\0" + tlv(0x0210, b"4"),
            "system_id=SMSC tlvs=0210(1)",
        ),
        (codec.CANCEL_SM, b"\x00ID7\0\5\0ACME\0\1\x0144797\0", "message_id=ID7 source=ACME(5/0)"),
        (codec.GENERIC_NACK, b"", "> generic_nack sequence=7"),
        (0x1234, b"what is this", "> command_00001234 sequence=7 status=0 octets=12"),
    ],
)
def test_other_pdus(command: int, body: bytes, says: str) -> None:
    assert says in line(command, body)


def test_a_refusal_is_named() -> None:
    assert "submit_sm_resp sequence=7 status=RTHROTTLED 0x00000058" in line(codec.SUBMIT_SM_RESP, status=0x58)


@pytest.mark.parametrize("length", range(60))
def test_a_body_cut_anywhere_shows_no_text_and_no_password(length: int) -> None:
    body = submit_body("447973100000", b"Hello", tlvs=tlv(0x0424, b"private"))[:length]
    shown = bytes.fromhex(line(codec.SUBMIT_SM, body).rpartition("hex=")[2].replace("..", "00"))
    assert len(shown) == 16 + len(body)
    assert not any(piece in shown for piece in (b"Hel", b"llo", b"pri", b"vat"))
    bind = b"acme\0secret\0cp\0\x34\0\0\0"[:length]
    assert "736563" not in line(codec.BIND_TRANSCEIVER, bind)
