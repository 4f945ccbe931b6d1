"""Mobile-originated messages: what a deliver_sm that is no receipt brings, and how its parts read as one."""

from __future__ import annotations

from typing import Final

from sms_milter.errors import ContentFault
from sms_milter.model import MobileMessage, MobilePart
from sms_milter.smpp import codec
from sms_milter.smpp.codec import DeliverSm
from sms_milter.sms import alphabet, udh
from sms_milter.sms.coding import Coding, coding_of
from sms_milter.sms.national import Shift, shift_of

OCTETS: Final = "octets"
GSM7: Final = "gsm7"
MISSING: Final = "[...]"  # stands where a part never came

_UDHI = 0x40
_CONCATENATION_8, _CONCATENATION_16, _PORTS_8, _PORTS_16 = 0x00, 0x08, 0x04, 0x05

# SMPP 3.4 §5.2.19, where it says something else than GSM 03.38.
_BY_CODING: Final = {1: "ascii", 2: OCTETS, 3: "latin-1", 4: OCTETS, 6: "iso8859-5", 7: "iso8859-8"}
_BY_GROUP: Final = {Coding.GSM: GSM7, Coding.UCS2: "utf-16-be", Coding.OCTETS: OCTETS}
_DEFAULTS: Final = {"gsm7": GSM7, "latin1": "latin-1", "ascii": "ascii"}


def read(pdu: DeliverSm, smsc: str, default_alphabet: str, now: float) -> MobilePart:
    """The part in `pdu`; `default_alphabet` is what data_coding 0 means there (setting `alphabet`).

    A user data header that makes no sense is left in the content as octets: nothing is lost by it.
    """
    name = _alphabet(pdu.data_coding, default_alphabet)
    content, place = pdu.short_message, (0, 0, 1, 1)
    if pdu.esm_class & _UDHI:
        try:
            header, content = udh.cut_off(content)
            elements = dict(udh.elements(header))
            place = _place(elements)
            if _PORTS_8 in elements or _PORTS_16 in elements:
                name = OCTETS  # for a program on the phone's side
            elif name == GSM7:
                name = _shifted(shift_of(tuple(elements.items())))
        except ContentFault:
            name, place = OCTETS, (0, 0, 1, 1)
    elif codec.TLV_SAR_MSG_REF_NUM in pdu.tlvs:
        place = _sar(pdu)
    reference, width, number, total = place
    return MobilePart(
        smsc, pdu.source_addr, pdu.destination_addr, name, content, now, reference, width, number, total
    )


def text_of(message: MobileMessage) -> str:
    """What the phone's owner wrote; "" for octets. Characters that cannot be read become U+FFFD."""
    if message.alphabet == OCTETS:
        return ""
    whole, run = [], b""
    for part in (*message.parts, None):  # what was cut between two parts is joined before it is read
        if part is not None:
            run += part
            continue
        whole.append(_text(run, message.alphabet))
        run = b""
    return MISSING.join(whole)


def _text(octets: bytes, name: str) -> str:
    if name == GSM7:
        return alphabet.decode(octets)
    if name.startswith(f"{GSM7}-"):
        locking, single = map(int, name.removeprefix(f"{GSM7}-").split("-"))
        return Shift(single=single, locking=locking).decode(octets)
    return octets.decode(name, "replace")


def _shifted(shift: Shift) -> str:
    """GSM with national language tables, as `MobilePart.alphabet` names it."""
    return f"{GSM7}-{shift.locking}-{shift.single}" if shift.header else GSM7


def _alphabet(data_coding: int, default: str) -> str:
    if data_coding == 0:
        return _DEFAULTS[default]
    return _BY_CODING.get(data_coding) or _BY_GROUP[coding_of(data_coding)]


def _place(elements: dict[int, bytes]) -> tuple[int, int, int, int]:
    """Reference, its width, number and total by GSM 03.40 §9.2.3.24.1 and §9.2.3.24.8."""
    short, long = elements.get(_CONCATENATION_8, b""), elements.get(_CONCATENATION_16, b"")
    if len(short) == 3:
        return _sound(short[0], 1, short[2], short[1])
    if len(long) == 4:
        return _sound(int.from_bytes(long[:2], "big"), 2, long[3], long[2])
    return 0, 0, 1, 1


def _sar(pdu: DeliverSm) -> tuple[int, int, int, int]:
    """The same by SMPP 3.4 §5.3.2.22 to 24."""
    tags = (codec.TLV_SAR_MSG_REF_NUM, codec.TLV_SAR_SEGMENT_SEQNUM, codec.TLV_SAR_TOTAL_SEGMENTS)
    reference, number, total = (int.from_bytes(pdu.tlvs.get(tag, b"\1"), "big") for tag in tags)
    return _sound(reference & 0xFFFF, 2, number, total)


def _sound(reference: int, width: int, number: int, total: int) -> tuple[int, int, int, int]:
    """A part that cannot be the one it says it is counts as a message of its own."""
    return (reference, width, number, total) if 1 <= number <= total <= 255 and total > 1 else (0, 0, 1, 1)
