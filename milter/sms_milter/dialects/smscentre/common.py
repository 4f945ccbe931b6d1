"""What all messages of a mail have in common, whichever address it came to."""

from __future__ import annotations

from typing import TypedDict

from sms_milter.dialects.context import Context
from sms_milter.dialects.smscentre.options import SmscentreOptions
from sms_milter.mail.parse import Mail
from sms_milter.model import Notify, Recipient
from sms_milter.policy import reports


class Common(TypedDict):
    """As the fields of a Wish."""

    service_type: str
    validity_seconds: int | None
    receipt: bool
    notify: Notify
    original_recipient: str


def common(mail: Mail, address: Recipient, context: Context[SmscentreOptions]) -> Common:
    """The fields of messages that came by `address`: how the SMSC is asked, and of which ends the sender is
    told beside the answer.
    """
    options, parameters = context.options, address.parameters
    told, needed = reports.wanted(False, parameters.get("NOTIFY", ""), context.account.notify)
    if not context.reports or not reports.may_be_reported_on(context.envelope.sender, mail.by_name):
        told, needed = Notify.NEVER, False
    minutes = options.validity_minutes
    return {
        "service_type": options.service_type,
        "validity_seconds": None if minutes is None else 60 * minutes,
        "receipt": options.receipts or needed,
        "notify": told,
        "original_recipient": parameters.get("ORCPT", ""),
    }
