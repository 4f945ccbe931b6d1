"""The other PDUs that we send: binds, what keeps and ends a session, and answers."""

from __future__ import annotations

from sms_milter.smpp.codec.building import built
from sms_milter.smpp.codec.commands import (
    BIND_COMMANDS,
    DATA_SM_RESP,
    DELIVER_SM_RESP,
    ENQUIRE_LINK,
    ENQUIRE_LINK_RESP,
    GENERIC_NACK,
    UNBIND,
    UNBIND_RESP,
    BindKind,
)
from sms_milter.smpp.codec.fields import check_octet, latin1
from sms_milter.smpp.codec.framing import HEADER, frame


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
    at = HEADER.size + len(latin1("system_id", system_id, 15)) + 1
    secret = latin1("password", password, longest_password)
    latin1("system_type", system_type, 12)
    latin1("address_range", address_range, 40)
    numbers = {"interface_version": interface_version, "addr_ton": addr_ton, "addr_npi": addr_npi}
    for name, value in numbers.items():
        check_octet(name, value, 255)
    whole = built(
        f"bind_{kind}",
        system_id=system_id,
        password="",  # put in below: smpplib would cut a long one
        system_type=system_type,
        address_range=address_range,
        **numbers,
    )
    return frame(BIND_COMMANDS[kind], 0, sequence, whole[HEADER.size : at] + secret + whole[at:])


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
