"""Clickatell SMTP: account, destinations and text stand in the body as lines `name:value` (CLK §1).

`parameters` reads the lines, `batch` whom they name, `orders` how to send, `content` what; `responses` tells
what was taken, `statuses` what became of it, and `faults` are the numbered errors.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import islice

from sms_milter.dialects.clickatell import batch, faults, statuses
from sms_milter.dialects.clickatell.batch import Entry
from sms_milter.dialects.clickatell.content import Content, Form
from sms_milter.dialects.clickatell.faults import denied, worded
from sms_milter.dialects.clickatell.options import ClickatellOptions
from sms_milter.dialects.clickatell.orders import Order, is_client_id, order, originator
from sms_milter.dialects.clickatell.parameters import Parameters, read
from sms_milter.dialects.clickatell.responses import answer
from sms_milter.dialects.clickatell.smart import NO_LOGO
from sms_milter.dialects.clickatell.statuses import notice
from sms_milter.dialects.context import Context, Targets
from sms_milter.errors import Denied, Rejected
from sms_milter.mail.address import parse_path
from sms_milter.mail.parse import Mail
from sms_milter.model import Credentials, Recipient, Refused, SmsRequest, Wish
from sms_milter.policy import reports
from sms_milter.reply import Reply

__all__ = [
    "ClickatellOptions",
    "answer",
    "credentials",
    "denied",
    "notice",
    "parse",
    "recipient",
    "says_all",
    "worded",
]

_MOST_REPLIES = 10
_LONGEST_WRITTEN = 100  # characters of what should be a number
_NOTHING = Content()
_ANY_NETWORK = "001-01"


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
    said = mail.once(read)
    api_id = said.first("api_id")
    if not api_id:
        raise faults.API_ID.rejected()
    user, password = said.first("user"), said.first("password")
    if not user or not password:
        raise faults.AUTHENTICATION.rejected()
    return Credentials({"user": user, "api_id": api_id}, (password,))


def parse(mail: Mail, context: Context[ClickatellOptions]) -> SmsRequest:
    """What the mail asks for, a message for each destination in the order of the lines.

    Raises Rejected, and Denied for a sender ID that the account may not show, in the order of CLK §13.
    """
    said = mail.once(read)
    if not said.first("to") and not said.all("csv"):  # an empty `to` is none, an empty csv line a bad number
        raise faults.PARAMETER.rejected("to")
    replies = _replies(said)
    common = order(said, mail, context)
    layout = batch.layout(said)
    content = None if said.all("csv") else _shared_content(common.form)
    sender = originator(said, common.form, context)
    if said.all("csv") and not common.form.given and common.form.smart != NO_LOGO and not layout.has_text:
        raise faults.NO_TEMPLATE.rejected()
    if content == _NOTHING:
        raise faults.EMPTY.rejected()
    most = context.options.max_messages
    entries = list(islice(batch.entries(said, layout), most + 1))
    if len(entries) > most:
        raise Rejected(faults.TOO_MANY_MESSAGES)
    request = _Request(said, mail, context, Order(common.form, common.wish, sender), content)
    made = [request.message(place, entry) for place, entry in enumerate(entries)]
    if not context.reports or not reports.may_be_reported_on(context.envelope.sender, mail.by_name):
        replies = ()
    wishes = tuple([one for one in made if isinstance(one, Wish)])
    return SmsRequest(
        wishes,
        context.options.max_parts,
        listeners=statuses.listeners(wishes, replies or (context.envelope.sender,)),
        refused=tuple([one for one in made if isinstance(one, Refused)]),
        reply_to=replies,
        dear_is_taken=not context.options.strict_credits,
    )


def _shared_content(form: Form) -> Content | None:
    """The content of all messages, None where each has its own; that there is none is told after the sender
    (CLK §13). Raises Rejected.
    """
    try:
        if not form.per_destination:
            return form.content(form.given)
        form.content(form.given, _ANY_NETWORK)  # so that what is wrong with all is told of all
        return None
    except Rejected as fault:
        if fault.reply != faults.EMPTY.reply():
            raise
        return _NOTHING


def _replies(said: Parameters) -> tuple[str, ...]:
    """The addresses that get a response mail (CLK §12.1). Raises Rejected."""
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


class _Request:
    """What is the same for all messages of a mail: `content` too, unless each has its own."""

    __slots__ = ("_content", "_context", "_domain", "_identity", "_mail", "_order", "_said")

    def __init__(
        self,
        said: Parameters,
        mail: Mail,
        context: Context[ClickatellOptions],
        common: Order,
        content: Content | None,
    ) -> None:
        self._said, self._mail, self._context = said, mail, context
        self._order, self._content = common, content
        self._domain = context.targets[0][0].domain
        envelope = context.envelope
        known = (envelope.mta_queue_id, envelope.client.address, envelope.client.port, context.now, mail.size)
        facts = repr((known, mail.first("message-id")))
        self._identity = hashlib.sha256(facts.encode("utf-8", "surrogateescape"))

    def message(self, place: int, entry: Entry) -> Wish | Refused:
        """The message for one destination, or why it gets none."""
        number = batch.international(entry.written, self._context.account.country_code)
        if number is None:
            return self._refused(place, entry, faults.DESTINATION.reply(entry.written))
        try:
            how, content = self._own(entry, number)
        except Rejected as refusal:
            why = refusal.reply
            if self._said.all("csv"):  # no number: replies stand in the log
                why = replace(why, text=f"{why.text} (message {place + 1})")
            return self._refused(place, entry, why, of_content=True)
        except Denied as refusal:
            return self._refused(place, entry, denied(refusal.denial))
        return how.wish._replace(
            destination=number,
            originator=how.originator,
            text=content.text,
            binary=content.binary,
            flash=content.flash,
            ucs2=content.ucs2,
            # Reports name the number as if the envelope had.
            recipient=f"{number}@{self._domain}",
            public_id=self._public_id(place),
        )

    def _refused(self, place: int, entry: Entry, why: Reply, *, of_content: bool = False) -> Refused:
        reference = entry.cells.get("climsgid")
        if reference is None or not is_client_id(reference):
            reference = self._order.wish.reference
        return Refused(place, entry.written[:_LONGEST_WRITTEN], why, reference, of_content)

    def _own(self, entry: Entry, number: str) -> tuple[Order, Content]:
        """How to send what, for one csv line or number. Raises Rejected and Denied."""
        how = self._order
        if entry.cells:
            said = self._said.with_cells(entry.cells)
            how = order(said, self._mail, self._context)
            how = Order(how.form, how.wish, originator(said, how.form, self._context))
        if self._content is not None:
            return how, self._content
        network = self._context.network(number) if how.form.per_destination else ""
        return how, how.form.content(batch.filled(how.form.given, entry.fields), network)

    def _public_id(self, place: int) -> str:
        """The apiMsgId: 32 hex digits that no other message has (CLK §12.1)."""
        one = self._identity.copy()
        one.update(b"%d" % place)
        return one.hexdigest()[:32]
