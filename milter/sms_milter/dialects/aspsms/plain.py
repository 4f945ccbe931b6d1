"""Entry points A and B: one text, to the numbers of Subject and envelope (ASPSMS §5, §7.2).

To `textsms@` the Subject names account, destination and wishes. To `<number>@` the sender's address is what
authorises, and the Subject may name an originator. The whole body is the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import NamedTuple

from sms_milter import reply
from sms_milter.dialects.aspsms import numbers, replies, subject, text
from sms_milter.dialects.aspsms.options import AspsmsOptions
from sms_milter.dialects.context import Context, Targets
from sms_milter.errors import ContentFault, Rejected
from sms_milter.mail.parse import Mail, Part, authors
from sms_milter.model import Credentials, Listener, Notify, Recipient, SmsRequest, Wish
from sms_milter.policy import reports
from sms_milter.policy.accounts import sender_listed

WORD = "textsms"
"""The local part of entry point A."""

_LONGEST_CREDENTIAL = 64

# Notify as the ESMTP parameter of that meaning (ASPSMS §9.1, RFC 3461 §4.1). Buffered has none.
_NOTIFY = {"ALWAYS": "SUCCESS,FAILURE", "FAILED": "FAILURE", "NONE": "NEVER"}


def credentials(mail: Mail, options: AspsmsOptions) -> Credentials:
    """Userkey and Password of the Subject. Raises Rejected, also for what is no plain text (ASPSMS §5.3)."""
    _check_form(mail, options)
    given = subject.parameters(mail, options.unknown_params)
    userkey, password = given.get("userkey", ""), given.get("password", "")
    if not all(0 < len(one) <= _LONGEST_CREDENTIAL for one in (userkey, password)):
        raise Rejected(replies.WRONG_LOGIN)
    return Credentials({"userkey": userkey}, (password,))


def parse(mail: Mail, context: Context[AspsmsOptions]) -> SmsRequest:
    """What the mail asks for, one message for each number. Raises Rejected, in the order of ASPSMS §5.3."""
    options, account = context.options, context.account
    part = _check_form(mail, options)
    in_subject = any(number is None for _, number in context.targets)
    given = subject.parameters(mail, options.unknown_params) if in_subject else subject.hints(mail)
    sender = _sender(mail, context)
    addressed = _addressed(context.targets, given.get("recipient", ""))
    originator = _originator(given.get("originator", ""), options)
    notify = given.get("notify", "").upper()
    if notify and notify not in _NOTIFY:
        raise Rejected(replies.BAD_NOTIFY)
    written = text.body_text(part)
    minutes = options.validity_minutes
    wishes = []
    for number, (address, by_subject) in addressed.items():
        told = _told(mail, address, notify, context, by_subject=by_subject)
        own = "" if by_subject else account.sender_originators.get(sender, "")
        wishes.append(
            Wish(
                number,
                written,
                recipient=address.address,
                originator=originator,
                default_originator=own or account.default_originator or numbers.LAST_RESORT,
                validity_seconds=None if minutes is None else minutes * 60,
                receipt=told.receipt,
                progress=told.receipt and notify == "ALWAYS",
                notify=told.notify,
                notice=told.notice,
                original_recipient=address.parameters.get("ORCPT", ""),
            )
        )
    return SmsRequest(
        tuple(wishes),
        options.max_parts,
        listeners=_listeners(wishes, context),
    )


def _check_form(mail: Mail, options: AspsmsOptions) -> Part:
    """The part that the mail is, of the size and form that are allowed. Raises Rejected."""
    if mail.size > options.max_text_mail:
        raise Rejected(reply.mail_too_large(options.max_text_mail))
    return text.only_part(mail, options)


# --- to whom, from whom, who is told ------------------------------------------------------------------------


def author(mail: Mail) -> str:
    """The one address in From, in lower case; "" if there is none, or more than one."""
    found = authors(mail)
    return found[0].lower() if len(found) == 1 else ""


def _sender(mail: Mail, context: Context[AspsmsOptions]) -> str:
    """Whose address authorises mail to numbers, in lower case (ASPSMS §7.2). Raises Rejected."""
    rule, account, sender = context.options.sender_match, context.account, context.envelope.sender.lower()
    if rule == "envelope" or all(number is None for _, number in context.targets):
        return sender
    named = author(mail)
    listed = "sender" not in account.require or sender_listed(account, named)
    if not (sender and named and listed) or (rule == "both" and named != sender):
        raise Rejected(replies.SENDER_NOT_ALLOWED)
    return named


def _addressed(targets: Targets, in_subject: str) -> dict[str, tuple[Recipient, bool]]:
    """Each number once: the address that reports name, and whether the Subject says it (ASPSMS §3.3)."""
    found: dict[str, tuple[Recipient, bool]] = {}
    for address, number in sorted(targets, key=lambda target: target[1] is not None):
        if number is not None:
            found.setdefault(number, (address, False))
            continue
        named = numbers.SMS_NUMBER.fullmatch(in_subject)
        if named is None:
            raise Rejected(replies.BAD_NUMBER)
        found.setdefault(named[1], (address._replace(local=in_subject), True))
    return found


def _originator(given: str, options: AspsmsOptions) -> str | None:
    try:
        return numbers.originator(given, options.long_originator)
    except ContentFault:
        raise Rejected(replies.BAD_ORIGINATOR) from None


class _Told(NamedTuple):
    """What the sender is told by delivery status notifications, and by the interface's own; whether a receipt
    is wanted.
    """

    notify: Notify
    notice: Notify
    receipt: bool


def _told(
    mail: Mail, address: Recipient, notify: str, context: Context[AspsmsOptions], *, by_subject: bool
) -> _Told:
    """ASPSMS §9.1; where NOTIFY at RCPT decides, the mails are those of RFC 3461."""
    sender = context.envelope.sender
    parameter = address.parameters.get("NOTIFY", "")
    esmtp = bool(parameter) and (not notify or parameter.upper() == "NEVER")
    if notify and not esmtp:
        parameter = _NOTIFY[notify]
    told, receipt = reports.wanted(by_subject and not parameter, parameter, context.account.notify)
    receipt = receipt and bool(sender)
    if not context.reports or not reports.may_be_reported_on(sender, mail.by_name):
        return _Told(Notify.NEVER, Notify.NEVER, receipt)
    if esmtp:
        return _Told(told, Notify.NEVER, receipt)
    if notify == "ALWAYS" and Notify.SUCCESS in told:
        told |= Notify.PENDING
    return _Told(Notify.NEVER, told, receipt)


def _listeners(wishes: Sequence[Wish], context: Context[AspsmsOptions]) -> tuple[Listener, ...]:
    """The envelope sender, if it is told anything in the interface's own words (ASPSMS §9.3)."""
    asked = [wish.notice for wish in wishes if wish.notice]
    return (Listener(context.envelope.sender, reduce(or_, asked)),) if asked else ()
