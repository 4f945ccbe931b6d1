"""The session: octets and a time in, events and octets out."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from sms_milter.errors import LocalProtocolError
from sms_milter.model import SubmitSm
from sms_milter.smpp import codec
from sms_milter.smpp.codec import DeliverSm, Frame
from sms_milter.smpp.events import (
    Accepted,
    BindRefused,
    Bound,
    Broken,
    Delivery,
    Event,
    LateResponse,
    Odd,
    Refused,
    Unbound,
    Uncertain,
)
from sms_milter.smpp.options import SessionOptions
from sms_milter.smpp.session import Session
from sms_milter.smpp.states import State

OPTIONS = SessionOptions(
    "acme", "secret", window=3, enquire_link_seconds=30, response_timeout_seconds=10, drain_timeout_seconds=5
)
BODY = codec.compose(SubmitSm(destination_addr="447973100000", short_message=b"Hello")).body
DELIVERY = b"\0\1\x01448311234567\0\5\0ME\0\4\0\0\0\0\0\0\0\0\4id:1"


def sent(session: Session) -> list[Frame]:
    """The PDUs that wait to leave."""
    return codec.FrameReader().feed(session.outbound())


def bound_session(options: SessionOptions = OPTIONS, now: float = 0.0) -> Session:
    session = Session(options)
    session.connected(now)
    ((command_id, _, sequence, _),) = sent(session)
    events = session.receive(codec.frame(command_id | codec.RESPONSE, 0, sequence, b"SMSC\0"), now)
    assert events == [Bound("SMSC", None)]
    return session


def submit(session: Session, *keys: object, now: float = 0.0) -> list[int]:
    sequences = session.reserve(len(keys))
    for key, sequence in zip(keys, sequences, strict=True):
        session.submit(key, sequence, BODY, now)
    return sequences


def accept(sequence: int, message_id: str = "5F1A2B") -> bytes:
    return codec.frame(codec.SUBMIT_SM_RESP, 0, sequence, message_id.encode() + b"\0")


def request(command_id: int, sequence: int = 7, body: bytes = b"") -> bytes:
    return codec.frame(command_id, 0, sequence, body)


def named(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


# --- binding ------------------------------------------------------------------------------------------------


def test_the_bind_is_sent_at_once_and_answered() -> None:
    session = Session(OPTIONS)
    session.connected(0.0)
    assert session.state is State.BINDING
    assert session.outbound() == codec.bind("transceiver", 1, system_id="acme", password="secret")
    resp = bytes.fromhex("0000001A800000090000000000000001534D5343000210000134")
    assert session.receive(resp, 1.0) == [Bound("SMSC", 0x34)]
    assert session.state is State.BOUND
    assert session.bind_status == 0
    assert session.free == 3


def test_a_refused_bind_ends_the_session() -> None:
    session = Session(OPTIONS)
    session.connected(0.0)
    assert session.receive(codec.frame(0x80000009, 0x0E, 1), 0.0) == [BindRefused(0x0E)]
    assert session.finished
    assert session.bind_status == 0x0E


def test_a_generic_nack_refuses_a_bind_too() -> None:
    session = Session(OPTIONS)
    session.connected(0.0)
    assert session.receive(codec.generic_nack(1, 3), 0.0) == [BindRefused(3)]


def test_a_bind_without_answer_breaks() -> None:
    session = Session(OPTIONS)
    session.connected(0.0)
    assert session.deadline() == 10.0
    assert session.tick(9.9) == []
    assert session.tick(10.0) == [Broken("no answer to the bind within 10 s")]
    assert session.finished


def test_a_response_to_another_bind_does_not_bind() -> None:
    session = Session(OPTIONS)
    session.connected(0.0)
    assert named(session.receive(codec.frame(0x80000009, 0, 2, b"SMSC\0"), 0.0)) == ["Odd"]
    assert session.state is State.BINDING


def test_a_second_bind_response_is_odd_and_no_more() -> None:
    session = bound_session()
    assert named(session.receive(codec.frame(0x80000009, 0x0E, 1), 0.0)) == ["Odd"]
    assert session.state is State.BOUND


def test_the_password_is_in_no_repr() -> None:
    assert "secret" not in repr(OPTIONS)


# --- submitting ---------------------------------------------------------------------------------------------


def test_a_submit_leaves_with_its_number_and_is_accepted() -> None:
    session = bound_session()
    (sequence,) = submit(session, "part-1")
    assert session.outbound() == codec.stamp(sequence, BODY)
    assert session.outbound() == b""
    assert session.receive(accept(sequence), 1.0) == [Accepted("part-1", "5F1A2B")]
    assert (session.submitted, session.accepted, session.free) == (1, 1, 3)


def test_responses_may_come_in_any_order() -> None:
    session = bound_session()
    one, two, three = submit(session, "a", "b", "c")
    assert session.free == 0
    data = accept(three, "3") + accept(one, "1") + accept(two, "")
    assert session.receive(data, 1.0) == [Accepted("c", "3"), Accepted("a", "1"), Accepted("b", "")]


def test_a_refusal_may_come_without_body_or_with_a_reason() -> None:
    session = bound_session()
    one, two = submit(session, "a", "b")
    reason = b"\0" + codec.tlv(codec.TLV_ADDITIONAL_STATUS_INFO_TEXT, b"no credit")
    data = codec.frame(codec.SUBMIT_SM_RESP, 0x58, one) + codec.frame(codec.SUBMIT_SM_RESP, 0x45, two, reason)
    assert session.receive(data, 1.0) == [Refused("a", 0x58), Refused("b", 0x45, "no credit")]
    assert session.state is State.BOUND
    assert session.refused == 2


def test_a_generic_nack_refuses_the_submit_it_names() -> None:
    session = bound_session()
    one, two = submit(session, "a", "b")
    data = codec.generic_nack(one, 2) + codec.generic_nack(two, 0)
    assert session.receive(data, 1.0) == [
        Refused("a", 2, "generic_nack"),
        Refused("b", 0xFF, "generic_nack"),
    ]


def test_a_generic_nack_for_our_unbind_resp_refuses_no_submit() -> None:
    session = bound_session()
    one, _ = submit(session, "a", "b")
    assert session.receive(request(codec.UNBIND, one), 1.0) == []
    assert named(session.receive(codec.generic_nack(one, 3), 1.0)) == ["Broken"]
    assert named(session.closed(1.0)) == ["Uncertain", "Uncertain"]


@pytest.mark.parametrize("sequence", [0, 999])
def test_a_generic_nack_for_nothing_breaks(sequence: int) -> None:
    session = bound_session()
    submit(session, "a")
    assert named(session.receive(codec.generic_nack(sequence, 3), 1.0)) == ["Broken"]
    assert session.closed(1.0) == [Uncertain("a", "connection lost")]


def test_an_smsc_that_forgot_our_bind_breaks() -> None:
    session = bound_session()
    one, _ = submit(session, "a", "b")
    events = session.receive(codec.frame(codec.SUBMIT_SM_RESP, 0x04, one), 1.0)
    assert events[0] == Refused("a", 0x04)
    assert named(events) == ["Refused", "Broken"]
    assert session.finished


def test_the_window_holds() -> None:
    session = bound_session()
    submit(session, 1, 2, 3)
    with pytest.raises(LocalProtocolError, match="window"):
        submit(session, 4)
    assert session.submitted == 3


def test_a_number_under_way_is_not_given_twice() -> None:
    session = bound_session()
    (sequence,) = submit(session, 1)
    with pytest.raises(LocalProtocolError, match="sequence"):
        session.submit(2, sequence, BODY, 0.0)


def test_a_receiver_submits_nothing() -> None:
    session = bound_session(replace(OPTIONS, kind="receiver"))
    assert session.free == 0
    with pytest.raises(LocalProtocolError):
        submit(session, 1)


def test_sequence_numbers_wrap_to_one() -> None:
    session = Session(OPTIONS, first_sequence=codec.HIGHEST_SEQUENCE - 1)
    assert session.reserve(4) == [codec.HIGHEST_SEQUENCE - 1, codec.HIGHEST_SEQUENCE, 1, 2]
    assert session.reserve(1) == [3]
    session = Session(OPTIONS, first_sequence=codec.HIGHEST_SEQUENCE)
    assert session.reserve(1) == [codec.HIGHEST_SEQUENCE]
    assert session.next_sequence == 1
    assert session.reserve(0) == []
    assert session.reserve(2) == [1, 2]


def test_a_submit_without_response_is_uncertain_and_the_link_is_asked_whether_it_lives() -> None:
    session = bound_session(replace(OPTIONS, window=1))
    submit(session, "part-1", now=0.0)
    session.outbound()
    assert session.deadline() == 10.0
    assert session.tick(9.9) == []
    assert session.tick(10.1) == [Uncertain("part-1", "no response within 10 s")]
    assert session.uncertain == 1
    assert session.outbound()[4:8] == bytes((0, 0, 0, 0x15))
    assert session.deadline() == 20.0
    assert session.closed(11.0) == []


def test_a_link_that_does_not_answer_that_is_broken() -> None:
    session = bound_session(replace(OPTIONS, window=2, response_timeout_seconds=30))
    submit(session, "old", now=0.0)
    submit(session, "young", now=25.0)
    session.tick(30.0)
    assert named(session.tick(40.0)) == ["Broken"]
    assert session.closed(40.0, "silence") == [Uncertain("young", "silence")]


def test_only_those_whose_time_is_over_are_given_up() -> None:
    session = bound_session()
    submit(session, "old", now=0.0)
    (young,) = submit(session, "young", now=5.0)
    assert named(session.tick(10.0)) == ["Uncertain"]
    assert session.receive(accept(young), 10.0) == [Accepted("young", "5F1A2B", 5.0)]


def test_what_is_missing_keeps_its_place_in_the_window_for_as_long_again() -> None:
    session = bound_session(replace(OPTIONS, window=2))
    submit(session, "lost", now=0.0)
    session.tick(10.0)
    assert session.free == 1
    (other,) = submit(session, "other", now=10.0)
    with pytest.raises(LocalProtocolError, match="window"):
        submit(session, "third", now=10.0)
    session.receive(accept(other), 11.0)
    assert session.tick(19.9) == []
    assert session.free == 1
    assert session.tick(20.0) == []
    assert session.free == 2


def test_its_response_frees_the_place() -> None:
    session = bound_session(replace(OPTIONS, window=1))
    (late,) = submit(session, "late", now=0.0)
    session.tick(10.0)
    assert session.free == 0
    assert session.receive(accept(late), 15.0) == [LateResponse("late", late, 0, "5F1A2B")]
    assert session.free == 1
    assert named(session.tick(24.9)) == []


def test_a_session_in_which_nothing_is_answered_is_broken() -> None:
    session = bound_session(replace(OPTIONS, window=1))
    submit(session, "lost", now=0.0)
    session.tick(10.0)
    session.receive(codec.enquire_link_resp(2), 10.5)
    assert session.tick(19.9) == []
    assert session.tick(20.0) == [Broken("no response to anything for 20 s")]


def test_a_late_response_is_told_once() -> None:
    session = bound_session()
    one, two, three = submit(session, "a", "b", "c")
    session.tick(10.0)
    late = accept(one, "77") + codec.frame(codec.SUBMIT_SM_RESP, 0x0B, two) + codec.generic_nack(three, 8)
    assert session.receive(late, 11.0) == [
        LateResponse("a", one, 0, "77"),
        LateResponse("b", two, 0x0B, ""),
        LateResponse("c", three, 8, ""),
    ]
    assert named(session.receive(accept(one, "77"), 11.0)) == ["Odd"]


def test_a_lost_connection_leaves_open_submits_uncertain_in_their_order() -> None:
    session = bound_session()
    submit(session, "a", "b")
    assert session.closed(1.0, "reset") == [Uncertain("a", "reset"), Uncertain("b", "reset")]
    assert session.state is State.CLOSED
    assert session.closed(1.0) == []
    assert session.deadline() is None


def test_a_response_to_nothing_is_odd() -> None:
    session = bound_session()
    assert named(session.receive(accept(99), 0.0)) == ["Odd"]
    assert session.state is State.BOUND


# --- deliveries ---------------------------------------------------------------------------------------------


def test_a_delivery_waits_for_our_word() -> None:
    session = bound_session()
    (event,) = session.receive(request(codec.DELIVER_SM, 7, DELIVERY), 0.0)
    assert event == Delivery(7, DeliverSm(1, 1, "448311234567", 5, 0, "ME", 4, 0, b"id:1", {}))
    assert sent(session) == []
    session.acknowledge(7, 0, 0.0)
    assert session.outbound() == codec.deliver_sm_resp(7)


def test_data_sm_is_a_delivery_with_its_own_response() -> None:
    session = bound_session()
    (event,) = session.receive(request(codec.DATA_SM, 8, b"\0\1\x0144\0\5\0ME\0\4\0\0"), 0.0)
    assert isinstance(event, Delivery)
    assert event.data_sm
    session.acknowledge(8, 0x14, 0.0, data_sm=event.data_sm)
    assert session.outbound() == codec.data_sm_resp(8, 0x14)


@pytest.mark.parametrize(
    ("command_id", "response_id"),
    [(codec.DELIVER_SM, codec.DELIVER_SM_RESP), (codec.DATA_SM, codec.DATA_SM_RESP)],
)
def test_a_delivery_that_means_nothing_costs_only_itself(command_id: int, response_id: int) -> None:
    session = bound_session()
    data = request(command_id, 7, b"\0\1") + request(codec.ENQUIRE_LINK, 8)
    assert named(session.receive(data, 0.0)) == ["Odd"]
    assert [frame[:3] for frame in sent(session)] == [(response_id, 2, 7), (codec.ENQUIRE_LINK_RESP, 0, 8)]


def test_a_transmitter_takes_no_deliveries() -> None:
    session = bound_session(replace(OPTIONS, kind="transmitter"))
    assert named(session.receive(request(codec.DELIVER_SM, 7, DELIVERY), 0.0)) == ["Odd"]
    assert [frame[:3] for frame in sent(session)] == [(codec.DELIVER_SM_RESP, 4, 7)]
    assert session.state is State.BOUND


def test_an_acknowledgement_after_the_end_goes_nowhere() -> None:
    session = bound_session()
    session.receive(request(codec.DELIVER_SM, 7, DELIVERY), 0.0)
    session.closed(0.0)
    session.acknowledge(7, 0, 0.0)
    assert session.outbound() == b""


# --- other PDUs ---------------------------------------------------------------------------------------------


def test_an_enquiry_is_answered_even_while_the_window_is_full() -> None:
    session = bound_session()
    submit(session, 1, 2, 3)
    session.outbound()
    assert session.receive(request(codec.ENQUIRE_LINK, 8), 0.0) == []
    assert session.outbound() == codec.enquire_link_resp(8)


@pytest.mark.parametrize("command_id", [codec.ALERT_NOTIFICATION, codec.OUTBIND])
def test_some_requests_want_no_answer(command_id: int) -> None:
    session = bound_session()
    assert session.receive(request(command_id, 7, b"\1\x01447\0"), 0.0) == []
    assert session.outbound() == b""


@pytest.mark.parametrize("command_id", [0x0, 0x3, codec.SUBMIT_SM, 0x9, 0x21, 0x12345])
def test_an_unknown_request_gets_a_generic_nack(command_id: int) -> None:
    session = bound_session()
    assert named(session.receive(request(command_id, 7), 0.0)) == ["Odd"]
    assert session.outbound() == codec.generic_nack(7, 3)


def test_an_unknown_response_gets_nothing() -> None:
    session = bound_session()
    assert named(session.receive(request(0x80000003, 7), 0.0)) == ["Odd"]
    assert session.outbound() == b""


@pytest.mark.parametrize("length", [4, 80_000])
def test_a_stream_out_of_step_is_nacked_and_broken(length: int) -> None:
    session = bound_session()
    (sequence,) = submit(session, "a")
    session.outbound()
    wrong = struct.pack(">4I", length, 5, 0, 7)
    events = session.receive(accept(sequence) + wrong, 0.0)
    assert named(events) == ["Accepted", "Broken"]
    assert session.outbound() == codec.generic_nack(7 if length > 16 else 0, 2)
    assert session.receive(codec.enquire_link(9), 0.0) == []
    assert session.outbound() == b""


def test_an_ended_session_says_no_more() -> None:
    session = bound_session()
    session.receive(codec.generic_nack(0, 3), 0.0)
    assert session.receive(codec.enquire_link(8) + codec.unbind(9) + bytes(16), 0.0) == []
    assert session.outbound() == b""


def test_octets_without_a_connection_are_our_error() -> None:
    with pytest.raises(LocalProtocolError):
        Session(OPTIONS).receive(b"", 0.0)


def test_half_a_pdu_may_wait_but_not_for_ever() -> None:
    session = bound_session()
    session.receive(codec.enquire_link(8)[:10], 1.0)
    session.receive(codec.enquire_link(8)[10:12], 9.0)
    assert session.deadline() == 11.0
    assert session.tick(10.9) == []
    assert session.tick(11.0) == [Broken("half a PDU for 10 s")]


def test_the_rest_of_a_pdu_ends_that_wait() -> None:
    session = bound_session()
    session.receive(codec.enquire_link(8)[:10], 1.0)
    session.receive(codec.enquire_link(8)[10:] + codec.enquire_link(9)[:1], 9.0)
    assert session.tick(18.9) == []
    assert named(session.tick(19.0)) == ["Broken"]


# --- the link's health --------------------------------------------------------------------------------------


def test_silence_is_enquired_about() -> None:
    session = bound_session()
    assert session.deadline() == 30.0
    assert session.tick(29.9) == []
    assert session.outbound() == b""
    assert session.tick(30.0) == []
    ((command_id, _, sequence, _),) = sent(session)
    assert command_id == codec.ENQUIRE_LINK
    assert session.deadline() == 40.0
    assert session.receive(codec.enquire_link_resp(sequence), 31.0) == []
    assert session.deadline() == 61.0


def test_no_answer_to_an_enquiry_breaks() -> None:
    session = bound_session()
    session.tick(30.0)
    assert session.tick(39.9) == []
    assert session.tick(40.0) == [Broken("no answer to enquire_link within 10 s")]


@pytest.mark.parametrize(
    "data",
    [request(codec.DELIVER_SM, 7, DELIVERY), request(codec.ENQUIRE_LINK, 7)],
    ids=["deliver", "enquire"],
)
def test_any_pdu_is_a_sign_of_life(data: bytes) -> None:
    session = bound_session()
    session.receive(data, 20.0)
    assert session.deadline() == 50.0
    session.tick(50.0)
    session.receive(data, 55.0)
    assert session.tick(60.0) == []
    assert session.state is State.BOUND


def test_a_nacked_enquiry_is_answered_all_the_same() -> None:
    session = bound_session()
    session.tick(30.0)
    ((_, _, sequence, _),) = sent(session)
    assert session.receive(codec.generic_nack(sequence, 3), 31.0) == []
    assert session.state is State.BOUND


def test_enquiries_can_be_switched_off() -> None:
    session = bound_session(replace(OPTIONS, enquire_link_seconds=0))
    assert session.deadline() is None
    assert session.tick(1e6) == []
    assert session.outbound() == b""


# --- unbinding ----------------------------------------------------------------------------------------------


def test_an_idle_session_unbinds_at_once() -> None:
    session = bound_session()
    session.unbind(0.0)
    ((command_id, _, sequence, _),) = sent(session)
    assert (command_id, session.state) == (codec.UNBIND, State.UNBINDING)
    assert session.receive(codec.unbind_resp(sequence), 1.0) == [Unbound("unbound")]
    assert session.finished


def test_open_submits_may_be_answered_before_the_unbind() -> None:
    session = bound_session()
    (sequence,) = submit(session, "a")
    session.outbound()
    session.unbind(0.0)
    assert session.state is State.DRAINING
    assert session.free == 0
    assert session.outbound() == b""
    assert session.receive(accept(sequence), 1.0) == [Accepted("a", "5F1A2B")]
    assert [frame[0] for frame in sent(session)] == [codec.UNBIND]


def test_draining_is_bounded_and_so_is_the_wait_for_the_answer() -> None:
    session = bound_session()
    submit(session, "a")
    session.outbound()
    session.unbind(1.0)
    assert session.deadline() == 6.0
    assert session.tick(6.0) == []
    assert [frame[0] for frame in sent(session)] == [codec.UNBIND]
    assert session.deadline() == 10.0  # the response timer of the submit
    session = bound_session()
    session.unbind(1.0)
    assert session.tick(6.0) == [Unbound("no unbind_resp within 5 s")]
    assert session.closed(6.0) == []


def test_deliveries_are_taken_until_the_end() -> None:
    session = bound_session()
    session.unbind(0.0)
    session.outbound()
    assert named(session.receive(request(codec.DELIVER_SM, 7, DELIVERY), 0.0)) == ["Delivery"]
    session.acknowledge(7, 0, 0.0)
    assert session.outbound() == codec.deliver_sm_resp(7)


def test_unbinding_before_the_bind_ends_at_once() -> None:
    session = Session(OPTIONS)
    session.connected(0.0)
    session.unbind(0.0)
    assert session.finished
    assert session.deadline() == 0.0
    assert session.tick(0.0) == [Unbound("given up before it was bound")]
    assert session.deadline() is None


def test_the_smscs_unbind_is_answered_and_open_submits_may_still_be() -> None:
    session = bound_session()
    (sequence,) = submit(session, "a")
    session.outbound()
    assert session.receive(request(codec.UNBIND, 9), 0.0) == []
    assert session.outbound() == codec.unbind_resp(9)
    assert session.free == 0
    assert session.receive(accept(sequence), 1.0) == [Accepted("a", "5F1A2B"), Unbound("unbound by the SMSC")]
    assert session.finished


def test_the_smscs_unbind_is_not_waited_on_for_ever() -> None:
    session = bound_session()
    submit(session, "a")
    session.receive(request(codec.UNBIND, 9), 0.0)
    assert session.deadline() == 5.0
    assert session.tick(5.0) == [Unbound("unbound by the SMSC")]
    assert session.closed(5.0, "unbound") == [Uncertain("a", "unbound")]


def test_an_smsc_that_repeats_its_unbind_wins_no_time() -> None:
    session = bound_session()
    submit(session, "a")
    session.receive(request(codec.UNBIND, 9), 0.0)
    session.receive(request(codec.UNBIND, 10), 4.0)
    assert session.deadline() == 5.0
    assert session.outbound().endswith(codec.unbind_resp(9) + codec.unbind_resp(10))


def test_unbinds_that_cross_end_the_session() -> None:
    session = bound_session()
    session.unbind(0.0)
    session.outbound()
    assert session.receive(request(codec.UNBIND, 9), 0.0) == [Unbound("unbound by the SMSC")]
    assert session.outbound() == codec.unbind_resp(9)


def test_a_nacked_unbind_is_an_end_too() -> None:
    session = bound_session()
    session.unbind(0.0)
    ((_, _, sequence, _),) = sent(session)
    assert session.receive(codec.generic_nack(sequence, 3), 0.0) == [Unbound("unbound")]


def test_an_unbind_resp_that_nobody_asked_for_is_odd() -> None:
    session = bound_session()
    assert named(session.receive(codec.unbind_resp(5), 0.0)) == ["Odd"]
    assert session.state is State.BOUND


def test_odd_says_what() -> None:
    session = bound_session()
    assert session.receive(accept(99), 0.0) == [Odd("submit_sm_resp with unknown sequence number 99")]
