"""The e-mail-to-SMS interfaces that are spoken: each is three pure functions and a model of its options.

Character sets are settled before a dialect, splitting comes after it; words that only one dialect uses stay
inside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from sms_milter.dialects import hsl
from sms_milter.dialects.context import Context
from sms_milter.errors import Refusal
from sms_milter.mail.parse import Mail
from sms_milter.model import Answer, Recipient, SmsRequest


@dataclass(frozen=True)
class Dialect:
    """One interface as the use cases see it; `options` are those of a domain in the configuration.

    `recipient` gives the destination digits of an address of ours, or None for an address that names none
    because the mail does; `parse` gives what the mail asks for. Both raise Rejected. `answer` gives the mail
    that the dialect writes back about what became of a mail, or None.
    """

    name: str
    options: type[BaseModel]
    recipient: Callable[[Recipient, Any], str | None]
    parse: Callable[[Mail, Context[Any]], SmsRequest]
    answer: Callable[[SmsRequest | Refusal], Answer | None]


DIALECTS: dict[str, Dialect] = {
    "hsl": Dialect("hsl", hsl.HslOptions, hsl.recipient, hsl.parse, hsl.answer),
}
