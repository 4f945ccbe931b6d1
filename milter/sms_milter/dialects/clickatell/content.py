"""From a Clickatell mail's text, data and user data header to the content of its messages (CLK §7, §9)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from urllib.parse import unquote_to_bytes

from sms_milter.dialects.clickatell import faults, smart
from sms_milter.dialects.clickatell.options import ClickatellOptions
from sms_milter.dialects.clickatell.parameters import Parameters, shown
from sms_milter.errors import ContentFault
from sms_milter.mail import charset
from sms_milter.model import Binary
from sms_milter.sms import alphabet, udh

_TEXT_TYPES = frozenset({"SMS_TEXT", "SMS_DEFAULT"})
_FLASH = "SMS_FLASH"
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})*")
_UTF16_HEX = re.compile(r"(?:[0-9A-Fa-f]{4})*")
_SMART_PARTS = 3
_LONGEST_HEADER = 140  # octets, UDHL included
# GSM 03.38 §4: 8-bit data, and the same of class 0, which a phone shows at once.
_OCTETS, _OCTETS_FLASH, _UCS2, _UCS2_FLASH = 0x04, 0x14, 0x08, 0x18


@dataclass(frozen=True, slots=True)
class Content:
    """The content of one message; `text` unless there is `binary`."""

    text: str = field(default="", repr=False)
    binary: Binary | None = None
    flash: bool = False
    ucs2: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """How the given text becomes the content of each message.

    `given` is what the text, data or urltext lines say; `header` are the elements of the user data header,
    None where none was given; `smart` is a msg_type of Smart Messaging, "" for any other. `options` say what
    becomes of characters that the GSM alphabet has not, and more of that kind.
    """

    given: str = field(repr=False)
    options: ClickatellOptions
    unicode: bool = False
    octets: bool = False
    flash: bool = False
    header: bytes | None = None
    smart: str = ""

    @property
    def is_binary(self) -> bool:
        """Whether messages hold 8-bit data, beside which no originator may be a name (CLK §8)."""
        return self.octets or self.header is not None or bool(self.smart)

    @property
    def parts(self) -> int:
        """How many SMS a message may need where the mail does not say it (CLK §7.1)."""
        return _SMART_PARTS if self.smart else 1

    @property
    def per_destination(self) -> bool:
        """Whether a message has the network of its phone in it: an operator logo that names none."""
        return self.smart == smart.OPERATOR_LOGO and self.given.startswith("00")

    def content(self, given: str, network: str = "") -> Content:
        """The content that `given` stands for; `network` (MCC-MNC) counts for operator logos that name none,
        before that of the options. Raises Rejected.
        """
        if self.smart:
            if not given and self.smart != smart.NO_LOGO:
                raise faults.EMPTY.rejected()
            source = _octets(given) if self.smart in smart.HEX else given
            code = smart.network_code(network or self.options.operator_network)
            binary = smart.content(self.smart, source, code)
            return Content(binary=replace(binary, data_coding=int(self.options.binary_dcs, 0)))
        if self.header is not None or self.octets:
            return Content(binary=self._binary(given), flash=self.flash)
        text = _utf16(given).decode("utf-16-be") if self.unicode else given
        if not text.strip():
            raise faults.EMPTY.rejected()
        if not self.unicode and self.options.on_unmappable != "ucs2":
            text = self._in_gsm(text)
        return Content(text, flash=self.flash, ucs2=self.unicode)

    def _in_gsm(self, text: str) -> str:
        """Text that the GSM alphabet shows (CLK §3.1). Raises Rejected."""
        whole = alphabet.nfc(text)
        if alphabet.encode(whole) is not None:
            return text
        if self.options.on_unmappable == "reject":
            raise faults.UNICODE.rejected()
        return "".join([one if alphabet.encode(one) is not None else "?" for one in whole])

    def _binary(self, given: str) -> Binary:
        header = self.header or b""
        if self.unicode:
            octets, coding = _utf16(given), _UCS2_FLASH if self.flash else _UCS2
        else:
            octets, coding = _octets(given), _OCTETS_FLASH if self.flash else _OCTETS
        if not octets and not header:
            raise faults.EMPTY.rejected()
        return Binary(octets, udh=header, data_coding=coding)


def form(said: Parameters, options: ClickatellOptions) -> Form:
    """What kind of content the mail describes. Raises Rejected."""
    unicode = said.flag("unicode")
    kind = said.first("msg_type") or "SMS_TEXT"
    if kind in smart.HEX or kind in smart.TEXT:
        if unicode or said.first("udh"):
            raise faults.PARAMETER.rejected(f"{'unicode' if unicode else 'udh'} beside {kind}")
        said.flag("binary")  # says nothing that the type does not
        coded = kind in smart.HEX or kind in smart.JOINED
        whole = _given(said, "\n", joined=coded, coded=kind in smart.HEX)
        return Form(whole, options, smart=kind)
    if kind not in _TEXT_TYPES and kind != _FLASH:
        raise faults.MESSAGE_TYPE.rejected()
    header = _header(said.first("udh"))
    octets = said.flag("binary")
    if unicode and octets:
        raise faults.PARAMETER.rejected("unicode beside binary")
    newline = "\r\n" if options.newline == "crlf" else "\n"
    whole = _given(said, newline, coded=unicode or octets or header is not None, unicode=unicode)
    return Form(whole, options, unicode, octets, kind == _FLASH, header)


def _given(
    said: Parameters, newline: str, *, coded: bool, unicode: bool = False, joined: bool = False
) -> str:
    """The lines of text, data or urltext as one (CLK §4); of hex without white space."""
    named = [name for name in ("text", "data", "urltext") if name in said]
    if len(named) > 1:
        raise faults.PARAMETER.rejected(" and ".join(named))
    if not named:
        return ""
    lines = said.all(named[0])
    if named[0] == "urltext":
        return _percent_decoded(said.first("urltext")).replace("\n", newline)
    if coded:
        lines = ["".join(line.split()) for line in lines]
        between = newline.encode("utf-16-be").hex() if unicode and named[0] == "text" else ""
        return between.join(lines)
    return newline.join(lines) if named[0] == "text" and not joined else "".join(lines).strip()


def _percent_decoded(given: str) -> str:
    return shown(charset.guess(unquote_to_bytes(given.replace("+", " "))))


def _octets(given: str) -> bytes:
    hex_ = "".join(given.split())
    if not _HEX.fullmatch(hex_):
        raise faults.PARAMETER.rejected("data: expected hex")
    return bytes.fromhex(hex_)


def _utf16(given: str) -> bytes:
    hex_ = "".join(given.split())
    if not _UTF16_HEX.fullmatch(hex_):
        raise faults.UNICODE.rejected()
    octets = bytes.fromhex(hex_)
    try:
        octets.decode("utf-16-be")
    except UnicodeDecodeError:
        raise faults.UNICODE.rejected() from None
    return octets


def _header(given: str) -> bytes | None:
    """The elements of the user data header that `given` writes in hex, UDHL in front (CLK §9.1)."""
    if not given:
        return None
    hex_ = "".join(given.split())
    if not _HEX.fullmatch(hex_) or len(hex_) > 2 * _LONGEST_HEADER:
        raise faults.USER_DATA_HEADER.rejected()
    try:
        header, rest = udh.cut_off(bytes.fromhex(hex_))
    except ContentFault:
        raise faults.USER_DATA_HEADER.rejected() from None
    if rest or not header:
        raise faults.USER_DATA_HEADER.rejected()
    return header
