"""ASPSMS SMTP interface: three entry points in one domain (ASPSMS §1).

`textsms@` takes plain text with all else in the Subject, a number plain text for itself (`plain`); `xml@`
takes an XML document and answers it by mail (`requests`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sms_milter import reply
from sms_milter.dialects.aspsms import plain, replies, requests
from sms_milter.dialects.aspsms.notices import called, notice
from sms_milter.dialects.aspsms.numbers import SMS_NUMBER
from sms_milter.dialects.aspsms.options import AspsmsOptions, EntryPoint
from sms_milter.dialects.aspsms.replies import denied, worded
from sms_milter.dialects.context import Complaint, Context, Objection, Outcome, Targets
from sms_milter.errors import Rejected
from sms_milter.mail.parse import Mail
from sms_milter.model import Answer, Credentials, Recipient, SmsRequest

__all__ = [
    "AspsmsOptions",
    "answer",
    "called",
    "complaint",
    "credentials",
    "denied",
    "names_account",
    "notice",
    "parse",
    "recipient",
    "worded",
]

_NUMBER_WITH_PLUS = re.compile(r"\+[0-9]+")
_DIGITS = re.compile(r"[0-9]+")


def names_account(recipient: Recipient, options: AspsmsOptions) -> bool:
    """Whether the mail says who sends it: to a number only where its From header does (ASPSMS §7)."""
    return _is(recipient, plain.WORD) or _is(recipient, requests.WORD) or options.sender_match == "header"


def recipient(recipient: Recipient, options: AspsmsOptions) -> str | None:
    """The destination digits of an address, None for a word (ASPSMS §3.2). Raises Rejected."""
    local = recipient.local
    if number := SMS_NUMBER.fullmatch(local):
        _check_service("number", options)
        return number[1]
    if _is(recipient, plain.WORD):
        _check_service("textsms", options)
        return None
    if _is(recipient, requests.WORD):
        _check_service("xml", options)
        return None
    if _NUMBER_WITH_PLUS.fullmatch(local):
        raise Rejected(replies.PLUS_REFUSED)
    raise Rejected(replies.BAD_NUMBER if _DIGITS.fullmatch(local) else replies.UNKNOWN_ADDRESS)


def credentials(mail: Mail, targets: Targets, options: AspsmsOptions) -> Credentials:
    """Whom the mail names. Raises Rejected, also for what is no plain text (ASPSMS §5.3, §11.9)."""
    if _request_address(targets) is not None:
        return requests.credentials(requests.read(mail, options))
    if any(_is(address, plain.WORD) for address, _ in targets):
        return plain.credentials(mail, options)
    return Credentials(author=plain.author(mail))


def parse(mail: Mail, context: Context[AspsmsOptions]) -> SmsRequest:
    """What the mail asks for. Raises Rejected."""
    address = _request_address(context.targets)
    return plain.parse(mail, context) if address is None else requests.parse(mail, address, context)


def answer(outcome: Outcome[AspsmsOptions]) -> Sequence[Answer]:
    """The reply to an XML request (ASPSMS §11.4); nothing else is answered."""
    address = requests.addressed(outcome.envelope)
    return () if address is None else requests.answer(outcome, address)


def complaint(objection: Objection[AspsmsOptions]) -> Complaint | None:
    """The reply to a request that cannot be executed (ASPSMS §11.4); all else is told by SMTP."""
    address = requests.addressed(objection.envelope)
    return None if address is None else requests.complaint(objection, address)


def _is(recipient: Recipient, word: str) -> bool:
    return recipient.local.lower() == word


def _request_address(targets: Targets) -> Recipient | None:
    """The recipient that XML is sent to. Raises Rejected if there are others beside it: they would get the
    whole request as their text, the password too.
    """
    asked = [_is(address, requests.WORD) for address, _ in targets]
    if any(asked) and not all(asked):
        raise Rejected(reply.GENERIC_AMONG_OTHERS)
    return targets[0][0] if any(asked) else None


def _check_service(entry_point: EntryPoint, options: AspsmsOptions) -> None:
    if entry_point not in options.entry_points:
        raise Rejected(replies.SWITCHED_OFF)
