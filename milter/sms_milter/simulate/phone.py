"""The phone behind the simulated SMSC: joins the parts of a message and shows it.

Also what an SMSC checks about the user data: its header, and whether it fits one SMS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sms_milter.simulate.wire import BadPdu, Status, Submission, Tlv
from sms_milter.sms import alphabet, split
from sms_milter.sms.national import UNSHIFTED, Shift, shift_of

_UDHI = 0x40
_CONCATENATION_8, _CONCATENATION_16, _PORTS_16 = 0x00, 0x08, 0x05
_DISPLAY = b"\x01"  # dest_addr_subunit: show at once (SMPP 3.4 §5.3.2.1)

GSM, UCS2, BINARY = "GSM 7-bit", "UCS-2", "8-bit"
LATIN1, ASCII = "Latin-1", "ASCII"


@dataclass(frozen=True, slots=True)
class ReceivedSms:
    """One SMS as the phone has it, complete.

    `text` is empty and `binary` filled when the content is no text. `order` lists the part numbers as they
    came. `ports` is destination and source of an application message. `received_at` belongs to the last part.
    """

    originator: str
    destination: str
    text: str
    binary: bytes
    order: tuple[int, ...]
    alphabet: str
    data_coding: int
    flash: bool
    registered_delivery: int
    message_ids: tuple[str, ...]
    pdus: tuple[bytes, ...]
    received_at: float
    ports: tuple[int, int] | None = None

    @property
    def parts(self) -> int:
        """How many SMS it took."""
        return len(self.order)


@dataclass(frozen=True, slots=True)
class Segment:
    """User data of one submit_sm without its header, and its place in a longer message; 1 of 1 is whole."""

    content: bytes
    reference: tuple[int, int] = (0, 0)  # width in octets and value
    total: int = 1
    number: int = 1
    ports: tuple[int, int] | None = None
    shift: Shift = UNSHIFTED  # national language tables that the header announces


def alphabet_of(data_coding: int, default: str = GSM) -> str:
    """The alphabet that data_coding names (ENC §4); `default` is what 0 means."""
    group = data_coding >> 4
    if group == 0x1 or 0x4 <= group <= 0x7:
        return (GSM, BINARY, UCS2, BINARY)[data_coding >> 2 & 3]
    if group in (0xC, 0xD):
        return GSM
    if group == 0xE:
        return UCS2
    if group == 0xF:
        return BINARY if data_coding & 4 else GSM
    return {0: default, 1: ASCII, 3: LATIN1, 8: UCS2}.get(data_coding, BINARY)


def is_flash(data_coding: int, tlvs: Mapping[int, bytes]) -> bool:
    """Whether the phone shows the message at once and keeps no copy: class 0 (ENC §4)."""
    if tlvs.get(Tlv.DEST_ADDR_SUBUNIT) == _DISPLAY:
        return True
    return data_coding & 0x93 == 0x10 or data_coding & 0xF3 == 0xF0


def segment_of(submission: Submission) -> Segment:
    """The user data of `submission`; BadPdu when its header is no header or it is longer than an SMS."""
    content, tlvs = submission.content, submission.tlvs
    elements = _elements(content) if submission.esm_class & _UDHI else {}
    header = content[0] + 1 if submission.esm_class & _UDHI else 0
    if Tlv.MESSAGE_PAYLOAD not in tlvs:
        _check_length(len(content) - header, header, alphabet_of(submission.data_coding))
    reference, total, number = (0, 0), 1, 1
    if part := elements.get(_CONCATENATION_8):
        reference, total, number = (1, part[0]), part[1], part[2]
    elif part := elements.get(_CONCATENATION_16):
        reference, total, number = (2, int.from_bytes(part[:2], "big")), part[2], part[3]
    if Tlv.SAR_MSG_REF_NUM in tlvs:
        if total > 1:
            raise BadPdu(Status.TLV_NOT_ALLOWED)
        reference = (2, int.from_bytes(tlvs[Tlv.SAR_MSG_REF_NUM], "big"))
        total, number = (tlvs.get(tag, b"\1")[0] for tag in (Tlv.SAR_TOTAL_SEGMENTS, Tlv.SAR_SEGMENT_SEQNUM))
    if not 1 <= number <= total:
        raise BadPdu(Status.ESM_CLASS)
    ports = elements.get(_PORTS_16)
    addressed = (int.from_bytes(ports[:2], "big"), int.from_bytes(ports[2:], "big")) if ports else None
    return Segment(content[header:], reference, total, number, addressed, shift_of(tuple(elements.items())))


_ELEMENT_LENGTHS = {_CONCATENATION_8: 3, _CONCATENATION_16: 4, _PORTS_16: 4}


def _elements(content: bytes) -> dict[int, bytes]:
    """The elements of the user data header, which must end where it says (ENC §8)."""
    end = content[0] + 1 if content else 1
    if end > min(len(content), 140):
        raise BadPdu(Status.ESM_CLASS)
    found = {}
    at = 1
    while at < end:
        value = at + 2
        at = value + content[at + 1] if value <= end else end + 1
        if at > end:
            raise BadPdu(Status.ESM_CLASS)
        found[content[value - 2]] = content[value:at]
    if any(len(found.get(kind, bytes(length))) != length for kind, length in _ELEMENT_LENGTHS.items()):
        raise BadPdu(Status.ESM_CLASS)
    return found


def _check_length(octets: int, header: int, name: str) -> None:
    """An SMS carries 140 octets, in which seven-bit characters are packed (ENC §5)."""
    limit = split.gsm_capacity(header) if name in (GSM, LATIN1, ASCII) else 140 - header
    if octets > limit:
        raise BadPdu(Status.MESSAGE_LENGTH)


@dataclass(slots=True)
class _Arrived:
    """One part that waits for its siblings."""

    segment: Segment
    message_id: str
    octets: bytes


class Phone:
    """All phones of the network: keeps incomplete messages and gives out complete ones."""

    def __init__(self, default_alphabet: str = GSM) -> None:
        self._default = default_alphabet
        self._waiting: dict[tuple[object, ...], dict[int, _Arrived]] = {}

    @property
    def incomplete(self) -> list[tuple[str, int, int]]:
        """Destination, parts that came and parts there should be of each message still waiting."""
        return [
            (str(key[1]), len(parts), next(iter(parts.values())).segment.total)
            for key, parts in self._waiting.items()
        ]

    def take(
        self, submission: Submission, segment: Segment, message_id: str, octets: bytes, now: float
    ) -> ReceivedSms | None:
        """One accepted part; gives the message that it completes. A part that is there already stays."""
        arrived = _Arrived(segment, message_id, octets)
        if segment.total == 1:
            return self._shown(submission, (arrived,), now)
        key = (submission.source, submission.destination, segment.reference, segment.total)
        parts = self._waiting.setdefault(key, {})
        parts.setdefault(segment.number, arrived)
        if len(parts) < segment.total:
            return None
        del self._waiting[key]
        return self._shown(submission, tuple(parts.values()), now)

    def _shown(self, submission: Submission, arrived: tuple[_Arrived, ...], now: float) -> ReceivedSms:
        name = alphabet_of(submission.data_coding, self._default)
        contents = [a.segment.content for a in sorted(arrived, key=lambda a: a.segment.number)]
        ports = arrived[0].segment.ports
        binary = name == BINARY or ports is not None
        shift = arrived[0].segment.shift
        if name == GSM and shift.header:
            texts = [shift.decode(content) for content in contents]
        else:
            texts = [] if binary else [text_of(content, name) for content in contents]
        return ReceivedSms(
            originator=submission.source,
            destination=submission.destination,
            text="" if binary else "".join(texts),
            binary=b"".join(contents) if binary else b"",
            order=tuple([a.segment.number for a in arrived]),
            alphabet=f"{name}, {shift}" if name == GSM and shift.header else name,
            data_coding=submission.data_coding,
            flash=is_flash(submission.data_coding, submission.tlvs),
            registered_delivery=submission.registered_delivery,
            message_ids=tuple([a.message_id for a in arrived]),
            pdus=tuple([a.octets for a in arrived]),
            received_at=now,
            ports=ports,
        )


def text_of(content: bytes, name: str) -> str:
    """What the phone shows for `content` in the alphabet `name`."""
    if name == GSM:
        return alphabet.decode(content)
    if name == UCS2:
        return content.decode("utf-16-be", "replace")
    return content.decode("ascii" if name == ASCII else "latin-1", "replace")
