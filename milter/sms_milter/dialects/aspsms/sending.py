"""The Send… actions: whom to, as whom, when, who is told, and of what price (ASPSMS §11.2, §11.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sms_milter.dialects.aspsms import content, moments, numbers
from sms_milter.dialects.aspsms.content import Chance, Content
from sms_milter.dialects.aspsms.document import Element
from sms_milter.dialects.aspsms.faults import Code
from sms_milter.dialects.aspsms.options import AspsmsOptions
from sms_milter.dialects.context import Context
from sms_milter.errors import ContentFault
from sms_milter.model import Listener, Notify, Recipient, Wish
from sms_milter.policy.originators import UNLOCKED, Standing, bare, standing

CONTENTS: dict[str, Callable[[Element, AspsmsOptions, Chance], Content]] = {
    "SendTextSMS": content.text,
    "SendBinaryData": content.octets,
    "SendWAPPushSMS": content.push,
    "SendVCard": content.card,
    "SendLogo": content.operator_logo,
    "SendRandomLogo": content.random_logo,
    "SendGroupLogo": content.group_logo,
    "SendPictureMessage": content.picture,
    "SendRingtone": content.ring_tone,
}

_MOST_RECIPIENTS = 1000
LONGEST_REFERENCE = 64
_LONGEST_SHOWN = 32  # characters of what is no number
_REPLACING = re.compile(r"[1-7]")
_REPLACE = 0x40  # protocol_id (GSM 03.40 §9.2.3.9)
_URL = re.compile(r"https?://[!-~\xa1-\xff]+")
_LONGEST_URL = 1024

# The URLs by what they are told of.
_URLS = (
    ("URLBufferedMessageNotification", Notify.PENDING, Code.BUFFERED_URL),
    ("URLDeliveryNotification", Notify.SUCCESS, Code.DELIVERY_URL),
    ("URLNonDeliveryNotification", Notify.LOST | Notify.FAILURE, Code.NON_DELIVERY_URL),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """What a Send… action asks for; `unsendable` have no number that a message could be sent to."""

    wishes: tuple[Wish, ...]
    unsendable: tuple[Wish, ...]
    listeners: tuple[Listener, ...]


def send(action: str, request: Element, address: Recipient, context: Context[AspsmsOptions]) -> Sent:
    """What the request asks for. Raises Rejected, in the order of ASPSMS §11.9."""
    recipients = named(request)
    common = Wish("", originator=originator(request, context), default_originator=default(context))
    what = CONTENTS[action](request, context.options, context.chance)
    common = common._replace(
        text=what.text,
        binary=what.binary,
        flash=what.flash,
        ucs2=what.ucs2,
        protocol_id=_protocol_id(request),
    )
    return addressed(common, recipients, request, address, context)


def addressed(
    common: Wish,
    recipients: list[tuple[str, str]],
    request: Element,
    address: Recipient,
    context: Context[AspsmsOptions],
) -> Sent:
    """A message like `common` for each recipient, at the request's time, and its URLs. Raises Rejected."""
    when = moments.timing(request, context.now)
    listeners = tuple(_listeners(request))
    if not context.options.url_notifications:
        listeners = ()
    told = Notify.NEVER
    for listener in listeners:
        told |= listener.told
    common = common._replace(
        schedule=when.schedule,
        validity_period=when.validity_period,
        validity_seconds=when.validity_seconds,
        notice=told,
    )
    wishes: list[Wish] = []
    unsendable: list[Wish] = []
    for written, reference in recipients:
        number = numbers.XML_NUMBER.fullmatch(written)
        progress = bool(reference) or Notify.PENDING in told
        wish = common._replace(
            destination=number[1] if number else _shown(written),
            recipient=f"00{number[1]}@{address.domain}" if number else address.address,
            reference=reference or None,
            receipt=progress or bool(told),
            progress=progress,
        )
        (wishes if number else unsendable).append(wish)
    return Sent(tuple(wishes), tuple(unsendable), listeners)


def named(request: Element) -> list[tuple[str, str]]:
    """PhoneNumber as written and TransRefNumber of each Recipient. Raises Rejected."""
    written = [(one.value("PhoneNumber"), one.value("TransRefNumber")) for one in request.all("Recipient")]
    given = [(number, reference) for number, reference in written if number]
    if not given:
        raise Code.NO_RECIPIENT.rejected
    too_long = any(len(reference) > LONGEST_REFERENCE for _, reference in given)
    if too_long or len(given) > _MOST_RECIPIENTS:
        raise Code.INVALID_REQUEST.rejected
    return given


def originator(request: Element, context: Context[AspsmsOptions]) -> str | None:
    """The originator that the request asks for and the account may show. Raises Rejected."""
    wanted = written_originator(request)
    if (
        wanted is not None
        and standing(context.account, wanted) is Standing.UNLISTED
        and context.records.find(UNLOCKED, bare(wanted)) is None
    ):
        raise Code.ORIGINATOR_NOT_AUTHORIZED.rejected
    return wanted


def written_originator(request: Element) -> str | None:
    """Originator as `numbers.originator` gives it. Raises Rejected."""
    try:
        return numbers.originator(request.value("Originator"), "reject")
    except ContentFault:
        raise Code.ORIGINATOR.rejected from None


def default(context: Context[AspsmsOptions]) -> str:
    """The originator of a request without one (ASPSMS §6.3)."""
    return context.account.default_originator or numbers.LAST_RESORT


def _protocol_id(request: Element) -> int:
    """ReplaceMessage: a phone puts it in the place of an earlier one with the same value (ASPSMS §12.1)."""
    written = request.value("ReplaceMessage")
    if not written:
        return 0
    if not _REPLACING.fullmatch(written):
        raise Code.INVALID_REQUEST.rejected
    return _REPLACE + int(written)


def _listeners(request: Element) -> Iterator[Listener]:
    """The URLs that are told what becomes of the messages (ASPSMS §11.6). Raises Rejected."""
    for name, told, fault in _URLS:
        url = request.value(name)
        if url:
            if len(url) > _LONGEST_URL or not _URL.fullmatch(url):
                raise fault.rejected
            yield Listener(url, told, is_url=True)


def _shown(written: str) -> str:
    """What stands in the place of a number, for listings."""
    return "".join(one if " " < one <= "~" else "?" for one in written[:_LONGEST_SHOWN])
