"""The settings: one declaration each gives type, default, limits, the annotated example and the table.

Every section is a frozen pydantic model that knows nothing of files or YAML; the dialects declare their
options with the same `setting`. Text in, checked values out: sizes are octets (int), durations seconds
(float).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from sms_milter.config.values import (
    Address,
    Allowance,
    AsciiText,
    CommandStatus,
    CountryCode,
    Credits,
    DomainName,
    Duration,
    Expects,
    FileMode,
    GroupEntry,
    HeaderName,
    HexOctets,
    Host,
    HostAndPort,
    Listed,
    LoginNames,
    MaxParts,
    MilterSocket,
    MobileNetwork,
    Name,
    Network,
    NumericOriginators,
    Octet,
    OptionalAddress,
    OptionalOriginator,
    Originator,
    PhoneNumber,
    PhonePrefix,
    Queue,
    SenderPattern,
    Size,
    Switch,
    Tag,
    TimeOfDay,
    TonNpi,
    WebAddress,
    Workers,
    Zone,
    number_of,
)
from sms_milter.report.texts import ENGLISH, places

REQUIRED: Any = PydanticUndefined
CHOICE = "outlet"  # the setting whose value says which section it is
_PASSWORD_OCTETS = 8  # SMPP 3.4 §4.1.1: 9 octets with the terminating NUL


def setting(
    default: Any,
    *,
    at_least: str | float | None = None,
    at_most: str | float | None = None,
    longest: int | None = None,
    doc: str,
    secret: bool = False,
    in_force: bool | tuple[str, ...] = True,
    example: Any = None,
    name: str | None = None,
) -> Any:
    """The declaration of one setting: a pydantic Field.

    `default` and the limits are written as a postmaster writes them ("10MB", "30s", 5); REQUIRED has no
    default; `longest` limits text, in characters. Limits need a type over int, float or str. `secret`
    settings may be given as NAME_file too and are never shown. `in_force` False: accepted but without
    effect in this version; a tuple names the values that do have effect. `example` stands in the annotated
    example instead of the default. `name` is the written name where Python forbids it.
    """
    return Field(
        default,
        alias=name,
        description=doc,
        ge=None if at_least is None else number_of(at_least),
        le=None if at_most is None else number_of(at_most),
        max_length=longest,
        repr=not secret,
        validate_default=True,
        json_schema_extra={
            "at_least": at_least,
            "at_most": at_most,
            "longest": longest,
            "secret": secret,
            "in_force": list(in_force) if isinstance(in_force, tuple) else in_force,
            "example": example,
        },
    )


def _nothing_is_empty(value: object) -> object:
    # A heading with nothing below it means its defaults.
    return {} if value is None else value


class Section(BaseModel):
    """A group of settings. Frozen; unknown names are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True, protected_namespaces=()
    )

    @model_validator(mode="before")
    @classmethod
    def _heading_alone(cls, data: object) -> object:
        return _nothing_is_empty(data)


# --- the service --------------------------------------------------------------------------------------------


class MilterSettings(Section):
    """How the MTA reaches us and what we do with its mail."""

    socket: MilterSocket = setting(
        "inet:8891@127.0.0.1",
        doc="Where the milter listens: inet:PORT@HOST, inet6:PORT@HOST or unix:/PATH.",
    )
    socket_mode: FileMode = setting("0660", doc="File mode of a unix socket.")
    socket_group: str = setting(
        "", doc="Group that a unix socket is given to, so that the MTA may connect; empty leaves it as it is."
    )
    workers: Workers = setting(
        "auto", doc="Milter processes sharing the socket; auto takes the number of CPUs."
    )
    max_message_size: Size = setting(
        "10MB",
        at_least="1KB",
        at_most="1GB",
        doc="Largest mail taken as SMS, answered 552 5.3.4 beyond it; dialects set their own below it.",
    )
    max_recipients: int = setting(
        1000,
        at_least=1,
        at_most=100_000,
        doc="SMS recipients of one mail; each one beyond it is answered 452 4.5.3.",
    )
    claim: Literal["discard", "remove-recipients"] = setting(
        "discard",
        doc="What the MTA is told once all recipients were ours: to discard its copy, or to remove our "
        "recipients (which keeps always_bcc copies).",
    )
    mixed_refusal: Literal["all", "bounce"] = setting(
        "all",
        doc="When the SMS part of a mail with other recipients is refused: refuse the whole mail (all), "
        "or leave our recipients to the fail-safe route and let the others pass (bounce).",
    )
    decision_timeout: Duration = setting(
        "20s",
        at_least="1s",
        at_most="5m",
        doc="How long a decision may take while the SMTP client waits; beyond it the answer is 451 4.3.0.",
    )
    shadow: bool = setting(False, doc="Judge and log all mail, but take and refuse nothing.")


Facility = Literal[
    "auth", "authpriv", "cron", "daemon", "kern", "local0", "local1", "local2", "local3", "local4", "local5",
    "local6", "local7", "lpr", "mail", "news", "syslog", "user", "uucp",
]  # fmt: skip


class LogSettings(Section):
    """Where the log goes and what it may show."""

    to: Literal["syslog", "stderr"] = setting("syslog", doc="Where log lines go.")
    facility: Facility = setting("mail", doc="The syslog facility.")
    mask_numbers: bool = setting(False, doc="Log +4179*****00 instead of the whole phone number.")
    message_text: Literal["never", "debug"] = setting(
        "never",
        doc="Whether the text of messages may be logged: never, or in debug lines.",
        in_force=("never",),
    )


# --- limits -------------------------------------------------------------------------------------------------


class DuplicateLimit(Section):
    """Identical requests of one account."""

    window: Duration = setting("60s", at_least="1s", at_most="30d", doc="Within which time they count.")
    allow: int = setting(2, at_least=1, at_most=1000, doc="How many are taken.")


class FloodLimit(Section):
    """A run of messages, each soon after the one before."""

    messages: int = setting(50, at_least=1, at_most=1_000_000, doc="How many messages a run may have.")
    gap: Duration = setting("2m", at_least="1s", at_most="1d", doc="A pause of this length ends a run.")
    per: Literal["destination", "account"] = setting("destination", doc="Whose messages make a run.")


class DefaultDuplicateLimit(DuplicateLimit):
    """The word `default`: of an account, what `limits` says; there, what the dialect itself documents."""


class DefaultFloodLimit(FloodLimit):
    """The word `default`, as above."""


def _or_the_word(model: type[Section]) -> WrapValidator:
    def read(value: object, settings: ValidatorFunctionWrapHandler) -> Any:
        return model() if value == "default" else settings(value)

    return WrapValidator(read)


_OR_THE_WORD = Expects("settings below it, default or null")
Duplicates = Annotated[DuplicateLimit | None, _or_the_word(DefaultDuplicateLimit), _OR_THE_WORD]
Flood = Annotated[FloodLimit | None, _or_the_word(DefaultFloodLimit), _OR_THE_WORD]


# --- domains and accounts -----------------------------------------------------------------------------------


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
    Expects("client, sender, sasl or password"),
]


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
    tls_fingerprints: tuple[str, ...] = setting(
        (), doc="Fingerprints of verified client certificates that may send.", in_force=False
    )
    require: tuple[Check, ...] = setting(
        ("client", "sender"),
        doc="Which checks must all hold: client (clients), sender (senders), sasl (sasl_users), password "
        "(the mail names the account and proves it). A mail that names an account must always prove it.",
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
        for check in checks:
            if check not in ("client", "sender", "sasl", "password"):
                raise ValueError(
                    f"{check} cannot be checked yet; checks of this version: client, sender, sasl, password"
                )
        return checks


# --- SMSCs and routes ---------------------------------------------------------------------------------------


FeatureName = Literal["text", "8bit", "udh", "ucs2", "alpha", "numer", "reply", "flash", "delivack", "concat"]


class Smsc(Section):
    """An SMSC: where it is, how we bind, and its habits."""

    host: Host = setting(REQUIRED, doc="Host name or IP address.", example="smsc1.example.net")
    other_hosts: tuple[Host, ...] = setting(
        (), doc="Further hosts of the same SMSC, tried in this order when those before cannot be reached."
    )
    port: int = setting(2775, at_least=1, at_most=65535, doc="TCP port.")
    tls: bool = setting(False, doc="Speak TLS before the first PDU; certificate and host name are verified.")
    tls_ca_file: str = setting(
        "", doc="Certificates of the authorities that may vouch for the SMSC; empty: those of the system."
    )
    tls_server_name: str = setting(
        "", doc="The name that its certificate must have and that we ask for (SNI); empty: the host."
    )
    tls_certificate_file: str = setting("", doc="Our own certificate, where the SMSC wants one.")
    tls_key_file: str = setting("", doc="Its key; empty: it stands in the same file.")
    system_id: AsciiText = setting(REQUIRED, longest=15, doc="Our name there.", example="acme")
    long_password: bool = setting(
        False, doc="Allow a password longer than the 8 characters of SMPP 3.4, for an SMSC that takes it."
    )
    password: AsciiText = setting(
        "",
        longest=64,
        doc="The password; better given as password_file.",
        secret=True,
        example="/etc/sms-milter/smsc1.secret",
    )
    system_type: AsciiText = setting("", longest=12, doc="The system_type, where the SMSC asks for one.")
    bind: Literal["transceiver", "transmitter+receiver"] = setting(
        "transceiver",
        doc="One bind for both ways, or one for each; that too where the SMSC knows no bind_transceiver.",
    )
    binds: int = setting(
        1,
        at_least=1,
        at_most=64,
        doc="How many binds are kept at a time, by all dispatchers of one queue together.",
    )
    window: int = setting(
        10,
        at_least=1,
        at_most=1000,
        doc="How many submit_sm may wait for their submit_sm_resp on one bind; the next one waits.",
    )
    rate: int = setting(
        0,
        at_least=0,
        at_most=100_000,
        doc="Parts per second for all binds together; 0 is unlimited. It is halved when the SMSC complains.",
    )
    alphabet: Literal["gsm7", "latin1", "ascii"] = setting("gsm7", doc="What data_coding 0 means there.")
    long_messages: Literal["udh", "udh16", "sar", "payload"] = setting(
        "udh",
        doc="How parts of one message are tied together: user data header with an 8-bit (udh) or a 16-bit"
        " reference (udh16), sar TLVs, or all in message_payload.",
    )
    flash: Literal["dcs-10", "dcs-f0", "subunit"] = setting(
        "dcs-10",
        doc="How it is told to show a message at once: data_coding 10 (14 for octets, 18 for UCS-2), F0 (F4,"
        " 18), or TLV dest_addr_subunit.",
    )
    smart_coding: Literal["dcs-04", "dcs-f5"] = setting(
        "dcs-04", doc="data_coding of ringtones, logos, pictures, cards and WAP pushes."
    )
    no_subscriber_errors: tuple[str, ...] = setting(
        (),
        doc="The error numbers in its receipts (err:) that say that nobody has the number; reports then say "
        "5.1.1 instead of 5.0.0.",
        example=["001"],
    )
    receipt_ids: Literal["exact", "casefold", "strip-zeros", "hex-dec", "dec-hex"] = setting(
        "exact",
        doc="How message ids in receipts differ from those in responses: not at all, in case, in leading "
        "zeros, hexadecimal in the response and decimal in the receipt, or the other way round.",
    )
    source_ton_npi: TonNpi = setting(
        "auto", doc="Type of number and numbering plan of originators, such as 5/0; auto derives them."
    )
    enquire_link: Duration = setting(
        "30s",
        at_least="1s",
        at_most="1h",
        doc="How long a bind may be silent before it is asked whether it lives.",
    )
    response_timeout: Duration = setting(
        "60s",
        at_least="1s",
        at_most="10m",
        doc="How long a response may take; then the outcome is uncertain and the bind is renewed.",
    )
    on_uncertain: Literal["retry", "wait", "never-twice"] = setting(
        "retry",
        doc="A part without a response: send it once more at once (it may arrive twice), once more if no "
        "receipt for it comes within uncertain_wait, or never twice (its sender is told that nobody knows).",
    )
    uncertain_wait: Duration = setting(
        "5m", at_least="10s", at_most="7d", doc="How long on_uncertain: wait waits for a receipt."
    )
    statuses: dict[CommandStatus, Literal["permanent", "temporary", "limited", "throttled"]] = setting(
        {},
        doc="What a command_status means here, where it is not what it means elsewhere: the part has failed, "
        "it is tried again until its validity is over, three times at most, or we are too fast.",
        example={"0x45": "throttled", "0x400": "temporary"},
    )
    features: tuple[FeatureName, ...] = setting(
        get_args(FeatureName),
        doc="What it can do: text, 8bit, ucs2, udh and concat are needed by such messages; names (alpha) and "
        "numbers (numer) as originators that stay as they are (reply), flash and receipts (delivack) by "
        "mail that asks for them (Clickatell's req_feat and mo). Who lacks something is passed over.",
    )
    validity: Duration = setting(
        "24h", at_least="1m", at_most="30d", doc="How long a part may wait in our queue before it expires."
    )

    @field_validator("password")
    @classmethod
    def _as_long_as_smpp_allows(cls, password: str, info: Any) -> str:
        if len(password) > _PASSWORD_OCTETS and info.data.get("long_password") is False:
            raise ValueError(
                f"the password has {len(password)} characters and SMPP 3.4 allows {_PASSWORD_OCTETS}; "
                "set long_password: true if the SMSC takes it"
            )
        return password


class RouteRule(Section):
    """Numbers that begin with `to` ("+41", or "*") go to the first SMSC of `via`; to the others as
    `escalate_after` says.
    """

    to: PhonePrefix = setting(
        REQUIRED, doc='The beginning of the numbers, such as "+41"; * is all numbers.', example="*"
    )
    via: Annotated[tuple[Name, ...], Field(min_length=1)] = setting(
        REQUIRED, doc="SMSCs in order of preference.", example=["primary"]
    )
    national_languages: tuple[Language, ...] = setting(
        (),
        doc="Languages whose national tables these phones understand, besides the account's own.",
    )
    escalate_after: Duration | None = setting(
        None,
        at_least="1s",
        doc="The promise: a message that is not accepted in this time goes to the next SMSC of via, and so "
        "does at once what waits for an SMSC unusable for as long; null: only the first SMSC is used.",
    )
    escalate_unless: Literal["accepted", "delivered"] = setting(
        "accepted",
        doc="What must be true of a message when escalate_after is over: accepted by the SMSC, or delivered "
        "to the phone, for which every SMS is sent with a receipt and may arrive twice.",
    )
    network: MobileNetwork = setting(
        "",
        doc="The mobile network of these numbers (MCC-MNC, such as 262-01), for Clickatell's operator logos"
        " that name none; empty: operator_network of the domain.",
    )
    credits_per_part: Credits = setting(
        1, at_least=0, doc="What each SMS of a message costs an account with prepaid credits."
    )


# --- channels other than SMS --------------------------------------------------------------------------------


class EmailChannel(Section):
    """Messages go out as mails, by the MTA."""

    outlet: Literal["email"] = setting(REQUIRED, doc="Who takes the messages.", example="email")
    submit_to: HostAndPort = setting(
        "",
        doc="HOST:PORT where the MTA takes these mails, past this milter; empty: that of `reports`.",
        example="127.0.0.1:10026",
    )
    concurrency: int = setting(2, at_least=1, at_most=64, doc="How many are handed over at a time.")
    on_uncertain: Literal["retry", "never-twice"] = setting(
        "retry",
        doc="A message of which nobody knows whether it was taken: send it once more, or never twice.",
    )
    validity: Duration = setting(
        "24h", at_least="1m", at_most="30d", doc="How long one may wait in our queue before it expires."
    )


class HttpChannel(Section):
    """Messages go to a web service: one POST with a JSON object each (docs/channels.md)."""

    outlet: Literal["http"] = setting(REQUIRED, doc="Who takes the messages.", example="http")
    url: WebAddress = setting(
        REQUIRED, doc="Where each message is posted.", example="https://voice.example.net/calls"
    )
    token: AsciiText = setting(
        "",
        longest=1000,
        doc="What proves to the service that it is us; empty sends nothing. Better given as token_file.",
        secret=True,
        example="/etc/sms-milter/voice.secret",
    )
    token_header: HeaderName = setting(
        "Authorization",
        doc="The header field that carries the token: as `Bearer TOKEN` in Authorization, alone in others.",
    )
    timeout: Duration = setting(
        "10s", at_least="1s", at_most="5m", doc="How long a request may take from connecting to its answer."
    )
    concurrency: int = setting(4, at_least=1, at_most=64, doc="How many requests run at a time.")
    call_back: bool = setting(
        False,
        doc="Whether the service tells later what became of a message, by `callbacks`; else its acceptance is"
        " the end.",
    )
    on_uncertain: Literal["retry", "never-twice"] = setting(
        "retry",
        doc="A message of which nobody knows whether it was taken: send it once more with the same id, or"
        " never twice.",
    )
    validity: Duration = setting(
        "24h", at_least="1m", at_most="30d", doc="How long one may wait in our queue before it expires."
    )


class SmppChannel(Section):
    """Messages are a submit_sm that an SMSC knows by its fields to be no ordinary SMS."""

    outlet: Literal["smpp"] = setting(REQUIRED, doc="Who takes the messages.", example="smpp")
    route: Name | None = setting(None, doc="The route of these messages; null is the account's.")
    service_type: AsciiText = setting("", longest=5, doc="The service_type of their submit_sm.")
    protocol_id: Octet | None = setting(None, doc="The protocol_id; null leaves the message's own.")
    data_coding: Octet | None = setting(None, doc="The data_coding; null leaves the message's own.")
    tlvs: dict[Tag, HexOctets] = setting({}, doc="TLVs by their tags.", example={"0x1400": "01"})


Channel = Annotated[EmailChannel | HttpChannel | SmppChannel, Field(discriminator="outlet")]


class Callbacks(Section):
    """Where web services tell what became of messages."""

    listen: HostAndPort = setting(
        "127.0.0.1:8892",
        doc="HOST:PORT where we listen for HTTP, without TLS; empty: nowhere. Services on other hosts need a"
        " reverse proxy in front.",
    )
    token: AsciiText = setting(
        "",
        longest=1000,
        doc="What they must send as `Authorization: Bearer TOKEN`. Better given as token_file.",
        secret=True,
        example="/etc/sms-milter/callbacks.secret",
    )


# --- limits for everybody, and reports ----------------------------------------------------------------------


class LoginLimit(Section):
    """Wrong passwords."""

    count: int = setting(10, at_least=1, at_most=100_000, doc="How many lead to a block.")
    within: Duration = setting("10m", at_least="1s", at_most="30d", doc="Within which time they count.")
    block: Duration = setting(
        "30m", at_least="1s", at_most="30d", doc="How long the block lasts (451 4.7.0)."
    )
    per: Literal["client", "account"] = setting(
        "client",
        doc="Who is counted and blocked: the SMTP client, or the account, wherever from, which strangers can "
        "lock out so.",
    )


class Limits(Section):
    """Protection against loops and guessing."""

    duplicates: Duplicates = setting(
        "default",
        doc="Identical requests of one account, refused beyond it (550 5.7.1). default is what the dialect"
        " documents, 2 within 60s for SMSCentre and nothing for the others; null is off.",
    )
    flood: Flood = setting(
        "default",
        doc="A run of messages with short pauses, refused beyond it (550 5.7.1). default is what the dialect"
        " documents, 50 to one destination with less than 2m between them for SMSCentre and nothing for the"
        " others; null is off.",
    )
    blocked: tuple[GroupEntry, ...] = setting(
        (), doc="Who gets nothing from any account: written as a closed_group."
    )
    delisted: tuple[GroupEntry, ...] = setting(
        (), doc="Numbers that are out of use, so that nobody sends to them: written as a closed_group."
    )
    stop_words: tuple[str, ...] = setting(
        (),
        doc="Words such as STOP, which a phone answers to get nothing more from the account that wrote to it;"
        " `sms-milter account suppressed` shows who has. Empty: no such list is kept or asked.",
    )
    start_words: tuple[str, ...] = setting(
        (), doc="Words such as START, by which a phone that answered a stop word takes it back."
    )
    failed_logins: LoginLimit | None = setting(
        None,
        doc="Failed logins by what stands in a mail, with SMSCentre also errors in its parameters (per "
        "client); null is off.",
    )


class Reports(Section):
    """What is told and kept about messages."""

    submit_to: HostAndPort = setting(
        "",
        doc="HOST:PORT where the MTA takes our own mail, past this milter; empty: nobody is mailed anything.",
        example="127.0.0.1:10026",
    )
    sender: OptionalAddress = setting(
        "",
        name="from",
        doc="The From address of reports; empty: postmaster in the domain that the SMS was sent to.",
        example="postmaster@sms.example.com",
    )
    language: Literal["en", "de", "fr", "ru"] = setting(
        "en", doc="The language of delivery status notifications: en, de, fr, ru."
    )
    texts: dict[str, str] = setting(
        {},
        doc="Texts of delivery status notifications that replace ours, by their names in "
        "milter/sms_milter/report/texts.py, which also says what may stand in braces.",
        example={"delivered": "Your SMS to +{destination} has arrived."},
    )
    mailbox: OptionalAddress = setting(
        "",
        doc="Who is mailed what phones send (MO) that answers no mail; empty: nobody, it is only logged.",
        example="replies@sms.example.com",
    )
    digest_above: int = setting(
        100,
        at_least=0,
        at_most=1000,
        doc="When more than so many delivery status notifications are due for one sender, one mail tells of "
        "all; 0: never.",
    )
    private_urls: bool = setting(
        False,
        doc="Whether URLs that mails name for notifications may lie outside the public internet, such as in "
        "10.0.0.0/8.",
    )
    keep: Duration = setting(
        "30d", at_least="1h", at_most="3650d", doc="How long finished messages stay visible."
    )

    @field_validator("texts")
    @classmethod
    def _have_their_places(cls, texts: dict[str, str]) -> dict[str, str]:
        for name, text in texts.items():
            if name not in ENGLISH:
                raise ValueError(f"there is no text {name!r}")
            strange = places(text) - places(ENGLISH[name])
            if strange:
                raise ValueError(f"{name}: nothing stands for {{{min(strange)}}}")
            if not text.strip():
                raise ValueError(f"{name}: a text cannot be empty")
        return texts


# --- the whole ----------------------------------------------------------------------------------------------


class Configuration(Section):
    """Everything a postmaster can say."""

    include: Listed = setting(
        (),
        doc="More files of this kind: paths or patterns such as accounts.d/*.yaml, relative to the file "
        "they stand in. A pattern may match nothing. Nothing may be said twice.",
    )
    user: str = setting(
        "", doc="The account to run as when started as root; empty keeps the account it is started by."
    )
    milter: MilterSettings = setting(
        MilterSettings(), doc="How the MTA reaches us and what we do with its mail."
    )
    queue: Queue = setting(
        "sqlite:/var/lib/sms-milter/queue.db", doc="Where SMS are stored until they are sent."
    )
    log: LogSettings = setting(LogSettings(), doc="Where the log goes and what it may show.")
    domains: Annotated[dict[DomainName, Domain], BeforeValidator(_nothing_is_empty)] = setting(
        {},
        doc="Recipients in these domains are ours; every other recipient is left to the MTA.",
        example="sms.example.com",
    )
    accounts: Annotated[dict[Name, Account], BeforeValidator(_nothing_is_empty)] = setting(
        {}, doc="Who may send.", example="acme"
    )
    smscs: Annotated[dict[Name, Smsc], BeforeValidator(_nothing_is_empty)] = setting(
        {}, doc="Where SMS are submitted.", example="primary"
    )
    routes: Annotated[dict[Name, tuple[RouteRule, ...]], BeforeValidator(_nothing_is_empty)] = setting(
        {},
        doc="Which numbers go by which SMSC; the rule with the longest beginning counts.",
        example="default",
    )
    channels: Annotated[dict[ChannelName, Channel], BeforeValidator(_nothing_is_empty)] = setting(
        None,
        doc="What carries messages other than SMS that a dialect speaks of, by channel; null is nothing. What"
        " has no channel is refused.",
        example={"email": "email", "http": "voice", "smpp": "hlr"},
    )
    callbacks: Callbacks | None = setting(
        None, doc="Where web services tell what became of messages; null is nowhere."
    )
    limits: Limits = setting(Limits(), doc="Protection against loops and guessing.")
    reports: Reports = setting(Reports(), doc="What is told and kept about messages.")


# --- reading the declarations -------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Setting:
    """One declaration, read back. `name` is the written one, `attribute` the model's; limits as declared."""

    name: str
    attribute: str
    annotation: Any
    default: Any
    doc: str
    at_least: str | float | None = None
    at_most: str | float | None = None
    longest: int | None = None
    secret: bool = False
    in_force: bool | tuple[str, ...] = True
    example: Any = None

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is REQUIRED

    @cached_property
    def checked_default(self) -> Any:
        """The default as the model holds it: a number for "10MB"."""
        return TypeAdapter(self.annotation).validate_python(self.default)

    def acts(self, value: object) -> bool:
        """Whether a checked value, given in the file, has the effect that it promises."""
        if isinstance(self.in_force, bool):
            return self.in_force or value == self.checked_default
        return value in self.in_force


@lru_cache(maxsize=256)
def declared(model: type[BaseModel]) -> Mapping[str, Setting]:
    """The settings of a section by their written names, in order."""
    settings = (_read_back(attribute, field) for attribute, field in model.model_fields.items())
    return {one.name: one for one in settings if one is not None}


def _read_back(attribute: str, field: FieldInfo) -> Setting | None:
    extra = field.json_schema_extra
    if not isinstance(extra, dict):
        return None
    known: dict[str, Any] = dict(extra)
    if isinstance(known["in_force"], list):
        known["in_force"] = tuple(known["in_force"])
    annotation = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    return Setting(
        field.alias or attribute, attribute, annotation, field.default, field.description or "", **known
    )


def bare(annotation: Any) -> Any:
    """An annotation without Annotated and without `| None`."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    choices = [choice for choice in get_args(annotation) if choice is not type(None)]
    return bare(choices[0]) if len(choices) == 1 and type(None) in get_args(annotation) else annotation


def inside(annotation: Any) -> Any:
    """What the items of a list or the values of a mapping are declared as; None for anything else."""
    plain = bare(annotation)
    if get_origin(plain) is tuple:
        return get_args(plain)[0]
    if get_origin(plain) is dict:
        return get_args(plain)[1]
    return None


def variants(annotation: Any) -> Mapping[str, type[BaseModel]]:
    """The sections that an annotation leaves the choice of, by the value of `outlet`; empty without one."""
    return {
        get_args(choice.model_fields[CHOICE].annotation)[0]: choice
        for choice in get_args(_without_metadata(annotation))
        if section_of(choice) is not None and CHOICE in choice.model_fields
    }


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The section that an annotation names, if it names one."""
    plain = bare(annotation)
    return plain if isinstance(plain, type) and issubclass(plain, BaseModel) else None


# --- what a value must look like ----------------------------------------------------------------------------

_PLAIN_WORDS: dict[Any, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def expected(annotation: Any, setting: Setting | None = None) -> str:
    """What a value must look like, limits included, in a postmaster's words."""
    words = _kind(annotation)
    limits = limits_of(setting) if setting is not None else ""
    if limits:
        plain = " " if limits.startswith("from") else " of "
        words += (plain if words in _PLAIN_WORDS.values() else ", ") + limits
    return f"{words}, or null" if _may_be_null(annotation) else words


def limits_of(setting: Setting) -> str:
    """The limits of a setting in words; empty without any."""
    if setting.longest is not None:
        return f"at most {setting.longest} characters"
    least, most = setting.at_least, setting.at_most
    if least is not None and most is not None:
        return f"from {least} to {most}"
    if least is not None:
        return f"at least {least}"
    return f"at most {most}" if most is not None else ""


def _may_be_null(annotation: Any) -> bool:
    said = any(isinstance(note, Expects) for note in getattr(annotation, "__metadata__", ()))
    return not said and type(None) in get_args(_without_metadata(annotation))


def _without_metadata(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _kind(annotation: Any) -> str:
    for note in getattr(annotation, "__metadata__", ()):
        if isinstance(note, Expects):
            return note.words
    plain = _without_metadata(annotation)
    choices = [choice for choice in get_args(plain) if choice is not type(None)]
    if get_origin(plain) is Literal:
        return " or ".join(filter(None, (", ".join(choices[:-1]), choices[-1])))
    if get_origin(plain) is tuple:
        return "a list"
    if get_origin(plain) is dict or section_of(plain) is not None:
        return "settings below it"
    return _PLAIN_WORDS[plain] if plain in _PLAIN_WORDS else _kind(choices[0])
