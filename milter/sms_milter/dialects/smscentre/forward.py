"""The text of any mail to `<login>@`, for the account's own phones (SMSCentre §13)."""

from __future__ import annotations

from collections.abc import Sequence

from sms_milter import reply
from sms_milter.dialects.context import Context
from sms_milter.dialects.smscentre import source
from sms_milter.dialects.smscentre.common import Common
from sms_milter.dialects.smscentre.options import SmscentreOptions
from sms_milter.dialects.smscentre.translit import transliterated
from sms_milter.errors import Rejected
from sms_milter.mail.parse import Mail
from sms_milter.model import Recipient, Wish

_LONGEST = 1000  # characters


def wishes(
    mail: Mail, address: Recipient, common: Common, context: Context[SmscentreOptions]
) -> Sequence[Wish]:
    """One for each phone of the account."""
    account = context.account
    text = source.plain_text(mail)
    if context.options.include_subject:
        text = f"{source.subject(mail)}\n{text}".strip()
    if not text:
        raise Rejected(reply.EMPTY_MESSAGE)
    text = text[:_LONGEST].rstrip()
    if account.transliterate is True:
        text = transliterated(text, context.options.letters("1"))
    return [
        Wish(
            number,
            text,
            recipient=f"{number}@{address.domain}",
            **common,
        )
        for number in dict.fromkeys(account.forward_to)
    ]
