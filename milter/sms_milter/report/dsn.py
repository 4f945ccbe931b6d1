"""Delivery status notifications: the end of a message as multipart/report (HSL §6.1, RFC 3464 §2).

The text of the SMS never stands here, but the mail's own header does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from sms_milter.channels.errand import channel_of
from sms_milter.logline import clean
from sms_milter.mail.charset import guess
from sms_milter.model import DeliveryReport, PartState
from sms_milter.report.letter import Frame, begin, date, set_report, status_part, text_part
from sms_milter.smpp.status import classify

_HEXCHAR = re.compile(r"\+([0-9A-F]{2})")  # RFC 3461 §4
_ADDRESS_TYPE = re.compile(r"[A-Za-z0-9-]+")


class _End(NamedTuple):
    """How an end is told: enhanced status code (RFC 3463 §3), and in words."""

    status: str
    words: str


_DELIVERED = _End("2.0.0", "has been delivered")
_BY_STAT = {
    "EXPIRED": _End("5.4.7", "has not been delivered: the phone could not be reached in time"),
    "DELETED": _End("5.0.0", "has not been delivered: it was deleted at the message centre"),
    "UNDELIV": _End("5.0.0", "has not been delivered: the mobile network could not deliver it"),
    "UNKNOWN": _End("5.0.0", "may not have been delivered: the mobile network has lost track of it"),
    "REJECTD": _End("5.7.1", "has not been delivered: the mobile network rejected it"),
}
_BY_CHANNEL = {
    "EXPIRED": _End("5.4.7", "has not been delivered: there was not enough time"),
    "UNDELIV": _End("5.0.0", "has not been delivered: the service for such messages could not deliver it"),
}
_NOT_TAKEN = _End("5.0.0", "has not been delivered: the service for such messages refused it")
_NOT_SENT = _End("4.4.7", "has not been delivered: it could not be sent in time")
_CANCELLED = _End("5.0.0", "has not been delivered: it was cancelled before it was sent")
_SILENCE = _End("4.4.7", "may not have been delivered: nothing has been heard of it since it was sent")


def compose(report: DeliveryReport, frame: Frame, *, reporting_mta: str, boundary: str) -> bytes:
    """The notification, with CR LF. `reporting_mta` names our host, `boundary` parts the three parts."""
    delivered = report.state is PartState.DELIVERED
    mail = begin(frame, f"Delivery Status Notification ({'Delivered' if delivered else 'Failure'})")
    header = _header(report, frame.in_reply_to)
    while f"--{boundary}" in header:
        boundary += "="
    parts = [
        text_part(f"Your message to {_whom(report)} {_end(report).words}.\n"),
        status_part(_per_message(report, reporting_mta), _per_recipient(report)),
    ]
    if header:
        parts.append(text_part(header, "rfc822-headers"))
    set_report(mail, parts, boundary)
    return mail.as_bytes()


def _whom(report: DeliveryReport) -> str:
    if report.destination.isdigit():
        return f"mobile +{report.destination}"
    return clean(report.destination)  # by another channel than SMS


def _end(report: DeliveryReport) -> _End:
    """HSL §6.1: what the final state means."""
    if report.state is PartState.DELIVERED:
        return _DELIVERED
    channel = channel_of(report.smsc)
    if report.stat and channel:
        return _BY_CHANNEL.get(report.stat, _BY_CHANNEL["UNDELIV"])
    if report.stat:
        return _BY_STAT.get(report.stat, _BY_STAT["UNDELIV"])
    if report.state is PartState.EXPIRED:
        return _NOT_SENT
    if report.cancelled:
        return _CANCELLED
    if report.state is PartState.FAILED and channel:
        return _NOT_TAKEN
    if report.state is PartState.FAILED:
        status = classify(report.command_status)
        why = f"has not been delivered: the message centre refused it ({status.meaning})"
        return _End(status.dsn or "5.0.0", why)
    return _SILENCE


def _per_message(report: DeliveryReport, reporting_mta: str) -> Iterator[tuple[str, str]]:
    yield "Reporting-MTA", f"dns; {reporting_mta}"
    if report.envelope_id:
        yield "Original-Envelope-Id", clean(_from_xtext(report.envelope_id))
    yield "Arrival-Date", date(report.arrived_at)


def _per_recipient(report: DeliveryReport) -> Iterator[tuple[str, str]]:
    yield "Original-Recipient", _original_recipient(report)
    yield "Final-Recipient", f"rfc822; {clean(report.recipient)}"
    yield "Action", "delivered" if report.state is PartState.DELIVERED else "failed"
    yield "Status", _end(report).status
    if report.stat or report.command_status or report.state is PartState.ACCEPTED:
        yield "Remote-MTA", f"{_kind(report)}; {clean(channel_of(report.smsc) or report.smsc)}"
    if report.stat:
        error = f" err:{report.error}" if report.error else ""
        yield "Diagnostic-Code", f"{_kind(report)}; {clean(f'stat:{report.stat}{error}')}"
    elif report.command_status:
        yield "Diagnostic-Code", f"x-smpp; {classify(report.command_status)}"
    yield "Last-Attempt-Date", date(report.at)


def _kind(report: DeliveryReport) -> str:
    """What speaks of the message and its end (RFC 3464 §2.3.6)."""
    return "x-channel" if channel_of(report.smsc) else "x-smpp"


def _original_recipient(report: DeliveryReport) -> str:
    """ORCPT without its encoding, or the address as it was received (RFC 3461 §4.2)."""
    kind, semicolon, address = report.original_recipient.partition(";")
    if semicolon and _ADDRESS_TYPE.fullmatch(kind):
        return f"{kind.lower()}; {clean(_from_xtext(address))}"
    return f"rfc822; {clean(report.recipient)}"


def _from_xtext(text: str) -> str:
    octets = _HEXCHAR.sub(lambda hexchar: chr(int(hexchar[1], 16)), text)
    return octets if octets.isascii() else guess(octets.encode("latin-1", "replace"))


def _header(report: DeliveryReport, message_id: str) -> str:
    """The mail's header; of mails that were not to be reported on, only the Message-ID is kept."""
    if report.header:
        return guess(report.header)
    return f"Message-ID: {clean(message_id)}\n" if message_id else ""
