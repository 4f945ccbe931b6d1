"""The msg_types of Nokia Smart Messaging: what each makes of the given text or hex (CLK §9)."""

from __future__ import annotations

import re
from collections.abc import Callable

from sms_milter.dialects.clickatell import faults
from sms_milter.errors import ContentFault
from sms_milter.model import Binary
from sms_milter.sms import smart
from sms_milter.sms.smart import Bitmap, ota_bitmap

_NETWORK = re.compile(r"([0-9]{3})-([0-9]{2})")
_VERSION, _LINE_FEED, _INFO = 0x30, 0x0A, 0x00
_NETWORK_OCTETS = 3
_LOGO, _PICTURE = (78, 21), (72, 28)  # the most pixels each way


def network_code(setting: str) -> bytes | None:
    """The octets of a network written as MCC-MNC, None for "". Raises ValueError."""
    if not setting:
        return None
    network = _NETWORK.fullmatch(setting)
    if network is None:
        raise ValueError(f"{setting!r} is no network; expected MCC-MNC such as 262-01")
    return smart.network_code(network[1], network[2])


def content(kind: str, given: str | bytes, network: bytes | None) -> Binary:
    """The content of a message of the msg_type `kind`; `given` is bytes where HEX says so.

    `network` stands in operator logos that name none. Raises Rejected.
    """
    try:
        if isinstance(given, str):
            return TEXT[kind](given)
        if kind == OPERATOR_LOGO:
            return _operator_logo(given, network)
        return HEX[kind](given)
    except ContentFault as fault:
        raise faults.PARAMETER.rejected(str(fault)) from None


def _operator_logo(octets: bytes, network: bytes | None) -> Binary:
    if octets[:1] == bytes((_INFO,)):
        if network is None:
            raise faults.NO_ROUTE.rejected("no network code for the logo")
        return smart.operator_logo(network, _bitmap(octets, _LOGO))
    full = octets[:1] == bytes((_VERSION,)) and octets[4:5] == bytes((_LINE_FEED,))
    start = 1 if full else 0
    code = octets[start : start + _NETWORK_OCTETS]
    # ENC §9.3: the second octet of a network code ends its country, and its upper half is F.
    if not full and (len(code) < _NETWORK_OCTETS or code[1] < 0xF0):
        raise ContentFault("an operator logo begins with 00, 30 or a network code")
    return smart.operator_logo(code, _bitmap(octets[start + _NETWORK_OCTETS + start :], _LOGO), full=full)


def _group_logo(octets: bytes) -> Binary:
    versioned = octets[:1] == bytes((_VERSION,))
    return smart.group_logo(_bitmap(octets[int(versioned) :], _LOGO), versioned=versioned)


def _picture(octets: bytes) -> Binary:
    if octets[:1] == bytes((_INFO,)):
        return smart.picture(_bitmap(octets, _PICTURE))
    return smart.ready_picture(octets)


def _bitmap(octets: bytes, most: tuple[int, int]) -> Bitmap:
    bitmap = ota_bitmap(octets)
    if bitmap.width > most[0] or bitmap.height > most[1]:
        raise ContentFault(f"{bitmap.width}x{bitmap.height} pixels, at most {most[0]}x{most[1]} are allowed")
    return bitmap


def _no_logo(_given: str) -> Binary:
    return smart.no_operator_logo()


OPERATOR_LOGO = "SMS_NOKIA_OLOGO"
NO_LOGO = "SMS_NOKIA_CLEAN"
HEX: dict[str, Callable[[bytes], Binary]] = {
    OPERATOR_LOGO: lambda octets: _operator_logo(octets, None),
    "SMS_NOKIA_GLOGO": _group_logo,
    "SMS_NOKIA_PICTURE": _picture,
    "SMS_NOKIA_RINGTONE": smart.ready_ringtone,
}
TEXT: dict[str, Callable[[str], Binary]] = {
    "SMS_NOKIA_RTTL": smart.ringtone,
    "SMS_NOKIA_VCARD": smart.vcard,
    "SMS_NOKIA_VCAL": smart.vcalendar,
    NO_LOGO: _no_logo,
}
JOINED = frozenset({"SMS_NOKIA_RTTL"})  # whose lines of text have nothing between them
