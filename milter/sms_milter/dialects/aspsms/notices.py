"""What became of a message in ASPSMS's words: its status and reason, and the mail that tells of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum
from urllib.parse import quote

from sms_milter.model import Answer, DeliveryReport, Notice, Notify, PartState

_ZONE = timezone(timedelta(hours=1))  # all dates of the interface (ASPSMS §11.5)
_PLACE = re.compile("<(?:TRN|RCPNT|SCTS|DSCTS|RSN|DST)>")


class Status(IntEnum):
    """DeliveryStatus (ASPSMS §11.5)."""

    NOT_SUBMITTED = -1
    DELIVERED = 0
    BUFFERED = 1
    FAILED = 2


# ASPSMS §11.9
_TIMEOUT, _ORIGINATOR, _BARRED, _ABSENT, _EXPIRED, _SYSTEM = 10, 30, 104, 107, 108, 118
_UNAVAILABLE, _BAD_DESTINATION = 8, 206
_BY_STAT = {"EXPIRED": _EXPIRED, "DELETED": _EXPIRED, "UNKNOWN": _SYSTEM, "REJECTD": _BARRED}
_BY_COMMAND_STATUS = {0x0B: _BAD_DESTINATION, 0x0A: _ORIGINATOR, 0x01: 202, 0x61: 201, 0x62: 205}
# What the network says of a message that could not be delivered (GSM).
_BY_NETWORK_ERROR = {1: 101, 5: 101, 6: 107, 9: 114, 11: 117, 12: 111, 13: 103, 21: 100}
_BY_NETWORK_ERROR |= {27: 107, 28: 101, 31: 109, 32: 108, 33: 109, 34: 118, 36: 127}
_MEANINGS = {
    0: "unknown subscriber",
    9: "illegal error code",
    10: "network time-out",
    30: "originator not authorized",
    31: "originator already authorized",
    100: "facility not supported",
    101: "unknown subscriber",
    102: "facility not provided",
    103: "call barred",
    104: "operation barred",
    105: "SC congestion",
    106: "facility not supported",
    107: "absent subscriber",
    108: "delivery fail",
    109: "SC congestion",
    110: "protocol error",
    111: "MS not equipped",
    112: "unknown SC",
    113: "SC congestion",
    114: "illegal MS",
    115: "MS not a subscriber",
    116: "error in MS",
    117: "SMS lower layer not provisioned",
    118: "system fail",
    119: "PLMN system failure",
    120: "HLR system failure",
    121: "VLR system failure",
    122: "previous VLR system failure",
    123: "controlling MSC system failure",
    124: "VMSC system failure",
    125: "EIR system failure",
    126: "system failure",
    127: "unexpected data value",
    200: "error in address service centre",
    201: "invalid absolute validity period",
    202: "short message exceeds maximum",
    203: "unable to unpack GSM message",
    204: "unable to convert to IA5 alphabet",
    205: "invalid validity period format",
    206: "invalid destination address",
    207: "duplicate message submit",
    208: "invalid message type indicator",
    **dict.fromkeys(range(1, 9), "service temporarily not available"),
}


def outcome(state: PartState, stat: str, error: str, command_status: int) -> tuple[Status, int]:
    """Status and ReasonCode of a part that ended, or of which a receipt told that it is under way (ASPSMS
    §11.9).

    `stat` and `error` stand in the receipt, "" if none came; `command_status` is the SMSC's last one. A part
    that has been sent and not heard of in time has failed.
    """
    if state is PartState.DELIVERED:
        return Status.DELIVERED, 0
    if stat in _BY_STAT:
        return Status.FAILED, _BY_STAT[stat]
    if state is PartState.FAILED and stat:
        network_error = int(error) if error.isascii() and error.isdigit() else 0
        return Status.FAILED, _BY_NETWORK_ERROR.get(network_error, _EXPIRED)
    if state is PartState.FAILED:
        return Status.FAILED, _BY_COMMAND_STATUS.get(command_status, _UNAVAILABLE)
    if state is PartState.EXPIRED:
        return Status.FAILED, _EXPIRED
    return (Status.BUFFERED, _ABSENT) if stat else (Status.FAILED, _TIMEOUT)


def moment(at: float) -> str:
    """A time as `ddmmyyyyhhmmss` in GMT+1 (ASPSMS §11.5)."""
    return datetime.fromtimestamp(int(at), UTC).astimezone(_ZONE).strftime("%d%m%Y%H%M%S")


def notice(notice: Notice) -> Answer:
    """The mail about one message (ASPSMS §9.3)."""
    (news,) = notice.news
    status, reason = _told(news)
    word = status.name.title()
    recipient = f"00{news.destination}"
    lines = {
        "Status": word,
        "Recipient": recipient,
        "Originator": news.originator,
        "SubmissionDate": moment(news.arrived_at),
        "NotificationDate": moment(news.at),
        "ReasonCode": "0" if status is Status.DELIVERED else f"{reason} ({_MEANINGS[reason]})",
    }
    body = "".join(f"{name}: {value}\n" for name, value in lines.items())
    author = f"noreply@{news.recipient.rpartition('@')[2]}"
    plain = body.encode("ascii", "replace").decode("ascii")
    return Answer(notice.target, f"SMS {word}: {recipient}", plain, author, "SMS gateway")


def _told(news: DeliveryReport) -> tuple[Status, int]:
    if news.on_the_way is Notify.PENDING:
        return Status.BUFFERED, _ABSENT
    return outcome(news.state, news.stat, news.error, news.command_status)


def called(notice: Notice) -> str:
    """The URL that is requested of one message: the reference appended, or all placeholders filled in
    (ASPSMS §11.6).
    """
    (news,) = notice.news
    return called_at(
        notice.target, news.reference or "", news.destination, news.arrived_at, news.at, _told(news)
    )


def called_at(
    url: str, reference: str, destination: str, submitted_at: float, at: float, told: tuple[Status, int]
) -> str:
    """As `called`, of a message whose `destination` is written in digits, or as its request did."""
    status, reason = told
    values = {
        "<TRN>": reference,
        "<RCPNT>": destination,
        "<SCTS>": moment(submitted_at),
        "<DSCTS>": moment(at),
        "<RSN>": f"{reason:03}",
        "<DST>": str(int(status)),
    }
    if not any(place in url for place in values):
        return url + quote(reference, safe="")
    return _PLACE.sub(lambda place: quote(values[place[0]], safe=""), url)
