"""The frame of every mail that we write ourselves. Values from outside come into fields and text through the
standard library's email package only; nothing is glued together here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address, Group, HeaderRegistry
from email.message import EmailMessage, Message, MIMEPart
from email.policy import SMTP, EmailPolicy, compat32
from email.utils import format_datetime

from sms_milter.errors import Rejected
from sms_milter.mail.address import parse_path


class _Unfolded(EmailPolicy):
    """No folding, for the library would make an encoded word of a long message id or address; but of a long
    Subject outside ASCII it makes several encoded words, as RFC 2047 §2 asks.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        """One field as it is written."""
        if name == "Subject" and not self.utf8 and not value.isascii():
            return SMTP.fold_binary(name, value)
        return super().fold_binary(name, value)


class _Fields(HeaderRegistry):
    """The classes of fields, each made once: the library makes one for every field of every mail."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, type] = {}

    def __getitem__(self, name: str) -> type:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = super().__getitem__(name)
        return made


_POLICY = _Unfolded(linesep="\r\n", max_line_length=998, header_factory=_Fields())
_POLICY_UTF8 = _POLICY.clone(utf8=True)
_LONGEST_PLAIN_LINE = 990  # RFC 5322 §2.1.1
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Frame:
    """What every mail of ours needs beside its content.

    `author` is the From address, shown with `author_name` if there is any; `recipient` an envelope address
    without brackets; `sent_at` is in seconds since the epoch; `in_reply_to` the Message-ID of the mail that
    it is about, if it had one. `unasked`: something has happened, it is no reply (RFC 3834 §5).
    """

    author: str
    recipient: str
    message_id: str
    sent_at: float
    in_reply_to: str = ""
    author_name: str = "Mail Delivery System"
    unasked: bool = False


def begin(frame: Frame, subject: str) -> EmailMessage:
    """A mail with all fields but those of its content; robots leave it unanswered (RFC 3834 §5)."""
    mail = EmailMessage(policy=_POLICY if (frame.recipient + frame.author).isascii() else _POLICY_UTF8)
    mail["From"] = _address(frame.author, frame.author_name)
    mail["To"] = _address(frame.recipient)
    mail["Subject"] = _CONTROL.sub(" ", subject).strip()
    mail["Date"] = date(frame.sent_at)
    mail["Message-ID"] = frame.message_id
    if _MESSAGE_ID.fullmatch(frame.in_reply_to):
        mail["In-Reply-To"] = frame.in_reply_to
        mail["References"] = frame.in_reply_to
    mail["Auto-Submitted"] = "auto-generated" if frame.unasked else "auto-replied"
    return mail


def set_text(part: MIMEPart, text: str, subtype: str = "plain") -> None:
    """Make `text` the content of a mail or part; what needs an encoding gets one."""
    if text.isascii() and all(len(line) <= _LONGEST_PLAIN_LINE for line in text.split("\n")):
        part.set_content(text, subtype=subtype, charset="us-ascii", cte="7bit")
    else:
        part.set_content(text, subtype=subtype, charset="utf-8", cte="quoted-printable")


def text_part(text: str, subtype: str = "plain") -> MIMEPart:
    """A part of text."""
    part = MIMEPart(policy=_POLICY)
    set_text(part, text, subtype)
    return part


def status_part(*blocks: Iterable[tuple[str, str]]) -> MIMEPart:
    """A part message/delivery-status: blocks of fields (RFC 3464 §2.1)."""
    part = MIMEPart(policy=_POLICY)
    part["Content-Type"] = "message/delivery-status"
    members: list[Message | str] = []
    for fields in blocks:
        block = Message(policy=compat32)
        for name, value in fields:
            # What is plain is taken as it is, which is faster; all else the library writes, or refuses.
            plain = value.isascii() and value.isprintable()
            block[name] = value if plain else _POLICY.header_store_parse(name, value)[1]
        members.append(block)
    part.set_payload(members)
    return part


def set_report(mail: EmailMessage, parts: Iterable[MIMEPart], boundary: str) -> None:
    """Make these parts the content of a mail, a multipart/report (RFC 6522 §3)."""
    mail["MIME-Version"] = "1.0"
    parameters = {"report-type": "delivery-status", "boundary": boundary}
    mail.add_header("Content-Type", "multipart/report", **parameters)
    for part in parts:
        mail.attach(part)  # type: ignore[arg-type]  # the types' fault: a MIMEPart is meant to be attached


def date(moment: float) -> str:
    """RFC 5322 §3.3, in UTC."""
    return format_datetime(datetime.fromtimestamp(int(moment), UTC))


def _address(address: str, name: str = "") -> Address | Group:
    """For a field; an address that no field can show stands in the envelope only."""
    try:
        local, domain = parse_path(f"<{address}>")
        return Address(_CONTROL.sub(" ", name), local, domain)
    except (Rejected, ValueError):
        return Group("undisclosed-recipients")
