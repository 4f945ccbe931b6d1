"""ASPSMS SMTP interface: `textsms@` with everything in the Subject, or the number in the envelope.

To `textsms@` the Subject names account, destination and wishes (ASPSMS §5). To `<number>@` the sender's
address is what authorises, and the Subject may name an originator (ASPSMS §7.2). The whole body is the text:
ASCII or ISO-8859-1 plain text, nothing else. `xml@` is not spoken yet and is told so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Literal, NamedTuple

from sms_milter import reply
from sms_milter.config.schema import Section, setting
from sms_milter.config.values import Size
from sms_milter.dialects.context import Context, Outcome, Targets
from sms_milter.errors import Rejected
from sms_milter.mail import charset, flowed, words
from sms_milter.mail.parse import UNKNOWN_ENCODING, Mail, Part
from sms_milter.model import Answer, Credentials, Listener, Notify, Recipient, SmsRequest, Wish
from sms_milter.policy import reports
from sms_milter.reply import Denial, Reply

_TEXT, _XML = "textsms", "xml"
# sms-number = "00" nonzero 6*14DIGIT      ASPSMS §3.1
_SMS_NUMBER = re.compile(r"00([1-9][0-9]{6,14})")
_NUMBER_WITH_PLUS = re.compile(r"\+[0-9]+")
_DIGITS = re.compile(r"[0-9]+")

# param = keyword OWS "=" OWS value; the first letter may stand for the keyword      ASPSMS §5.1
_KEYWORDS = {
    spelling: name
    for name in ("userkey", "password", "recipient", "originator", "notify")
    for spelling in (name, name[0])
}
_BLANKS = " \t"
_LONGEST_CREDENTIAL = 64

# numeric = [ "+" | "00" ] 3*15DIGIT      ASPSMS §6.1
_NUMERIC = re.compile(r"(\+|00)?([0-9]{3,15})")
_LIKE_NUMERIC = re.compile(r"\+?[0-9]+")
_PRINTABLE = re.compile(r"[ -~]+")
_LONGEST_NAME = 11
_LEAST_INTERNATIONAL = 7  # digits; a shorter number is a short code, whatever stands before it
_LAST_RESORT = "SMS"

# Notify as the ESMTP parameter of that meaning (ASPSMS §9.1, RFC 3461 §4.1); Buffered has none.
_NOTIFY = {"ALWAYS": "SUCCESS,FAILURE", "FAILED": "FAILURE", "NONE": "NEVER"}

_C1 = re.compile(rb"[\x80-\x9f]")
# Windows-1252 where ISO-8859-1 has C1 controls (ASPSMS §4.2); of other controls only LF stays (ASPSMS §8.1).
_CHARACTERS: dict[int, str | None] = {
    **dict.fromkeys((*range(0x20), 0x7F)),
    **{code: bytes([code]).decode("cp1252", "ignore") or None for code in range(0x80, 0xA0)},
    ord("\n"): "\n",
    ord("\t"): " ",
    0xA0: " ",
}
_LEADING_EMPTY_LINES = re.compile(r"(?: *\n)*")

# --- replies (ASPSMS §10) -----------------------------------------------------------------------------------

_UNKNOWN_ADDRESS = Reply.permanent("1.1", "Unknown SMS address")
_PLUS_REFUSED = Reply.permanent("1.3", 'Number must start with 00, "+" is not accepted')
_BAD_NUMBER = Reply.permanent("1.3", "Bad recipient number")
_SENDER_NOT_ALLOWED = Reply.permanent("7.1", "Sender address not authorized")
_DESTINATION_NOT_ALLOWED = Reply.permanent("7.1", "Destination not allowed")
_NO_TLS = Reply.permanent("7.0", "Must issue a STARTTLS command first", code=530)
_NO_XML = Reply.permanent("3.3", "XML interface is not available here yet")
_NOT_PLAIN = Reply.permanent("6.1", "Only plain text is accepted", code=554)
_NOT_LATIN1 = Reply.permanent("6.1", "Only ISO-8859-1 is accepted", code=554)
_MALFORMED = Reply.permanent("6.0", "Malformed message", code=554)
_BAD_SUBJECT = Reply.permanent("6.0", "Bad subject parameters", code=554)
_WRONG_LOGIN = Reply.permanent("7.1", "Authorization failed")
_BAD_ORIGINATOR = Reply.permanent("6.0", "Invalid originator", code=554)
_ORIGINATOR_NOT_ALLOWED = Reply.permanent("7.1", "Originator not authorized")
_BAD_NOTIFY = Reply.permanent("6.0", "Invalid Notify value", code=554)
_EMPTY = Reply.permanent("6.0", "Empty message", code=554)

_DENIED = {
    Denial.UNKNOWN_LOGIN: _WRONG_LOGIN,
    Denial.WRONG_PASSWORD: _WRONG_LOGIN,
    Denial.WRONG_NAME: _WRONG_LOGIN,
    Denial.NOT_FROM_HERE: _WRONG_LOGIN,
    Denial.NOT_BY_SENDER: _WRONG_LOGIN,
    Denial.ORIGINATOR_NOT_ALLOWED: _ORIGINATOR_NOT_ALLOWED,
    Denial.BAD_ORIGINATOR: _BAD_ORIGINATOR,
}
_REFUSED = {
    reply.NOT_AUTHORISED: _SENDER_NOT_ALLOWED,
    reply.BAD_ADDRESS_FORM: _UNKNOWN_ADDRESS,
    reply.TLS_REQUIRED: _NO_TLS,
    reply.UNDECODABLE: _MALFORMED,
    reply.TOO_COMPLEX: _MALFORMED,
} | dict.fromkeys(reply.UNREACHABLE, _DESTINATION_NOT_ALLOWED)


class AspsmsOptions(Section):
    """Settings of a domain with `dialect: aspsms`."""

    max_mail: Size = setting("64KB", at_least="1KB", doc="The largest mail taken; 552 5.3.4 beyond it.")
    max_parts: int = setting(10, at_least=1, at_most=255, doc="The most SMS that one message may need.")
    charset_rule: Literal["content", "declared"] = setting(
        "content",
        doc="Text declared in another character set than US-ASCII or ISO-8859-1: taken while all of it is "
        "ASCII (content), or refused in any case (declared).",
    )
    c1_as_cp1252: bool = setting(
        True,
        doc="Read the octets that ISO-8859-1 has no characters for as Windows-1252, such as the euro sign; "
        "else they are refused.",
    )
    strict_cte: bool = setting(False, doc="Refuse mail in quoted-printable or base64.")
    unknown_params: Literal["reject", "ignore"] = setting(
        "reject", doc="What becomes of a mail with unknown parameters in the Subject."
    )
    long_originator: Literal["truncate", "reject"] = setting(
        "truncate", doc="An originator that is a name of more than 11 characters: cut it, or refuse the mail."
    )
    validity_minutes: int | None = setting(
        None, at_least=1, doc="How long the SMSC may try to deliver; null: its own default."
    )


def names_account(recipient: Recipient, _options: AspsmsOptions) -> bool:
    """Whether the mail says who sends it; to a number the sender's address does (ASPSMS §7)."""
    return recipient.local.lower() in (_TEXT, _XML)


def recipient(recipient: Recipient, _options: AspsmsOptions) -> str | None:
    """The destination digits of an address, None for `textsms` (ASPSMS §3.2). Raises Rejected."""
    local = recipient.local
    if number := _SMS_NUMBER.fullmatch(local):
        return number[1]
    if local.lower() == _TEXT:
        return None
    if local.lower() == _XML:
        raise Rejected(_NO_XML)
    if _NUMBER_WITH_PLUS.fullmatch(local):
        raise Rejected(_PLUS_REFUSED)
    raise Rejected(_BAD_NUMBER if _DIGITS.fullmatch(local) else _UNKNOWN_ADDRESS)


def credentials(mail: Mail, _targets: Targets, options: AspsmsOptions) -> Credentials:
    """Userkey and Password of the Subject. Raises Rejected, also for what is no plain text (ASPSMS §5.3)."""
    _plain_text(mail, options)
    given = _parameters(_latin1_subject(mail), options.unknown_params)
    userkey, password = given.get("userkey", ""), given.get("password", "")
    if not all(0 < len(one) <= _LONGEST_CREDENTIAL for one in (userkey, password)):
        raise Rejected(_WRONG_LOGIN)
    return Credentials({"userkey": userkey}, (password,))


def parse(mail: Mail, context: Context[AspsmsOptions]) -> SmsRequest:
    """What the mail asks for, one message for each number. Raises Rejected, in the order of ASPSMS §5.3."""
    options = context.options
    part = _plain_text(mail, options)
    in_subject = any(number is None for _, number in context.targets)
    given = _parameters(_latin1_subject(mail), options.unknown_params) if in_subject else _hints(mail)
    addressed = _addressed(context.targets, given.get("recipient", ""))
    originator = _originator(given.get("originator", ""), options.long_originator)
    notify = given.get("notify", "").upper()
    if notify and notify not in _NOTIFY:
        raise Rejected(_BAD_NOTIFY)
    text = _text(part)
    minutes = options.validity_minutes
    wishes = []
    for number, (address, by_subject) in addressed.items():
        told = _told(mail, address, notify, context, by_subject=by_subject)
        wishes.append(
            Wish(
                number,
                text,
                recipient=address.address,
                originator=originator,
                default_originator=_default_originator(context, by_subject=by_subject),
                validity_seconds=None if minutes is None else minutes * 60,
                receipt=told.receipt,
                progress=told.receipt and notify == "ALWAYS",
                notify=told.notify,
                notice=told.notice,
                original_recipient=address.parameters.get("ORCPT", ""),
            )
        )
    return SmsRequest(tuple(wishes), options.max_parts, listeners=_listeners(wishes, context))


def answer(_outcome: Outcome[AspsmsOptions]) -> Sequence[Answer]:
    """Nothing is written back: only XML is answered by mail (ASPSMS §1)."""
    return ()


def denied(why: Denial) -> Reply:
    """The documented replies (ASPSMS §10); never whether Userkey or Password was wrong."""
    return _DENIED.get(why) or reply.denied(why)


def worded(why: Reply, _request: SmsRequest | None) -> Reply:
    """The documented reply for a refusal that all dialects know (ASPSMS §10); others stay as they are."""
    return _REFUSED.get(why, why)


# --- the Subject --------------------------------------------------------------------------------------------


def _subject(mail: Mail) -> str:
    """The first Subject without its folds, raw octets read as ISO-8859-1 (ASPSMS §4.3)."""
    raw = mail.by_name.get("subject", b"").replace(b"\r", b"").replace(b"\n", b"")
    return words.decode(raw.decode("latin-1").encode())


def _latin1_subject(mail: Mail) -> str:
    subject = _subject(mail)
    if any(character > "\xff" for character in subject):
        raise Rejected(_NOT_LATIN1)
    return subject


def _parameters(subject: str, unknown: Literal["reject", "ignore"]) -> dict[str, str]:
    """The parameters by their long names in lower case (ASPSMS §5.1). Raises Rejected."""
    if not subject.strip(_BLANKS):
        return {}
    elements = subject.strip(_BLANKS).removesuffix(",").split(",")
    given: dict[str, str] = {}
    for element in elements:
        word, equals, value = element.partition("=")
        word = word.strip(_BLANKS).lower()
        name = _KEYWORDS.get(word, "")
        known = bool(name) or (unknown == "ignore" and bool(word))
        if not equals or not known or name in given:
            raise Rejected(_BAD_SUBJECT)
        if name:
            given[name] = value.strip(_BLANKS)
    return given


def _hints(mail: Mail) -> Mapping[str, str]:
    """What the Subject of a mail to numbers says; appliances write what they like there (ASPSMS §7.2)."""
    try:
        return _parameters(_subject(mail), "reject")
    except Rejected:
        return {}


# --- to whom, from whom, who is told ------------------------------------------------------------------------


def _addressed(targets: Targets, in_subject: str) -> dict[str, tuple[Recipient, bool]]:
    """Each number once: the address that reports name, and whether the Subject says it (ASPSMS §3.3)."""
    numbers: dict[str, tuple[Recipient, bool]] = {}
    for address, number in sorted(targets, key=lambda target: target[1] is not None):
        if number is not None:
            numbers.setdefault(number, (address, False))
            continue
        found = _SMS_NUMBER.fullmatch(in_subject)
        if found is None:
            raise Rejected(_BAD_NUMBER)
        numbers.setdefault(found[1], (replace(address, local=in_subject), True))
    return numbers


def _originator(given: str, long: Literal["truncate", "reject"]) -> str | None:
    """The originator that the Subject asks for: "+" and digits, digits, or a name (ASPSMS §6.1)."""
    if not given:
        return None
    if number := _NUMERIC.fullmatch(given):
        prefix, digits = number[1], number[2]
        return f"+{digits}" if prefix and len(digits) >= _LEAST_INTERNATIONAL else digits
    name = given[:_LONGEST_NAME].rstrip(_BLANKS)
    too_long = len(given) > _LONGEST_NAME and long == "reject"
    # A name that only cutting makes a number would pass for somebody's phone.
    if too_long or not _PRINTABLE.fullmatch(given) or _LIKE_NUMERIC.fullmatch(name):
        raise Rejected(_BAD_ORIGINATOR)
    return name


def _default_originator(context: Context[AspsmsOptions], *, by_subject: bool) -> str:
    """The originator of a mail that names none (ASPSMS §6.3)."""
    account = context.account
    own = "" if by_subject else account.sender_originators.get(context.envelope.sender.lower(), "")
    return own or account.default_originator or _LAST_RESORT


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
    told = reduce(or_, [wish.notice for wish in wishes], Notify.NEVER)
    return (Listener(context.envelope.sender, told),) if told else ()


# --- the text -----------------------------------------------------------------------------------------------


def _plain_text(mail: Mail, options: AspsmsOptions) -> Part:
    """The one part that the mail is, as plain ISO-8859-1 text (ASPSMS §4.1). Raises Rejected."""
    part = mail.parts[0] if len(mail.parts) == 1 else None
    content_type = words.unfold(mail.by_name.get("content-type", b"")).lstrip().lower()
    if part is None or content_type.startswith(b"multipart/"):
        raise Rejected(_NOT_PLAIN)
    if part.content_type != "text/plain" or part.attachment or part.fault == UNKNOWN_ENCODING:
        raise Rejected(_NOT_PLAIN)
    if options.strict_cte and _is_encoded(mail):
        raise Rejected(_NOT_PLAIN)
    if part.fault:
        raise Rejected(_MALFORMED, part.fault)
    if not charset.is_latin1(part.charset) and not (
        options.charset_rule == "content" and _is_ascii(part.octets, part.charset)
    ):
        raise Rejected(_NOT_LATIN1)
    if b"\0" in part.octets:
        raise Rejected(_MALFORMED)
    if not options.c1_as_cp1252 and _C1.search(part.octets):
        raise Rejected(_NOT_LATIN1)
    return part


def _is_encoded(mail: Mail) -> bool:
    encoding = words.unfold(mail.by_name.get("content-transfer-encoding", b"")).strip().lower()
    return encoding.startswith((b"quoted-printable", b"base64"))


def _is_ascii(octets: bytes, name: str) -> bool:
    """Whether the octets are ASCII text and mean the same in the declared charset, unlike those of UTF-16."""
    codec = charset.canonical(name)
    if codec is None or not octets.isascii():
        return False
    try:
        return octets.decode(codec) == octets.decode("ascii")
    except ValueError:
        return False


def _text(part: Part) -> str:
    """The message text (ASPSMS §4.2, §8.1). Raises Rejected when there is none."""
    text = part.octets.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    if part.flowed:
        text = flowed.unflow(text, delsp=part.delsp)
    text = text.translate(_CHARACTERS).rstrip()
    empty_lines = _LEADING_EMPTY_LINES.match(text)
    assert empty_lines is not None  # it matches nothing too
    if not (text := text[empty_lines.end() :]):
        raise Rejected(_EMPTY)
    return text
