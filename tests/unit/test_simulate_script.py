"""A scripted SMSC: every way to misbehave does what its name says, and nothing else."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sms_milter.config.load import load_section
from sms_milter.errors import ConfigError
from sms_milter.simulate import Options, Simulator
from sms_milter.smpp import codec, mobile, receipt
from support.smpp_client import Answer, SmppClient

PHONE = "447973100000"
SUBMIT_RESP, DELIVER_SM, DATA_SM, UNBIND, OUTBIND = 0x80000004, 0x05, 0x103, 0x06, 0x0B
EXAMPLE = Path(__file__).resolve().parents[2] / "contrib" / "simulator" / "misbehaving.yaml"


@pytest.fixture
def script() -> dict[str, Any]:
    return {}


@pytest.fixture
def simulator(script: dict[str, Any]) -> Iterator[Simulator]:
    with Simulator(options=Options.model_validate(script)) as simulator:
        yield simulator


@pytest.fixture
def esme(simulator: Simulator) -> Iterator[SmppClient]:
    with SmppClient(simulator.port) as client:
        assert client.bind().status == 0
        yield client


def rules(*rules: dict[str, Any], **more: Any) -> Any:
    return pytest.mark.parametrize("script", [{"rules": rules, **more}])


def receipt_rule(**fields: Any) -> Any:
    return rules({"receipt": fields})


def message_id(answer: Answer) -> str:
    return answer.body.partition(b"\0")[0].decode()


def read_receipt(answer: Answer) -> receipt.Receipt:
    """As our own reader understands it."""
    parse = codec.parse_data_sm if answer.command == DATA_SM else codec.parse_deliver_sm
    found = receipt.read(parse(answer.body))
    assert found is not None
    return found


# --- which submit_sm ----------------------------------------------------------------------------------------


@rules({"to": "44*1", "act": "refuse", "status": "0x0B"}, {"to": "44*", "act": "refuse", "status": 88})
def test_the_first_rule_that_fits_counts(esme: SmppClient) -> None:
    statuses = [esme.submit(phone).status for phone in ("447973100001", "447973100002", "417973100001")]
    assert statuses == [0x0B, 0x58, 0]


@rules({"act": "refuse", "status": 8, "times": 2})
def test_a_rule_may_hold_for_the_first_tries_of_each_submit_sm(esme: SmppClient) -> None:
    tries = [esme.submit(phone).status for phone in (PHONE, PHONE, "447973100001", PHONE, "447973100001")]
    assert tries == [8, 8, 8, 0, 8]


@rules({"act": "refuse", "status": 8, "share": 30})
def test_a_share_of_them_hangs_on_the_seed(esme: SmppClient, script: dict[str, Any]) -> None:
    met = [esme.submit(PHONE).status for _ in range(200)]
    assert 30 < met.count(8) < 90
    with Simulator(options=Options.model_validate(script)) as other, SmppClient(other.port) as client:
        client.bind()
        assert [client.submit(PHONE).status for _ in range(200)] == met


@rules({"to": "1*"}, faults=False)
def test_destinations_order_nothing_when_faults_are_off(esme: SmppClient) -> None:
    assert esme.submit("447973100901").status == 0


@rules({"to": "1*"})
def test_destinations_order_faults_where_no_rule_fits(esme: SmppClient) -> None:
    assert esme.submit("447973100901").status == 0x0B


# --- responses ----------------------------------------------------------------------------------------------


@rules({"to": "*1", "delay": "150ms"})
def test_responses_come_out_of_order(esme: SmppClient) -> None:
    slow, fast = esme.send_submit("447973100001"), esme.send_submit("447973100002")
    assert [esme.read().sequence for _ in range(2)] == [fast, slow]


@rules({"twice": True})
def test_a_response_comes_twice(esme: SmppClient) -> None:
    first = esme.submit(PHONE)
    assert esme.read() == first


@rules({"act": "lose"})
def test_a_response_is_lost_and_the_message_taken(simulator: Simulator, esme: SmppClient) -> None:
    esme.send_submit(PHONE)
    assert esme.ask(0x15).command == 0x80000015
    assert simulator.tally.accepted == 1


@rules({"act": "cut"})
def test_the_connection_ends_within_a_response(simulator: Simulator) -> None:
    with SmppClient(simulator.port) as client:
        client.bind()
        client.send_submit(PHONE)
        rest = client.read_rest()
    assert 0 < len(rest) < 16 + 2
    assert simulator.tally.accepted == 1


@rules({"act": "outbind"})
def test_an_outbind_stands_before_the_answer(esme: SmppClient) -> None:
    assert esme.submit(PHONE).command == OUTBIND
    assert esme.read().command == SUBMIT_RESP


@rules({"act": "unknown"})
def test_a_request_that_nobody_knows_stands_before_the_answer(esme: SmppClient) -> None:
    assert esme.submit(PHONE).command == 0x00010200
    assert esme.read().command == SUBMIT_RESP


@pytest.mark.parametrize(
    ("script", "form"),
    [
        ({"rules": [{"id": "decimal"}]}, r"[0-9]+"),
        ({"rules": [{"id": "hex"}]}, r"[0-9A-F]+"),
        ({"rules": [{"id": "padded"}]}, r"0+[0-9]+"),
        ({"rules": [{"id": "uuid"}]}, r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        ({"rules": [{"id": "constant"}]}, r"1"),
        ({"rules": [{"id": "empty"}]}, r""),
    ],
)
def test_message_ids_in_every_form(esme: SmppClient, form: str) -> None:
    assert re.fullmatch(form, message_id(esme.submit(PHONE)))


@rules({"tlvs": "vendor"})
def test_a_vendors_tlv_in_the_response(esme: SmppClient) -> None:
    assert esme.submit(PHONE).body.endswith(b"\0\x14\x00\x00\x03\x01\x02\x03")


@rules({"tlvs": "no-nul"})
def test_a_message_id_without_its_nul(esme: SmppClient) -> None:
    assert not esme.submit(PHONE).body.endswith(b"\0")


@pytest.mark.parametrize("script", [{"fragment": 3}])
def test_octets_come_in_pieces(esme: SmppClient) -> None:
    assert message_id(esme.submit(PHONE))


# --- receipts -----------------------------------------------------------------------------------------------


@receipt_rule(when="before")
def test_a_receipt_before_its_response(esme: SmppClient) -> None:
    early = esme.submit(PHONE, registered_delivery=1)
    assert read_receipt(early).message_id == message_id(esme.read())


@receipt_rule(interim=["ENROUTE", "BUFFRED"], stat="UNDELIV", error="21b")
def test_the_way_is_told_before_the_end(esme: SmppClient) -> None:
    esme.submit(PHONE, registered_delivery=0x11)
    told = [read_receipt(esme.read()) for _ in range(3)]
    assert [one.stat for one in told] == ["ENROUTE", "ENROUTE", "UNDELIV"]
    assert told[2].error == "21b"


@receipt_rule(interim=["ENROUTE"])
def test_the_way_is_not_told_unasked(esme: SmppClient) -> None:
    esme.submit(PHONE, registered_delivery=1)
    assert read_receipt(esme.read()).stat == "DELIVRD"


@receipt_rule(carrier="data_sm")
def test_a_receipt_in_a_data_sm(esme: SmppClient) -> None:
    sent = message_id(esme.submit(PHONE, registered_delivery=1))
    answer = esme.read()
    assert answer.command == DATA_SM
    assert read_receipt(answer).message_id == sent


@receipt_rule(place="message_payload")
def test_a_receipt_in_the_payload(esme: SmppClient) -> None:
    sent = message_id(esme.submit(PHONE, registered_delivery=1))
    answer = esme.read()
    assert answer.command == DELIVER_SM
    assert (read_receipt(answer).message_id, read_receipt(answer).stat) == (sent, "DELIVRD")


@pytest.mark.parametrize(
    ("script", "form"),
    [({"rules": [{"receipt": {"id": form, "tlvs": "none"}}]}, form) for form in ("decimal", "padded", "hex")],
)
def test_another_form_of_the_id_in_the_receipt(esme: SmppClient, form: str) -> None:
    number = int(message_id(esme.submit(PHONE, registered_delivery=1)), 16)
    forms = {"decimal": str(number), "padded": f"{number:020}", "hex": f"{number:X}"}
    assert read_receipt(esme.read()).message_id == forms[form]


@pytest.mark.parametrize(
    "script", [{"rules": [{"receipt": {"tlvs": name}}]} for name in ("no-nul", "vendor")]
)
def test_odd_tlvs_in_a_receipt(esme: SmppClient) -> None:
    sent = message_id(esme.submit(PHONE, registered_delivery=1))
    assert read_receipt(esme.read()).message_id == sent


@receipt_rule(dated="3d", dates="14")
def test_a_receipt_from_the_future(esme: SmppClient) -> None:
    esme.submit(PHONE, registered_delivery=1)
    done_at = read_receipt(esme.read()).done_at
    assert done_at is not None
    assert abs(done_at - (time.time() + 3 * 86400)) < 120


@receipt_rule(parts="last", times=2)
def test_a_receipt_for_the_last_part_only(simulator: Simulator, esme: SmppClient) -> None:
    for number in (1, 2):
        part = bytes((5, 0, 3, 9, 2, number)) + b"text"
        esme.send_submit(PHONE, part, esm_class=0x40, registered_delivery=1)
    answers = [esme.read() for _ in range(4)]
    ids = [message_id(one) for one in answers if one.command == SUBMIT_RESP]
    told = [read_receipt(one).message_id for one in answers if one.command == DELIVER_SM]
    assert told == [ids[1]] * 2


@receipt_rule(when="never")
def test_no_receipt(simulator: Simulator, esme: SmppClient) -> None:
    esme.submit(PHONE, registered_delivery=1)
    assert simulator.tally.receipts == 0


# --- cancel_sm ----------------------------------------------------------------------------------------------


def cancel(esme: SmppClient, identifier: str, destination: str = PHONE) -> int:
    body = f"\0{identifier}\0\5\0ME\0\1\1".encode() + f"{destination}\0".encode()
    return esme.ask(0x08, body).status


@receipt_rule(delay="200ms")
def test_what_is_on_its_way_can_be_cancelled_once(esme: SmppClient) -> None:
    identifier = message_id(esme.submit(PHONE, registered_delivery=1))
    assert cancel(esme, identifier, "447973100001") == 0x11
    assert cancel(esme, identifier) == 0
    assert cancel(esme, identifier) == 0x11
    assert read_receipt(esme.read()).stat == "DELETED"


@receipt_rule(when="after")
def test_what_has_arrived_cannot_be_cancelled(esme: SmppClient) -> None:
    identifier = message_id(esme.submit(PHONE, registered_delivery=1))
    assert read_receipt(esme.read()).stat == "DELIVRD"
    assert cancel(esme, identifier) == 0x11


# --- binds --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script", [{"refuse_binds": [{"status": "0x05", "times": 2}, {"status": "0x0E"}, {"lasting": "150ms"}]}]
)
def test_binds_are_refused_one_rule_after_the_other(simulator: Simulator) -> None:
    with SmppClient(simulator.port) as client:
        assert [client.bind().status for _ in range(5)] == [5, 5, 0x0E, 0x0D, 0x0D]
        time.sleep(0.2)
        assert client.bind().status == 0


@pytest.mark.parametrize("script", [{"hold_binds": "200ms"}])
def test_a_lost_connection_stays_bound_for_a_while(simulator: Simulator) -> None:
    with SmppClient(simulator.port) as first:
        assert first.bind().status == 0
    time.sleep(0.05)
    with SmppClient(simulator.port) as second:
        assert second.bind().status == 5
        assert second.bind(system_id="other").status == 0
    time.sleep(0.25)
    with SmppClient(simulator.port) as third:
        assert third.bind().status == 0
        third.ask(UNBIND)
    with SmppClient(simulator.port) as fourth:
        assert fourth.bind().status == 0


@pytest.mark.parametrize("script", [{"binds": 2}])
def test_so_many_binds_are_granted_and_no_more(simulator: Simulator) -> None:
    with SmppClient(simulator.port) as first, SmppClient(simulator.port) as second:
        assert (first.bind().status, second.bind().status) == (0, 0)
        with SmppClient(simulator.port) as third:
            assert third.bind().status == 5
            assert third.bind(system_id="other").status == 0
        first.ask(UNBIND)
        with SmppClient(simulator.port) as fourth:
            assert fourth.bind().status == 0
    assert simulator.tally.most_bound == 2


# --- phones -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("joined_by", ["udh8", "udh16", "sar"])
def test_a_message_from_a_phone_in_parts(joined_by: str) -> None:
    text = "A reply of three parts: да 😀"
    rule = {"text": text, "parts": 3, "order": [3, 1, 2], "joined_by": joined_by}
    options = Options.model_validate({"mobile": [rule]})
    with Simulator(options=options) as simulator, SmppClient(simulator.port) as client:
        client.bind()
        parts = [
            mobile.read(codec.parse_deliver_sm(client.read().body), "main", "gsm7", 0.0) for _ in range(3)
        ]
    assert [part.number for part in parts] == [3, 1, 2]
    assert {(part.reference, part.total, part.source) for part in parts} == {(1, 3, PHONE)}
    joined = b"".join(part.content for part in sorted(parts, key=lambda part: part.number))
    assert joined.decode("utf-16-be") == text


@pytest.mark.parametrize("script", [{"mobile": [{"text": "one two thr", "parts": 3, "missing": [2]}]}])
def test_a_part_never_comes(esme: SmppClient) -> None:
    contents = [codec.parse_deliver_sm(esme.read().body).short_message[6:] for _ in range(2)]
    assert contents == [b"one ", b"thr"]
    assert esme.ask(0x15).command == 0x80000015


# --- the file -----------------------------------------------------------------------------------------------


def test_the_example_is_a_script() -> None:
    options = load_section(EXAMPLE, Options)
    assert {rule.act for rule in options.rules} >= {"refuse", "nack", "silence", "lose", "cut", "stall"}
    assert options.refuse_binds[0].status == 5


def test_every_fault_in_a_script_is_named_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "script.yaml"
    path.write_text("rules:\n  - {act: explode}\n  - {delay: soon}\nratte: 5\n")
    with pytest.raises(ConfigError) as caught:
        load_section(path, Options)
    assert [str(fault).removeprefix(f"{path}:") for fault in caught.value.faults] == [
        "2: rules[0].act: found 'explode', expected one of accept, refuse, silence, lose, close,"
        " take-and-close, cut, stall, nack, unbind, outbind, unknown",
        "3: rules[1].delay: found 'soon', expected a time such as 40ms, 3s or 2d",
        "4: ratte: there is no such setting; did you mean 'rate'?",
    ]
    with pytest.raises(ConfigError, match="no such file"):
        load_section(tmp_path / "none.yaml", Options)
