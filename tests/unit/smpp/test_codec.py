"""PDUs as octets: the test vectors of SMPP §10, the checks before, the tolerance after."""

from __future__ import annotations

import pytest

from sms_milter.errors import DecodeError, LocalProtocolError
from sms_milter.model import Reference, SubmitSm
from sms_milter.smpp import codec

MEET = SubmitSm(
    source_addr_ton=5,
    source_addr="ME",
    destination_addr="448311234567",
    registered_delivery=1,
    short_message=b"Meet me at home",
)
SUBMIT_3 = (
    "0000003E0000000400000000000000020005004D45000101343438333131323334353637000000000000010000000F"
    "4D656574206D6520617420686F6D65"
)
SUBMIT_4 = (
    "0000006B00000004000000000000000300010134343737303039303030303000010134343739373331303030303000"
    "400000303030303030303230303030303030520030303030303130303030303030303052000000F5001206050415820000"
    "62F2100008040155AA55AA"
)
DELIVER_7 = (
    "000000B10000000500000000000000070001013434383331313233343536370005004D45000400000000000000007269643A"
    "36323332363139207375623A30303120646C7672643A303031207375626D697420646174653A323431313231313230302064"
    "6F6E6520646174653A3234313132313132303120737461743A44454C49565244206572723A30303020746578743A4D656574"
    "206D6520617420686F6D65001E0007354631413242000427000102"
)
PAYLOAD_12 = (
    "000000380000000400000000000000040005004D450001013434383331313233343536370000000000000100000000"
    "0424000548656C6C6F"
)
SAR_13 = (
    "000000440000000400000000000000050005004D450001013434383331313233343536370000000000000100000005"
    "48656C6C6F020C0002005A020E000102020F000101"
)


def hexed(octets: bytes) -> str:
    return octets.hex().upper()


# --- what we send -------------------------------------------------------------------------------------------


def test_vector_1_bind_transceiver() -> None:
    pdu = codec.bind("transceiver", 1, system_id="gateway", password="secret")
    assert hexed(pdu) == "000000240000000900000000000000016761746577617900736563726574000034000000"


@pytest.mark.parametrize(("kind", "command_id"), [("transmitter", 2), ("receiver", 1), ("transceiver", 9)])
def test_each_kind_of_bind_has_its_command(kind: codec.BindKind, command_id: int) -> None:
    assert codec.bind(kind, 1, system_id="a")[4:8] == command_id.to_bytes(4, "big")


def test_vector_3_submit_sm() -> None:
    assert hexed(codec.stamp(2, codec.compose(MEET).body)) == SUBMIT_3


def test_vector_4_submit_sm_with_schedule_and_header() -> None:
    logo = SubmitSm(
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr="447700900000",
        destination_addr="447973100000",
        esm_class=0x40,
        schedule_delivery_time="000000020000000R",
        validity_period="000001000000000R",
        data_coding=0xF5,
        short_message=bytes.fromhex("0605041582000062F2100008040155AA55AA"),
    )
    assert hexed(codec.stamp(3, codec.compose(logo).body)) == SUBMIT_4


def test_vector_12_message_payload() -> None:
    part = MEET._replace(short_message=b"", tlvs=((codec.TLV_MESSAGE_PAYLOAD, b"Hello"),))
    assert hexed(codec.stamp(4, codec.compose(part).body)) == PAYLOAD_12


def test_vector_13_sar() -> None:
    tlvs = ((0x020C, b"\0\0"), (0x020E, b"\2"), (0x020F, b"\1"))
    part = codec.compose(MEET._replace(short_message=b"Hello", tlvs=tlvs), Reference(0, 2, tlv=True))
    assert hexed(codec.stamp(5, part.stamped(0x5A))) == SAR_13


def test_vectors_8_to_11_short_pdus() -> None:
    assert hexed(codec.deliver_sm_resp(7)) == "0000001180000005000000000000000700"
    assert hexed(codec.enquire_link(8)) == "00000010000000150000000000000008"
    assert hexed(codec.enquire_link_resp(8)) == "00000010800000150000000000000008"
    assert hexed(codec.unbind(9)) == "00000010000000060000000000000009"
    assert hexed(codec.unbind_resp(9)) == "00000010800000060000000000000009"
    assert hexed(codec.generic_nack(0, 3)) == "00000010800000000000000300000000"


def test_data_sm_is_answered_by_its_own_response() -> None:
    assert hexed(codec.data_sm_resp(7, 8)) == "0000001180000103000000080000000700"


def test_the_reference_is_found_behind_addresses_of_any_length() -> None:
    for digits in ("4", "447973100000", "4" * 20):
        part = MEET._replace(destination_addr=digits, short_message=b"\5\0\3\0\2\1Hello", esm_class=0x40)
        composed = codec.compose(part, Reference(3, 1))
        expected = part._replace(short_message=b"\5\0\3\x7b\2\1Hello")
        assert composed.stamped(0x7B) == codec.compose(expected).body


def test_the_reference_is_found_behind_other_tlvs() -> None:
    tlvs = ((0x0204, b"\1\2"), (0x020C, b"\0\0"), (0x020E, b"\2"))
    part = codec.compose(MEET._replace(tlvs=tlvs), Reference(0, 2, tlv=True))
    assert part.stamped(0xABCD).endswith(bytes.fromhex("020400020102 020C0002ABCD 020E000102"))


def test_a_long_password_is_sent_whole_where_allowed() -> None:
    pdu = codec.bind("transceiver", 1, system_id="acme", password="much longer", longest_password=16)
    assert pdu[16:34] == b"acme\0much longer\0\0"
    assert int.from_bytes(pdu[:4], "big") == len(pdu)


@pytest.mark.parametrize(
    "wrong",
    [
        {"destination_addr": "4" * 21},
        {"source_addr": "A" * 21},
        {"service_type": "SIXSIX"},
        {"destination_addr": "44\x0079"},
        {"source_addr": "A\0B"},
        {"source_addr": "Łódź"},
        {"short_message": b"x" * 255},
        {"esm_class": 256},
        {"data_coding": -1},
        {"priority_flag": 4},
        {"replace_if_present_flag": 2},
        {"schedule_delivery_time": "24112112000000+"},
        {"schedule_delivery_time": "241121120000000Z"},
        {"validity_period": "241321120000000+"},
        {"validity_period": "230229120000000+"},
        {"validity_period": "241121120000049+"},
        {"tlvs": ((0x10000, b""),)},
        {"tlvs": ((1, b"x" * 65536),)},
        {"tlvs": ((1, b"x" * 65535), (2, b"x" * 65535))},
        {"tlvs": ((codec.TLV_MESSAGE_PAYLOAD, b"both"),)},
    ],
)
def test_what_does_not_fit_is_refused_and_never_cut(wrong: dict[str, object]) -> None:
    codec.compose(MEET)
    with pytest.raises(LocalProtocolError):
        codec.compose(MEET._replace(**wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fitting",
    [
        {"destination_addr": "4" * 20},
        {"source_addr": "Café"},
        {"short_message": b"x" * 254},
        {"validity_period": "240229120000048-"},
        {"validity_period": "020610233429000R"},
    ],
)
def test_what_just_fits_is_taken(fitting: dict[str, object]) -> None:
    assert codec.compose(MEET._replace(**fitting)).body  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reference", "tlvs"),
    [
        (Reference(15, 1), ()),
        (Reference(14, 2), ()),
        (Reference(-1, 1), ()),
        (Reference(0, 3), ()),
        (Reference(0, 2, tlv=True), ()),
        (Reference(0, 1, tlv=True), ((codec.TLV_SAR_MSG_REF_NUM, b"\0\0"),)),
    ],
)
def test_a_reference_that_is_not_there_is_refused(
    reference: Reference, tlvs: tuple[tuple[int, bytes], ...]
) -> None:
    with pytest.raises(LocalProtocolError):
        codec.compose(MEET._replace(tlvs=tlvs), reference)


@pytest.mark.parametrize(
    "wrong",
    [
        {"system_id": "sixteen letters!"},
        {"system_id": "acme", "password": "ninechars"},
        {"system_id": "acme", "system_type": "thirteen char"},
        {"system_id": "acme", "address_range": "4" * 41},
        {"system_id": "acme", "interface_version": 256},
    ],
)
def test_a_bind_that_does_not_fit_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        codec.bind("transceiver", 1, **wrong)  # type: ignore[arg-type]
    assert "ninechars" not in str(caught.value)


def test_a_sequence_number_that_does_not_fit_is_our_error() -> None:
    with pytest.raises(LocalProtocolError):
        codec.stamp(1 << 32, b"")


# --- what we read -------------------------------------------------------------------------------------------


def frames(*hexes: str) -> list[codec.Frame]:
    return codec.FrameReader().feed(bytes.fromhex("".join(hexes)))


def test_vector_2_bind_resp() -> None:
    ((command_id, status, sequence, body),) = frames("0000001A800000090000000000000001534D5343000210000134")
    assert (command_id, status, sequence) == (0x80000009, 0, 1)
    assert codec.parse_bind_resp(body) == ("SMSC", 0x34)


def test_a_bind_resp_without_body_names_nothing() -> None:
    assert codec.parse_bind_resp(b"") == ("", None)
    assert codec.parse_bind_resp(b"SMSC\0") == ("SMSC", None)


def test_vectors_5_and_6_submit_sm_resp() -> None:
    accepted, throttled = frames(
        "0000001780000004000000000000000235463141324200", "00000010800000040000005800000002"
    )
    assert accepted[:3] == (codec.SUBMIT_SM_RESP, 0, 2)
    assert codec.parse_message_id(accepted[3]) == "5F1A2B"
    assert throttled == (codec.SUBMIT_SM_RESP, 0x58, 2, b"")
    assert codec.parse_message_id(throttled[3]) == ""


def test_vector_7_deliver_sm() -> None:
    ((command_id, _, sequence, body),) = frames(DELIVER_7)
    assert (command_id, sequence) == (codec.DELIVER_SM, 7)
    pdu = codec.parse_deliver_sm(body)
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (1, 1, "448311234567")
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (5, 0, "ME")
    assert (pdu.esm_class, pdu.data_coding) == (4, 0)
    assert pdu.short_message.startswith(b"id:6232619 sub:001")
    assert pdu.short_message.endswith(b"text:Meet me at home")
    assert pdu.tlvs == {0x001E: b"5F1A2B\0", 0x0427: b"\2"}


def test_a_payload_stands_for_the_short_message() -> None:
    body = bytes.fromhex(PAYLOAD_12)[16:]
    assert codec.parse_deliver_sm(body).short_message == b"Hello"


def test_data_sm_has_fewer_fields() -> None:
    body = b"\0\1\x01447973100000\0\5\0ME\0\4\0\3" + codec.tlv(0x0424, b"id:1") + codec.tlv(0x0427, b"\2")
    pdu = codec.parse_data_sm(body)
    assert (pdu.source_addr, pdu.destination_addr, pdu.esm_class, pdu.data_coding) == (
        "447973100000",
        "ME",
        4,
        3,
    )
    assert pdu.short_message == b"id:1"
    assert pdu.tlvs[0x0427] == b"\2"


def test_a_deliver_sm_cut_short_is_an_error_up_to_its_text() -> None:
    body = bytes.fromhex(DELIVER_7)[16:]
    text_at = body.index(b"id:")
    for end in range(text_at):
        with pytest.raises(DecodeError):
            codec.parse_deliver_sm(body[:end])
    for end in range(text_at, len(body)):
        assert codec.parse_deliver_sm(body[:end]).destination_addr == "ME"


def test_a_data_sm_cut_short_is_an_error() -> None:
    body = b"\0\1\x01447973100000\0\5\0ME\0\4\0\3"
    for end in range(len(body)):
        with pytest.raises(DecodeError):
            codec.parse_data_sm(body[:end])


def test_a_tlv_that_is_cut_short_does_not_count() -> None:
    whole = codec.tlv(0x001E, b"abc123") + codec.tlv(0x0427, b"\2")
    assert codec.parse_tlvs(whole[:-1]) == {0x001E: b"abc123"}
    assert codec.parse_tlvs(whole[:8]) == {}


def test_tlvs_go_by_their_length_and_the_first_of_a_tag_counts() -> None:
    octets = codec.tlv(0x1400, b"vendor") + codec.tlv(0x0427, b"\0\2") + codec.tlv(0x0427, b"\5")
    assert codec.parse_tlvs(octets) == {0x1400: b"vendor", 0x0427: b"\0\2"}


def test_a_message_id_without_its_nul_is_whole() -> None:
    assert codec.parse_message_id(b"abc123") == "abc123"


def test_a_message_id_cannot_break_a_log_line() -> None:
    assert codec.parse_message_id(b"a\nb\x1b\0") == "a\\nb\\x1b"


def test_an_error_response_may_explain_itself() -> None:
    assert codec.parse_error_text(b"\0" + codec.tlv(0x001D, b"no credit\0")) == "no credit"
    assert codec.parse_error_text(codec.tlv(0x001D, b"no credit")[1:]) == ""
    assert codec.parse_error_text(b"") == ""


# --- frames -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 15, 70_001, 0xFFFFFFFF])
def test_a_length_that_cannot_be_ends_the_stream(length: int) -> None:
    good = codec.enquire_link(8)
    reader = codec.FrameReader()
    with pytest.raises(codec.BadLength) as caught:
        reader.feed(good + length.to_bytes(4, "big") + good[4:])
    assert caught.value.frames == [(codec.ENQUIRE_LINK, 0, 8, b"")]
    assert caught.value.sequence == (8 if length >= 16 else 0)
    assert reader.feed(good) == []


def test_a_length_below_16_is_seen_before_16_octets_are_there() -> None:
    reader = codec.FrameReader()
    assert reader.feed(b"\0\0") == []
    with pytest.raises(codec.BadLength):
        reader.feed(b"\0\4")


def test_the_longest_pdu_is_taken() -> None:
    body = bytes(codec.LONGEST_PDU - 16)
    assert codec.FrameReader().feed(codec.frame(0x103, 0, 1, body)) == [(0x103, 0, 1, body)]


def test_a_reader_knows_whether_a_pdu_has_begun() -> None:
    reader = codec.FrameReader()
    assert not reader.partial
    reader.feed(codec.unbind(1) + b"\0")
    assert reader.partial
    reader.feed(codec.unbind(2)[1:])
    assert not reader.partial


# --- times --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("schedule", "validity"), [("", ""), ("000000010000000R", "000001000000000R")])
def test_the_times_of_a_body_are_found_and_changed(schedule: str, validity: str) -> None:
    submit = SubmitSm(
        service_type="WAP",
        source_addr_ton=5,
        source_addr="ACME",
        dest_addr_ton=1,
        destination_addr="447973100000",
        esm_class=0x40,
        schedule_delivery_time=schedule,
        validity_period=validity,
        short_message=b"\0\1\2",
    )
    body = codec.compose(submit).body
    assert codec.times_of(body) == (schedule, validity)
    changed = codec.with_times(body, "", "241121140000000+")
    expected = submit._replace(schedule_delivery_time="", validity_period="241121140000000+")
    assert changed == codec.compose(expected).body


def test_what_is_no_body_has_no_times() -> None:
    assert codec.times_of(b"447973100000-1") == ("", "")
    with pytest.raises(LocalProtocolError):
        codec.with_times(b"447973100000-1", "", "")
