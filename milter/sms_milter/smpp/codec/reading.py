"""What an SMSC sends, read tolerantly: as far as it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sms_milter.errors import DecodeError
from sms_milter.smpp.codec.fields import legible
from sms_milter.smpp.codec.tlvs import (
    TLV_ADDITIONAL_STATUS_INFO_TEXT,
    TLV_MESSAGE_PAYLOAD,
    TLV_SC_INTERFACE_VERSION,
    parse_tlvs,
)


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
