"""SMPP 3.4 PDUs: meaning to octets and back. The only module that knows smpplib.

Owns the layout of what we send (checked first, never cut) and a tolerant reader of what an SMSC sends.
Refuses to know what a PDU means for a session: states, timers and answers are `smpp.session`'s.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, Literal

from smpplib import smpp

from sms_milter.errors import DecodeError, LocalProtocolError
from sms_milter.model import ComposedPart, Reference, SubmitSm

# SMPP 3.4 §5.1.2.1
GENERIC_NACK: Final = 0x80000000
BIND_RECEIVER: Final = 0x00000001
BIND_TRANSMITTER: Final = 0x00000002
SUBMIT_SM: Final = 0x00000004
SUBMIT_SM_RESP: Final = 0x80000004
DELIVER_SM: Final = 0x00000005
DELIVER_SM_RESP: Final = 0x80000005
UNBIND: Final = 0x00000006
UNBIND_RESP: Final = 0x80000006
CANCEL_SM: Final = 0x00000008
CANCEL_SM_RESP: Final = 0x80000008
BIND_TRANSCEIVER: Final = 0x00000009
OUTBIND: Final = 0x0000000B
ENQUIRE_LINK: Final = 0x00000015
ENQUIRE_LINK_RESP: Final = 0x80000015
ALERT_NOTIFICATION: Final = 0x00000102
DATA_SM: Final = 0x00000103
DATA_SM_RESP: Final = 0x80000103
RESPONSE: Final = 0x80000000  # the bit that every response sets

# SMPP 3.4 §5.3.2
TLV_ADDITIONAL_STATUS_INFO_TEXT: Final = 0x001D
TLV_RECEIPTED_MESSAGE_ID: Final = 0x001E
TLV_SAR_MSG_REF_NUM: Final = 0x020C
TLV_SAR_TOTAL_SEGMENTS: Final = 0x020E
TLV_SAR_SEGMENT_SEQNUM: Final = 0x020F
TLV_SC_INTERFACE_VERSION: Final = 0x0210
TLV_NETWORK_ERROR_CODE: Final = 0x0423
TLV_MESSAGE_PAYLOAD: Final = 0x0424
TLV_MESSAGE_STATE: Final = 0x0427

HIGHEST_SEQUENCE: Final = 0x7FFFFFFF
SHORTEST_PDU: Final = 16
LONGEST_PDU: Final = 70_000

BindKind = Literal["transceiver", "transmitter", "receiver"]
BIND_COMMANDS: Final[Mapping[str, int]] = {
    "transceiver": BIND_TRANSCEIVER,
    "transmitter": BIND_TRANSMITTER,
    "receiver": BIND_RECEIVER,
}

Frame = tuple[int, int, int, bytes]
"""One PDU as read: command_id, command_status, sequence_number, body (all after the 16-octet header)."""

_HEADER = struct.Struct(">4I")
_TAG_AND_LENGTH = struct.Struct(">2H")
_OCTETS = tuple(bytes((n,)) for n in range(256))

# --- what we send: submit_sm --------------------------------------------------------------------------------

# SMPP 3.4 §4.4.1: longest text without the final NUL.
_SUBMIT_TEXTS: Final = {"service_type": 5, "source_addr": 20}
_SUBMIT_TIMES: Final = ("schedule_delivery_time", "validity_period")
_SUBMIT_OCTETS: Final = {
    "source_addr_ton": 255,
    "source_addr_npi": 255,
    "dest_addr_ton": 255,
    "dest_addr_npi": 255,
    "esm_class": 255,
    "protocol_id": 255,
    "priority_flag": 3,
    "registered_delivery": 255,
    "replace_if_present_flag": 1,
    "data_coding": 255,
    "sm_default_msg_id": 255,
}
_LONGEST_ADDRESS: Final = 20
_LONGEST_SHORT_MESSAGE: Final = 254

_TEMPLATE_FIELDS: Final = (*_SUBMIT_TEXTS, *_SUBMIT_TIMES, *_SUBMIT_OCTETS)
_template_key = attrgetter(*_TEMPLATE_FIELDS)


def compose(submit: SubmitSm, concatenation: Reference | None = None) -> ComposedPart:
    """The body of a submit_sm (SMPP 3.4 §4.4.1), its TLVs behind the mandatory fields in their order.

    Raises LocalProtocolError for any field that does not fit: nothing is ever cut.
    """
    head, middle = _template(_template_key(submit))
    destination = _latin1("destination_addr", submit.destination_addr, _LONGEST_ADDRESS)
    text = submit.short_message
    if len(text) > _LONGEST_SHORT_MESSAGE:
        raise LocalProtocolError(f"short_message has {len(text)} octets, {_LONGEST_SHORT_MESSAGE} fit")
    body = b"".join((head, destination, b"\0", middle, _OCTETS[len(text)], text))
    if submit.tlvs:
        return _with_tlvs(submit, body, concatenation)
    if concatenation is None:
        return ComposedPart(body)
    return ComposedPart(body, _reference_at(body, submit, concatenation), concatenation.width)


def parse_submit_sm(body: bytes) -> SubmitSm:
    """The fields of a body that `compose` made; of repeated TLVs the first. Raises DecodeError for others."""
    try:
        service_type, at = _c_string(body, 0)
        source, at_source = _c_string(body, at + 2)
        destination, at_destination = _c_string(body, at_source + 2)
        schedule, end = _c_string(body, at_destination + 3)
        validity, octets = _c_string(body, end)
        text_at = octets + 5
        text_end = text_at + body[text_at - 1]
        return SubmitSm(
            service_type,
            body[at],
            body[at + 1],
            source,
            body[at_source],
            body[at_source + 1],
            destination,
            body[at_destination],
            body[at_destination + 1],
            body[at_destination + 2],
            schedule,
            validity,
            body[octets],
            body[octets + 1],
            body[octets + 2],
            body[octets + 3],
            body[text_at:text_end],
            tuple(parse_tlvs(body, text_end).items()),
        )
    except (IndexError, ValueError):
        raise DecodeError(f"a submit_sm of {len(body)} octets lacks mandatory fields") from None


def _c_string(body: bytes, at: int) -> tuple[str, int]:
    """The Latin-1 text at `at`, and where the field behind its NUL stands. Raises ValueError without NUL."""
    end = body.index(0, at)
    return body[at:end].decode("latin-1"), end + 1


def _with_tlvs(submit: SubmitSm, body: bytes, concatenation: Reference | None) -> ComposedPart:
    whole = body + b"".join(tlv(tag, value) for tag, value in submit.tlvs)
    if submit.short_message and any(tag == TLV_MESSAGE_PAYLOAD for tag, _ in submit.tlvs):
        # SMPP 3.4 §3.2.3: one of the two, never both.
        raise LocalProtocolError("short_message and message_payload in one submit_sm")
    if len(whole) + _HEADER.size > LONGEST_PDU:
        raise LocalProtocolError(f"a submit_sm of {len(whole) + _HEADER.size} octets, at most {LONGEST_PDU}")
    if concatenation is None:
        return ComposedPart(whole)
    return ComposedPart(whole, _reference_at(body, submit, concatenation), concatenation.width)


def _reference_at(body: bytes, submit: SubmitSm, concatenation: Reference) -> int:
    """Where the concatenation reference stands; `body` is the part of it that ends with short_message."""
    if concatenation.tlv:
        return _sar_reference_at(len(body), submit, concatenation)
    end = concatenation.offset + concatenation.width
    if concatenation.offset < 0 or concatenation.width not in (1, 2) or end > len(submit.short_message):
        raise LocalProtocolError("the concatenation reference lies outside short_message")
    return len(body) - len(submit.short_message) + concatenation.offset


def _sar_reference_at(at: int, submit: SubmitSm, concatenation: Reference) -> int:
    for tag, value in submit.tlvs:
        if tag == TLV_SAR_MSG_REF_NUM and len(value) == concatenation.width == 2:
            return at + _TAG_AND_LENGTH.size
        at += _TAG_AND_LENGTH.size + len(value)
    raise LocalProtocolError("no sar_msg_ref_num of two octets for the concatenation reference")


def tlv(tag: int, value: bytes) -> bytes:
    """One TLV (SMPP 3.4 §5.3). Raises LocalProtocolError when tag or length do not fit 16 bits."""
    if not (0 <= tag <= 0xFFFF and len(value) <= 0xFFFF):
        raise LocalProtocolError(f"TLV {tag:04X} with {len(value)} octets does not fit")
    return _TAG_AND_LENGTH.pack(tag, len(value)) + value


@lru_cache(maxsize=2048)
def _template(key: tuple[Any, ...]) -> tuple[bytes, bytes]:
    """What stands before destination_addr and between it and sm_length, cut out of a PDU of smpplib's."""
    fields: dict[str, Any] = dict(zip(_TEMPLATE_FIELDS, key, strict=True))
    texts = {name: _latin1(name, fields[name], longest) for name, longest in _SUBMIT_TEXTS.items()}
    for name in _SUBMIT_TIMES:
        _check_time(name, fields[name])
    for name, highest in _SUBMIT_OCTETS.items():
        _check_octet(name, fields[name], highest)
    body = _built("submit_sm", destination_addr="", short_message=b"", **fields)[_HEADER.size :]
    # Two C-strings with their NULs, each followed by or preceded by TON and NPI.
    at = len(texts["service_type"]) + 1 + 2 + len(texts["source_addr"]) + 1 + 2
    return body[:at], body[at + 1 : -1]


def _latin1(name: str, text: str, longest: int) -> bytes:
    """A C-string's octets without the NUL. smpplib would cut it, and a NUL inside would shift the rest."""
    try:
        octets = text.encode("latin-1")
    except UnicodeEncodeError:
        raise LocalProtocolError(f"{name} holds characters outside Latin-1") from None
    if len(octets) > longest:
        raise LocalProtocolError(f"{name} has {len(octets)} characters, at most {longest} fit")
    if b"\0" in octets:
        raise LocalProtocolError(f"{name} holds a NUL")
    return octets


def _check_octet(name: str, value: int, highest: int) -> None:
    if not 0 <= value <= highest:
        raise LocalProtocolError(f"{name} is {value}, not 0..{highest}")


def _check_time(name: str, text: str) -> None:
    """Raise unless `text` is empty or a time of SMPP 3.4 §7.1.1: `YYMMDDhhmmsstnnp`."""
    if not text:
        return
    if len(text) != 16 or not (text[:15].isascii() and text[:15].isdigit()) or text[15] not in "+-R":
        raise LocalProtocolError(f"{name} is not of the form YYMMDDhhmmsstnnp")
    if text[15] == "R":
        return
    year, month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(0, 12, 2))
    try:
        datetime(2000 + year, month, day, hour, minute, second)
    except ValueError as fault:
        raise LocalProtocolError(f"{name}: {fault}") from None
    if int(text[13:15]) > 48:
        raise LocalProtocolError(f"{name} differs from UTC by more than 48 quarter hours")


class _SequenceSource:
    """What smpplib's PDU classes ask of their client; our session numbers PDUs itself."""

    sequence = 0

    def next_sequence(self) -> int:
        return 0


_SEQUENCES = _SequenceSource()


def _built(command: str, **fields: Any) -> bytes:
    """A whole PDU with sequence number 0, as smpplib generates it."""
    pdu = smpp.make_pdu(command, client=_SEQUENCES, **fields)
    if "interface_version" in fields:
        pdu.interface_version = fields["interface_version"]  # smpplib's constructor overwrites it
    generated: bytes = pdu.generate()
    return generated


# --- what we send: the rest ---------------------------------------------------------------------------------


def frame(command_id: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """A whole PDU: the header (SMPP 3.4 §3.2) and `body`."""
    try:
        return _HEADER.pack(_HEADER.size + len(body), command_id, status, sequence) + body
    except struct.error:
        raise LocalProtocolError(f"header of command {command_id:#x}: a value does not fit 32 bits") from None


def stamp(sequence: int, body: bytes) -> bytes:
    """The submit_sm with this body and sequence number."""
    return frame(SUBMIT_SM, 0, sequence, body)


# service_type, source and destination address, three octets, then the times (SMPP 3.4 §4.4.1)
_TIMES: Final = re.compile(rb"[^\0]*\0(?:..[^\0]*\0){2}...([^\0]*)\0([^\0]*)", re.DOTALL)


def times_of(submit: bytes) -> tuple[str, str]:
    """schedule_delivery_time and validity_period of a submit_sm's body; "" where it has none."""
    found = _TIMES.match(submit)
    return (found[1].decode("latin-1"), found[2].decode("latin-1")) if found else ("", "")


def with_times(submit: bytes, schedule: str, validity: str) -> bytes:
    """A submit_sm's body with other times. Raises LocalProtocolError if it is none."""
    found = _TIMES.match(submit)
    if found is None:
        raise LocalProtocolError("not the body of a submit_sm")
    times = f"{schedule}\0{validity}".encode("latin-1")
    return submit[: found.start(1)] + times + submit[found.end(2) :]


def bind(
    kind: BindKind,
    sequence: int,
    *,
    system_id: str,
    password: str = "",
    system_type: str = "",
    interface_version: int = 0x34,
    addr_ton: int = 0,
    addr_npi: int = 0,
    address_range: str = "",
    longest_password: int = 8,
) -> bytes:
    """A bind_transceiver, bind_transmitter or bind_receiver (SMPP 3.4 §4.1). Raises LocalProtocolError.

    `longest_password` beyond 8 is for an SMSC that takes more than SMPP 3.4 §5.2.2 allows.
    """
    at = _HEADER.size + len(_latin1("system_id", system_id, 15)) + 1
    secret = _latin1("password", password, longest_password)
    _latin1("system_type", system_type, 12)
    _latin1("address_range", address_range, 40)
    numbers = {"interface_version": interface_version, "addr_ton": addr_ton, "addr_npi": addr_npi}
    for name, value in numbers.items():
        _check_octet(name, value, 255)
    built = _built(
        f"bind_{kind}",
        system_id=system_id,
        password="",  # put in below: smpplib would cut a long one
        system_type=system_type,
        address_range=address_range,
        **numbers,
    )
    return frame(BIND_COMMANDS[kind], 0, sequence, built[_HEADER.size : at] + secret + built[at:])


def unbind(sequence: int) -> bytes:
    """SMPP 3.4 §4.2.1."""
    return frame(UNBIND, 0, sequence)


def unbind_resp(sequence: int) -> bytes:
    """SMPP 3.4 §4.2.2."""
    return frame(UNBIND_RESP, 0, sequence)


def enquire_link(sequence: int) -> bytes:
    """SMPP 3.4 §4.11.1."""
    return frame(ENQUIRE_LINK, 0, sequence)


def enquire_link_resp(sequence: int) -> bytes:
    """SMPP 3.4 §4.11.2."""
    return frame(ENQUIRE_LINK_RESP, 0, sequence)


def deliver_sm_resp(sequence: int, status: int = 0) -> bytes:
    """SMPP 3.4 §4.6.2; the message_id is unused and empty."""
    return frame(DELIVER_SM_RESP, status, sequence, b"\0")


def data_sm_resp(sequence: int, status: int = 0) -> bytes:
    """SMPP 3.4 §4.7.2 with an empty message_id."""
    return frame(DATA_SM_RESP, status, sequence, b"\0")


def generic_nack(sequence: int, status: int) -> bytes:
    """SMPP 3.4 §4.3.1; `sequence` 0 when the one complained of is unknown."""
    return frame(GENERIC_NACK, status, sequence)


# --- what we read -------------------------------------------------------------------------------------------


class BadLength(DecodeError):
    """A command_length that cannot be: the stream is out of step and cannot be read on.

    `frames` were read before it; `sequence` is the one to name in the generic_nack (0 when unknown).
    """

    def __init__(self, length: int, sequence: int, frames: list[Frame]) -> None:
        super().__init__(f"command_length {length}, not {SHORTEST_PDU}..{LONGEST_PDU}")
        self.sequence = sequence
        self.frames = frames


def cancel_sm(sequence: int, submit: bytes, message_id: str) -> bytes:
    """A cancel_sm for the message that a submit_sm with the body `submit` became (SMPP 3.4 §4.9.1)."""
    service_type = submit.index(0) + 1
    source = submit.index(0, service_type + 2) + 1
    destination = submit.index(0, source + 2) + 1
    body = submit[:service_type] + message_id.encode("latin-1") + b"\0" + submit[service_type:destination]
    return frame(CANCEL_SM, 0, sequence, body)


def split(pdu: bytes) -> Frame:
    """One whole PDU as a frame."""
    _, command_id, status, sequence = _HEADER.unpack_from(pdu)
    return command_id, status, sequence, pdu[_HEADER.size :]


class FrameReader:
    """Cuts the octets of a link into PDUs. However they are chunked, the same frames come out."""

    __slots__ = ("_lost", "_needed", "_rest")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._lost = False  # out of step: nothing that follows can be told apart
        self._needed = _HEADER.size  # octets that `_rest` must hold before anything new can be known

    @property
    def partial(self) -> bool:
        """Whether the beginning of a PDU has arrived and its end has not."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[Frame]:
        """The PDUs that `data` completes. Raises BadLength with those before it; none come after."""
        if self._lost:
            return []
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                if len(self._rest) < _HEADER.size:
                    self._check_short(self._rest, [])
                return []
            data = bytes(self._rest)
            self._rest.clear()
        return self._cut(data)

    def _cut(self, data: bytes) -> list[Frame]:
        frames: list[Frame] = []
        unpack = _HEADER.unpack_from
        at, end = 0, len(data)
        while end - at >= 16:
            length, command_id, status, sequence = unpack(data, at)
            if not 16 <= length <= LONGEST_PDU:
                raise self._lose(length, sequence if length >= 16 else 0, frames)
            following = at + length
            if following > end:
                self._keep(data, at, length)
                return frames
            frames.append((command_id, status, sequence, data[at + 16 : following]))
            at = following
        if at < end:
            self._check_short(data[at:], frames)
            self._keep(data, at, _HEADER.size)
        return frames

    def _keep(self, data: bytes, at: int, needed: int) -> None:
        self._rest += data[at:] if at else data
        self._needed = needed

    def _lose(self, length: int, sequence: int, frames: list[Frame]) -> BadLength:
        self._lost = True
        self._rest.clear()
        return BadLength(length, sequence, frames)

    def _check_short(self, start: bytes | bytearray, frames: list[Frame]) -> None:
        """A length below 16 may be all that ever comes, so do not wait for a whole header."""
        if len(start) >= 4:
            length = int.from_bytes(start[:4], "big")
            if length < SHORTEST_PDU:
                raise self._lose(length, 0, frames)


@dataclass(frozen=True, slots=True)
class DeliverSm:
    """What we use of a deliver_sm or data_sm (SMPP 3.4 §4.6.1, §4.7.1).

    `short_message` is message_payload where that carries the text; `tlvs` maps tag to the first such value.
    """

    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    data_coding: int = 0
    short_message: bytes = b""
    tlvs: Mapping[int, bytes] = field(default_factory=dict)


def parse_deliver_sm(body: bytes) -> DeliverSm:
    """Raises DecodeError when a mandatory field is missing; text and TLVs are taken as far as they go."""
    try:
        addresses, at = _parse_addresses(body)
        esm_class = body[at]
        at = body.index(0, at + 3) + 1  # behind esm_class, protocol_id, priority_flag, schedule_delivery_time
        at = body.index(0, at) + 1  # behind validity_period
        data_coding = body[at + 2]
        start = at + 5
        end = start + body[at + 4]
    except (IndexError, ValueError):
        raise DecodeError(f"a deliver_sm of {len(body)} octets lacks mandatory fields") from None
    tlvs = parse_tlvs(body, end)
    text = body[start:end] or tlvs.get(TLV_MESSAGE_PAYLOAD, b"")
    return DeliverSm(*addresses, esm_class, data_coding, text, tlvs)


def parse_data_sm(body: bytes) -> DeliverSm:
    """Raises DecodeError when a mandatory field is missing; TLVs are taken as far as they go."""
    try:
        addresses, at = _parse_addresses(body)
        esm_class, data_coding = body[at], body[at + 2]
    except (IndexError, ValueError):
        raise DecodeError(f"a data_sm of {len(body)} octets lacks mandatory fields") from None
    tlvs = parse_tlvs(body, at + 3)
    return DeliverSm(*addresses, esm_class, data_coding, tlvs.get(TLV_MESSAGE_PAYLOAD, b""), tlvs)


def _parse_addresses(body: bytes) -> tuple[tuple[int, int, str, int, int, str], int]:
    """Source and destination with TON and NPI, and where the field behind them stands."""
    source = body.index(0) + 1  # behind service_type
    destination = body.index(0, source + 2) + 1
    end = body.index(0, destination + 2)
    addresses = (
        body[source],
        body[source + 1],
        legible(body[source + 2 : destination - 1]),
        body[destination],
        body[destination + 1],
        legible(body[destination + 2 : end]),
    )
    return addresses, end + 1


def parse_tlvs(body: bytes, at: int = 0) -> dict[int, bytes]:
    """The TLVs from `at` on; of repeated tags the first. One cut short by the end of the PDU is left out."""
    tlvs: dict[int, bytes] = {}
    end = len(body)
    while at + 4 <= end:
        tag, length = _TAG_AND_LENGTH.unpack_from(body, at)
        at += 4 + length
        if at <= end:
            tlvs.setdefault(tag, body[at - length : at])
    return tlvs


def parse_message_id(body: bytes) -> str:
    """The message_id of a submit_sm_resp body, "" when there is none; its NUL may be missing."""
    return legible(body.partition(b"\0")[0])


def parse_error_text(body: bytes) -> str:
    """What an error response says in additional_status_info_text, "" when it says nothing."""
    text = parse_tlvs(body, body.find(0) + 1).get(TLV_ADDITIONAL_STATUS_INFO_TEXT, b"")
    return legible(text.rstrip(b"\0"))


def parse_bind_resp(body: bytes) -> tuple[str, int | None]:
    """The SMSC's system_id and its sc_interface_version (None when it gives none)."""
    system_id, nul, _ = body.partition(b"\0")
    version = parse_tlvs(body, len(system_id) + 1).get(TLV_SC_INTERFACE_VERSION) if nul else None
    return legible(system_id), version[0] if version else None


def legible(octets: bytes) -> str:
    """Latin-1 text; what could not be printed on one line is escaped, for such texts end in the log."""
    text = octets.decode("latin-1")
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
