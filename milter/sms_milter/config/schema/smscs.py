"""SMSCs, and which numbers go by which."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, field_validator

from sms_milter.config.schema.accounts import Language
from sms_milter.config.schema.declaring import REQUIRED, Section, setting
from sms_milter.config.values import (
    AsciiText,
    CommandStatus,
    Credits,
    Duration,
    Host,
    MobileNetwork,
    Name,
    PhonePrefix,
    TonNpi,
)

_PASSWORD_OCTETS = 8  # SMPP 3.4 §4.1.1: 9 octets with the terminating NUL


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
        doc="Parts per second for all binds of all dispatchers together; 0 is unlimited. It is halved when "
        "the SMSC complains.",
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
    time_format: Literal["relative", "absolute", "relative-only"] = setting(
        "relative",
        doc="How it takes validity and delivery times: relative (what a mail has written absolute stays so), "
        "or all brought into the absolute form, in UTC, or all into the relative one.",
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
        doc="How long a response may take; then the outcome is uncertain, until it comes late or never.",
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
