"""Clickatell SMTP: account, destinations and text stand in the body as lines `name:value` (CLK §1).

`parameters` reads the lines, `content` makes what a message holds, `faults` are the numbered errors; here is
what the lines ask for and who is told what became of it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import field_validator

from sms_milter.config.schema import Section, setting
from sms_milter.config.values import Size
from sms_milter.dialects.clickatell import faults
from sms_milter.dialects.clickatell.content import Content, Form, form
from sms_milter.dialects.clickatell.faults import denied, worded
from sms_milter.dialects.clickatell.parameters import Parameters, read
from sms_milter.dialects.clickatell.smart import NO_LOGO, network_code
from sms_milter.dialects.context import Context, Targets
from sms_milter.errors import Rejected
from sms_milter.mail.address import parse_path
from sms_milter.mail.parse import Mail
from sms_milter.model import Answer, Credentials, Notify, Priority, Recipient, SmsRequest, Wish
from sms_milter.policy import reports
from sms_milter.reply import Reply

__all__ = [
    "ClickatellOptions",
    "answer",
    "credentials",
    "denied",
    "parse",
    "recipient",
    "says_all",
    "worded",
]

# number   = [ "+" ] 1*DIGIT ; 7 to 15 digits in the international form      CLK §4.2
_NUMBER = re.compile(r"\+?([1-9][0-9]{6,14})")
# A sender ID that is a name; more than letters and digits may not reach every phone (CLK §8).
_NAME = re.compile(r"[A-Za-z0-9 .\-_&'+]{1,11}")
_DIGITS = re.compile(r"\+?([0-9]+)")
_LONGEST_NUMBER = 16  # digits of a sender ID
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_UNIX_TIME = re.compile(r"[0-9]{1,12}")
# placeholder = "#field" 1*DIGIT "#"      CLK §11
_PLACE = re.compile(r"#field([0-9]{1,9})#", re.IGNORECASE)
_CREDITS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")

_MOST_MINUTES = 7 * 24 * 60  # of delay
_LONGEST_VALIDITY = 24 * 60  # minutes in our queue
_QUEUES = {1: Priority.HIGH, 2: Priority.NORMAL, 3: Priority.LOW}
_FEATURES = 1 | 2 | 4 | 8 | 16 | 32 | 64 | 512 | 8192 | 16384  # what every route has (CLK §10)
_MOST_REPLIES = 10
_LONGEST_SHOWN = 40  # characters of a wrong number
_MOST_PARTS = 255  # what a concatenation element can count
# Which ends `callback` wants to hear of, besides the intermediate statuses, which nobody is told here.
_CALLBACKS = {0: "", 2: "SUCCESS,FAILURE", 4: "FAILURE", 6: "SUCCESS,FAILURE"}


class ClickatellOptions(Section):
    """Settings of a domain with `dialect: clickatell`."""

    addresses: tuple[str, ...] = setting(("sms",), doc="Local parts that mail for SMS is sent to.")
    max_mail: Size = setting("10MB", at_least="1KB", doc="The largest mail taken; 552 5.3.4 beyond it.")
    max_parts: int = setting(
        10, at_least=1, at_most=255, doc="The most SMS that one message may need, whatever concat says."
    )
    max_messages: int = setting(
        10000, at_least=1, at_most=100000, doc="The most messages that one mail may ask for."
    )
    pass_validity: bool = setting(
        False, doc="Tell the SMSC the validity too, which else counts in our queue only."
    )
    operator_network: str = setting(
        "",
        doc="The network (MCC-MNC, such as 262-01) for operator logos that name none; empty refuses them.",
    )

    @field_validator("operator_network")
    @classmethod
    def _is_network(cls, network: str) -> str:
        network_code(network)
        return network


def says_all(_recipient: Recipient, _options: ClickatellOptions) -> bool:
    """Whether the mail names its account: always (CLK §1)."""
    return True


def recipient(recipient: Recipient, options: ClickatellOptions) -> str | None:
    """None: no address names a number here (CLK §2). Raises Rejected for an address that is not ours."""
    if recipient.local.lower() not in map(str.lower, options.addresses):
        raise Rejected(faults.NO_SUCH_ADDRESS)
    return None


def credentials(mail: Mail, _targets: Targets, _options: ClickatellOptions) -> Credentials:
    """Whom the mail names (CLK §6). Raises Rejected when it cannot be read or names nobody."""
    said = read(mail)
    api_id = said.first("api_id")
    if not api_id:
        raise faults.API_ID.rejected()
    user, password = said.first("user"), said.first("password")
    if not user or not password:
        raise faults.AUTHENTICATION.rejected()
    return Credentials({"user": user, "api_id": api_id}, (password,))


def parse(mail: Mail, context: Context[ClickatellOptions]) -> SmsRequest:
    """What the mail asks for, a message for each destination in the order of the lines. Raises Rejected."""
    said = read(mail)
    if context.account.html == "reject" and any(part.content_type == "text/html" for part in mail.parts):
        raise faults.NO_PLAIN_TEXT.rejected()
    replies = _replies(said)
    order = _order(said, mail, context)
    batch = list(_destinations(said))
    if len(batch) > context.options.max_messages:
        raise Rejected(faults.TOO_MANY_MESSAGES)
    if not context.reports or not reports.may_be_reported_on(context.envelope.sender, mail.by_name):
        replies = ()
    made = [_made(at, *one, order, context) for at, one in enumerate(batch, start=1)]
    failed = [one for one in made if isinstance(one, _Failure)]
    wishes = tuple([one for one in made if isinstance(one, Wish)])
    if failed and (not replies or not wishes):
        raise Rejected(failed[0].reply)
    return SmsRequest(
        wishes,
        context.options.max_parts,
        answers=_answers(replies, made, mail, context),
    )


def answer(_outcome: object) -> Answer | None:
    """Nothing more: response mails go with the request, refusals stand in the SMTP reply (CLK §12.2)."""
    return None


# --- what holds for all messages of a mail ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Order:
    """The parameters of a mail that hold for each of its messages."""

    form: Form
    content: Content | None  # None: each message has its own
    wish: Wish  # all but destination and content


def _order(said: Parameters, mail: Mail, context: Context[ClickatellOptions]) -> _Order:
    """Checks in the order of the documented table, so that the first fault is the one told (CLK §13)."""
    concat = said.number("concat", 1, _MOST_PARTS, 0)
    not_before = _not_before(said, context.now)
    _refuse_unavailable(said)
    queue = said.number("queue", 1, 3, 3)
    how = form(said, network_code(context.options.operator_network))
    validity = said.number("validity", 1, _LONGEST_VALIDITY, _LONGEST_VALIDITY)
    notify = _notify(said, mail, context)
    client_id = said.first("climsgid")
    if client_id and not _CLIENT_ID.fullmatch(client_id):
        raise faults.PARAMETER.rejected("cliMsgId")
    originator = _originator(said.first("from"), is_binary=how.is_binary)
    batch = said.all("csv")
    if not batch and not said.all("to"):
        raise faults.PARAMETER.rejected("to")
    if batch and not how.given and how.smart != NO_LOGO:
        raise faults.NO_TEMPLATE.rejected()
    wish = Wish(
        "",
        originator=originator,
        reference=client_id or None,
        priority=_QUEUES[queue],
        own_order=True,
        not_before=not_before,
        validity_seconds=60 * validity,
        queue_only=not context.options.pass_validity,
        receipt=True,  # the interface asks for one of every message
        notify=notify,
        original_recipient=context.targets[0][0].parameters.get("ORCPT", ""),
        max_parts=concat or how.parts,
    )
    return _Order(how, None if batch else how.content(how.given), wish)


def _refuse_unavailable(said: Parameters) -> None:
    """What is documented and not done here is refused, never left out in silence."""
    if said.number("escalate", 0, 2, 0):
        raise faults.unavailable("escalate")
    limit = said.first("max_credits")
    if limit:
        if not _CREDITS.fullmatch(limit) or not float(limit):
            raise faults.PARAMETER.rejected("max_credits")
        raise faults.unavailable("max_credits")
    if said.number("req_feat", 0, 1 << 31, 0) & ~_FEATURES:
        raise faults.NO_ROUTE.rejected("req_feat")
    if said.flag("mo"):
        raise faults.unavailable("mo")
    if said.first("csvtemplate"):
        raise faults.unavailable("csvtemplate")


def _not_before(said: Parameters, now: float) -> float | None:
    """When sending may begin, None for at once (CLK §10)."""
    minutes = said.number("deliv_time", 0, _MOST_MINUTES, 0, faults.DELIVERY_TIME)
    given = said.first("scheduled_time")
    if not given:
        return now + 60 * minutes if minutes else None
    if said.first("deliv_time"):
        raise faults.DELIVERY_TIME.rejected("scheduled_time beside deliv_time")
    moment = _moment(given)
    if moment > now + 60 * _MOST_MINUTES:
        raise faults.DELIVERY_TIME.rejected()
    return moment if moment > now else None


def _moment(given: str) -> float:
    if _UNIX_TIME.fullmatch(given):
        return float(given)
    try:
        if _MOMENT.fullmatch(given):
            return datetime.strptime(given, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        pass  # such as February 30
    raise faults.DELIVERY_TIME.rejected()


def _notify(said: Parameters, mail: Mail, context: Context[ClickatellOptions]) -> Notify:
    """What the envelope sender is told of each message (CLK §12.3); NOTIFY of RCPT comes before it."""
    acknowledged = said.flag("deliv_ack")
    callback = said.number("callback", 0, 7, 0)
    if callback not in _CALLBACKS:
        raise faults.unavailable(f"callback {callback}")
    asked = _CALLBACKS[2 if acknowledged and callback in (0, 4) else callback]
    sender, by_name = context.envelope.sender, mail.by_name
    if not context.reports or not reports.may_be_reported_on(sender, by_name):
        return Notify.NEVER
    parameter = context.targets[0][0].parameters.get("NOTIFY", "") or asked
    return reports.wanted(False, parameter, context.account.notify)[0]


def _originator(given: str, *, is_binary: bool) -> str | None:
    """The sender ID, None for the account's own (CLK §8)."""
    if not given:
        return None
    digits = _DIGITS.fullmatch(given)
    if digits:
        if len(digits[1]) > _LONGEST_NUMBER:
            raise faults.SOURCE.rejected()
        return digits[1]
    if is_binary or not _NAME.fullmatch(given):
        raise faults.SOURCE.rejected()
    return given


# --- each message -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Failure:
    """A destination that gets no message: as the mail writes it, and why."""

    written: str
    reply: Reply


def _destinations(said: Parameters) -> Iterator[tuple[str, Sequence[str]]]:
    """The numbers as written, those of `to` lines first, and what stands behind each in `csv` (CLK §11)."""
    delimiter = _delimiter(said.first("delimiter"))
    for line in said.all("to"):
        numbers = [number.strip() for number in line.split(",")]
        if len(numbers) > 1 and not numbers[-1]:
            numbers.pop()
        for number in numbers if line else ():
            yield number, ()
    for line in said.all("csv"):
        number, *fields = line.split(delimiter)
        yield number.strip(), fields


def _international(written: str, country: str | None) -> str:
    """A number written nationally with its country in front (CLK §4.2)."""
    if country is None or not written.startswith("0") or written.startswith("00"):
        return written
    return country + written[1:]


def _delimiter(given: str) -> str:
    if given.lower() == "tab":
        return "\t"
    if len(given) > 1 or given.isdigit() or given == "#":
        raise faults.PARAMETER.rejected("delimiter")
    return given or ","


def _filled(template: str, fields: Sequence[str]) -> str:
    """The template with the fields in their places; "" where there is none (CLK §11)."""

    def field(place: re.Match[str]) -> str:
        at = int(place[1])
        if not at:
            return place[0]
        return fields[at - 1] if at <= len(fields) else ""

    return _PLACE.sub(field, template)


def _made(
    at: int, written: str, fields: Sequence[str], order: _Order, context: Context[ClickatellOptions]
) -> Wish | _Failure:
    """The message for one destination, the mail's `at`-th, or why there is none."""
    number = _NUMBER.fullmatch(_international(written, context.account.country_code))
    if number is None:
        return _Failure(written, faults.DESTINATION.reply(written))
    content = order.content
    if content is None:
        try:
            content = order.form.content(_filled(order.form.given, fields))
        except Rejected as refusal:
            text = f"{refusal.reply.text} (message {at})"  # no number: replies stand in the log
            return _Failure(written, replace(refusal.reply, text=text))
    return replace(
        order.wish,
        destination=number[1],
        text=content.text,
        binary=content.binary,
        flash=content.flash,
        ucs2=content.ucs2,
        # Reports name the number as if the envelope had.
        recipient=f"{number[1]}@{context.targets[0][0].domain}",
    )


# --- response mails -----------------------------------------------------------------------------------------


def _replies(said: Parameters) -> tuple[str, ...]:
    """The addresses that get a response mail (CLK §12.1)."""
    given = [one.strip() for line in said.all("reply") for one in line.split(",")]
    addresses = tuple(dict.fromkeys(filter(None, given)))
    if len(addresses) > _MOST_REPLIES:
        raise faults.PARAMETER.rejected("reply: too many addresses")
    for address in addresses:
        try:
            parse_path(f"<{address}>")
        except Rejected:
            raise faults.PARAMETER.rejected("reply") from None
    return addresses


def _answers(
    replies: Sequence[str],
    made: Sequence[Wish | _Failure],
    mail: Mail,
    context: Context[ClickatellOptions],
) -> tuple[Answer, ...]:
    """A response mail to each address that asks for one; the mail itself is never repeated (CLK §12.1)."""
    if not replies:
        return ()
    failed = sum(isinstance(one, _Failure) for one in made)
    subject = f"SMTP API response: {len(made) - failed} accepted, {failed} failed"
    lines = [_line(one, _message_id(context, mail, at)) for at, one in enumerate(made)]
    body = "".join(f"{line}\n" for line in lines)
    author = context.targets[0][0].address
    return tuple([Answer(address, subject, body, author) for address in replies])


def _line(made: Wish | _Failure, message_id: str) -> str:
    if isinstance(made, _Failure):
        return f"{made.reply.text.partition(' (')[0]} To: {made.written[:_LONGEST_SHOWN]}"
    own = "" if made.reference is None else f" cliMsgId: {made.reference}"
    return f"ID: {message_id} To: {made.destination}{own}"


def _message_id(context: Context[ClickatellOptions], mail: Mail, at: int) -> str:
    """The apiMsgId of the message in place `at`: 32 hex digits that no other message has (CLK §12.1)."""
    envelope = context.envelope
    known = (envelope.mta_queue_id, envelope.client.address, envelope.client.port, context.now, mail.size, at)
    said = mail.first("message-id") or b""
    return hashlib.sha256(repr((known, said)).encode("utf-8", "surrogateescape")).hexdigest()[:32]
