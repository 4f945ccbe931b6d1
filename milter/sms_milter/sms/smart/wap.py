"""WAP push: a service indication shows a text with a link, a service load opens the link (ENC §10).

A WSP Push PDU around WBXML, with UTF-8 strings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from sms_milter.errors import ContentFault
from sms_milter.model import Binary, Kind
from sms_milter.sms import udh

_PORT, _SOURCE_PORT = 2948, 9200

Tokens = Literal["none", "prefix", "all"]
"""How much of a link is written in tokens: nothing, its beginning, or `.com/` and the like as well."""

# --- WSP ----------------------------------------------------------------------------------------------------

_PUSH = b"\x06"
_SI, _SL = b"\xae", b"\xb0"  # application/vnd.wap.sic and .slc
_CHARSET_UTF8 = b"\x81\xea"

# --- WBXML --------------------------------------------------------------------------------------------------

_VERSION_1_2, _UTF8, _NO_STRING_TABLE = b"\x02", b"\x6a", b"\x00"
_SI_1_0, _SL_1_0 = b"\x05", b"\x06"
_END, _STRING, _OPAQUE = b"\x01", b"\x03", b"\xc3"
_SI_WITH_CONTENT, _INDICATION, _SL_ALONE = b"\x45", b"\xc6", b"\x85"

_SI_ACTIONS = {
    "signal-none": b"\x05",
    "signal-low": b"\x06",
    "signal-medium": b"\x07",
    "signal-high": b"\x08",
    "delete": b"\x09",
}
_SL_ACTIONS = {"execute-low": b"\x05", "execute-high": b"\x06", "cache": b"\x07"}
_CREATED, _SI_EXPIRES, _SI_ID = b"\x0a", b"\x10", b"\x11"
_SI_HREF, _SL_HREF = 0x0B, 0x08
_PREFIXES = ("", "http://", "http://www.", "https://", "https://www.")  # in the order of their tokens
_VALUES = {".com/": b"\x85", ".edu/": b"\x86", ".net/": b"\x87", ".org/": b"\x88"}
_VALUE = re.compile(r"(\.com/|\.edu/|\.net/|\.org/)")

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def service_indication(
    href: str,
    text: str,
    *,
    si_id: str = "",
    created: str = "",
    expires: str = "",
    action: str = "",
    transaction: int = 0x01,
    charset_header: bool = False,
    tokens: Tokens = "prefix",
) -> Binary:
    """A message that shows `text` and leads to `href`.

    `created` and `expires` are `YYYY-MM-DDThh:mm:ssZ`, `action` is one of signal-none, signal-low,
    signal-medium (what a phone takes for none), signal-high and delete, which needs `si_id`. `transaction`
    is the push's own number, 0..255; `charset_header` names UTF-8 in the header too. Raises ContentFault.
    """
    if action == "delete" and not si_id:
        raise ContentFault("the action delete needs an si-id")
    attributes = [_href(href, _SI_HREF, tokens)]
    if si_id:
        attributes.append(_SI_ID + _string(si_id))
    attributes += _dates(created, expires)
    if action:
        attributes.append(_action(action, _SI_ACTIONS))
    indication = b"".join((_INDICATION, *attributes, _END, _string(text) if text else b"", _END))
    body = _VERSION_1_2 + _SI_1_0 + _UTF8 + _NO_STRING_TABLE + _SI_WITH_CONTENT + indication + _END
    return _pushed(_SI, body, transaction, charset_header)


def service_load(
    href: str,
    *,
    action: str = "",
    transaction: int = 0x01,
    charset_header: bool = False,
    tokens: Tokens = "prefix",
) -> Binary:
    """A message that makes the phone open `href`; `action` is one of execute-low, execute-high and cache.

    The rest as with `service_indication`. Raises ContentFault.
    """
    attributes = _href(href, _SL_HREF, tokens) + (_action(action, _SL_ACTIONS) if action else b"")
    body = _VERSION_1_2 + _SL_1_0 + _UTF8 + _NO_STRING_TABLE + _SL_ALONE + attributes + _END
    return _pushed(_SL, body, transaction, charset_header)


def _pushed(content_type: bytes, body: bytes, transaction: int, charset_header: bool) -> Binary:
    if charset_header:
        content_type += _CHARSET_UTF8
        content_type = bytes((len(content_type),)) + content_type
    head = bytes((transaction,)) + _PUSH + bytes((len(content_type),)) + content_type
    return Binary(head + body, udh=udh.ports(_PORT, _SOURCE_PORT), kind=Kind.WAP_PUSH)


# --- attributes ---------------------------------------------------------------------------------------------


def _href(href: str, first_token: int, tokens: Tokens) -> bytes:
    if not href:
        raise ContentFault("a push without a link")
    prefix = "" if tokens == "none" else max(filter(href.startswith, _PREFIXES), key=len)
    rest = href[len(prefix) :]
    pieces = _VALUE.split(rest) if tokens == "all" else [rest]
    written = [_VALUES.get(piece) or _string(piece) for piece in pieces if piece]
    return bytes((first_token + _PREFIXES.index(prefix),)) + b"".join(written)


def _string(text: str) -> bytes:
    if "\0" in text:
        raise ContentFault("a push holds no NUL")
    return _STRING + text.encode("utf-8", "replace") + b"\0"


def _action(action: str, known: Mapping[str, bytes]) -> bytes:
    if action not in known:
        raise ContentFault(f"an action is one of {', '.join(known)}")
    return known[action]


def _dates(created: str, expires: str) -> list[bytes]:
    for written in filter(None, (created, expires)):
        _check_date(written)
    # Dates of one form compare as they are written.
    if created and expires and expires <= created:
        raise ContentFault("a push must not expire before it is created")
    dates = ((_CREATED, created), (_SI_EXPIRES, expires))
    return [token + _digits(written) for token, written in dates if written]


def _check_date(written: str) -> None:
    if not _DATE.fullmatch(written):
        raise ContentFault("a date is written YYYY-MM-DDThh:mm:ssZ")
    try:
        datetime.fromisoformat(written)
    except ValueError:
        raise ContentFault("no such date or time of day") from None


def _digits(written: str) -> bytes:
    """The digits of a date two to an octet, without zero octets at the end."""
    octets = bytes.fromhex("".join(filter(str.isdigit, written))).rstrip(b"\0")
    return _OPAQUE + bytes((len(octets),)) + octets
