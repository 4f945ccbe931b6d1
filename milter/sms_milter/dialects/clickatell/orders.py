"""What the parameters of a mail, or of a csv line, say of a message besides its content (CLK §8, §10)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sms_milter.dialects.clickatell import faults
from sms_milter.dialects.clickatell.content import Form, form
from sms_milter.dialects.clickatell.options import ClickatellOptions
from sms_milter.dialects.clickatell.parameters import Parameters
from sms_milter.dialects.clickatell.statuses import CALLBACKS
from sms_milter.dialects.context import Context
from sms_milter.mail.parse import Mail
from sms_milter.model import Escalate, Feature, Notify, Priority, Wish
from sms_milter.policy import reports

# A sender ID that is a name; more than letters and digits may not reach every phone (CLK §8).
_NAME = re.compile(r"[A-Za-z0-9 .\-_&'+]{1,11}")
_DIGITS = re.compile(r"\+?([0-9]+)")
_LONGEST_NUMBER = 16  # digits of a sender ID
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_UNIX_TIME = re.compile(r"[0-9]{1,12}")
_CREDITS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")

_MOST_MINUTES = 7 * 24 * 60  # of delay
_LONGEST_VALIDITY = 24 * 60  # minutes in our queue
_MOST_PARTS = 255  # what a concatenation element can count
_PRIORITIES = {1: Priority.HIGH, 2: Priority.NORMAL, 3: Priority.LOW}
_PRIORITY_FLAGS = {1: 2, 2: 1, 3: 0}  # CLK §14
_ESCALATE = (Escalate.NEVER, Escalate.AT_ONCE, Escalate.LATE)


@dataclass(frozen=True, slots=True)
class Order:
    """What holds for a message: how its content is made, a wish with all but sender ID, destination and
    content, and the sender ID, which is checked later.
    """

    form: Form
    wish: Wish
    originator: str | None = None


def order(said: Parameters, mail: Mail, context: Context[ClickatellOptions]) -> Order:
    """Checks in the order of the documented table, so that the first fault is the one told (CLK §13), all but
    those of the sender ID. Raises Rejected.
    """
    options = context.options
    concat = said.number("concat", 1, _MOST_PARTS, 0)
    not_before = _not_before(said, context.now)
    escalate = _ESCALATE[said.number("escalate", 0, 2, 0)]
    queue = said.number("queue", 1, 3, 3)
    max_credits = _max_credits(said.first("max_credits"), context.account.max_credits)
    features = said.number("req_feat", 0, 1 << 31, 0)
    how = form(said, options)
    validity = 60 * said.number("validity", 1, _LONGEST_VALIDITY, _LONGEST_VALIDITY)
    acknowledged, callback = said.flag("deliv_ack"), said.number("callback", 0, 7, 0)
    asked = CALLBACKS[callback] | CALLBACKS[2] if acknowledged else CALLBACKS[callback]
    notify, notice = _told(asked, mail, context)
    client_id = said.first("climsgid")
    if client_id and not is_client_id(client_id):
        raise faults.PARAMETER.rejected("cliMsgId")
    if said.flag("mo"):
        features |= Feature.REPLY
    by_smsc = options.hold == "smsc"
    wish = Wish(
        "",
        reference=client_id or None,
        priority=_PRIORITIES[queue],
        own_order=True,
        priority_flag=_PRIORITY_FLAGS[queue],
        not_before=None if by_smsc else not_before,
        schedule_seconds=round(not_before - context.now) if by_smsc and not_before else 0,
        validity_seconds=validity,
        queue_only=not options.pass_validity,
        service_type=options.service_type,
        receipt=options.receipts or acknowledged or bool(callback),
        notify=notify,
        notice=notice,
        original_recipient=context.targets[0][0].parameters.get("ORCPT", ""),
        max_parts=concat or how.parts,
        max_credits=max_credits,
        features=features,
        escalate=escalate,
    )
    return Order(how, wish)


def is_client_id(text: str) -> bool:
    """Whether this may be a cliMsgId."""
    return _CLIENT_ID.fullmatch(text) is not None


def originator(said: Parameters, how: Form, context: Context[ClickatellOptions]) -> str | None:
    """The sender ID, None for the account's own (CLK §8). Raises Rejected, or Denied for one that the account
    may not show.
    """
    given = said.first("from")
    if not given:
        return None  # with mo:1 too: answers to the account's usual number are lost
    digits = _DIGITS.fullmatch(given)
    if digits:
        if len(digits[1]) > _LONGEST_NUMBER:
            raise faults.SOURCE.rejected()
        if said.flag("mo") and digits[1] not in context.account.mo_numbers:
            raise faults.SOURCE.rejected()
        return context.originator(digits[1])
    if how.is_binary or said.flag("mo") or not _NAME.fullmatch(given):
        raise faults.SOURCE.rejected()
    return context.originator(given)


def _max_credits(given: str, most: Decimal | None) -> Decimal | None:
    """What the message may cost, never more than the account allows. Raises Rejected."""
    if not given:
        return most
    if not _CREDITS.fullmatch(given) or not Decimal(given):
        raise faults.PARAMETER.rejected("max_credits")
    return Decimal(given) if most is None else min(Decimal(given), most)


def _not_before(said: Parameters, now: float) -> float | None:
    """When sending may begin, None for at once (CLK §10). Raises Rejected."""
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


def _told(asked: Notify, mail: Mail, context: Context[ClickatellOptions]) -> tuple[Notify, Notify]:
    """What the envelope sender is told of each message as RCPT's NOTIFY says, and of what there are status
    mails (CLK §12.3).
    """
    if not context.reports or not reports.may_be_reported_on(context.envelope.sender, mail.by_name):
        return Notify.NEVER, Notify.NEVER
    parameter = context.targets[0][0].parameters.get("NOTIFY", "")
    notify = reports.wanted(False, parameter, context.account.notify)[0]
    if parameter.upper() == "NEVER" or context.account.notify == "none":
        asked = Notify.NEVER
    elif context.account.notify == "failed":
        asked &= ~Notify.SUCCESS
    if Notify.LOST in asked and not parameter:
        notify &= ~(Notify.LOST | Notify.FAILURE)  # the status mail says it
    return notify, asked
