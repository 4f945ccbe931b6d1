"""The simulated SMSC, spoken to in octets: SMPP §10 and what it promises to tests."""

import io
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sms_milter.simulate import BindRefusal, Options, ReceivedSms, Simulator, faults
from sms_milter.simulate.console import Printer, as_fields, as_screen
from sms_milter.simulate.phone import ASCII, BINARY, GSM, LATIN1, UCS2, alphabet_of, is_flash
from sms_milter.simulate.wire import BadPdu, Status, split_pdus
from support.smpp_client import Answer, SmppClient, pdu, submit_body, tlv

SUBMIT_RESP, DELIVER_SM, GENERIC_NACK = 0x80000004, 0x00000005, 0x80000000
PHONE = "447973100000"


class Smsc:
    """A simulator and the SMS that came out of it."""

    def __init__(self, options: Options) -> None:
        self._shown: queue.SimpleQueue[ReceivedSms] = queue.SimpleQueue()
        self.simulator = Simulator(options=options, on_sms=self._shown.put)
        self.simulator.start()
        self.port = self.simulator.port

    def sms(self) -> ReceivedSms:
        return self._shown.get(timeout=30)

    @property
    def has_shown_all(self) -> bool:
        return self._shown.empty()

    def await_(self, **tally: int) -> None:
        until = time.monotonic() + 30
        while any(getattr(self.simulator.tally, name) < n for name, n in tally.items()):
            assert time.monotonic() < until, self.simulator.tally
            time.sleep(0.005)


@pytest.fixture
def options() -> Options:
    return Options()


@pytest.fixture
def smsc(options: Options) -> Iterator[Smsc]:
    smsc = Smsc(options)
    yield smsc
    smsc.simulator.stop()
    assert not [t for t in threading.enumerate() if t.name.startswith("simulate")]


@pytest.fixture
def esme(smsc: Smsc) -> Iterator[SmppClient]:
    with SmppClient(smsc.port) as client:
        assert client.bind().status == 0
        yield client


def message_id(answer: Answer) -> str:
    assert answer.body.endswith(b"\0")
    return answer.body[:-1].decode()


def receipt_of(answer: Answer) -> tuple[str, dict[int, bytes]]:
    """The text and the TLVs of a deliver_sm."""
    assert answer.command == DELIVER_SM
    at = 0
    for skip in (0, 2, 2):
        at = answer.body.index(0, at + skip) + 1
    text = answer.body[at + 10 : at + 10 + answer.body[at + 9]].decode()
    rest = answer.body[at + 10 + answer.body[at + 9] :]
    tlvs = {}
    while rest:
        length = int.from_bytes(rest[2:4], "big")
        tlvs[int.from_bytes(rest[:2], "big")] = rest[4 : 4 + length]
        rest = rest[4 + length :]
    return text, tlvs


# --- published PDUs (SMPP §10) ------------------------------------------------------------------------------

BIND = "000000240000000900000000000000016761746577617900736563726574000034000000"
MEET_ME = (
    "0000003E0000000400000000000000020005004D45000101343438333131323334353637000000000000010000000F"
    "4D656574206D6520617420686F6D65"
)
LOGO = (
    "0000006B00000004000000000000000300010134343737303039303030303000010134343739373331303030303000"
    "400000303030303030303230303030303030520030303030303130303030303030303052000000F500120605041582"
    "000062F2100008040155AA55AA"
)
PAYLOAD = (
    "000000380000000400000000000000040005004D4500010134343833313132333435363700000000000001000000000"
    "424000548656C6C6F"
)
SEGMENT = (
    "000000440000000400000000000000050005004D45000101343438333131323334353637000000000000010000000548"
    "656C6C6F020C0002005A020E000102020F000101"
)


def test_published_bind_and_submit(smsc: Smsc) -> None:
    with SmppClient(smsc.port) as client:
        client.write(bytes.fromhex(BIND))
        assert client.read() == Answer(0x80000009, 0, 1, b"simulator\0" + tlv(0x0210, b"\x34"))
        client.write(bytes.fromhex(MEET_ME))
        response, receipt = client.read(), client.read()
    sms = smsc.sms()
    assert (response.command, response.status, response.sequence) == (SUBMIT_RESP, 0, 2)
    assert (sms.originator, sms.destination, sms.text) == ("ME", "448311234567", "Meet me at home")
    assert (sms.parts, sms.alphabet, sms.data_coding, sms.flash) == (1, GSM, 0, False)
    assert sms.message_ids == (message_id(response),)
    assert sms.pdus == (bytes.fromhex(MEET_ME),)
    assert receipt.body.startswith(b"\0\1\x01448311234567\0\5\0ME\0\4")
    text, tlvs = receipt_of(receipt)
    assert text.startswith(f"id:{message_id(response)} sub:001 dlvrd:001 submit date:")
    assert text.endswith(" stat:DELIVRD err:000 text:Meet me at home")
    assert tlvs == {0x001E: message_id(response).encode() + b"\0", 0x0427: b"\2"}


def test_published_logo_is_no_text(smsc: Smsc, esme: SmppClient) -> None:
    esme.write(bytes.fromhex(LOGO))
    assert esme.read().status == 0
    sms = smsc.sms()
    assert (sms.text, sms.binary.hex().upper()) == ("", "62F2100008040155AA55AA")
    assert (sms.ports, sms.alphabet, sms.data_coding) == ((5506, 0), BINARY, 0xF5)


def test_published_message_payload(smsc: Smsc, esme: SmppClient) -> None:
    esme.write(bytes.fromhex(PAYLOAD))
    assert esme.read().status == 0
    assert smsc.sms().text == "Hello"


def test_published_segment_waits_for_its_sibling(smsc: Smsc, esme: SmppClient) -> None:
    esme.write(bytes.fromhex(SEGMENT))
    assert esme.read().status == 0
    assert smsc.simulator.incomplete == [("448311234567", 1, 2)]
    esme.write(bytes.fromhex(SEGMENT.replace("48656C6C6F", "576F726C64").replace("020F000101", "020F000102")))
    assert smsc.sms().text == "HelloWorld"
    assert smsc.simulator.incomplete == []


def test_published_link_supervision(smsc: Smsc, esme: SmppClient) -> None:
    esme.write(bytes.fromhex("00000010000000150000000000000008"))
    assert esme.read() == Answer(0x80000015, 0, 8, b"")
    esme.write(bytes.fromhex("00000010000000060000000000000009"))
    assert esme.read() == Answer(0x80000006, 0, 9, b"")
    with pytest.raises(EOFError):
        esme.read()


def test_unknown_command_and_impossible_length(esme: SmppClient) -> None:
    esme.send(0x0000000B, b"x", sequence=77)
    assert esme.read() == Answer(GENERIC_NACK, 3, 77, b"")
    esme.send(0x8000000B)  # an unknown response means nothing
    esme.write(bytes.fromhex("0000000F" + "00" * 12))
    assert esme.read() == Answer(GENERIC_NACK, 2, 0, b"")
    with pytest.raises(EOFError):
        esme.read()


# --- frames -------------------------------------------------------------------------------------------------


def test_octet_by_octet(smsc: Smsc, esme: SmppClient) -> None:
    for octet in bytes.fromhex(MEET_ME):
        esme.write(bytes([octet]))
    assert esme.read().status == 0
    assert smsc.sms().text == "Meet me at home"


def test_a_window_in_one_write(smsc: Smsc, esme: SmppClient) -> None:
    body = submit_body(PHONE, b"Hi")
    esme.write(b"".join(pdu(4, sequence, body) for sequence in range(1, 101)))
    answers = [esme.read() for _ in range(100)]
    assert [answer.sequence for answer in answers] == list(range(1, 101))
    assert len({message_id(answer) for answer in answers}) == 100
    assert smsc.simulator.tally.accepted == 100


def test_pdus_before_an_impossible_length_still_count() -> None:
    whole = pdu(0x15, 1)
    pdus, rest = split_pdus(whole + bytes(16))
    assert ([p.octets for p in pdus], rest) == ([whole], bytes(16))
    with pytest.raises(BadPdu):
        split_pdus(rest)


# --- binds --------------------------------------------------------------------------------------------------


def test_nothing_is_taken_before_bind_or_from_a_receiver(smsc: Smsc) -> None:
    with SmppClient(smsc.port) as client:
        assert client.submit(PHONE) == Answer(SUBMIT_RESP, 4, 1, b"")
        assert client.bind(1).status == 0
        assert client.submit(PHONE).status == 4
        assert client.bind(9).status == 5


@pytest.mark.parametrize("options", [Options(system_id="gateway", password="secret")])
def test_credentials(smsc: Smsc) -> None:
    with SmppClient(smsc.port) as client:
        assert client.bind(system_id="other").status == 0x0F
        assert client.bind(password="wrong").status == 0x0E
        assert client.bind().status == 0


@pytest.mark.parametrize("options", [Options(refuse_binds=(BindRefusal(status=0x05, times=2),))])
def test_binds_refused_at_first(smsc: Smsc) -> None:
    with SmppClient(smsc.port) as client:
        assert [client.bind().status for _ in range(3)] == [5, 5, 0]


def test_over_long_password_is_refused(smsc: Smsc) -> None:
    with SmppClient(smsc.port) as client:
        assert client.bind(password="123456789").status == 0x0E
        assert client.bind(password="12345678").status == 0


# --- strictness ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (submit_body("4" * 21, b"Hi"), Status.DESTINATION),
        (submit_body("+447973100000", b"Hi"), Status.DESTINATION),
        (submit_body("", b"Hi"), Status.DESTINATION),
        (submit_body(PHONE, b"Hi", source="TWELVE CHARS"), Status.SOURCE),
        (submit_body(PHONE, b"Hi", source="ACME", source_ton=1), Status.SOURCE),
        (submit_body(PHONE, b"Hi", source=""), Status.SOURCE),
        (submit_body(PHONE, b"A" * 161), Status.MESSAGE_LENGTH),
        (submit_body(PHONE, b"A" * 141, data_coding=4), Status.MESSAGE_LENGTH),
        (submit_body(PHONE, b"A" * 142, data_coding=8), Status.MESSAGE_LENGTH),
        (
            submit_body(PHONE, bytes.fromhex("050003000201") + b"A" * 154, esm_class=0x40),
            Status.MESSAGE_LENGTH,
        ),
        (submit_body(PHONE, b"", esm_class=0x40), Status.ESM_CLASS),
        (submit_body(PHONE, bytes.fromhex("0500030002"), esm_class=0x40), Status.ESM_CLASS),
        (submit_body(PHONE, bytes.fromhex("040003000201"), esm_class=0x40), Status.ESM_CLASS),
        (submit_body(PHONE, bytes.fromhex("0400020002"), esm_class=0x40), Status.ESM_CLASS),
        (submit_body(PHONE, bytes.fromhex("0100"), esm_class=0x40), Status.ESM_CLASS),
        (submit_body(PHONE, bytes.fromhex("050003000203"), esm_class=0x40), Status.ESM_CLASS),
        (submit_body(PHONE, b"Hi", validity="24h"), Status.VALIDITY),
        (submit_body(PHONE, b"Hi", tlvs=tlv(0x0424, b"Ho")), Status.TLV_NOT_ALLOWED),
        (submit_body(PHONE, b"Hi", tlvs=b"\4\x24\0"), Status.TLV_STREAM),
        (submit_body(PHONE, b"Hi", tlvs=b"\4\x24\0\2x"), Status.TLV_STREAM),
        (submit_body(PHONE, b"Hi", tlvs=tlv(0x020C, b"\1")), Status.TLV_LENGTH),
        (
            submit_body(PHONE, bytes.fromhex("050003000201"), esm_class=0x40, tlvs=tlv(0x020C, b"\0\1")),
            Status.TLV_NOT_ALLOWED,
        ),
        (submit_body(PHONE, b"Hi")[:-1], Status.MESSAGE_LENGTH),
        (submit_body(PHONE, b"Hi")[:10], Status.DESTINATION),
        (b"", Status.SERVICE_TYPE),
        (b"\0", Status.COMMAND_LENGTH),
    ],
)
def test_what_breaks_a_rule_is_refused_by_name(
    smsc: Smsc, esme: SmppClient, body: bytes, status: Status
) -> None:
    answer = esme.ask(4, body)
    assert (answer.command, answer.status, answer.body) == (SUBMIT_RESP, status, b"")
    assert smsc.simulator.tally.refused == 1
    assert smsc.has_shown_all


@pytest.mark.parametrize(
    ("octets", "fields"),
    [
        (b"A" * 160, {}),
        (bytes.fromhex("050003000101") + b"A" * 153, {"esm_class": 0x40}),
        (bytes.fromhex("06080400000101") + b"A" * 152, {"esm_class": 0x40}),
        (b"A" * 140, {"data_coding": 8}),
        (b"A" * 140, {"data_coding": 4}),
        (b"", {}),
        (b"Hi", {"source": "", "source_ton": 0}),
        (b"Hi", {"source": "12345", "source_ton": 3}),
        (b"Hi", {"validity": "000001000000000R"}),
        (b"Hi", {"tlvs": tlv(0x1400, b"vendor")}),
    ],
)
def test_what_just_fits_is_taken(esme: SmppClient, octets: bytes, fields: dict[str, object]) -> None:
    assert esme.submit(PHONE, octets, **fields).status == 0


# --- the phone ----------------------------------------------------------------------------------------------


def test_parts_are_joined_whatever_their_order(smsc: Smsc, esme: SmppClient) -> None:
    for number, text in ((3, b"C"), (1, b"A"), (1, b"A"), (2, b"B")):
        header = bytes((5, 0, 3, 0x5A, 3, number))
        assert esme.submit(PHONE, header + text, esm_class=0x40).status == 0
    sms = smsc.sms()
    assert (sms.text, sms.parts, sms.order) == ("ABC", 3, (3, 1, 2))
    assert len(sms.pdus) == len(sms.message_ids) == 3


def test_parts_of_different_messages_are_kept_apart(smsc: Smsc, esme: SmppClient) -> None:
    for header, text in (
        ("0500030A0201", b"a"),
        ("0500030B0201", b"b"),
        ("06080400" + "0A0201", b"c"),
        ("0500030A0202", b"A"),
    ):
        assert esme.submit(PHONE, bytes.fromhex(header) + text, esm_class=0x40).status == 0
    assert smsc.sms().text == "aA"
    assert len(smsc.simulator.incomplete) == 2
    assert smsc.has_shown_all


@pytest.mark.parametrize(
    ("data_coding", "name"),
    [
        (0x00, GSM),
        (0x01, ASCII),
        (0x02, BINARY),
        (0x03, LATIN1),
        (0x04, BINARY),
        (0x08, UCS2),
        (0x10, GSM),
        (0x15, BINARY),
        (0x18, UCS2),
        (0x1B, UCS2),
        (0x48, UCS2),
        (0xC8, GSM),
        (0xD8, GSM),
        (0xE8, UCS2),
        (0xF0, GSM),
        (0xF5, BINARY),
    ],
)
def test_alphabet_of_data_coding(data_coding: int, name: str) -> None:
    assert alphabet_of(data_coding) == name


def test_flash() -> None:
    flash = [c for c in range(0x20) if is_flash(c, {})]
    assert flash == [0x10, 0x14, 0x18, 0x1C]
    assert [c for c in range(0xE0, 0x100) if is_flash(c, {})] == [0xF0, 0xF4, 0xF8, 0xFC]
    assert is_flash(0, {0x0005: b"\1"})


@pytest.mark.parametrize(
    ("octets", "data_coding", "text"),
    [
        (bytes.fromhex("1B653C"), 0, "€<"),
        ("Привет 😀".encode("utf-16-be"), 8, "Привет 😀"),
        (b"Caf\xe9", 3, "Café"),
        (b"abc", 1, "abc"),
    ],
)
def test_text_as_shown(smsc: Smsc, esme: SmppClient, octets: bytes, data_coding: int, text: str) -> None:
    esme.submit(PHONE, octets, data_coding=data_coding)
    assert smsc.sms().text == text


def test_text_with_a_national_table_as_shown(smsc: Smsc, esme: SmppClient) -> None:
    octets = bytes.fromhex("03240101" + "1B53691B736C69201B671B691B49")
    esme.send(4, submit_body(PHONE, octets, esm_class=0x40))
    sms = smsc.sms()
    assert (sms.text, sms.alphabet) == ("Şişli ğıİ", "GSM 7-bit, Turkish single shift")


@pytest.mark.parametrize("options", [Options(alphabet="latin1")])
def test_another_default_alphabet(smsc: Smsc, esme: SmppClient) -> None:
    esme.submit(PHONE, b"[\xe9]")
    assert smsc.sms().text == "[é]"


def test_data_sm(smsc: Smsc, esme: SmppClient) -> None:
    body = b"\0\5\0ME\0\1\1" + PHONE.encode() + b"\0\0\1\0" + tlv(0x0424, b"Hi")
    answer = esme.ask(0x103, body)
    assert (answer.command, answer.status) == (0x80000103, 0)
    assert smsc.sms().text == "Hi"
    assert esme.read().command == DELIVER_SM


# --- receipts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("registered_delivery", "digits", "comes"),
    [(0, "0000", False), (1, "0000", True), (2, "0000", False), (2, "0907", True), (1, "0907", True)],
)
def test_receipts_on_request(
    smsc: Smsc, esme: SmppClient, registered_delivery: int, digits: str, comes: bool
) -> None:
    esme.submit("44797310" + digits, registered_delivery=registered_delivery)
    assert smsc.simulator.tally.receipts == comes


def test_receipts_go_to_the_receiver_of_the_same_system_id(smsc: Smsc) -> None:
    with (
        SmppClient(smsc.port) as sender,
        SmppClient(smsc.port) as stranger,
        SmppClient(smsc.port) as receiver,
    ):
        assert sender.bind(2).status == 0
        assert stranger.bind(9, system_id="other").status == 0
        assert receiver.bind(1).status == 0
        identifier = message_id(sender.submit(PHONE, registered_delivery=1))
        assert f"id:{identifier} " in receipt_of(receiver.read())[0]


def test_receipts_wait_for_a_receiver(smsc: Smsc) -> None:
    with SmppClient(smsc.port) as sender, SmppClient(smsc.port) as receiver:
        assert sender.bind(2).status == 0
        identifier = message_id(sender.submit(PHONE, registered_delivery=1))
        assert not smsc.simulator.is_idle
        assert receiver.bind(1).status == 0
        receipt = receiver.read()
        assert f"id:{identifier} " in receipt_of(receipt)[0]
        receiver.acknowledge(receipt)
        smsc.await_(acknowledged=1)
        assert smsc.simulator.is_idle


def test_unacknowledged_receipt_comes_again_on_the_next_bind(smsc: Smsc) -> None:
    with SmppClient(smsc.port) as first:
        first.bind()
        first.submit(PHONE, registered_delivery=1)
        receipt = first.read()
    with SmppClient(smsc.port) as second:
        second.bind()
        assert second.read().body == receipt.body


def test_refused_receipt_comes_again(smsc: Smsc, esme: SmppClient) -> None:
    esme.submit(PHONE, registered_delivery=1)
    receipt = esme.read()
    esme.acknowledge(receipt, status=0x64)
    again = esme.read()
    assert again.body == receipt.body
    assert again.sequence != receipt.sequence


@pytest.mark.parametrize("options", [Options(receipt_delay=0.2)])
def test_receipts_later(smsc: Smsc, esme: SmppClient) -> None:
    assert esme.submit(PHONE, registered_delivery=1).command == SUBMIT_RESP
    assert esme.ask(0x15).command == 0x80000015
    assert not smsc.simulator.is_idle
    assert esme.read().command == DELIVER_SM


def test_any_deliver_sm_can_be_sent(smsc: Smsc, esme: SmppClient) -> None:
    smsc.simulator.deliver("gateway", b"anything")
    assert esme.read() == Answer(DELIVER_SM, 0, 1, b"anything")


# --- faults -------------------------------------------------------------------------------------------------


def test_the_table_is_in_the_documentation() -> None:
    assert faults.TABLE in (faults.__doc__ or "")
    assert len(faults.TABLE.splitlines()) == len(faults.ON_REQUEST) == 17


def faulty(digits: str) -> str:
    return "44797310" + digits


@pytest.mark.parametrize(
    ("digits", "statuses"), [("0901", [11, 11, 11]), ("0902", [0x58, 0x58, 0, 0x58]), ("0903", [8, 0, 8, 0])]
)
def test_refusals(esme: SmppClient, digits: str, statuses: list[int]) -> None:
    assert [esme.submit(faulty(digits)).status for _ in statuses] == statuses


def test_never_answered(smsc: Smsc, esme: SmppClient) -> None:
    esme.send(4, submit_body(faulty("0904"), b"Hi"))
    assert esme.ask(0x15).command == 0x80000015
    assert smsc.has_shown_all


@pytest.mark.parametrize(("digits", "taken"), [("0905", 0), ("0916", 1)])
def test_connection_closed_instead_of_an_answer(smsc: Smsc, digits: str, taken: int) -> None:
    with SmppClient(smsc.port) as client:
        client.bind()
        client.send(4, submit_body(faulty(digits), b"Hi"))
        with pytest.raises(EOFError):
            client.read()
    assert smsc.simulator.tally.accepted == taken
    with SmppClient(smsc.port) as client:
        client.bind()
        assert client.submit(faulty(digits)).status == 0
    assert smsc.simulator.tally.accepted == taken + 1


def test_late_answer(esme: SmppClient) -> None:
    esme.send(4, submit_body(faulty("0906"), b"Hi"))
    assert esme.ask(0x15).command == 0x80000015
    assert esme.read().command == SUBMIT_RESP


@pytest.mark.parametrize(
    ("digits", "stat", "state"), [("0907", "UNDELIV", 5), ("0909", "EXPIRED", 3), ("0000", "DELIVRD", 2)]
)
def test_final_states(esme: SmppClient, digits: str, stat: str, state: int) -> None:
    esme.submit(faulty(digits), registered_delivery=1)
    text, tlvs = receipt_of(esme.read())
    assert f" stat:{stat} " in text
    assert tlvs[0x0427] == bytes([state])


def test_receipt_before_the_response(esme: SmppClient) -> None:
    receipt = esme.submit(faulty("0908"), registered_delivery=1)
    response = esme.read()
    assert f"id:{message_id(response)} " in receipt_of(receipt)[0]


def test_no_receipt(smsc: Smsc, esme: SmppClient) -> None:
    esme.submit(faulty("0910"), registered_delivery=1)
    assert smsc.simulator.tally.receipts == 0


def test_decimal_id_in_the_receipt(esme: SmppClient) -> None:
    identifier = message_id(esme.submit(faulty("0911"), registered_delivery=1))
    text, tlvs = receipt_of(esme.read())
    assert f"id:{int(identifier, 16)} " in text
    assert 0x001E not in tlvs


def test_empty_message_id(esme: SmppClient) -> None:
    assert esme.submit(faulty("0912"), registered_delivery=1).body == b"\0"


def test_generic_nack(esme: SmppClient) -> None:
    assert esme.submit(faulty("0913")) == Answer(GENERIC_NACK, 8, 2, b"")


def test_half_a_response(smsc: Smsc) -> None:
    with SmppClient(smsc.port) as client:
        client.bind()
        client.send(4, submit_body(faulty("0914"), b"Hi"))
        client.send(0x15)
        assert client.read_rest() == bytes.fromhex("000000128000000400")
    with SmppClient(smsc.port) as client:
        client.bind()
        assert client.submit(faulty("0914")).status == 0


def test_unbind_instead_of_an_answer(smsc: Smsc, esme: SmppClient) -> None:
    unbind = esme.submit(faulty("0915"))
    assert unbind == Answer(0x06, 0, 1, b"")
    assert esme.submit(PHONE).status == 4
    esme.send(0x80000006, sequence=unbind.sequence)
    with pytest.raises(EOFError):
        esme.read()


def test_receipt_twice(esme: SmppClient) -> None:
    esme.submit(faulty("0917"), registered_delivery=1)
    assert esme.read().body == esme.read().body


@pytest.mark.parametrize("options", [Options(faults=False)])
def test_faults_switched_off(esme: SmppClient) -> None:
    assert esme.submit(faulty("0901")).status == 0


@pytest.mark.parametrize("options", [Options(rate=5)])
def test_too_fast(esme: SmppClient) -> None:
    statuses = [esme.submit(PHONE).status for _ in range(20)]
    # Twenty at once fall into one second or two.
    assert statuses[:5] == [0] * 5
    assert 0x58 in statuses


@pytest.mark.parametrize("options", [Options(response_delay=0.1)])
def test_every_answer_delayed_in_order(esme: SmppClient) -> None:
    for _ in range(3):
        esme.send(4, submit_body(PHONE, b"Hi", registered_delivery=1))
    commands = [esme.read().command for _ in range(6)]
    assert commands.count(SUBMIT_RESP) == commands.count(DELIVER_SM) == 3
    assert commands[0] == SUBMIT_RESP


def test_disconnect(smsc: Smsc, esme: SmppClient) -> None:
    smsc.simulator.disconnect()
    with pytest.raises(EOFError):
        esme.read()
    with SmppClient(smsc.port) as client:
        assert client.bind().status == 0


# --- what is printed ----------------------------------------------------------------------------------------

SMS = ReceivedSms(
    originator="ACME",
    destination=PHONE,
    text="Door [open]\n\x1b[31mnow",
    binary=b"",
    order=(2, 1),
    alphabet=GSM,
    data_coding=0x10,
    flash=True,
    registered_delivery=1,
    message_ids=("A1", "A2"),
    pdus=(b"\xaa", b"\xbb"),
    received_at=1732190400.0,
)


def printed(sms: ReceivedSms, *, as_json: bool) -> str:
    output = io.StringIO()
    Printer(output, as_json=as_json, sms_count=0, ended=threading.Event()).show(sms)
    return output.getvalue()


def test_phone_screen() -> None:
    shown = printed(SMS, as_json=False)
    assert "ACME → 447973100000" in shown
    assert "Door [open]" in shown
    assert "2 parts, came 2 1 · GSM 7-bit · dcs 10 · flash · receipt" in shown


def test_a_message_does_not_speak_to_the_terminal() -> None:
    assert "\x1b" not in printed(SMS, as_json=False)
    assert "␛[31mnow" in as_screen(SMS).renderable.plain  # type: ignore[union-attr]


def test_json_line() -> None:
    line = printed(SMS, as_json=True)
    assert line.count("\n") == 1
    assert json.loads(line) == {
        "originator": "ACME",
        "destination": PHONE,
        "text": SMS.text,
        "binary": "",
        "parts": 2,
        "order": [2, 1],
        "alphabet": GSM,
        "data_coding": 16,
        "flash": True,
        "ports": None,
        "registered_delivery": 1,
        "message_ids": ["A1", "A2"],
        "pdus": ["AA", "BB"],
        "received_at": "2024-11-21T12:00:00Z",
    }
    assert list(as_fields(SMS)) == list(json.loads(line))


def test_printing_ends_with_the_count() -> None:
    output, ended = io.StringIO(), threading.Event()
    printer = Printer(output, as_json=True, sms_count=2, ended=ended)
    printer.show(SMS)
    assert not ended.is_set()
    printer.show(SMS)
    printer.show(SMS)
    assert ended.is_set()
    assert output.getvalue().count("\n") == 2


def test_printing_ends_when_nobody_reads() -> None:
    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    ended = threading.Event()
    Printer(Closed(), as_json=True, sms_count=0, ended=ended).show(SMS)
    assert ended.is_set()


COMMAND = """
import sys
from sms_milter.simulate import Options, run_simulate
sys.exit(run_simulate(port=0, {}))
"""


@contextmanager
def running(arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-c", COMMAND.format(arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            yield process, int(process.stderr.readline().split()[-1])
        finally:
            process.kill()


def test_command_ends_after_its_last_receipt() -> None:
    arguments = "as_json=True, sms_count=1, options=Options(receipt_delay=0.2)"
    with running(arguments) as (process, port), SmppClient(port) as client:
        client.bind()
        client.submit(PHONE, registered_delivery=1)
        client.acknowledge(client.read())
        output, notes = process.communicate(timeout=10)
    assert (process.returncode, notes) == (0, "")
    assert json.loads(output)["text"] == "Hi"


def test_command_ends_by_signal_and_names_what_is_incomplete() -> None:
    with running("") as (process, port), SmppClient(port) as client:
        client.bind()
        client.submit(PHONE, bytes.fromhex("050003000201"), esm_class=0x40)
        process.terminate()
        output, notes = process.communicate(timeout=10)
    assert (process.returncode, output) == (0, "")
    assert notes == f"incomplete: 1 of 2 parts for {PHONE}\n"
