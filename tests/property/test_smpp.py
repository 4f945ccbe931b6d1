"""SMPP for all inputs: the same octets as smpplib, the same frames in any pieces, one end for each submit."""

from __future__ import annotations

import contextlib
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from smpplib import smpp

from sms_milter.errors import DecodeError
from sms_milter.model import Reference, SubmitSm
from sms_milter.smpp import codec
from sms_milter.smpp.events import Accepted, Event, LateResponse, Refused, Uncertain
from sms_milter.smpp.options import SessionOptions
from sms_milter.smpp.receipt import key, parse_date, parse_labels, parse_text, read
from sms_milter.smpp.session import Session
from sms_milter.smpp.status import classify

# --- composing ----------------------------------------------------------------------------------------------

octet = st.integers(0, 255)


def latin1(longest: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=longest)


times = st.one_of(
    st.just(""),
    st.from_regex(r"[0-9]{15}R", fullmatch=True).filter(str.isascii),
    st.datetimes().map(lambda when: f"{when:%y%m%d%H%M%S}000+"),
)
# Tags in the order in which smpplib writes them, with the length that each has there.
tlv_lengths = {
    "user_message_reference": 2,
    "sar_msg_ref_num": 2,
    "sar_total_segments": 1,
    "sar_segment_seqnum": 1,
}
tlv_tags = {
    "user_message_reference": 0x0204,
    "sar_msg_ref_num": 0x020C,
    "sar_total_segments": 0x020E,
    "sar_segment_seqnum": 0x020F,
}
tlv_values = st.fixed_dictionaries(
    {}, optional={name: st.integers(0, 256**length - 1) for name, length in tlv_lengths.items()}
)


@st.composite
def submits(draw: st.DrawFn) -> tuple[SubmitSm, dict[str, object]]:
    """A submit_sm, and the same as smpplib's keywords."""
    fields: dict[str, object] = {
        "service_type": draw(latin1(5)),
        "source_addr_ton": draw(octet),
        "source_addr_npi": draw(octet),
        "source_addr": draw(latin1(20)),
        "dest_addr_ton": draw(octet),
        "dest_addr_npi": draw(octet),
        "destination_addr": draw(latin1(20)),
        "esm_class": draw(octet),
        "protocol_id": draw(octet),
        "priority_flag": draw(st.integers(0, 3)),
        "schedule_delivery_time": draw(times),
        "validity_period": draw(times),
        "registered_delivery": draw(octet),
        "replace_if_present_flag": draw(st.integers(0, 1)),
        "data_coding": draw(octet),
        "sm_default_msg_id": draw(octet),
    }
    values = draw(tlv_values)
    tlvs = [
        (tlv_tags[name], values[name].to_bytes(length, "big"))
        for name, length in tlv_lengths.items()
        if name in values
    ]
    text = draw(st.binary(max_size=254))
    payload = draw(st.binary(min_size=1, max_size=1000)) if not text else b""
    keywords = {**fields, **values, "short_message": text}
    if payload:
        tlvs.append((codec.TLV_MESSAGE_PAYLOAD, payload))
        keywords["message_payload"] = payload
    return SubmitSm(**fields, short_message=text, tlvs=tuple(tlvs)), keywords  # type: ignore[arg-type]


class Client:
    """What smpplib wants to number a PDU."""

    sequence = 0

    def next_sequence(self) -> int:
        return 0


@given(submits(), st.integers(1, codec.HIGHEST_SEQUENCE))
def test_what_we_compose_is_what_smpplib_builds(
    submit: tuple[SubmitSm, dict[str, object]], sequence: int
) -> None:
    ours, keywords = submit
    theirs = smpp.make_pdu("submit_sm", client=Client(), **keywords)
    theirs.sequence = sequence
    assert codec.stamp(sequence, codec.compose(ours).body) == theirs.generate()


@given(
    st.sampled_from(["transceiver", "transmitter", "receiver"]),
    latin1(15),
    latin1(8),
    latin1(12),
    latin1(40),
    st.tuples(octet, octet),
)
def test_the_binds_too(
    kind: codec.BindKind,
    system_id: str,
    password: str,
    system_type: str,
    range_: str,
    numbers: tuple[int, int],
) -> None:
    theirs = smpp.make_pdu(
        f"bind_{kind}",
        client=Client(),
        system_id=system_id,
        password=password,
        system_type=system_type,
        addr_ton=numbers[0],
        addr_npi=numbers[1],
        address_range=range_,
    )
    theirs.sequence = 5
    ours = codec.bind(
        kind,
        5,
        system_id=system_id,
        password=password,
        system_type=system_type,
        addr_ton=numbers[0],
        addr_npi=numbers[1],
        address_range=range_,
    )
    assert ours == theirs.generate()


@given(submits(), st.data(), st.integers(0, 65535))
def test_only_the_reference_differs_when_it_is_stamped(
    submit: tuple[SubmitSm, dict[str, object]], data: st.DataObject, reference: int
) -> None:
    ours, _ = submit
    room = len(ours.short_message)
    width = data.draw(st.integers(1, 2))
    if room < width:
        return
    offset = data.draw(st.integers(0, room - width))
    composed = codec.compose(ours, Reference(offset, width))
    stamped = composed.stamped(reference)
    value = (reference % 256**width).to_bytes(width, "big")
    text = ours.short_message[:offset] + value + ours.short_message[offset + width :]
    assert stamped == codec.compose(ours._replace(short_message=text)).body
    assert stamped[composed.reference_at :][:width] == value


# --- reading ------------------------------------------------------------------------------------------------


def fed(pieces: list[bytes]) -> tuple[list[codec.Frame], list[tuple[str, int]], bool]:
    """All frames, the fault if any, and whether a PDU had begun at the end."""
    reader = codec.FrameReader()
    frames: list[codec.Frame] = []
    faults = []
    for piece in pieces:
        try:
            frames += reader.feed(piece)
        except codec.BadLength as fault:
            frames += fault.frames
            faults.append((str(fault), fault.sequence))
    return frames, faults, reader.partial


pdus = st.one_of(
    st.builds(
        codec.frame,
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**32 - 1),
        st.binary(max_size=100),
    ),
    st.binary(max_size=20),
)


@given(st.lists(pdus, max_size=8).map(b"".join), st.data())
def test_frames_do_not_depend_on_the_pieces(stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = fed([stream])
    assert fed(pieces) == whole
    assert fed([stream[at : at + 1] for at in range(len(stream))]) == whole


@given(
    st.lists(
        st.builds(codec.frame, st.integers(0, 2**32 - 1), st.just(0), st.just(1), st.binary(max_size=50))
    )
)
def test_no_frame_is_lost(written: list[bytes]) -> None:
    frames, faults, partial = fed([b"".join(written)])
    assert [codec.frame(*frame) for frame in frames] == written
    assert not faults
    assert not partial


@given(st.binary(max_size=200))
def test_any_body_is_read_or_is_a_decode_error(body: bytes) -> None:
    codec.parse_message_id(body)
    codec.parse_error_text(body)
    codec.parse_bind_resp(body)
    codec.parse_tlvs(body)
    for parse in (codec.parse_deliver_sm, codec.parse_data_sm):
        with contextlib.suppress(DecodeError):
            read(parse(body))


@given(submits())
def test_a_deliver_sm_gives_back_what_was_written(submit: tuple[SubmitSm, dict[str, object]]) -> None:
    ours, _ = submit
    pdu = codec.parse_deliver_sm(codec.compose(ours).body)
    assert pdu.short_message == (ours.short_message or dict(ours.tlvs).get(codec.TLV_MESSAGE_PAYLOAD, b""))
    assert (pdu.esm_class, pdu.data_coding, dict(pdu.tlvs)) == (
        ours.esm_class,
        ours.data_coding,
        dict(ours.tlvs),
    )


labels = st.sampled_from(
    ["id:", "sub:", "submit date:", "done date:", "stat:", "Text:", "err:", " ", "\n", "DELIVRD"]
)
receipt_texts = st.lists(st.one_of(labels, st.text(max_size=5))).map("".join)


@given(
    receipt_texts, st.dictionaries(st.sampled_from([0x001E, 0x0423, 0x0427, 0x0424]), st.binary(max_size=4))
)
def test_any_receipt_is_read(text: str, tlvs: dict[int, bytes]) -> None:
    pdu = codec.DeliverSm(esm_class=4, short_message=text.encode("utf-8"), tlvs=tlvs)
    found = read(pdu)
    assert found is not None
    assert found.message_id == found.message_id.strip()


usual_values = st.one_of(st.text(max_size=8), st.sampled_from(["id:1", "stat:X", "text:", "1 stat:X", " 7"]))


@given(st.lists(usual_values, min_size=8, max_size=8))
def test_the_short_way_reads_the_same(values: list[str]) -> None:
    names = ("id", "sub", "dlvrd", "submit date", "done date", "stat", "err", "text")
    text = " ".join(f"{name}:{value}" for name, value in zip(names, values, strict=True))
    assert parse_text(text) == parse_labels(text)


@given(st.text())
def test_any_date_is_a_time_or_nothing(text: str) -> None:
    assert isinstance(parse_date(text), float | None)


@given(st.integers(0, 16**20 - 1), st.booleans())
def test_numbers_meet_across_bases(number: int, upper: bool) -> None:
    in_hex = f"{number:X}" if upper else f"{number:x}"
    if len(str(number)) > 20:
        return
    # An id that shows no letter may be of either base: the rule says which.
    assert key(in_hex, "hex-dec", "response") == key(str(number), "hex-dec", "receipt")
    assert key(str(number), "dec-hex", "response") == key(in_hex, "dec-hex", "receipt")


@given(st.integers(0, 2**32 - 1))
def test_every_status_has_a_class(value: int) -> None:
    assert classify(value).value == value


# --- the session --------------------------------------------------------------------------------------------

steps = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.integers(1, 4)),
        st.tuples(st.just("accept"), st.integers(0, 40)),
        st.tuples(st.just("refuse"), st.integers(0, 40)),
        st.tuples(st.just("nack"), st.integers(0, 40)),
        st.tuples(st.just("wait"), st.integers(0, 6)),
        st.tuples(st.just("octets"), st.binary(max_size=30)),
        st.tuples(st.just("unbind"), st.just(0)),
        st.tuples(st.just("request"), st.sampled_from([0x5, 0x6, 0x15, 0x102, 0x103, 0xB, 0x4, 0x99])),
    ),
    max_size=40,
)


@settings(max_examples=300)
@given(steps, st.integers(1, 4))
def test_each_submit_ends_once_and_the_window_is_never_exceeded(
    script: list[tuple[str, object]], window: int
) -> None:
    session = Session(SessionOptions("acme", window=window, response_timeout_seconds=20))
    now = 0.0
    session.connected(now)
    session.receive(codec.frame(0x80000009, 0, 1, b"SMSC\0"), now)
    submitted: list[int] = []
    events: list[Event] = []
    for what, argument in script:
        if what == "submit" and session.ready:
            assert isinstance(argument, int)
            for sequence in session.reserve(min(argument, session.free)):
                session.submit(sequence, sequence, b"", now)
                submitted.append(sequence)
        elif what == "wait":
            assert isinstance(argument, int)
            now += argument
            deadline = session.deadline()
            events += session.tick(now)
            after = session.deadline()
            assert deadline is None or deadline > now or after is None or after > deadline
        elif what == "octets":
            assert isinstance(argument, bytes)
            events += session.receive(argument, now)
        elif what == "unbind":
            session.unbind(now)
        elif what == "request":
            assert isinstance(argument, int)
            events += session.receive(codec.frame(argument, 0, 7, b"\0\1"), now)
        elif isinstance(argument, int):
            command = codec.GENERIC_NACK if what == "nack" else codec.SUBMIT_SM_RESP
            events += session.receive(
                codec.frame(command, 0 if what == "accept" else 8, argument, b"id\0"), now
            )
        assert 0 <= session.open <= window
        assert 0 <= session.free <= window - session.open or not session.ready
    events += session.closed(now)
    ends = [event.key for event in events if isinstance(event, Accepted | Refused | Uncertain)]
    assert Counter(ends) == Counter(submitted)
    late = [event.key for event in events if isinstance(event, LateResponse)]
    given_up = [event.key for event in events if isinstance(event, Uncertain)]
    assert set(late) <= set(given_up)
    assert (session.submitted, session.open) == (len(submitted), 0)
    assert session.accepted + session.refused + session.uncertain == session.submitted
