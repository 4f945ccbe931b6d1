"""SMPP 3.4 as an SMSC reads and writes it: frames, binds, submit_sm, data_sm, responses, deliver_sm.

Written from the specification and sharing nothing with `smpp.codec`, so that a fault there shows here. Strict
in what it reads: a PDU that breaks a rule gets the command_status that names the rule (SMPP 3.4 §5.1.3).
"""

from __future__ import annotations

import re
import struct
from enum import IntEnum
from typing import NamedTuple

from sms_milter.errors import SmppError


class Command(IntEnum):
    """The requests that this SMSC knows; a response has `RESPONSE` on top."""

    BIND_RECEIVER = 0x01
    BIND_TRANSMITTER = 0x02
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    BIND_TRANSCEIVER = 0x09
    CANCEL_SM = 0x08
    OUTBIND = 0x0B
    ENQUIRE_LINK = 0x15
    DATA_SM = 0x103


RESPONSE = 0x80000000
GENERIC_NACK = 0x80000000
UNKNOWN_COMMAND = 0x00010200  # the first that SMPP 3.4 §5.1.2.1 leaves to vendors


class Status(IntEnum):
    """command_status values that this SMSC gives."""

    OK = 0x00
    MESSAGE_LENGTH = 0x01
    COMMAND_LENGTH = 0x02
    COMMAND_ID = 0x03
    BIND_STATE = 0x04
    ALREADY_BOUND = 0x05
    SYSTEM_ERROR = 0x08
    SOURCE = 0x0A
    DESTINATION = 0x0B
    MESSAGE_ID = 0x0C
    BIND_FAILED = 0x0D
    PASSWORD = 0x0E
    SYSTEM_ID = 0x0F
    CANCEL_FAILED = 0x11
    SERVICE_TYPE = 0x15
    ESM_CLASS = 0x43
    SYSTEM_TYPE = 0x53
    THROTTLED = 0x58
    SCHEDULE = 0x61
    VALIDITY = 0x62
    TLV_STREAM = 0xC0
    TLV_NOT_ALLOWED = 0xC1
    TLV_LENGTH = 0xC2


class Tlv(IntEnum):
    """The TLVs that this SMSC reads or writes."""

    DEST_ADDR_SUBUNIT = 0x0005
    RECEIPTED_MESSAGE_ID = 0x001E
    SC_INTERFACE_VERSION = 0x0210
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427
    VENDOR = 0x1400


class BadPdu(SmppError):
    """A PDU that breaks a rule; `status` names the rule."""

    def __init__(self, status: Status) -> None:
        super().__init__(f"command_status {status:#04x}")
        self.status = status


class Pdu(NamedTuple):
    """One PDU: its header, the octets after the header, and all its octets."""

    command: int
    status: int
    sequence: int
    body: bytes
    octets: bytes


_HEADER = struct.Struct(">4I")
_LONGEST_PDU = 70_000  # a whole message_payload and some


def compose(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """A whole PDU."""
    return _HEADER.pack(16 + len(body), command, status, sequence) + body


def split_pdus(data: bytes) -> tuple[list[Pdu], bytes]:
    """The whole PDUs at the front of `data`, and the octets after them.

    Raises BadPdu when the first one has an impossible length.
    """
    pdus: list[Pdu] = []
    at, end = 0, len(data)
    while end - at >= 16:
        length, command, status, sequence = _HEADER.unpack_from(data, at)
        impossible = not 16 <= length <= _LONGEST_PDU
        if impossible and not pdus:
            raise BadPdu(Status.COMMAND_LENGTH)
        if impossible or end - at < length:
            break
        octets = data[at : at + length]
        pdus.append(Pdu(command, status, sequence, octets[16:], octets))
        at += length
    return pdus, data[at:]


# --- bind ---------------------------------------------------------------------------------------------------


class Bind(NamedTuple):
    """What a bind request says (SMPP 3.4 §4.1)."""

    system_id: str
    password: str
    system_type: str
    interface_version: int


def parse_bind(body: bytes) -> Bind:
    """The fields of a bind_* body."""
    system_id, at = _c_string(body, 0, 16, Status.SYSTEM_ID)
    password, at = _c_string(body, at, 9, Status.PASSWORD)
    system_type, at = _c_string(body, at, 13, Status.SYSTEM_TYPE)
    if at + 3 >= len(body):
        raise BadPdu(Status.COMMAND_LENGTH)
    _, end = _c_string(body, at + 3, 41, Status.COMMAND_LENGTH)
    _tlvs(body, end)
    return Bind(system_id, password, system_type, body[at])


def compose_bind_resp(system_id: str) -> bytes:
    """The body of a bind_*_resp that says we speak 3.4."""
    return system_id.encode("ascii") + b"\0" + _tlv(Tlv.SC_INTERFACE_VERSION, b"\x34")


# --- submit_sm ----------------------------------------------------------------------------------------------


class Submission(NamedTuple):
    """A submit_sm or data_sm; `content` is short_message or message_payload, user data header included."""

    service_type: str
    source_ton: int
    source: str
    destination_ton: int
    destination: str
    esm_class: int
    registered_delivery: int
    data_coding: int
    content: bytes
    tlvs: dict[int, bytes]


def parse_submit_sm(body: bytes) -> Submission:
    """The fields of a submit_sm body (SMPP 3.4 §4.4.1)."""
    service_type, at = _c_string(body, 0, 6, Status.SERVICE_TYPE)
    source_ton = _octet(body, at)
    source, at = _c_string(body, at + 2, 21, Status.SOURCE)
    destination_ton = _octet(body, at)
    destination, at = _c_string(body, at + 2, 21, Status.DESTINATION)
    esm_class = _octet(body, at)
    schedule, at = _c_string(body, at + 3, 17, Status.SCHEDULE)
    validity, at = _c_string(body, at, 17, Status.VALIDITY)
    end = at + 5 + _octet(body, at + 4)
    if end > len(body):
        raise BadPdu(Status.MESSAGE_LENGTH)
    _check_time(schedule, Status.SCHEDULE)
    _check_time(validity, Status.VALIDITY)
    tlvs = _tlvs(body, end)
    content = body[at + 5 : end]
    if Tlv.MESSAGE_PAYLOAD in tlvs:
        if content:
            raise BadPdu(Status.TLV_NOT_ALLOWED)
        content = tlvs[Tlv.MESSAGE_PAYLOAD]
    elif len(content) > 254:
        raise BadPdu(Status.MESSAGE_LENGTH)
    return _checked(
        Submission(
            service_type,
            source_ton,
            source,
            destination_ton,
            destination,
            esm_class,
            body[at],
            body[at + 2],
            content,
            tlvs,
        )
    )


def parse_data_sm(body: bytes) -> Submission:
    """The fields of a data_sm body (SMPP 3.4 §4.7.1)."""
    service_type, at = _c_string(body, 0, 6, Status.SERVICE_TYPE)
    source_ton = _octet(body, at)
    source, at = _c_string(body, at + 2, 65, Status.SOURCE)
    destination_ton = _octet(body, at)
    destination, at = _c_string(body, at + 2, 65, Status.DESTINATION)
    data_coding = _octet(body, at + 2)
    tlvs = _tlvs(body, at + 3)
    content = tlvs.get(Tlv.MESSAGE_PAYLOAD, b"")
    return _checked(
        Submission(
            service_type,
            source_ton,
            source,
            destination_ton,
            destination,
            body[at],
            body[at + 1],
            data_coding,
            content,
            tlvs,
        )
    )


_TIME = re.compile(r"[0-9]{15}[-+R]")
_SAR_LENGTHS = {Tlv.SAR_MSG_REF_NUM: 2, Tlv.SAR_TOTAL_SEGMENTS: 1, Tlv.SAR_SEGMENT_SEQNUM: 1}


def _check_time(text: str, status: Status) -> None:
    if text and not _TIME.fullmatch(text):
        raise BadPdu(status)


def _checked(submission: Submission) -> Submission:
    """`submission` if an SMSC could carry it: addresses by their TON (SMPP §4), sane TLVs."""
    destination, source = submission.destination, submission.source
    if not (destination.isdecimal() and destination.isascii()):
        raise BadPdu(Status.DESTINATION)
    if submission.source_ton == 5:
        if not 1 <= len(source) <= 11:
            raise BadPdu(Status.SOURCE)
    elif source and not (source.isdecimal() and source.isascii()):
        raise BadPdu(Status.SOURCE)
    if submission.tlvs:
        for tag, length in _SAR_LENGTHS.items():
            if len(submission.tlvs.get(tag, bytes(length))) != length:
                raise BadPdu(Status.TLV_LENGTH)
    return submission


def compose_message_id(message_id: str) -> bytes:
    """The body of a submit_sm_resp, deliver_sm_resp or data_sm_resp."""
    return message_id.encode("ascii") + b"\0"


# --- deliver_sm ---------------------------------------------------------------------------------------------


class Address(NamedTuple):
    """TON, NPI and digits or text."""

    ton: int
    npi: int
    text: str


def compose_deliver_sm(
    source: Address,
    destination: Address,
    short_message: bytes,
    *,
    esm_class: int = 0,
    data_coding: int = 0,
    tlvs: tuple[tuple[int, bytes], ...] = (),
) -> bytes:
    """The body of a deliver_sm (SMPP 3.4 §4.6.1)."""
    return b"".join(
        (
            b"\0",
            _address(source),
            _address(destination),
            bytes((esm_class, 0, 0, 0, 0, 0, 0, data_coding, 0, len(short_message))),
            short_message,
            *(_tlv(tag, value) for tag, value in tlvs),
        )
    )


def compose_data_sm(
    source: Address, destination: Address, *, esm_class: int = 0, tlvs: tuple[tuple[int, bytes], ...] = ()
) -> bytes:
    """The body of a data_sm (SMPP 3.4 §4.7.1)."""
    return b"".join(
        (
            b"\0",
            _address(source),
            _address(destination),
            bytes((esm_class, 0, 0)),
            *(_tlv(tag, value) for tag, value in tlvs),
        )
    )


def parse_cancel_sm(body: bytes) -> tuple[str, str]:
    """message_id and destination of a cancel_sm body (SMPP 3.4 §4.9.1)."""
    _, at = _c_string(body, 0, 6, Status.SERVICE_TYPE)
    message_id, at = _c_string(body, at, 65, Status.MESSAGE_ID)
    _, at = _c_string(body, at + 2, 21, Status.SOURCE)
    destination, _ = _c_string(body, at + 2, 21, Status.DESTINATION)
    return message_id, destination


def compose_outbind(system_id: str) -> bytes:
    """The body of an outbind (SMPP 3.4 §4.1.7.1) without a password."""
    return system_id.encode("ascii") + b"\0\0"


def compose_tlvs(*tlvs: tuple[int, bytes]) -> bytes:
    """TLVs one after the other."""
    return b"".join(_tlv(tag, value) for tag, value in tlvs)


def _address(address: Address) -> bytes:
    return bytes((address.ton, address.npi)) + address.text.encode("latin-1") + b"\0"


# --- fields -------------------------------------------------------------------------------------------------


def _c_string(body: bytes, at: int, size: int, status: Status) -> tuple[str, int]:
    """The C-octet string of at most `size` octets, NUL included, and the place after it."""
    end = body.find(0, at, at + size)
    if end < 0:
        raise BadPdu(status)
    return body[at:end].decode("latin-1"), end + 1


def _octet(body: bytes, at: int) -> int:
    if at >= len(body):
        raise BadPdu(Status.COMMAND_LENGTH)
    return body[at]


def _tlvs(body: bytes, at: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while at < len(body):
        value = at + 4
        if value > len(body):
            raise BadPdu(Status.TLV_STREAM)
        tag, length = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : value], "big")
        at = value + length
        if at > len(body):
            raise BadPdu(Status.TLV_STREAM)
        found[tag] = body[value:at]
    return found


def _tlv(tag: int, value: bytes) -> bytes:
    return tag.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value
