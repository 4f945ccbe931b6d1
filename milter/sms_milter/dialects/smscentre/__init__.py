"""SMSCentre SMTP: one request, fields between colons, in the text of a mail to `send@` (SMSCentre §2).

That mail names its account. The text of any mail to `<login>@` goes to the account's own phones. What is
refused is told in the words of the interface.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from datetime import tzinfo
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import PlainValidator

from sms_milter import reply
from sms_milter.config.schema import Account, Section, setting
from sms_milter.config.values import Expects, Size
from sms_milter.dialects.context import Complaint, Context, Outcome, Targets
from sms_milter.dialects.smscentre import listing, moment, phones, replies, source
from sms_milter.dialects.smscentre.content import BINARY, FORMATS, content
from sms_milter.dialects.smscentre.translit import transliterated
from sms_milter.errors import Rejected
from sms_milter.mail import words
from sms_milter.mail.parse import Mail
from sms_milter.model import Answer, Credentials, Envelope, Kind, Notify, Recipient, SmsRequest, Wish
from sms_milter.policy import reports
from sms_milter.reply import Denial, Reply

_SEND = "send"
_MOST_RECIPIENTS = 1000
_LONGEST_FORWARDED = 1000  # characters

_IDENTITY = re.compile(r"[A-Za-z0-9._-]{1,40}")
_SENDER_NUMBER = re.compile(r"\+?([0-9]{1,15})")
_SENDER_NAME = re.compile(r"[A-Za-z0-9 ._&!'*/@#$%()?-]{1,11}")
_NO_SENDER = "."  # not even the account's own: the SMSC chooses
_MOSCOW = "Europe/Moscow"
_ANSWERED, _MULTI_LINE = "1", "2"


def _zone(name: object) -> tzinfo:
    if not isinstance(name, str):
        raise ValueError
    if name == _MOSCOW:
        return moment.MOSCOW  # also where no time zones are installed
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError from None


Zone = Annotated[tzinfo, PlainValidator(_zone), Expects("a time zone such as Europe/Moscow")]


class SmscentreOptions(Section):
    """Settings of a domain with `dialect: smscentre`."""

    error_reply: Literal["reject", "mail", "both"] = setting(
        "reject",
        doc="How an error is told: by refusing the mail (reject), by a mail of ours (mail), or both.",
    )
    timezone: Zone = setting(
        _MOSCOW, doc="The time zone of a request that gives none; tz itself is relative to Moscow."
    )
    include_subject: bool = setting(
        False, doc="Mail to an account's own address: put the Subject in front of the text."
    )
    max_mail: Size = setting("100KB", at_least="1KB", doc="The largest mail taken; 552 5.3.4 beyond it.")
    max_parts: int = setting(20, at_least=1, at_most=255, doc="The most SMS that one message may need.")


@dataclass(frozen=True, slots=True)
class _Request:
    """The fields that hold for all messages of a request."""

    identity: str
    translit: str
    form: str
    originator: str | None
    multi_line: bool


def recipient(_recipient: Recipient, _options: SmscentreOptions) -> None:
    """None: the numbers stand in the mail, or in the account."""


def names_account(recipient: Recipient, _options: SmscentreOptions) -> bool:
    """Whether the mail says it; else the address does."""
    return recipient.local.lower() == _SEND


def owner(recipient: Recipient) -> str:
    """The login whose own address it is (SMSCentre §13)."""
    return recipient.local


def credentials(mail: Mail, _targets: Targets, _options: SmscentreOptions) -> Credentials:
    """Login and password, or an API key in place of both (SMSCentre §5). Raises Rejected."""
    fields = source.fields(mail)
    if fields.login:
        return Credentials({"login": fields.login}, fields.passwords)
    return Credentials(api_key=fields.passwords[-1])


def parse(mail: Mail, context: Context[SmscentreOptions]) -> SmsRequest:
    """What the request asks for, or the mail to an account's own address. Raises Rejected."""
    addressed = {names_account(address, context.options) for address, _ in context.targets}
    if len(addressed) > 1:
        raise Rejected(reply.GENERIC_AMONG_OTHERS)
    return _requested(mail, context) if addressed == {True} else _forwarded(mail, context)


def _forwarded(mail: Mail, context: Context[SmscentreOptions]) -> SmsRequest:
    """The text of a mail to `<login>@`, for the account's own phones (SMSCentre §13)."""
    account, address = context.account, context.targets[0][0]
    text = source.plain_text(mail)
    if context.options.include_subject:
        text = f"{_subject(mail)}\n{text}".strip()
    if not text:
        raise Rejected(reply.EMPTY_MESSAGE)
    text = text[:_LONGEST_FORWARDED].rstrip()
    by_sound = account.transliterate is True
    notify = _notify(mail, address, context)
    wishes = [
        Wish(
            number,
            transliterated(text, "1") if by_sound else text,
            recipient=f"{number}@{address.domain}",
            receipt=True,
            notify=notify,
            original_recipient=address.parameters.get("ORCPT", ""),
        )
        for number in dict.fromkeys(account.forward_to)
    ]
    return SmsRequest(tuple(wishes), context.options.max_parts, partial=True)


def _notify(mail: Mail, address: Recipient, context: Context[SmscentreOptions]) -> Notify:
    """Of which ends the sender is told beside the answer."""
    if not context.reports or not reports.may_be_reported_on(context.envelope.sender, mail.by_name):
        return Notify.NEVER
    return reports.wanted(False, address.parameters.get("NOTIFY", ""), context.account.notify)[0]


def _requested(mail: Mail, context: Context[SmscentreOptions]) -> SmsRequest:
    """What the request asks for, in the order of its checks (SMSCentre §10.2)."""
    fields = source.fields(mail)
    request = _request(fields, context)
    time, zone = fields.when
    not_before = moment.not_before(time, zone, context.options.timezone, context.now)
    if fields.phones:
        pairs = [(fields.phones, fields.message)]
    else:
        pairs = listing.entries(fields.message, multi_line=request.multi_line)
    raw = source.octets(mail) if request.form == BINARY and fields.phones else None
    contents = [(written, content(text, request.form, request.translit, raw)) for written, text in pairs]
    address = context.targets[0][0]
    notify = _notify(mail, address, context)
    wishes = [
        Wish(
            number,
            what.text,
            what.kind,
            what.binary,
            recipient=f"{number}@{address.domain}",
            originator=request.originator,
            flash=what.flash,
            reference=request.identity,
            not_before=not_before,
            protocol_id=what.protocol_id,
            receipt=True,
            notify=notify,
            original_recipient=address.parameters.get("ORCPT", ""),
        )
        for written, what in contents
        for number in phones.numbers(written, context.account)
    ]
    if not wishes:
        raise Rejected(replies.bad_number(request.identity))
    if len(wishes) > _MOST_RECIPIENTS:
        raise Rejected(replies.BAD_PARAMETERS)
    _check_sender(request, context.account)
    return SmsRequest(
        tuple(wishes),
        context.options.max_parts,
        append_text=all(wish.kind is not Kind.PING for wish in wishes),
        partial=True,
        confirm=fields.options[3] == _ANSWERED,
    )


def denied(why: Denial) -> Reply:
    """One reply for all but blocks: never whether login, password or address was wrong."""
    return replies.BLOCKED if why is Denial.BLOCKED else replies.WRONG_LOGIN


def worded(why: Reply, request: SmsRequest | None) -> Reply:
    """A refusal by others in the words of the interface, where it has any."""
    if why == reply.NO_SUCH_ADDRESS:
        return replies.NO_SUCH_ADDRESS
    if why.code == 552 and request is not None:
        return replies.no_money(_identity(request)) if why.enhanced == "5.2.2" else replies.TOO_LONG
    if request is not None and why in (reply.NO_ROUTE, reply.NOT_IN_CLOSED_GROUP):
        return replies.unreachable(_identity(request))
    return replies.BAD_TEXT_FORM if why in (reply.UNDECODABLE, reply.TOO_COMPLEX) else why


def answer(outcome: Outcome[SmscentreOptions]) -> Answer | None:
    """The line that tells of success, where the request asks for it (SMSCentre §11)."""
    if not outcome.request.confirm:
        return None
    line = f"OK - {outcome.parts} SMS, ID - {_identity(outcome.request)}"
    return _answer(outcome.mail, outcome.envelope, line)


def complaint(why: Reply, mail: Mail, envelope: Envelope, options: SmscentreOptions) -> Complaint | None:
    """The line that tells of an error, where the domain is set so (SMSCentre §10.4)."""
    answer = _answer(mail, envelope, why.text) if options.error_reply != "reject" else None
    return None if answer is None else Complaint(answer, instead=options.error_reply == "mail")


def _answer(mail: Mail, envelope: Envelope, line: str) -> Answer | None:
    """A mail of one line to the sender, None for whom nothing may be told (SMSCentre §11.3)."""
    if not reports.may_be_reported_on(envelope.sender, mail.by_name):
        return None
    subject = _subject(mail)
    author = envelope.recipients[0].address
    return Answer(envelope.sender, f"Re: {subject}" if subject else "SMS", line, author)


def _subject(mail: Mail) -> str:
    return words.decode(mail.by_name.get("subject", b"")).strip()


# --- the fields ---------------------------------------------------------------------------------------------


def _request(fields: source.Fields, context: Context[SmscentreOptions]) -> _Request:
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
    identity = fields.identity if named else _new_identity(context)
    return _Request(identity, translit, form, _originator(sender), test == _MULTI_LINE)


def _new_identity(context: Context[SmscentreOptions]) -> str:
    """A number from 1 to 2147483647 for a request without one, hardly ever the same for two of them."""
    unique = f"{context.envelope.mta_queue_id} {context.now}".encode("utf-8", "replace")
    return str((zlib.crc32(unique) & 0x7FFFFFFF) or 1)


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


def _check_sender(request: _Request, account: Account) -> None:
    """A sender in good form that is not the account's has an error of its own (SMSCentre §6.5)."""
    allowed = {one.removeprefix("+") for one in account.originators}
    if request.originator is not None and allowed and request.originator not in allowed:
        raise Rejected(replies.message_denied(request.identity))


def _identity(request: SmsRequest) -> str:
    """The id that all its messages carry."""
    return request.wishes[0].reference or ""
