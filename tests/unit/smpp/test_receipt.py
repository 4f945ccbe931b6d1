"""Receipts: the texts of SMPP §10, TLVs, states, dates and ids."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sms_milter.model import PartState
from sms_milter.smpp import codec
from sms_milter.smpp.codec import DeliverSm
from sms_milter.smpp.receipt import IdRule, Receipt, Side, key, parse_date, parse_text, read


def at(*fields: int) -> float:
    return datetime(*fields, tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]


def receipt(text: str, **fields: object) -> Receipt:
    pdu = DeliverSm(**{"esm_class": 4, "short_message": text.encode("latin-1"), **fields})  # type: ignore[arg-type]
    found = read(pdu)
    assert found is not None
    return found


PUMP = (
    "id:0087654321 sub:001 dlvrd:001 submit date:2411210939 done date:2411221039 stat:DELIVRD err:012 "
    "text:Pump 3 pressure low "
)
CAPITAL_TEXT = (
    "id:7 sub:001 dlvrd:001 submit date:2411210051 done date:2411210051 stat:DELIVRD err:000 Text:Hi"
)
UUID = (
    "id:3b0f6c52-90d1-4c7e-8a55-1f2e3d4c5b6a sub:001 dlvrd:001 submit date:241121193041 "
    "done date:241121193110 stat:DELIVRD err:000 text:"
)
SHUFFLED = (
    "sub:001 id:3b0f6c52-90d1-4c7e-8a55-1f2e3d4c5b6a err:000 dlvrd:001 done date:241121193110 "
    "submit date:241121193041 text: stat:DELIVRD"
)
CENTURY = (
    "id:9F10AA27C3D84B5E6071829304A5B6C7 submit date:20241121181534 done date:20241121181741 "
    "stat:DELIVRD err:0"
)
QUOTED = (
    "id:0087654321 sub:002 dlvrd:001 submit date:2411210939 done date:2411221039 stat:UNDELIV err:21b "
    "text:stat:DELIVRD fake"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            PUMP,
            Receipt(
                "0087654321",
                "DELIVRD",
                PartState.DELIVERED,
                "012",
                at(2024, 11, 21, 9, 39),
                at(2024, 11, 22, 10, 39),
                "001",
                "001",
                "Pump 3 pressure low",
            ),
        ),
        (
            CAPITAL_TEXT,
            Receipt(
                "7",
                "DELIVRD",
                PartState.DELIVERED,
                "000",
                at(2024, 11, 21, 0, 51),
                at(2024, 11, 21, 0, 51),
                "001",
                "001",
                "Hi",
            ),
        ),
        (
            UUID,
            Receipt(
                "3b0f6c52-90d1-4c7e-8a55-1f2e3d4c5b6a",
                "DELIVRD",
                PartState.DELIVERED,
                "000",
                at(2024, 11, 21, 19, 30, 41),
                at(2024, 11, 21, 19, 31, 10),
                "001",
                "001",
                "",
            ),
        ),
        (
            SHUFFLED,
            Receipt(
                "3b0f6c52-90d1-4c7e-8a55-1f2e3d4c5b6a",
                "DELIVRD",
                PartState.DELIVERED,
                "000",
                at(2024, 11, 21, 19, 30, 41),
                at(2024, 11, 21, 19, 31, 10),
                "001",
                "001",
                "",
            ),
        ),
        (
            CENTURY,
            Receipt(
                "9F10AA27C3D84B5E6071829304A5B6C7",
                "DELIVRD",
                PartState.DELIVERED,
                "0",
                at(2024, 11, 21, 18, 15, 34),
                at(2024, 11, 21, 18, 17, 41),
                "",
                "",
                "",
            ),
        ),
        (
            QUOTED,
            Receipt(
                "0087654321",
                "UNDELIV",
                PartState.FAILED,
                "21b",
                at(2024, 11, 21, 9, 39),
                at(2024, 11, 22, 10, 39),
                "002",
                "001",
                "stat:DELIVRD fake",
            ),
        ),
    ],
    ids=["pump", "capital-text", "uuid", "shuffled", "century", "quoted"],
)
def test_the_texts_of_the_specification(text: str, expected: Receipt) -> None:
    assert receipt(text) == expected


# --- is it one? ---------------------------------------------------------------------------------------------

BOTH_TLVS = {codec.TLV_RECEIPTED_MESSAGE_ID: b"1\0", codec.TLV_MESSAGE_STATE: b"\2"}


@pytest.mark.parametrize(
    ("esm_class", "tlvs", "expected"),
    [
        (0x04, {}, True),
        (0x44, {}, True),
        (0x84, {}, True),
        (0x20, {}, True),
        (0x00, {}, False),
        (0x08, {}, False),
        (0x10, {}, False),
        (0x18, {}, False),
        (0x00, BOTH_TLVS, True),
        (0x00, {codec.TLV_RECEIPTED_MESSAGE_ID: b"1"}, False),
        (0x08, BOTH_TLVS, False),
    ],
)
def test_what_is_a_receipt(esm_class: int, tlvs: dict[int, bytes], expected: bool) -> None:
    pdu = DeliverSm(esm_class=esm_class, short_message=PUMP.encode(), tlvs=tlvs)
    assert (read(pdu) is not None) is expected


def test_the_udh_bit_without_a_header_does_not_hide_the_text() -> None:
    assert receipt(PUMP, esm_class=0x44).message_id == "0087654321"
    with_header = receipt("", esm_class=0x44, short_message=b"\5\0\3\1\1\1" + PUMP.encode())
    assert with_header.message_id == "0087654321"


def test_a_receipt_in_ucs2_is_read() -> None:
    assert receipt("", short_message=PUMP.encode("utf-16-be"), data_coding=8).message_id == "0087654321"


# --- TLVs and text ------------------------------------------------------------------------------------------


def test_vector_7_the_tlvs_win() -> None:
    pdu = DeliverSm(
        esm_class=4,
        short_message=b"id:6232619 stat:UNDELIV err:000",
        tlvs={codec.TLV_RECEIPTED_MESSAGE_ID: b"5F1A2B\0", codec.TLV_MESSAGE_STATE: b"\2"},
    )
    found = read(pdu)
    assert found is not None
    assert (found.message_id, found.stat, found.state) == ("5F1A2B", "DELIVRD", PartState.DELIVERED)


@pytest.mark.parametrize("octets", [b"abc123", b"abc123\0"])
def test_an_id_tlv_without_its_nul_is_whole(octets: bytes) -> None:
    assert receipt("", tlvs={codec.TLV_RECEIPTED_MESSAGE_ID: octets}).message_id == "abc123"


def test_an_empty_id_tlv_leaves_it_to_the_text() -> None:
    assert receipt("id:5 stat:DELIVRD", tlvs={codec.TLV_RECEIPTED_MESSAGE_ID: b"\0"}).message_id == "5"


def test_a_state_of_two_octets_and_an_unknown_one() -> None:
    assert receipt("", tlvs={codec.TLV_MESSAGE_STATE: b"\0\5"}).stat == "UNDELIV"
    assert receipt("stat:EXPIRED", tlvs={codec.TLV_MESSAGE_STATE: b"\x63"}).stat == "EXPIRED"


@pytest.mark.parametrize(
    ("octets", "expected"), [(b"\3\1\2", "258"), (b"\3\0\7", "007"), (b"012", "012"), (b"\3", "")]
)
def test_network_error_code_speaks_when_the_text_does_not(octets: bytes, expected: str) -> None:
    tlvs = {codec.TLV_NETWORK_ERROR_CODE: octets}
    assert receipt("id:1 stat:UNDELIV", tlvs=tlvs).error == expected
    assert receipt("id:1 stat:UNDELIV err:21b", tlvs=tlvs).error == "21b"


def test_nothing_at_all_is_still_a_receipt() -> None:
    assert receipt("") == Receipt("", "", None)


def test_loose_forms_are_found_but_not_in_the_quoted_text() -> None:
    loose = receipt("ref=9,stat:delivrd\r\nid: 77")
    assert (loose.message_id, loose.stat) == ("77", "DELIVRD")
    assert receipt("id:1 text:xstat:DELIVRD").state is None


def test_the_first_label_counts_and_labels_need_space_before_them() -> None:
    fields = parse_text("ID:1 stat:UNDELIV mid:2 STAT:DELIVRD id:3 text:a err:9")
    assert fields == {"id": "1", "stat": "UNDELIV mid:2 STAT:DELIVRD id:3", "text": "a", "err": "9"}


# --- states -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "stat", "state"),
    [
        ("SCHEDLD", "SCHEDLD", None),
        ("ENROUTE", "ENROUTE", None),
        ("DELIVRD", "DELIVRD", PartState.DELIVERED),
        ("EXPIRED", "EXPIRED", PartState.EXPIRED),
        ("DELETED", "DELETED", PartState.FAILED),
        ("UNDELIV", "UNDELIV", PartState.FAILED),
        ("ACCEPTD", "ACCEPTD", None),
        ("UNKNOWN", "UNKNOWN", PartState.FAILED),
        ("REJECTD", "REJECTD", PartState.FAILED),
        ("SKIPPED", "SKIPPED", PartState.FAILED),
        ("BUFFRED", "ENROUTE", None),
        ("BUFFERD", "ENROUTE", None),
        ("ACKED", "ENROUTE", None),
        ("ACCEPTED", "ACCEPTD", None),
        ("delivered", "DELIVRD", PartState.DELIVERED),
        ("UNDELIVERABLE", "UNDELIV", PartState.FAILED),
        ("FAILED", "UNDELIV", PartState.FAILED),
        ("REJECTED", "REJECTD", PartState.FAILED),
        ("PURPLE", "UNKNOWN", None),
    ],
)
def test_each_word_has_its_state(word: str, stat: str, state: PartState | None) -> None:
    found = receipt(f"id:1 stat:{word} err:000")
    assert (found.stat, found.state) == (stat, state)


@pytest.mark.parametrize(
    ("number", "stat"),
    [
        (0, "SCHEDLD"),
        (1, "ENROUTE"),
        (2, "DELIVRD"),
        (3, "EXPIRED"),
        (4, "DELETED"),
        (5, "UNDELIV"),
        (6, "ACCEPTD"),
        (7, "UNKNOWN"),
        (8, "REJECTD"),
        (9, "SKIPPED"),
    ],
)
def test_each_message_state_has_its_name(number: int, stat: str) -> None:
    assert receipt("", tlvs={codec.TLV_MESSAGE_STATE: bytes((number,))}).stat == stat


# --- dates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("2411210939", at(2024, 11, 21, 9, 39)),
        ("241121193041", at(2024, 11, 21, 19, 30, 41)),
        ("20241121181534", at(2024, 11, 21, 18, 15, 34)),
        ("", None),
        ("24112109", None),
        ("2413210939", None),
        ("0000000000", None),
        ("24112109x9", None),
    ],
)
def test_dates_of_three_lengths(digits: str, expected: float | None) -> None:
    assert parse_date(digits) == expected


# --- ids ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "response", "from_receipt", "equal"),
    [
        ("exact", "5F1A2B", "5F1A2B", True),
        ("exact", "5F1A2B", "5f1a2b", False),
        ("casefold", "5F1A2B", "5f1a2b", True),
        ("casefold", "05F1A2B", "5f1a2b", False),
        ("strip-zeros", "00B8BE19", "b8be19", True),
        ("strip-zeros", "0087654321", "87654321", True),
        ("strip-zeros", "000", "0", True),
        ("strip-zeros", "10", "1", False),
        ("hex-dec", "5F1A2B", "6232619", True),
        ("hex-dec", "005f1a2b", "06232619", True),
        ("hex-dec", "5F1A2B", "5f1a2b", True),  # letters make it hexadecimal whatever the rule says
        ("hex-dec", "10", "10", False),
        ("dec-hex", "6232619", "5F1A2B", True),
        ("dec-hex", "10", "A", True),
        ("dec-hex", "5F1A2B", "5F1A2B", True),
        ("hex-dec", "3b0f6c52-90d1-4c7e", "3b0f6c52-90d1-4c7e", True),
        ("hex-dec", "1" * 21, "1" * 21, True),  # too long for a number: compared as it is
        ("hex-dec", "xyz", "xyz", True),
    ],
)
def test_ids_of_both_sides_meet(rule: IdRule, response: str, from_receipt: str, equal: bool) -> None:
    assert (key(response, rule, "response") == key(from_receipt, rule, "receipt")) is equal


@pytest.mark.parametrize("rule", ["exact", "casefold", "strip-zeros", "hex-dec", "dec-hex"])
@pytest.mark.parametrize("side", ["response", "receipt"])
def test_no_id_stays_none(rule: IdRule, side: Side) -> None:
    assert key("", rule, side) == ""
