"""What the request in a mail to `send@` asks for, its fields in the order of their checks (SMSCentre
§10.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sms_milter.config.schema import Account
from sms_milter.dialects.context import Context
from sms_milter.dialects.smscentre import listing, moment, phones, replies, source
from sms_milter.dialects.smscentre.content import BINARY, FORMATS, content, form_of
from sms_milter.dialects.smscentre.options import SmscentreOptions
from sms_milter.errors import Rejected
from sms_milter.mail.parse import Mail
from sms_milter.model import LeftOut, Notify, Recipient, Wish

_MOST_RECIPIENTS = 1000

_IDENTITY = re.compile(r"[A-Za-z0-9._-]{1,40}")
_SENDER_NUMBER = re.compile(r"\+?([0-9]{1,15})")
_SENDER_NAME = re.compile(r"[A-Za-z0-9 ._&!'*/@#$%()?-]{1,11}")
_NO_SENDER = "."  # not even the account's own: the SMSC chooses
_ANSWERED, _MULTI_LINE = "1", "2"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is understood: its messages, the numbers that are none, its id, and whether it asks for
    an answer in any case.
    """

    wishes: tuple[Wish, ...]
    left_out: tuple[LeftOut, ...]
    identity: str
    answered: bool


@dataclass(frozen=True, slots=True)
class _Options:
    """The fields that hold for all messages of a request."""

    identity: str  # "" is for the account's next number
    translit: str
    form: str
    originator: str | None
    multi_line: bool
    answered: bool


def read(mail: Mail, address: Recipient, notify: Notify, context: Context[SmscentreOptions]) -> Request:
    """The request of a mail, which came by `address`. Raises Rejected."""
    fields = source.fields(mail)
    options = _options(fields)
    time, zone = fields.when
    not_before = moment.not_before(time, zone, context.options.timezone, context.now)
    entries = _entries(fields, options)
    forms = [form_of(text, options.form) for _, text in entries]
    identity = options.identity or str(context.number())  # from here on errors name it
    numbers, wrong = _numbers([written for written, _ in entries], identity, context.account)
    raw = source.octets(mail) if options.form == BINARY and fields.phones else None
    contents = [content(text, form, options.translit, raw) for form, text in forms]
    _check_sender(options.originator, identity, context.account)
    wishes = [
        Wish(
            number,
            what.text,
            what.kind,
            what.binary,
            recipient=f"{number}@{address.domain}",
            originator=options.originator,
            flash=what.flash,
            reference=identity,
            not_before=not_before,
            protocol_id=what.protocol_id,
            receipt=True,
            notify=notify,
            original_recipient=address.parameters.get("ORCPT", ""),
            comment=what.comment,
        )
        for some, what in zip(numbers, contents, strict=True)
        for number in some
    ]
    why = replies.bad_number(identity).text
    left_out = [LeftOut(one, why) for one in wrong]
    return Request(tuple(wishes), tuple(left_out), identity, options.answered)


# --- the fields ---------------------------------------------------------------------------------------------


def _options(fields: source.Fields) -> _Options:
    """The fields that have few forms. Raises Rejected."""
    translit, form, sender, test = fields.options
    named = fields.identity not in ("", "0")
    if (
        (named and not _IDENTITY.fullmatch(fields.identity))
        or translit not in ("", "0", "1", "2")
        or form not in FORMATS
        or test not in ("", "0", _ANSWERED, _MULTI_LINE)
    ):
        raise Rejected(replies.BAD_PARAMETERS)
    identity = fields.identity if named else ""
    return _Options(identity, translit, form, _originator(sender), test == _MULTI_LINE, test == _ANSWERED)


def _originator(sender: str) -> str | None:
    """The sender as a phone shows it; None for the account's own, "" for none. Raises Rejected."""
    if not sender:
        return None
    if sender == _NO_SENDER:
        return ""
    if number := _SENDER_NUMBER.fullmatch(sender):
        return number[1]
    if sender.lstrip("+").isdigit() or not _SENDER_NAME.fullmatch(sender):
        raise Rejected(replies.BAD_PARAMETERS)
    return sender


def _entries(fields: source.Fields, options: _Options) -> list[tuple[str, str]]:
    """Phones with their text: one pair, or those of a list. Raises Rejected."""
    if fields.phones:
        return [(fields.phones, fields.message)]
    return listing.entries(fields.message, multi_line=options.multi_line)


def _numbers(written: list[str], identity: str, account: Account) -> tuple[list[list[str]], list[str]]:
    """The numbers of each entry, and what is none. Raises Rejected when there are none, or too many."""
    found: list[list[str]] = []
    wrong: list[str] = []
    total = 0
    for one in written:
        numbers = phones.numbers(one, account)
        found.append(numbers.found)
        wrong += numbers.wrong
        total += len(numbers.found)
        if total > _MOST_RECIPIENTS:
            raise Rejected(replies.BAD_PARAMETERS)
    if not total:
        raise Rejected(replies.bad_number(identity))
    return found, wrong


def _check_sender(originator: str | None, identity: str, account: Account) -> None:
    """A sender in good form that is not the account's has an error of its own (SMSCentre §6.5)."""
    allowed = {one.removeprefix("+") for one in account.originators}
    if originator is not None and allowed and originator not in allowed:
        raise Rejected(replies.message_denied(identity))
