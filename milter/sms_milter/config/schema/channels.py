"""Channels other than SMS, and web services that want to be told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sms_milter.config.schema.declaring import REQUIRED, Section, setting
from sms_milter.config.values import (
    AsciiText,
    Duration,
    HeaderName,
    HexOctets,
    HostAndPort,
    Name,
    Octet,
    Tag,
    WebAddress,
)


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
