"""Delivery status notifications: what became of messages as multipart/report (HSL §6.1, RFC 3464 §2).

The text of the SMS never stands here, but the mail's own header does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sms_milter.channels.errand import channel_of
from sms_milter.logline import clean
from sms_milter.mail.charset import guess
from sms_milter.model import DeliveryReport, Notify, PartState
from sms_milter.report.letter import Frame, begin, date, set_report, status_part, text_part
from sms_milter.report.texts import Texts, filled
from sms_milter.smpp.status import classify

_HEXCHAR = re.compile(r"\+([0-9A-F]{2})")  # RFC 3461 §4
_ADDRESS_TYPE = re.compile(r"[A-Za-z0-9-]+")


class _End(NamedTuple):
    """How news are told: enhanced status code (RFC 3463 §3), and the text for people."""

    status: str
    text: str


_BY_STAT = {
    "EXPIRED": _End("5.4.7", "unreachable"),
    "DELETED": _End("5.0.0", "deleted"),
    "UNDELIV": _End("5.0.0", "undelivered"),
    "UNKNOWN": _End("5.0.0", "lost_track"),
    "REJECTD": _End("5.7.1", "rejected"),
}
_NO_SUBSCRIBER = _End("5.1.1", "undelivered")
_BY_CHANNEL = {"EXPIRED": _End("5.4.7", "channel_expired"), "UNDELIV": _End("5.0.0", "channel_undelivered")}
_ON_THE_WAY = {Notify.PENDING: _End("4.4.1", "pending"), Notify.DELAYED: _End("4.4.0", "waiting")}
_PERHAPS_DELIVERED = ("silent", "uncertain")  # they say themselves what nobody knows


def compose(
    reports: Sequence[DeliveryReport], frame: Frame, texts: Texts, *, reporting_mta: str, boundary: str
) -> bytes:
    """The notification, with CR LF. `reporting_mta` names our host, `boundary` parts the three parts.

    Several reports are one digest; they are about one mail if `frame` names it.
    """
    mail = begin(frame, _subject(reports, texts))
    header = _header(reports, frame.in_reply_to)
    while f"--{boundary}" in header:
        boundary += "="
    parts = [
        text_part("".join([f"{_said(report, texts)}\n" for report in reports])),
        status_part(_per_message(reports, reporting_mta), *map(_per_recipient, reports)),
    ]
    if header:
        parts.append(text_part(header, "rfc822-headers"))
    set_report(mail, parts, boundary)
    return mail.as_bytes()


def _subject(reports: Sequence[DeliveryReport], texts: Texts) -> str:
    if len(reports) > 1:
        return filled(texts["subject_digest"], {"count": len(reports)})
    return texts[f"subject_{_action(reports[0])}"]


def _action(report: DeliveryReport) -> str:
    """RFC 3464 §2.3.3."""
    if report.on_the_way:
        return "delayed"
    return "delivered" if report.state is PartState.DELIVERED else "failed"


def _said(report: DeliveryReport, texts: Texts) -> str:
    """The news in words; what may have come twice, or all the same, is said."""
    name = _end(report).text
    if report.doubts and report.state is PartState.DELIVERED:
        name = "delivered_twice"
    why = classify(report.command_status).meaning
    said = filled(texts[name], {"destination": _whom(report, texts), "why": why})
    if report.doubts and _action(report) == "failed" and name not in _PERHAPS_DELIVERED:
        said = f"{said} {texts['perhaps_before']}"
    return said


def _whom(report: DeliveryReport, texts: Texts) -> str:
    if report.destination.isdigit():
        return filled(texts["mobile"], {"number": report.destination})
    return clean(report.destination)  # by another channel than SMS


def _end(report: DeliveryReport) -> _End:
    """HSL §6.1: what the final state means."""
    if report.on_the_way:
        return _ON_THE_WAY[report.on_the_way]
    if report.state is PartState.DELIVERED:
        return _End("2.0.0", "delivered")
    channel = channel_of(report.smsc)
    if report.stat and channel:
        return _BY_CHANNEL.get(report.stat, _BY_CHANNEL["UNDELIV"])
    if report.stat == "UNDELIV" and report.no_subscriber:
        return _NO_SUBSCRIBER
    if report.stat:
        return _BY_STAT.get(report.stat, _BY_STAT["UNDELIV"])
    if report.state is PartState.EXPIRED:
        return _End("4.4.7", "not_sent")
    if report.cancelled:
        return _End("5.0.0", "cancelled")
    if report.state is PartState.FAILED and channel:
        return _End("5.0.0", "channel_refused")
    if report.state is PartState.FAILED and not report.smsc and not report.command_status:
        return _End("5.7.1", "too_dear")  # nobody refused it: the one reason why it was not sent
    if report.state is PartState.FAILED:
        return _End(classify(report.command_status).dsn or "5.0.0", "refused")
    return _End("4.4.7", "uncertain" if report.state is PartState.UNCERTAIN else "silent")


def _per_message(reports: Sequence[DeliveryReport], reporting_mta: str) -> Iterator[tuple[str, str]]:
    """What holds for all of them (RFC 3464 §2.2)."""
    yield "Reporting-MTA", f"dns; {reporting_mta}"
    mails = {(report.envelope_id, report.arrived_at) for report in reports}
    if len(mails) > 1:
        return
    ((envelope_id, arrived_at),) = mails
    if envelope_id:
        yield "Original-Envelope-Id", clean(_from_xtext(envelope_id))
    yield "Arrival-Date", date(arrived_at)


def _per_recipient(report: DeliveryReport) -> Iterator[tuple[str, str]]:
    yield "Original-Recipient", _original_recipient(report)
    yield "Final-Recipient", f"rfc822; {clean(report.recipient)}"
    yield "Action", _action(report)
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


def _header(reports: Sequence[DeliveryReport], message_id: str) -> str:
    """The mail's header; of mails that were not to be reported on, only the Message-ID is kept."""
    header = reports[0].header
    if header and all(report.header == header for report in reports):
        return guess(header)
    return f"Message-ID: {clean(message_id)}\n" if message_id else ""
