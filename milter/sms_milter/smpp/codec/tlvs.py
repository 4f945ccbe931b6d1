"""Optional parameters behind the mandatory fields of a PDU (SMPP 3.4 §5.3)."""

from __future__ import annotations

import struct
from typing import Final

from sms_milter.errors import LocalProtocolError

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

TAG_AND_LENGTH: Final = struct.Struct(">2H")


def tlv(tag: int, value: bytes) -> bytes:
    """One TLV (SMPP 3.4 §5.3). Raises LocalProtocolError when tag or length do not fit 16 bits."""
    if not (0 <= tag <= 0xFFFF and len(value) <= 0xFFFF):
        raise LocalProtocolError(f"TLV {tag:04X} with {len(value)} octets does not fit")
    return TAG_AND_LENGTH.pack(tag, len(value)) + value


def parse_tlvs(body: bytes, at: int = 0) -> dict[int, bytes]:
    """The TLVs from `at` on; of repeated tags the first. One cut short by the end of the PDU is left out."""
    tlvs: dict[int, bytes] = {}
    end = len(body)
    while at + 4 <= end:
        tag, length = TAG_AND_LENGTH.unpack_from(body, at)
        at += 4 + length
        if at <= end:
            tlvs.setdefault(tag, body[at - length : at])
    return tlvs
