"""Operator logos, group logos and picture messages of Smart Messaging (ENC §9.3 to §9.5)."""

from __future__ import annotations

import re

from sms_milter.errors import ContentFault
from sms_milter.model import Binary, Kind
from sms_milter.sms import udh
from sms_milter.sms.smart.bitmap import Bitmap

_OPERATOR_PORT, _GROUP_PORT, _PICTURE_PORT = 5506, 5507, 5514
_VERSION = b"\x30"
_LINE_FEED = b"\x0a"

_TEXT_LATIN1, _TEXT_UCS2, _BITMAP = 0x00, 0x01, 0x02  # types of a picture message's items
_LONGEST_TEXT = 120  # characters

_MCC = re.compile(r"[0-9]{3}")
_MNC = re.compile(r"[0-9]{1,2}")


def network_code(mcc: str, mnc: str) -> bytes:
    """Country and network as three octets: 262 and 01 are 62 F2 10 (ENC §9.3).

    Raises ContentFault: a network code of three digits has no place there.
    """
    if not _MCC.fullmatch(mcc):
        raise ContentFault("a mobile country code has three digits")
    if not _MNC.fullmatch(mnc):
        raise ContentFault("a mobile network code has two digits here")
    return bytes.fromhex(f"{mcc[1]}{mcc[0]}F{mcc[2]}{mnc[-1]}{mnc[:-1] or '0'}")


def operator_logo(network: bytes, bitmap: Bitmap, *, full: bool = False) -> Binary:
    """The logo that a phone shows in the network of that `network_code`.

    The `full` form is the specification's; without it 72x14 fits one SMS and phones take it as well.
    """
    head = _VERSION + network + _LINE_FEED if full else network
    return _addressed(head + bitmap.octets, _OPERATOR_PORT, Kind.OPERATOR_LOGO)


def no_operator_logo() -> Binary:
    """What removes an operator logo: an empty one, for a network that is none."""
    return operator_logo(bytes(3), Bitmap(0, 0, b""), full=True)


def group_logo(bitmap: Bitmap, *, versioned: bool = False) -> Binary:
    """The logo of a group of callers; `versioned` with the leading version octet that some phones want."""
    return _addressed((_VERSION if versioned else b"") + bitmap.octets, _GROUP_PORT, Kind.GROUP_LOGO)


def picture(bitmap: Bitmap, text: str = "", *, text_first: bool = False) -> Binary:
    """A picture message with a text of at most 120 characters. Raises ContentFault for a longer one."""
    if len(text) > _LONGEST_TEXT:
        raise ContentFault(f"the text of a picture has at most {_LONGEST_TEXT} characters, not {len(text)}")
    items = [_item(_BITMAP, bitmap.octets)]
    if text:
        items.insert(0 if text_first else 1, _text_item(text))
    return _addressed(_VERSION + b"".join(items), _PICTURE_PORT, Kind.PICTURE)


def ready_picture(octets: bytes) -> Binary:
    """A picture message that is in the binary form already. Raises ContentFault if it does not look so."""
    if not octets.startswith(_VERSION):
        raise ContentFault("a picture message begins with 30")
    return _addressed(octets, _PICTURE_PORT, Kind.PICTURE)


def _text_item(text: str) -> bytes:
    try:
        return _item(_TEXT_LATIN1, text.encode("latin-1"))
    except UnicodeEncodeError:
        return _item(_TEXT_UCS2, text.encode("utf-16-be", "replace"))


def _item(kind: int, octets: bytes) -> bytes:
    return bytes((kind,)) + len(octets).to_bytes(2, "big") + octets


def _addressed(octets: bytes, port: int, kind: Kind) -> Binary:
    return Binary(octets, udh=udh.ports(port), kind=kind)
