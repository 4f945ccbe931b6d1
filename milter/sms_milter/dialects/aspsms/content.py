"""What each Send… action puts into its messages (ASPSMS §11.8, §12.2, §12.4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from sms_milter.dialects.aspsms.document import Element
from sms_milter.dialects.aspsms.faults import Code
from sms_milter.dialects.aspsms.options import LOGO_PIXELS, AspsmsOptions
from sms_milter.dialects.aspsms.text import characters, unix_lines
from sms_milter.errors import ContentFault
from sms_milter.model import Binary
from sms_milter.sms import smart, udh
from sms_milter.sms.coding import Coding, coding_of

Chance = Callable[[int], int]

_WITH_HEADER, _WITHOUT_HEADER = 0xF5, 0x04  # data_coding of octets
_MOST_OCTETS = 140

# A stretch that blinks is enclosed in U+0001 (ASPSMS §12.2).
_BLINK = re.compile(r"</?BLINK>", re.IGNORECASE)
_MARK = "\x01"
_LONGEST_BLINKING = 69  # characters
_MOST_UNITS = 70

# XSer field = type length data      ASPSMS §11.8
_XSER_UDH, _XSER_CODING = 0x01, 0x02

_MCC, _MNC = re.compile(r"[0-9]{3}"), re.compile(r"[0-9]{1,3}")
_PICTURE = (72, 28)
_PUSH_TRANSACTION = 0xDC
_DIALLED = re.compile(r"[0-9+]+")


@dataclass(frozen=True, slots=True)
class Content:
    """Of one message, the same for all recipients."""

    text: str = field(default="", repr=False)
    binary: Binary | None = None
    flash: bool = False
    ucs2: bool = False


def text(request: Element, _options: AspsmsOptions, _chance: Chance) -> Content:
    """SendTextSMS: as it stands, on the display at once, or blinking."""
    written = message_text(request)
    if not written:
        raise Code.MESSAGE.rejected
    if is_set(request, "BlinkingSMS"):
        return Content(_blinking(written), flash=True, ucs2=True)
    return Content(written, flash=is_set(request, "FlashingSMS"))


def message_text(request: Element) -> str:
    """MessageData as a message's text: blanks stay, line breaks around it go."""
    data = request.find("MessageData")
    return "" if data is None else characters(unix_lines(data.text).strip("\n"))


def is_set(request: Element, name: str) -> bool:
    """Whether a flag is 1, or true in any case."""
    return request.value(name).lower() in ("1", "true")


def _blinking(written: str) -> str:
    shown = _BLINK.sub("", written)
    marked = _BLINK.sub(_MARK, written) if shown != written else _MARK + written
    if not shown or len(shown) > _LONGEST_BLINKING or len(marked.encode("utf-16-be")) > 2 * _MOST_UNITS:
        raise Code.MESSAGE.rejected
    return marked


# --- octets -------------------------------------------------------------------------------------------------


def octets(request: Element, _options: AspsmsOptions, _chance: Chance) -> Content:
    """SendBinaryData: octets as they are, what they mean in XSer."""
    header, coding = _xser(request.value("XSer"))
    data = _hexadecimal(request.value("MessageData"))
    if not data:
        raise Code.NO_BINARY_DATA.rejected
    if coding is None:
        coding = _WITH_HEADER if header else _WITHOUT_HEADER
    is_text = coding_of(coding) is Coding.UCS2
    too_long = len(udh.compose(header)) + len(data) > _MOST_OCTETS and not (is_text and not header)
    if too_long or (is_text and len(data) % 2):
        raise Code.BINARY_DATA.rejected
    return Content(binary=Binary(data, header, data_coding=coding))


def _xser(written: str) -> tuple[bytes, int | None]:
    """The elements of the user data header, and the data coding if there is one."""
    try:
        fields = _fields(bytes.fromhex(written))
        header = b""
        if _XSER_UDH in fields:
            header, rest = udh.cut_off(fields[_XSER_UDH])
            if rest:
                raise ContentFault("the length of the header is not that of its field")
        coding = fields.get(_XSER_CODING)
        if not fields or fields.keys() - {_XSER_UDH, _XSER_CODING} or (coding and len(coding) != 1):
            raise ContentFault("unknown fields")
    except ValueError:  # ContentFault among them
        raise Code.XSER.rejected from None
    if coding is None:
        return header, None
    return header, coding[0]


def _fields(octets: bytes) -> Mapping[int, bytes]:
    fields: dict[int, bytes] = {}
    at = 0
    while at < len(octets):
        if at + 2 > len(octets) or octets[at] in fields:
            raise ContentFault("half a field, or one twice")
        kind, start = octets[at], at + 2
        at = start + octets[at + 1]
        if at > len(octets) or at == start:
            raise ContentFault("a field that runs past the end, or is empty")
        fields[kind] = octets[start:at]
    return fields


def _hexadecimal(written: str) -> bytes:
    """Octets in hexadecimal; white space between them does not matter."""
    try:
        return bytes.fromhex("".join(written.split()))
    except ValueError:
        raise Code.BINARY_DATA.rejected from None


# --- links and cards ----------------------------------------------------------------------------------------


def push(request: Element, _options: AspsmsOptions, _chance: Chance) -> Content:
    """SendWAPPushSMS: a text with a link."""
    link, description = request.value("WAPPushURL"), request.value("WAPPushDescription")
    if not (link and description):
        raise Code.MESSAGE.rejected
    try:
        made = smart.service_indication(link, characters(description), transaction=_PUSH_TRANSACTION)
    except ContentFault:
        raise Code.MESSAGE.rejected from None
    return Content(binary=replace(made, data_coding=_WITH_HEADER))


def card(request: Element, _options: AspsmsOptions, _chance: Chance) -> Content:
    """SendVCard: a name and a number for the phone's address book."""
    given = request.find("VCard") or request
    name = " ".join(characters(given.value("VName")).split())
    number = given.value("VPhoneNumber")
    if not name or not _DIALLED.fullmatch(number):
        raise Code.MESSAGE.rejected
    lines = ("BEGIN:VCARD", "VERSION:2.1", f"N:{name}", f"TEL:{number}", "END:VCARD")
    return _smart(smart.vcard("\r\n".join(lines)))


# --- logos, pictures, melodies ------------------------------------------------------------------------------


def operator_logo(request: Element, options: AspsmsOptions, _chance: Chance) -> Content:
    """SendLogo: what a phone shows in the network of MCC and MNC."""
    network = _network(request)
    return _smart(smart.operator_logo(network, _picture(_file(request, options), LOGO_PIXELS)))


def random_logo(request: Element, options: AspsmsOptions, chance: Chance) -> Content:
    """SendRandomLogo: one of the configured ones."""
    network = _network(request)
    if not (options.legacy_binary and options.random_logos):
        raise Code.UNAVAILABLE.rejected
    chosen = options.random_logos[chance(len(options.random_logos))]
    return _smart(smart.operator_logo(network, chosen))


def group_logo(request: Element, options: AspsmsOptions, _chance: Chance) -> Content:
    """SendGroupLogo: what a phone shows when somebody of a group calls."""
    return _smart(smart.group_logo(_picture(_file(request, options), LOGO_PIXELS)))


def picture(request: Element, options: AspsmsOptions, _chance: Chance) -> Content:
    """SendPictureMessage: a picture, and MessageData under it."""
    shown = _picture(_file(request, options), _PICTURE)
    try:
        return _smart(smart.picture(shown, message_text(request)))
    except ContentFault:
        raise Code.MESSAGE.rejected from None


def ring_tone(request: Element, options: AspsmsOptions, _chance: Chance) -> Content:
    """SendRingtone: a melody in the binary form, or in RTTTL."""
    file = _file(request, options)
    try:
        if file.startswith(b"\x02"):
            return _smart(smart.ready_ringtone(file))
        return _smart(smart.ringtone(file.decode("latin-1")))
    except ContentFault:
        raise Code.BINARY_FILE.rejected from None


def _file(request: Element, options: AspsmsOptions) -> bytes:
    if not options.legacy_binary:
        raise Code.UNAVAILABLE.rejected
    inline = request.value("BinaryFileDataHex")
    if inline:
        return _hexadecimal(inline)
    if request.value("URLBinaryFile"):
        raise Code.NO_FILE.rejected  # nothing is ever fetched
    raise Code.NO_BINARY_DATA.rejected


def _picture(file: bytes, size: tuple[int, int]) -> smart.Bitmap:
    """A BMP file, or an OTA bitmap; the first octet of a ready-made one may be 01 (ASPSMS §12.4)."""
    try:
        found = smart.bmp(file) if file.startswith(b"BM") else smart.ota_bitmap(b"\0" + file[1:])
    except ContentFault:
        raise Code.BINARY_FILE.rejected from None
    if (found.width, found.height) != size or (file[:1] not in (b"\0", b"\1", b"B")):
        raise Code.BINARY_FILE.rejected
    return found


def _network(request: Element) -> bytes:
    """MCC and MNC in three octets; a third digit of the MNC is in the filler's place (3GPP TS 24.008)."""
    mcc, mnc = request.value("MCC"), request.value("MNC")
    if not _MCC.fullmatch(mcc):
        raise Code.MCC.rejected
    if not _MNC.fullmatch(mnc):
        raise Code.MNC.rejected
    if len(mnc) < 3:
        return smart.network_code(mcc, mnc)
    return bytes.fromhex(f"{mcc[1]}{mcc[0]}{mnc[2]}{mcc[2]}{mnc[1]}{mnc[0]}")


def _smart(made: Binary) -> Content:
    """As the interface sends it: the source port is that of the destination (ASPSMS §12.4)."""
    ((_, ports),) = udh.elements(made.udh)
    port = int.from_bytes(ports[:2], "big")
    return Content(binary=replace(made, udh=udh.ports(port, port), data_coding=_WITH_HEADER))
