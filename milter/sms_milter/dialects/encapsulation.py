"""SMPP SubmitSM encapsulation: the fields of a submit_sm in header fields of the mail (HSL §5).

Reads and checks what is given and adds nothing; the recipients in the envelope are the dialect's matter.
"""

from __future__ import annotations

import binascii
import math
from dataclasses import dataclass

from sms_milter import reply
from sms_milter.errors import ContentFault, Rejected
from sms_milter.mail.parse import Mail
from sms_milter.mail.words import unfold
from sms_milter.model import Binary
from sms_milter.sms import split, udh
from sms_milter.sms.coding import Coding, coding_of
from sms_milter.sms.times import seconds_left

_DESTINATION_ADDR = "x-smpp-destination-addr"
_SHORT_MESSAGE = "x-smpp-short-message"
_ESM_CLASS = "x-smpp-esm-class"
_PROTOCOL_ID = "x-smpp-protocol-id"
_DATA_CODING = "x-smpp-data-coding"
_VALIDITY_PERIOD = "x-smpp-validity-period"

FIELDS = (_DESTINATION_ADDR, _SHORT_MESSAGE, _ESM_CLASS, _PROTOCOL_ID, _DATA_CODING, _VALIDITY_PERIOD)
"""The names, lower case. A mail that has any of them is in this mode."""

_UDHI = 0x40
_MESSAGE_TYPE = 0x3C  # bits of esm_class that only an SMSC or a phone may set


@dataclass(frozen=True, slots=True)
class Encapsulated:
    """What the header asks for. `destination` as written, None without the field.

    `validity_period` as written, `validity_seconds` how long that is from now, None without one.
    """

    content: Binary
    protocol_id: int
    validity_period: str
    validity_seconds: int | None
    destination: str | None


def read(mail: Mail, longest: int | None, now: float) -> Encapsulated:
    """The submit_sm that the mail's header describes (HSL §5.1). Raises Rejected.

    `longest` raises how many octets short_message may have beyond what one SMS holds (HSL §5.2). `now` is in
    seconds since the epoch.
    """
    names = [name for name in (name.lower() for name, _ in mail.fields) if name in FIELDS]
    for name in names:
        if names.count(name) > 1:
            raise Rejected(reply.bad_field(name, "occurs more than once"))
    octets = _short_message(mail)
    esm_class = _number(mail, _ESM_CLASS)
    protocol_id = _number(mail, _PROTOCOL_ID)
    data_coding = _number(mail, _DATA_CODING)
    if esm_class & _MESSAGE_TYPE:
        raise Rejected(reply.bad_field(_ESM_CLASS, "expected 0, or 64 with a user data header"))
    _check_content(octets, bool(esm_class & _UDHI), coding_of(data_coding), longest or 0)
    period, seconds = _validity(mail, now)
    return Encapsulated(
        Binary(octets, data_coding=data_coding, esm_class=esm_class, whole=True),
        protocol_id,
        period,
        seconds,
        _text(mail, _DESTINATION_ADDR),
    )


def _text(mail: Mail, name: str) -> str | None:
    value = mail.by_name.get(name)
    return None if value is None else unfold(value).strip().decode("latin-1")


def _short_message(mail: Mail) -> bytes:
    digits = mail.by_name.get(_SHORT_MESSAGE)
    if digits is None:
        raise Rejected(reply.bad_field(_SHORT_MESSAGE, "missing"))
    try:
        return binascii.unhexlify(b"".join(digits.split()))
    except binascii.Error:
        fault = "expected hexadecimal digits, two for each octet"
        raise Rejected(reply.bad_field(_SHORT_MESSAGE, fault)) from None


def _number(mail: Mail, name: str) -> int:
    # decimal = 1*3DIGIT            ; 0..255
    digits = _text(mail, name)
    if digits is None:
        return 0
    if digits.isascii() and digits.isdigit() and len(digits) <= 3 and int(digits) <= 255:
        return int(digits)
    raise Rejected(reply.bad_field(name, "expected a decimal number from 0 to 255"))


# --- what one SMS holds -------------------------------------------------------------------------------------


def _check_content(octets: bytes, has_header: bool, coding: Coding, longest: int) -> None:
    content, header_octets = octets, 0
    if has_header:
        try:
            _, content = udh.cut_off(octets)
        except ContentFault as fault:
            raise Rejected(reply.bad_field(_SHORT_MESSAGE, str(fault))) from None
        header_octets = len(octets) - len(content)
    if coding is Coding.GSM and not content.isascii():
        raise Rejected(reply.bad_field(_SHORT_MESSAGE, "expected octets up to 7F with this data coding"))
    if coding is Coding.UCS2 and len(content) % 2:
        raise Rejected(reply.bad_field(_SHORT_MESSAGE, "expected pairs of octets with this data coding"))
    held = header_octets + split.gsm_capacity(header_octets) if coding is Coding.GSM else 140
    if len(octets) > max(held, longest):
        raise Rejected(reply.octets_too_many(len(octets), max(held, longest)))


# --- how long it is worth sending ---------------------------------------------------------------------------


def _validity(mail: Mail, now: float) -> tuple[str, int | None]:
    """The period as written, and what that is in seconds from now; ("", None) without the field."""
    period = _text(mail, _VALIDITY_PERIOD)
    if period is None:
        return "", None
    try:
        seconds = seconds_left(period, now)
    except ValueError as fault:
        raise Rejected(reply.bad_field(_VALIDITY_PERIOD, str(fault))) from None
    if period.endswith("R"):
        # Nothing from now is the SMSC's to understand; our queue takes it for no limit of the mail's own.
        return period, int(seconds) or None
    if seconds <= 0:
        raise Rejected(reply.bad_field(_VALIDITY_PERIOD, "this time has passed"))
    return period, math.ceil(seconds)
