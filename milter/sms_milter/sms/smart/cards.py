"""vCard and vCalendar: text that a phone takes into its address book or calendar (ENC §9.6)."""

from __future__ import annotations

from sms_milter.errors import ContentFault
from sms_milter.model import Binary, Kind
from sms_milter.sms import udh

_VCARD_PORT, _VCALENDAR_PORT = 9204, 9205


def vcard(text: str) -> Binary:
    """The vCard `text`, whatever its line ends. Raises ContentFault unless BEGIN and END enclose it."""
    return Binary(_enclosed(text, "VCARD"), udh=udh.ports(_VCARD_PORT), kind=Kind.VCARD)


def vcalendar(text: str) -> Binary:
    """The vCalendar `text`, whatever its line ends. Raises ContentFault unless BEGIN and END enclose it."""
    return Binary(_enclosed(text, "VCALENDAR"), udh=udh.ports(_VCALENDAR_PORT), kind=Kind.VCALENDAR)


def _enclosed(text: str, name: str) -> bytes:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip().split("\n")
    if lines[0].strip().upper() != f"BEGIN:{name}" or lines[-1].strip().upper() != f"END:{name}":
        raise ContentFault(f"BEGIN:{name} and END:{name} must enclose it")
    whole = "\r\n".join([*lines, ""])
    try:
        return whole.encode("latin-1")
    except UnicodeEncodeError:
        return whole.encode("utf-8", "replace")
