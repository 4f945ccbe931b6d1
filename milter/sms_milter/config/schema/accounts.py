"""Domains and accounts: what is ours, and who may send."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from sms_milter.config.schema.declaring import REQUIRED, Section, setting
from sms_milter.config.schema.limits import Duplicates, Flood, Storms
from sms_milter.config.values import (
    Address,
    Allowance,
    CountryCode,
    Credits,
    DomainName,
    Duration,
    Expects,
    Fingerprint,
    GroupEntry,
    LoginNames,
    MaxParts,
    Name,
    Network,
    NumericOriginators,
    OptionalAddress,
    OptionalOriginator,
    Originator,
    PhoneNumber,
    PhonePrefix,
    SenderPattern,
    Switch,
    TimeOfDay,
    Zone,
)


class Domain(Section):
    """One of our domains. In the file the options of its dialect stand beside `dialect`."""

    dialect: Annotated[str, Expects("the name of a dialect such as hsl")] = setting(
        REQUIRED, doc="The e-mail-to-SMS interface spoken in this domain.", example="hsl"
    )
    options: Any = Field(
        default_factory=dict, description="The dialect's options: its frozen model, once loaded."
    )


class Logins(Section):
    """The names by which the dialects know an account."""

    userkey: str = setting("", longest=64, doc="ASPSMS: Userkey.")
    login: str = setting("", longest=64, doc="SMSCentre: login.")
    user: str = setting("", longest=64, doc="Clickatell: user.")
    api_id: LoginNames = setting("", doc="Clickatell: api_id; a list when there are several.")


class Quota(Section):
    """How much may be sent within a period; every part of every message counts."""

    messages: Allowance = setting("unlimited", doc="SMS of the whole account within the period.")
    period: Duration = setting("24h", at_least="1s", at_most="366d", doc="The length of the period.")
    counts: Literal["sliding", "fixed"] = setting(
        "sliding",
        doc="Which SMS count: those of the last `period` (sliding), or those since it began (fixed), in UTC:"
        " 24h at midnight, 7d on Monday.",
    )
    per_sender: Allowance = setting("unlimited", doc="SMS of each envelope sender within the period.")
    senders: dict[Address, Allowance] = setting(
        {},
        doc="Envelope senders with a number of their own instead of per_sender; 0 forbids, unlimited frees.",
    )
    when_exceeded: Literal["reject", "defer"] = setting(
        "reject", doc="How mail beyond the quota is answered: reject (552 5.2.2) or defer (452 4.2.2)."
    )


Language = Literal[
    "turkish", "spanish", "portuguese", "bengali", "gujarati", "hindi", "kannada", "malayalam", "oriya",
    "punjabi", "tamil", "telugu", "urdu",
]  # fmt: skip


Check = Annotated[
    Literal["client", "sender", "sasl", "tls", "password", "spf", "dkim"],
    Expects("client, sender, sasl, tls, password, spf or dkim"),
]


class TlsCertificate(Section):
    """A client certificate by its names; the MTA has verified who issued it."""

    subject: str = setting(
        REQUIRED, longest=200, doc="The common name (CN) of its subject.", example="monitor.acme.example"
    )
    issuer: str = setting(
        "",
        longest=200,
        doc="The common name of the authority that issued it; empty is any that the MTA trusts.",
        example="Acme Root CA",
    )


class QuietHours(Section):
    """When phones whose numbers begin with `to` are left alone; what comes then waits until it is over."""

    to: PhonePrefix = setting("*", doc='The beginning of the numbers, such as "+41"; * is all numbers.')
    begin: TimeOfDay = setting("22:00", name="from", doc="When they begin, by the clock of `timezone`.")
    until: TimeOfDay = setting("07:00", doc="When they are over, on the next day if that is before `from`.")
    timezone: Zone = setting("UTC", doc="By which clock.", example="Europe/Zurich")

    @model_validator(mode="after")
    def _some_hours(self) -> QuietHours:
        if self.begin == self.until:
            raise ValueError("`from` and `until` are the same time; nothing or everything would be quiet")
        return self


ChannelName = Literal["hlr", "ping", "voice", "viber", "whatsapp", "telegram", "social", "mms", "email"]


class Account(Section):
    """A customer: who may send in its name, and how its messages look."""

    clients: tuple[Network, ...] = setting(
        (),
        doc="Addresses and networks of the SMTP clients that may send; empty matches nobody.",
        example=["192.0.2.0/24", "2001:db8::/32"],
    )
    senders: tuple[SenderPattern, ...] = setting(
        (),
        doc="Envelope senders that may send: addresses, @domain for all of a domain, * for all; empty "
        "matches nobody.",
        example=["alerts@acme.example", "@ops.acme.example"],
    )
    allow_null_sender: bool = setting(
        False, doc="Let mail with the null sender <> match the sender *; bounces would become SMS."
    )
    sasl_users: tuple[str, ...] = setting(
        (), doc="Users authenticated by the MTA that may send; empty matches nobody.", example=["acme"]
    )
    tls_fingerprints: tuple[Fingerprint, ...] = setting(
        (),
        doc="Client certificates that may send, by the fingerprint that the MTA tells of those it has"
        " verified: Sendmail does, Postfix does not.",
    )
    tls_certificates: tuple[TlsCertificate, ...] = setting(
        (), doc="Client certificates that may send, by their names, once the MTA has verified them."
    )
    dkim_domains: tuple[DomainName, ...] = setting(
        (), doc="Whose DKIM signature is required; empty: that of the envelope sender's domain."
    )
    require: tuple[Check, ...] = setting(
        ("client", "sender"),
        doc="Which checks must all hold: client (clients), sender (senders), sasl (sasl_users), tls"
        " (tls_fingerprints or tls_certificates), password (the mail names the account and proves it), spf"
        " (the client may send for the domain of the envelope sender), dkim (a signature of the domain covers"
        " what is sent). A mail that names an account must always prove it.",
    )
    require_tls: bool = setting(False, doc="Take mail over encrypted connections only (550 5.7.10).")
    domains: tuple[DomainName, ...] = setting(
        (), doc="Which of our domains the account may use; empty means all of them."
    )
    disabled: bool = setting(
        False, doc="Refuse whatever the account sends (550 5.7.1), for instance because a bill is not paid."
    )
    logins: Logins = setting(Logins(), doc="The names by which the dialects know this account.")
    other_api_ids: tuple[str, ...] = setting(
        (),
        doc="Clickatell: api_ids of the account that are not for mail; who uses one is told so (error 111).",
        example=["3141593"],
    )
    password_hash: str = setting(
        "",
        doc="Hash of the password that stands in a mail, as `sms-milter hash-password` prints it.",
        secret=True,
    )
    api_keys: tuple[str, ...] = setting(
        (),
        doc="SMSCentre: digests of keys that stand in place of login and password, as sha256:HEX.",
        secret=True,
    )
    account_address: OptionalAddress = setting(
        "",
        doc="ASPSMS: the mail address of the account's owner; `check` warns when it is among the senders.",
    )
    originators: tuple[Originator, ...] = setting(
        (),
        doc="What the account may show as the sender of its SMS; empty means any valid one.",
        example=["ACME"],
    )
    numeric_originators: NumericOriginators = setting(
        "any",
        doc="The only numbers that a mail may name as its originator, names being free; any, or a list."
        " Requests to xml@ (ASPSMS) unlock more, each by a code that is sent there.",
        example=["+41790000000"],
    )
    mo_numbers: tuple[PhoneNumber, ...] = setting(
        (),
        doc="Numbers on which the account receives answers; it may show them whatever `originators` says.",
        example=["447700900000"],
    )
    default_originator: OptionalOriginator = setting(
        "", doc="The originator of messages that name none.", example="ACME"
    )
    sender_originators: dict[Address, Originator] = setting(
        {},
        doc="The originator of messages that name none, by envelope sender; comes before default_originator.",
    )
    content: Literal["subject+body", "subject", "body"] = setting(
        "subject+body", doc="HSL: which parts of the mail become the text."
    )
    html: Literal["default", "reject", "text-part", "convert"] = setting(
        "default",
        doc="Mail with HTML: the dialect's own rule (default), refuse any HTML part (reject), use the "
        "plain alternative (text-part), or convert where there is none (convert).",
    )
    long_messages: Literal["concatenate", "split", "payload", "reject", "truncate"] = setting(
        "concatenate",
        doc="Text too long for one SMS: several shown as one (concatenate), separate SMS (split), left to"
        " the SMSC (payload), refused (reject) or cut (truncate).",
    )
    max_parts: MaxParts = setting(
        "default", doc="How many SMS one message may need; default is the dialect's own limit."
    )
    keep_words: bool = setting(
        False,
        doc="End the parts of a concatenated text behind white space where there is some in their last 30"
        " places; a text may need more of them so.",
    )
    national_languages: tuple[Language, ...] = setting(
        (),
        doc="Languages whose national tables the account's phones understand: texts are written with them"
        " where that needs fewer SMS than UCS-2. Other phones show wrong letters. Routes can name more.",
        example=["turkish"],
    )
    append: str = setting("", longest=1000, doc="Text added to every message, directly after it.")
    denied_texts: tuple[str, ...] = setting(
        (),
        doc="Words and phrases that no message may hold, whatever their case: 550 5.7.1, SMSCentre error 6.",
        example=["free money"],
    )
    closed_group: tuple[GroupEntry, ...] | None = setting(
        None,
        doc="The only numbers that may be reached: numbers, prefixes ending in *, and file:PATH for a "
        "file with one of these per line, read at start and reload. null is off; an empty list "
        "refuses everybody.",
    )
    opted_out: tuple[GroupEntry, ...] = setting(
        (),
        doc="Who wants nothing from this account: written as a closed_group.",
        example=["41790000009"],
    )
    quota: Quota | None = setting(None, doc="How much the account may send; null is no limit.")
    credits: Credits | None = setting(
        None,
        at_least=0,
        doc="Prepaid credits, 552 5.2.2 beyond them; `sms-milter account credit` books more, what the SMSC"
        " never had is given back, and a change here changes the balance by as much. null is not metered.",
    )
    max_credits: Credits | None = setting(
        None,
        at_least=0,
        doc="Clickatell: the most that one message may cost; a mail may allow less, not more. null is no"
        " limit.",
    )
    duplicates: Duplicates = setting(
        "default", doc="As limits.duplicates, for this account; default is what stands there."
    )
    flood: Flood = setting("default", doc="As limits.flood, for this account; default is what stands there.")
    storms: Storms | None = setting(
        None,
        doc="Alike texts to one phone, as alarms are, become one SMS with their number; null sends each.",
    )
    channels: tuple[ChannelName, ...] | None = setting(
        None,
        doc="Which of the configured channels besides SMS the account may use; null is all of them.",
    )
    mail_from_allowed: tuple[SenderPattern, ...] = setting(
        (),
        doc="The From addresses that the account's messages by e-mail may have: addresses, @domain for all of"
        " a domain, * for all; empty allows none.",
        example=["info@acme.example"],
    )
    quiet_hours: tuple[QuietHours, ...] = setting(
        (), doc="When phones are left alone; of several the first whose `to` fits the number counts."
    )
    groups: dict[int, tuple[PhoneNumber, ...]] = setting(
        {}, doc="SMSCentre: the numbers behind G1, G2 and so on."
    )
    forward_to: tuple[PhoneNumber, ...] = setting(
        (),
        doc="SMSCentre: the numbers that mail to the account's own address, LOGIN@, goes to."
        " Everybody may send there who passes the checks of `require` other than password.",
    )
    country_code: CountryCode | None = setting(
        None, doc="For numbers written nationally, where the dialect corrects them."
    )
    transliterate: Switch = setting(
        "default",
        doc="Write what the GSM alphabet cannot show in its letters instead of using UCS-2; default is "
        "the dialect's own.",
    )
    notify: Literal["default", "always", "failed", "none"] = setting(
        "default",
        doc="What the sender is told by mail: what it asks for, and always what was lost before the SMSC had"
        " it (default), every end (always), every failure (failed), nothing (none). Robots, the null sender"
        " and NOTIFY=NEVER are never told.",
    )
    report_language: Literal["default", "en", "de", "fr", "ru"] = setting(
        "default", doc="The language of its delivery status notifications; default: `reports.language`."
    )
    route: Name = setting("default", doc="The route of the account's messages.")

    @field_validator("require")
    @classmethod
    def _checkable(cls, checks: tuple[str, ...]) -> tuple[str, ...]:
        if not checks:
            raise ValueError("at least one check must be required, or everybody could send")
        return checks
