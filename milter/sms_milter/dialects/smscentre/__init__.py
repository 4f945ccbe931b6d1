"""SMSCentre SMTP: one request, fields between colons, in the text of a mail to `send@` (SMSCentre §2).

That mail names its account (`request`). The text of any mail to `<login>@` goes to the account's own phones
(`forward`). What is refused is told in the words of the interface (`replies`).
"""

from __future__ import annotations

from collections.abc import Sequence

from sms_milter import reply
from sms_milter.config.schema import DuplicateLimit, FloodLimit
from sms_milter.dialects.context import Complaint, Context, Objection, Outcome, Targets
from sms_milter.dialects.smscentre import forward, replies, request, source
from sms_milter.dialects.smscentre.common import common
from sms_milter.dialects.smscentre.options import SmscentreOptions as SmscentreOptions
from sms_milter.errors import Rejected
from sms_milter.mail.parse import Mail
from sms_milter.model import Answer, Credentials, Envelope, Recipient, Refused, SmsRequest, Wish
from sms_milter.policy import reports
from sms_milter.reply import Denial, Limit, Reply

# Two identical requests within a minute, and 50 messages to one subscriber with less than two minutes between
# them (SMSCentre §12.1).
DUPLICATES = DuplicateLimit(allow=2, window=60.0)
FLOOD = FloodLimit(messages=50, gap=120.0, per="destination")

_SEND = "send"
CHARSET = source.DEFAULT_CHARSET

_BAD_TEXT_FORM = (reply.UNDECODABLE, reply.TOO_COMPLEX, reply.HTML_REFUSED)


def recipient(_recipient: Recipient, options: SmscentreOptions) -> None:
    """None: the numbers stand in the mail, or in the account. Raises Rejected when nobody is served."""
    if not options.enabled:
        raise Rejected(replies.SWITCHED_OFF)


def names_account(recipient: Recipient, _options: SmscentreOptions) -> bool:
    """Whether the mail says it; else the address does."""
    return recipient.local.lower() == _SEND


def owner(recipient: Recipient) -> str:
    """The login whose own address it is (SMSCentre §13)."""
    return recipient.local


def credentials(mail: Mail, _targets: Targets, options: SmscentreOptions) -> Credentials:
    """Login and password, or an API key in place of both (SMSCentre §5). Raises Rejected."""
    fields = mail.once(source.fields)
    if not fields.login:
        return Credentials(api_key=fields.passwords[-1])
    return Credentials({"login": fields.login}, fields.passwords, digest=options.accept_md5)


def parse(mail: Mail, context: Context[SmscentreOptions]) -> SmsRequest:
    """What the request asks for, and the mail to an account's own address; either or both. Raises
    Rejected.
    """
    wishes: list[Wish] = []
    asked: request.Request | None = None
    # Each address counts once, however often it is named (SMSCentre §2).
    addressed = {names_account(address, context.options): address for address, _ in context.targets}
    for asks, address in sorted(addressed.items(), reverse=True):
        same = common(mail, address, context)
        if asks:
            asked = request.read(mail, address, same, context)
            wishes += asked.wishes
        else:
            wishes += forward.wishes(mail, address, same, context)
    return SmsRequest(
        tuple(wishes),
        context.options.max_parts,
        partial=True,
        refused=() if asked is None else _refused(asked, len(wishes)),
        written=b"" if asked is None else asked.written.encode("utf-8", "surrogatepass"),
        repeatable=asked is None,  # mail to `<login>@` may repeat (SMSCentre §13)
        confirm=asked is not None and asked.answered,
    )


def _refused(asked: request.Request, first: int) -> tuple[Refused, ...]:
    """What is no number, from the place `first` on."""
    if not asked.wrong:
        return ()
    why = replies.bad_number(asked.identity)
    return tuple([Refused(first + at, one, why, asked.identity) for at, one in enumerate(asked.wrong)])


def denied(why: Denial) -> Reply:
    """One reply for all but blocks: never whether login, password or address was wrong."""
    return replies.BLOCKED if why is Denial.BLOCKED else replies.WRONG_LOGIN


def suspicious(why: Reply) -> bool:
    """Whether it is an error in the parameters: too many of these block a client as wrong logins do."""
    return why.text == replies.BAD_PARAMETERS.text


def worded(why: Reply, request: SmsRequest | None) -> Reply:
    """A refusal by others in the words of the interface, where it has any."""
    if why == reply.NO_SUCH_ADDRESS:
        return replies.NO_SUCH_ADDRESS if request is None else replies.bad_number(_identity(request))
    if why.limit is Limit.DUPLICATE:
        return replies.DUPLICATE
    if why.enhanced == "5.3.4":
        return replies.TOO_LONG
    if request is not None and why == reply.TEXT_DENIED:
        return replies.message_denied(_identity(request))
    if request is not None and why.code == 552:
        return replies.no_money(_identity(request))
    unreachable = why.limit is Limit.FLOOD or why in reply.UNREACHABLE
    if request is not None and unreachable:
        return replies.unreachable(_identity(request))
    return replies.BAD_TEXT_FORM if why in _BAD_TEXT_FORM else why


def answer(outcome: Outcome[SmscentreOptions]) -> Sequence[Answer]:
    """The line that tells of success, where the request asks for it; and always of an error, if nothing is
    left of it but mail to `<login>@` (SMSCentre §11).
    """
    identity = _identity(outcome.request)
    parts = sum([len(one.parts) for one in outcome.messages if one.reference == identity])
    if identity and not parts:
        line = replies.unreachable(identity).text
    elif outcome.request.confirm:
        line = replies.done(parts, identity)
    else:
        return ()
    told = _answer(outcome.mail, outcome.envelope, line)
    return () if told is None else (told,)


def complaint(objection: Objection[SmscentreOptions]) -> Complaint | None:
    """The line that tells of an error, where the domain is set so (SMSCentre §10.4)."""
    told = objection.options.error_reply
    if told == "reject":
        return None
    answer = _answer(objection.mail, objection.envelope, objection.reply.text)
    return None if answer is None else Complaint(answer, instead=told == "mail")


def _answer(mail: Mail, envelope: Envelope, line: str) -> Answer | None:
    """A mail of one line to the sender, None for whom nothing may be told (SMSCentre §11.3)."""
    if not reports.may_be_reported_on(envelope.sender, mail.by_name):
        return None
    subject = source.subject(mail)
    # Refused mail to `<login>@` alone is answered by that address.
    author = max(envelope.recipients, key=lambda one: one.local.lower() == _SEND).address
    return Answer(envelope.sender, f"Re: {subject}" if subject else "SMS", line, author)


def _identity(request: SmsRequest) -> str:
    """The id that all messages of the request to `send@` carry; "" when there is only mail to `<login>@`."""
    return request.wishes[0].reference or ""
