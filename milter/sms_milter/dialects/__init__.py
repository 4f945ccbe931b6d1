"""The e-mail-to-SMS interfaces that are spoken: each is three pure functions and a model of its options.

Character sets are settled before a dialect, splitting comes after it; words that only one dialect uses stay
inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from sms_milter import reply
from sms_milter.config.schema import DuplicateLimit, FloodLimit
from sms_milter.dialects import aspsms, clickatell, hsl, smscentre
from sms_milter.dialects.context import Complaint, Context, Objection, Outcome, Targets
from sms_milter.mail.parse import Mail
from sms_milter.model import Answer, Credentials, Notice, Recipient, SmsRequest
from sms_milter.reply import Denial, Reply


@dataclass(frozen=True)
class Login:
    """How a dialect knows its customers by what stands in the mail.

    `needed` says it of one recipient, of which the envelope then tells nothing; `read` takes the credentials
    from the mail, before anything else is looked at, and raises Rejected when they are not there. With
    `proves_sender` a right password stands in the place of `sender` among the checks of an account, unless
    the account requires passwords beside it.
    """

    needed: Callable[[Recipient, Any], bool]
    read: Callable[[Mail, Targets, Any], Credentials]
    proves_sender: bool = False


def _as_it_is(why: Reply, _request: SmsRequest | None) -> Reply:
    return why


def _innocent(_why: Reply) -> bool:
    return False


def _not_by_mail(_refused: Objection[Any]) -> Complaint | None:
    return None


def _no_words(_notice: Notice) -> Answer:
    raise NotImplementedError("the dialect names listeners and has no words for them")


def _no_url(_notice: Notice) -> str:
    raise NotImplementedError("the dialect names URLs and has no words for them")


@dataclass(frozen=True, eq=False)  # each is the only one of its kind
class Dialect:
    """One interface as the use cases see it; `options` are those of a domain in the configuration.

    `recipient` gives the destination digits of an address of ours, or None for an address that names none
    because the mail does; `parse` gives what the mail asks for. Both raise Rejected. `answer` gives the mails
    that the dialect writes back about a mail that is taken. Without `login` the envelope alone
    names the account. Where a dialect documents codes of its own, `denied` finds the reply, and `worded`
    finds one for a refusal by others, with the request if it was understood already.
    `complaint` tells a permanent refusal at the end of message by mail, where mails of ours can be sent.
    `duplicates` and `flood` are limits that the interface itself documents; they hold where the postmaster
    sets no others.
    `notice` words what became of messages for those that the request names as listeners; `called` is the URL
    that is requested of one that is a URL.
    `owner` gives the login to which an address without `login` belongs; who may send is as its account says.
    With `secret_senders` an envelope sender is as good as a password, and the log shows only a part of it.
    `charset` is that of text that declares none, "" for UTF-8 or ISO-8859-1 as it looks.
    `suspicious` tells refusals that count like a failed login where clients are blocked for too many of them.
    """

    name: str
    options: type[BaseModel]
    recipient: Callable[[Recipient, Any], str | None]
    parse: Callable[[Mail, Context[Any]], SmsRequest]
    answer: Callable[[Outcome[Any]], Sequence[Answer]]
    login: Login | None = None
    denied: Callable[[Denial], Reply] = reply.denied
    worded: Callable[[Reply, SmsRequest | None], Reply] = _as_it_is
    complaint: Callable[[Objection[Any]], Complaint | None] = _not_by_mail
    owner: Callable[[Recipient], str] | None = None
    suspicious: Callable[[Reply], bool] = _innocent
    charset: str = ""
    duplicates: DuplicateLimit | None = None
    flood: FloodLimit | None = None
    notice: Callable[[Notice], Answer] = _no_words
    called: Callable[[Notice], str] = _no_url
    secret_senders: bool = False


DIALECTS: dict[str, Dialect] = {
    "aspsms": Dialect(
        "aspsms",
        aspsms.AspsmsOptions,
        aspsms.recipient,
        aspsms.parse,
        aspsms.answer,
        Login(aspsms.names_account, aspsms.credentials, proves_sender=True),
        aspsms.denied,
        aspsms.worded,
        aspsms.complaint,
        secret_senders=True,
        notice=aspsms.notice,
        called=aspsms.called,
    ),
    "hsl": Dialect("hsl", hsl.HslOptions, hsl.recipient, hsl.parse, hsl.answer),
    "clickatell": Dialect(
        "clickatell",
        clickatell.ClickatellOptions,
        clickatell.recipient,
        clickatell.parse,
        clickatell.answer,
        Login(clickatell.says_all, clickatell.credentials),
        clickatell.denied,
        clickatell.worded,
        notice=clickatell.notice,
    ),
    "smscentre": Dialect(
        "smscentre",
        smscentre.SmscentreOptions,
        smscentre.recipient,
        smscentre.parse,
        smscentre.answer,
        Login(smscentre.names_account, smscentre.credentials),
        smscentre.denied,
        smscentre.worded,
        smscentre.complaint,
        smscentre.owner,
        smscentre.suspicious,
        smscentre.CHARSET,
        smscentre.DUPLICATES,
        smscentre.FLOOD,
    ),
}
