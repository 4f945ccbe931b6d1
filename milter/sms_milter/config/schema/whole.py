"""The whole file."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from sms_milter.config.schema.accounts import Account, ChannelName, Domain
from sms_milter.config.schema.authentication import Authentication
from sms_milter.config.schema.channels import Callbacks, Channel
from sms_milter.config.schema.declaring import Section, nothing_is_empty, setting
from sms_milter.config.schema.limits import Limits
from sms_milter.config.schema.reports import Reports
from sms_milter.config.schema.service import LogSettings, MetricsSettings, MilterSettings
from sms_milter.config.schema.smscs import RouteRule, Smsc
from sms_milter.config.schema.statuspage import StatusPage
from sms_milter.config.values import DomainName, Listed, Name, Queue


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
    metrics: MetricsSettings = setting(MetricsSettings(), doc="What Prometheus may ask.")
    domains: Annotated[dict[DomainName, Domain], BeforeValidator(nothing_is_empty)] = setting(
        {},
        doc="Recipients in these domains are ours; every other recipient is left to the MTA.",
        example="sms.example.com",
    )
    accounts: Annotated[dict[Name, Account], BeforeValidator(nothing_is_empty)] = setting(
        {}, doc="Who may send.", example="acme"
    )
    smscs: Annotated[dict[Name, Smsc], BeforeValidator(nothing_is_empty)] = setting(
        {}, doc="Where SMS are submitted.", example="primary"
    )
    routes: Annotated[dict[Name, tuple[RouteRule, ...]], BeforeValidator(nothing_is_empty)] = setting(
        {},
        doc="Which numbers go by which SMSC; the rule with the longest beginning counts.",
        example="default",
    )
    channels: Annotated[dict[ChannelName, Channel], BeforeValidator(nothing_is_empty)] = setting(
        None,
        doc="What carries messages other than SMS that a dialect speaks of, by channel; null is nothing. What"
        " has no channel is refused.",
        example={"email": "email", "http": "voice", "smpp": "hlr"},
    )
    callbacks: Callbacks | None = setting(
        None, doc="Where web services tell what became of messages; null is nowhere."
    )
    authentication: Authentication = setting(
        Authentication(), doc="SPF and DKIM, for accounts that require them."
    )
    limits: Limits = setting(Limits(), doc="Protection against loops and guessing.")
    reports: Reports = setting(Reports(), doc="What is told and kept about messages.")
    web: StatusPage | None = setting(None, doc="The status page of `sms-milter web`; null: there is none.")
