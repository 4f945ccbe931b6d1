"""What the request in a mail to `send@` asks for, its fields in the order of their checks (SMSCentre
§10.2).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sms_milter.config.schema import Account
from sms_milter.dialects.context import Context
from sms_milter.dialects.smscentre import forms, listing, moment, phones, replies, source, trailers
from sms_milter.dialects.smscentre.common import Common
from sms_milter.dialects.smscentre.content import content
from sms_milter.dialects.smscentre.options import SmscentreOptions
from sms_milter.errors import Rejected
from sms_milter.mail.parse import Mail
from sms_milter.model import EMAIL, Recipient, Wish
from sms_milter.policy.accounts import may_write_as
from sms_milter.policy.originators import Standing, standing

_MOST_RECIPIENTS = 1000

_IDENTITY = re.compile(r"[A-Za-z0-9._-]{1,40}")
_SENDER_NUMBER = re.compile(r"\+?([0-9]{1,15})")
_SENDER_NAME = re.compile(r"[A-Za-z0-9 ._&!'*/@#$%()?-]{1,11}")
_NO_SENDER = "."  # not even the account's own: the SMSC chooses
_NEEDS_TRAILERS = re.compile(r"__(?:CALL|MAIL)__:")
_ANSWERED, _MULTI_LINE = "1", "2"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is understood: its messages, the whole of it as written, what stands there for numbers
    and is none, its id, and whether it asks for an answer in any case.
    """

    wishes: tuple[Wish, ...]
    written: str = field(repr=False)
    wrong: list[str]
    identity: str
    answered: bool


@dataclass(frozen=True, slots=True)
class _Options:
    """The fields that hold for all messages of a request."""

    identity: str  # "" is for the account's next number
    translit: str
    form: str
    sender: str
    multi_line: bool
    answered: bool


@dataclass(frozen=True, slots=True)
class _Entry:
    """Phones as written and what they are sent."""

    phones: str
    form: str
    channel: str
    text: str = field(repr=False)


def read(mail: Mail, address: Recipient, common: Common, context: Context[SmscentreOptions]) -> Request:
    """The request of a mail, which came by `address`. Raises Rejected."""
    fields = mail.once(source.fields)
    options = _options(fields)
    time, zone = fields.when
    not_before = moment.not_before(time, zone, context.options.timezone, context.now)
    entries, shared = _entries(fields, options, context.channels)
    if source.has_media(mail) and any(entry.form == forms.MMS for entry in entries):
        raise Rejected(replies.BAD_TEXT_FORM)  # a request is plain text: nobody would get to see them
    originators = [_originator(options.sender, entry.channel) for entry in entries]
    identity = options.identity or str(context.number())  # from here on errors name it
    numbers, wrong = _numbers(entries, identity, context.account)
    at_smsc = 0
    if context.options.hold == "smsc" and not_before is not None:
        at_smsc = round(not_before - context.now)
    letters = context.options.letters(options.translit)
    raw = source.octets(mail) if options.form == forms.BINARY and fields.phones else None
    contents = [content(entry.text, entry.form, letters, shared, raw) for entry in entries]
    for originator, entry in zip(originators, entries, strict=True):
        _check_sender(originator, entry.channel, identity, context.account)
    wishes = [
        Wish(
            number,
            what.text,
            what.kind,
            what.binary,
            recipient=number if entry.channel == EMAIL else f"{number}@{address.domain}",
            originator=originator,
            flash=what.flash,
            reference=identity,
            not_before=None if at_smsc else not_before,
            schedule_seconds=at_smsc,
            protocol_id=what.protocol_id,
            channel=entry.channel,
            fields=what.fields,
            comment=what.comment,
            **common,
        )
        for entry, originator, some, what in zip(entries, originators, numbers, contents, strict=True)
        for number in some
    ]
    return Request(tuple(wishes), fields.whole, wrong, identity, options.answered)


# --- the fields ---------------------------------------------------------------------------------------------


def _options(fields: source.Fields) -> _Options:
    """The fields that have few forms. Raises Rejected."""
    translit, form, sender, test = fields.options
    named = fields.identity not in ("", "0")
    if (
        (named and not _IDENTITY.fullmatch(fields.identity))
        or translit not in ("", "0", "1", "2")
        or form not in forms.WRITTEN
        or test not in ("", "0", _ANSWERED, _MULTI_LINE)
    ):
        raise Rejected(replies.BAD_PARAMETERS)
    identity = fields.identity if named else ""
    return _Options(identity, translit, form, sender, test == _MULTI_LINE, test == _ANSWERED)


def _originator(sender: str, channel: str) -> str | None:
    """The sender as a phone shows it, or the author of a mail; None for the account's own, "" for none.
    Raises Rejected.
    """
    if channel == EMAIL:
        if not phones.addresses(sender).found:
            raise Rejected(replies.BAD_PARAMETERS)
        return sender
    if not sender:
        return None
    if sender == _NO_SENDER:
        return ""
    if number := _SENDER_NUMBER.fullmatch(sender):
        return number[1]
    if sender.lstrip("+").isdigit() or not _SENDER_NAME.fullmatch(sender):
        raise Rejected(replies.BAD_PARAMETERS)
    return sender


def _entries(
    fields: source.Fields, options: _Options, channels: Collection[str]
) -> tuple[list[_Entry], dict[str, str]]:
    """Phones with their text, one pair or those of a list, and the fields that a list has for all of them.
    Raises Rejected.
    """
    pairs, shared = [(fields.phones, fields.message)], dict[str, str]()
    if not fields.phones:
        written = fields.message
        if options.form in forms.WITH_TRAILERS or _NEEDS_TRAILERS.search(written):
            written, shared = trailers.cut_off(written)
        pairs = listing.entries(written, multi_line=options.multi_line)
    entries = []
    for some, message in pairs:
        form, text = forms.form_of(message, options.form)
        entries.append(_Entry(some, form, forms.channel_of(form, channels), text))
    return entries, shared


def _numbers(entries: Sequence[_Entry], identity: str, account: Account) -> tuple[list[list[str]], list[str]]:
    """The numbers of each entry, and what is none. Raises Rejected when there are none, or too many."""
    found: list[list[str]] = []
    wrong: list[str] = []
    total = 0
    for entry in entries:
        if entry.channel == EMAIL:
            numbers = phones.addresses(entry.phones)
        elif entry.form == forms.BOT:
            numbers = phones.chats(entry.phones, account)
        else:
            numbers = phones.numbers(entry.phones, account)
        found.append(numbers.found)
        wrong += numbers.wrong
        total += len(numbers.found)
        if total > _MOST_RECIPIENTS:
            raise Rejected(replies.BAD_PARAMETERS)
    if not total:
        raise Rejected(replies.bad_number(identity))
    return found, wrong


def _check_sender(originator: str | None, channel: str, identity: str, account: Account) -> None:
    """A sender in good form that is not the account's has an error of its own (SMSCentre §6.5)."""
    if originator is None:
        return
    if channel == EMAIL:
        right = may_write_as(account, originator)
    else:
        unlisted = standing(account, originator) is Standing.UNLISTED
        right = _is_among(originator, account.originators) and not unlisted
    if not right:
        raise Rejected(replies.message_denied(identity))


def _is_among(originator: str, allowed: Sequence[str]) -> bool:
    """Whether it is one of those; of none, any is."""
    return not allowed or originator in {one.removeprefix("+") for one in allowed}
