"""A small dialect, built as docs/adding-a-dialect.md tells: lines such as `to=447973100000` in the body.

To `keys@DOMAIN` the mail says all, `user=` and `password=` too; to `NUMBER@DOMAIN` it needs only `text=`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sms_milter import reply
from sms_milter.config.schema import Section, setting
from sms_milter.config.values import Size
from sms_milter.dialects import Dialect, Login
from sms_milter.dialects.context import Context, Outcome, Targets
from sms_milter.errors import Rejected
from sms_milter.mail import charset
from sms_milter.mail.parse import Mail
from sms_milter.model import Answer, Credentials, Recipient, SmsRequest, Wish
from sms_milter.reply import Denial, Reply

_MSISDN = re.compile(r"[1-9][0-9]{6,14}")
_WRONG_LOGIN = Reply.permanent("7.1", "ERR 1, wrong user or password")


class ToyOptions(Section):
    """Settings of a domain with `dialect: toy`."""

    max_mail: Size = setting("64KB", at_least="1KB", doc="The largest mail taken; 552 5.3.4 beyond it.")
    max_parts: int = setting(3, at_least=1, at_most=255, doc="The most SMS that one message may need.")


def says_all(recipient: Recipient, _options: ToyOptions) -> bool:
    """Whether the mail names its account; else the envelope does."""
    return recipient.local.lower() == "keys"


def recipient(recipient: Recipient, options: ToyOptions) -> str | None:
    """The destination digits of an address, None where the mail says them. Raises Rejected."""
    if says_all(recipient, options):
        return None
    if not _MSISDN.fullmatch(recipient.local):
        raise Rejected(reply.NO_SUCH_ADDRESS)
    return recipient.local


def credentials(mail: Mail, _targets: Targets, _options: ToyOptions) -> Credentials:
    """Whom the mail names; whether that is true is found out elsewhere."""
    said = _said(mail)
    return Credentials({"user": said.get("user", "")}, (said.get("password", ""),))


def parse(mail: Mail, context: Context[ToyOptions]) -> SmsRequest:
    """What the mail asks for, one message for each number. Raises Rejected."""
    said = _said(mail)
    text = said.get("text", "")
    if not text:
        raise Rejected(reply.EMPTY_MESSAGE)
    numbers: dict[str, str] = {}  # each number once, with its address for reports
    for address, number in context.targets:
        destination = said.get("to", "") if number is None else number
        if not _MSISDN.fullmatch(destination):
            raise Rejected(reply.BAD_NUMBER)
        numbers.setdefault(destination, address.address)
    wishes = [
        Wish(number, text, recipient=address, originator=said.get("from"))
        for number, address in numbers.items()
    ]
    return SmsRequest(tuple(wishes), context.options.max_parts)


def answer(_outcome: Outcome[ToyOptions]) -> Sequence[Answer]:
    """No mail is written back."""
    return ()


def denied(why: Denial) -> Reply:
    """A code of its own for wrong logins; never which of the two was wrong."""
    if why in (Denial.UNKNOWN_LOGIN, Denial.WRONG_PASSWORD):
        return _WRONG_LOGIN
    return reply.denied(why)


def _said(mail: Mail) -> dict[str, str]:
    """The lines `name=value` of the first text."""
    texts = [part for part in mail.parts if part.content_type == "text/plain" and not part.fault]
    if not texts:
        raise Rejected(reply.NO_PLAIN_TEXT)
    lines = charset.decode(texts[0].octets, texts[0].charset).splitlines()
    pairs = [line.partition("=") for line in lines if "=" in line]
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


TOY = Dialect("toy", ToyOptions, recipient, parse, answer, Login(says_all, credentials), denied)
