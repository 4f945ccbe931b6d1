"""submit_sm (SMPP 3.4 §4.4.1): composed once, stored as octets, read and changed again; and its cancel_sm."""

from __future__ import annotations

import re
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from sms_milter.errors import DecodeError, LocalProtocolError
from sms_milter.model import ComposedPart, Reference, SubmitSm
from sms_milter.smpp.codec.building import built
from sms_milter.smpp.codec.commands import CANCEL_SM, SUBMIT_SM
from sms_milter.smpp.codec.fields import c_string, check_octet, check_time, latin1
from sms_milter.smpp.codec.framing import HEADER, LONGEST_PDU, frame
from sms_milter.smpp.codec.tlvs import (
    TAG_AND_LENGTH,
    TLV_MESSAGE_PAYLOAD,
    TLV_SAR_MSG_REF_NUM,
    parse_tlvs,
    tlv,
)

_OCTETS = tuple(bytes((n,)) for n in range(256))

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
    destination = latin1("destination_addr", submit.destination_addr, _LONGEST_ADDRESS)
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
        service_type, at = c_string(body, 0)
        source, at_source = c_string(body, at + 2)
        destination, at_destination = c_string(body, at_source + 2)
        schedule, end = c_string(body, at_destination + 3)
        validity, octets = c_string(body, end)
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


def stamp(sequence: int, body: bytes) -> bytes:
    """The submit_sm with this body and sequence number."""
    return frame(SUBMIT_SM, 0, sequence, body)


def cancel_sm(sequence: int, submit: bytes, message_id: str) -> bytes:
    """A cancel_sm for the message that a submit_sm with the body `submit` became (SMPP 3.4 §4.9.1)."""
    service_type = submit.index(0) + 1
    source = submit.index(0, service_type + 2) + 1
    destination = submit.index(0, source + 2) + 1
    body = submit[:service_type] + message_id.encode("latin-1") + b"\0" + submit[service_type:destination]
    return frame(CANCEL_SM, 0, sequence, body)


# --- its times, which may move while it waits ---------------------------------------------------------------

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


# --- how it is composed -------------------------------------------------------------------------------------


@lru_cache(maxsize=2048)
def _template(key: tuple[Any, ...]) -> tuple[bytes, bytes]:
    """What stands before destination_addr and between it and sm_length, cut out of a PDU of smpplib's."""
    fields: dict[str, Any] = dict(zip(_TEMPLATE_FIELDS, key, strict=True))
    texts = {name: latin1(name, fields[name], longest) for name, longest in _SUBMIT_TEXTS.items()}
    for name in _SUBMIT_TIMES:
        check_time(name, fields[name])
    for name, highest in _SUBMIT_OCTETS.items():
        check_octet(name, fields[name], highest)
    body = built("submit_sm", destination_addr="", short_message=b"", **fields)[HEADER.size :]
    # Two C-strings with their NULs, each followed by or preceded by TON and NPI.
    at = len(texts["service_type"]) + 1 + 2 + len(texts["source_addr"]) + 1 + 2
    return body[:at], body[at + 1 : -1]


def _with_tlvs(submit: SubmitSm, body: bytes, concatenation: Reference | None) -> ComposedPart:
    whole = body + b"".join(tlv(tag, value) for tag, value in submit.tlvs)
    if submit.short_message and any(tag == TLV_MESSAGE_PAYLOAD for tag, _ in submit.tlvs):
        # SMPP 3.4 §3.2.3: one of the two, never both.
        raise LocalProtocolError("short_message and message_payload in one submit_sm")
    if len(whole) + HEADER.size > LONGEST_PDU:
        raise LocalProtocolError(f"a submit_sm of {len(whole) + HEADER.size} octets, at most {LONGEST_PDU}")
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
            return at + TAG_AND_LENGTH.size
        at += TAG_AND_LENGTH.size + len(value)
    raise LocalProtocolError("no sar_msg_ref_num of two octets for the concatenation reference")
