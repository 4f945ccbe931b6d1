"""A request to `xml@`: its action, and the reply that tells what became of it (ASPSMS §11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sms_milter.dialects.aspsms import document, inquiry, originators, response, sending, text, tokens
from sms_milter.dialects.aspsms.document import Element, ParserError
from sms_milter.dialects.aspsms.faults import Code, code_of
from sms_milter.dialects.aspsms.options import AspsmsOptions
from sms_milter.dialects.aspsms.response import Field
from sms_milter.dialects.context import Complaint, Context, Objection, Outcome
from sms_milter.errors import Denied
from sms_milter.mail.parse import Mail
from sms_milter.model import Answer, Credentials, Envelope, Listener, Recipient, Record, SmsRequest, Wish
from sms_milter.reply import TEXT_DENIED, Denial, Limit, Reply

WORD = "xml"
"""The local part that requests are sent to."""

_UNLIMITED = Decimal(999999)  # credits of an account that is not metered


def read(mail: Mail, options: AspsmsOptions) -> Element:
    """The request in the mail. Raises Rejected: with an SMTP reply for what is no plain text, ParserError."""
    return document.read(text.only_part(mail, options, text.XML_TYPES).octets)


def addressed(envelope: Envelope) -> Recipient | None:
    """The recipient that requests are sent to, None when it is none of the mail's."""
    return next((one for one in envelope.recipients if one.local.lower() == WORD), None)


def credentials(request: Element) -> Credentials:
    """Userkey and Password. Raises Rejected."""
    userkey, password = request.value("Userkey", "UserKey"), request.value("Password")
    if not userkey:
        raise Code.USERKEY.rejected
    if not password:
        raise Code.PASSWORD.rejected
    return Credentials({"userkey": userkey}, (password,))


# --- what it asks for ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """What an action comes to. `fee`: credits that it costs besides its messages; `priced`: the reply tells
    what all of it costs.
    """

    code: Code = Code.OK
    wishes: tuple[Wish, ...] = ()
    unsendable: tuple[Wish, ...] = ()
    listeners: tuple[Listener, ...] = ()
    records: tuple[Record, ...] = ()
    fee: Decimal = Decimal(0)
    fields: tuple[Field, ...] = ()
    priced: bool = False


def parse(mail: Mail, address: Recipient, context: Context[AspsmsOptions]) -> SmsRequest:
    """What the request comes to; its reply is made of the memo. Raises Rejected."""
    request = read(mail, context.options)
    done = replace(_done(request, address, context), priced=request.value("UsedCredits") == "1")
    return SmsRequest(
        done.wishes,
        context.options.max_parts,
        listeners=done.listeners,
        repeatable=not done.wishes,
        unsendable=done.unsendable,
        fee=done.fee,
        keep_left_out=True,
        memo=done,
        records=done.records,
    )


def _done(request: Element, address: Recipient, context: Context[AspsmsOptions]) -> Done:
    action = request.value("Action")
    if action in sending.CONTENTS:
        sent = sending.send(action, request, address, context)
        return Done(Code.OK, sent.wishes, sent.unsendable, sent.listeners)
    match action:
        case "InquireDeliveryNotifications":
            asked = inquiry.references(request)
            fields = tuple(inquiry.notifications(asked, context))
            return Done(fee=inquiry.CREDITS * len(asked), fields=fields)
        case "ShowCredits":
            left = context.balance()
            return Done(fields=(("Credits", response.number(_UNLIMITED if left is None else left)),))
        case "SendOriginatorUnlockCode":
            unlocking = originators.send_code(request, address, context)
        case "UnlockOriginator":
            unlocking = originators.unlock(request, context)
        case "CheckOriginatorAuthorization":
            unlocking = originators.check(request, context)
        case "SendTokenSMS":
            made = tokens.send(request, address, context)
            sent = made.sent
            return Done(Code.OK, sent.wishes, sent.unsendable, sent.listeners, made.records)
        case "VerifyToken":
            code, records = tokens.verify(request, context)
            return Done(code, records=records)
        case _:
            raise Code.INVALID_REQUEST.rejected
    return Done(unlocking.code, unlocking.wishes, records=unlocking.records)


# --- what is answered ---------------------------------------------------------------------------------------

_TOO_LONG = "5.3.4"  # of a message, once the request is read; of the whole mail before
_DENIED = {
    Denial.UNKNOWN_LOGIN: Code.AUTHORIZATION,
    Denial.WRONG_PASSWORD: Code.AUTHORIZATION,
    Denial.WRONG_NAME: Code.AUTHORIZATION,
    Denial.OTHER_ACCOUNT: Code.AUTHORIZATION,
    Denial.DISABLED: Code.AUTHORIZATION,
    Denial.WRONG_INTERFACE: Code.AUTHORIZATION,
    Denial.NOT_BY_SENDER: Code.AUTHORIZATION,
    Denial.NOT_FROM_HERE: Code.ACCESS_DENIED,
    Denial.ORIGINATOR_NOT_ALLOWED: Code.ORIGINATOR_NOT_AUTHORIZED,
    Denial.BAD_ORIGINATOR: Code.ORIGINATOR,
}


def answer(outcome: Outcome[AspsmsOptions], address: Recipient) -> Sequence[Answer]:
    """The reply that tells what became of a request, and its price."""
    done = outcome.request.memo
    assert isinstance(done, Done)
    fields = done.fields
    if done.priced:
        used = sum(map(outcome.price, outcome.messages), done.fee)
        fields = (("CreditsUsed", response.number(used)), *fields)
    written = response.reply(done.code, *fields)
    answer = response.answer(outcome.mail, outcome.envelope, address, written)
    return () if answer is None else (answer,)


def _code(reply: Reply, objection: Objection[AspsmsOptions]) -> Code | None:
    """The code that a refusal by others has here."""
    if reply.limit is Limit.CREDIT:
        return Code.NO_CREDITS
    too_long = objection.request is not None and reply.enhanced == _TOO_LONG
    return Code.MESSAGE if too_long or reply == TEXT_DENIED else code_of(reply)


def complaint(objection: Objection[AspsmsOptions], address: Recipient) -> Complaint | None:
    """The reply that tells of an error; None for what is told in the SMTP dialogue (ASPSMS §10)."""
    cause = objection.cause
    if isinstance(cause, ParserError):
        written = response.parser_reply(cause)
    else:
        code = _DENIED.get(cause.denial) if isinstance(cause, Denied) else _code(cause.reply, objection)
        if code is None:
            return None
        written = response.reply(code)
    answer = response.answer(objection.mail, objection.envelope, address, written)
    return Complaint(answer, instead=True)
