"""What an SMSC makes of a submit_sm for the phone: an SMS-DELIVER as 3GPP TS 23.040 §9.2.2.1 lays it out.

Written for tests against decoders of others; it shares nothing with the project.
"""

from __future__ import annotations

# The moment of every message: 2024-11-21 12:00:00 UTC, digits swapped (3GPP TS 23.040 §9.2.3.11).
_MOMENT = bytes.fromhex("42111221000000")
_DELIVER, _NO_MORE, _HEADER_INDICATOR = 0x00, 0x04, 0x40


def packed(septets: bytes, header_octets: int = 0) -> bytes:
    """Septets, one per octet, as seven bits each, least significant first (3GPP TS 23.038 §6.1.2.1).

    Behind a header they begin at a septet border.
    """
    fill = -8 * header_octets % 7
    bits = 0
    for at, septet in enumerate(septets):
        assert septet < 0x80
        bits |= septet << fill + 7 * at
    return bits.to_bytes(-(-(fill + 7 * len(septets)) // 8), "little")


def user_data(short_message: bytes, data_coding: int, *, header: bool) -> tuple[int, bytes]:
    """TP-User-Data-Length and TP-User-Data of the short_message of a submit_sm."""
    size = short_message[0] + 1 if header else 0
    head, content = short_message[:size], short_message[size:]
    if not is_seven_bit(data_coding):
        assert len(short_message) <= 140
        return len(short_message), short_message
    octets = head + packed(content, size)
    assert len(octets) <= 140
    return -(-8 * size // 7) + len(content), octets


def is_seven_bit(data_coding: int) -> bool:
    """Whether TP-DCS names the GSM alphabet (3GPP TS 23.038 §4)."""
    group = data_coding >> 4
    if group < 8:
        return data_coding & 0x0C == 0
    return group in (0xC, 0xD) or data_coding & 0xF4 == 0xF0


def deliver(
    short_message: bytes,
    *,
    originator: str = "447700900000",
    esm_class: int = 0,
    protocol_id: int = 0,
    data_coding: int = 0,
) -> bytes:
    """The TPDU, from an international number."""
    first = _DELIVER | _NO_MORE | (esm_class & _HEADER_INDICATOR)
    digits = originator + "F" * (len(originator) % 2)
    swapped = bytes.fromhex("".join(digits[at + 1] + digits[at] for at in range(0, len(digits), 2)))
    length, octets = user_data(short_message, data_coding, header=bool(esm_class & _HEADER_INDICATOR))
    head = bytes((first, len(originator), 0x91)) + swapped + bytes((protocol_id, data_coding))
    return head + _MOMENT + bytes((length,)) + octets
