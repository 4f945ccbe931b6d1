"""Where things are: the queue, sockets, web services."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, PlainValidator

from sms_milter.config.values.expects import Expects, text_of


@dataclass(frozen=True, slots=True)
class QueueUrl:
    """Where the queue is: `path` is a file's (sqlite), `dsn` the database's whole URL (postgresql)."""

    kind: Literal["sqlite", "postgresql"]
    path: str = ""
    dsn: str = field(default="", repr=False)  # may hold a password

    def __str__(self) -> str:
        return f"sqlite:{self.path}" if self.kind == "sqlite" else "postgresql:…"


def parse_queue_url(value: object) -> QueueUrl:
    """`sqlite:/PATH` or `postgresql://…`."""
    if isinstance(value, QueueUrl):
        return value
    if isinstance(value, str):
        if value.startswith("sqlite:/") and not value.endswith("/"):
            return QueueUrl("sqlite", path="/" + value.removeprefix("sqlite:").lstrip("/"))
        if value.startswith("postgresql://"):
            return QueueUrl("postgresql", dsn=value)
    raise ValueError


def _has_port(value: str) -> bool:
    host, colon, port = value.rpartition(":")
    return bool(host and colon) and port.isascii() and port.isdigit() and 1 <= int(port) <= 65535


def _is_dns_server(value: str) -> bool:
    host, _, _ = value.rpartition(":")
    try:
        ip_address(host.removeprefix("[").removesuffix("]") if ":" in host else host)
    except ValueError:
        return False
    return _has_port(value)


def _parse_web_address(value: object) -> str:
    """An http or https URL without a password in it, which would be a secret that is shown."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
        raise ValueError
    if "@" in parts.netloc:
        raise ValueError("a URL with a user or a password in it; expected them in `token_file`")
    _ = parts.port  # raises ValueError
    return value


def _is_milter_socket(value: str) -> bool:
    family, _, rest = value.partition(":")
    if family in ("unix", "local"):
        return rest.startswith("/") and not rest.endswith("/")
    port, at, host = rest.partition("@")
    return family in ("inet", "inet6") and bool(at) and _has_port(f"{host}:{port}")


def _is_our_own(value: str) -> bool:
    """Whether only this host can connect there."""
    if value.startswith("unix:"):
        return value.startswith("unix:/") and not value.endswith("/")
    host = value.rpartition(":")[0].strip("[]")
    if not _has_port(value):
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parse_prefix(value: object) -> str:
    """A path without a slash at its end; the whole host is ""."""
    if isinstance(value, str) and re.fullmatch(r"/?|(/[A-Za-z0-9._~-]+)+/?", value):
        return value.rstrip("/")
    raise ValueError


Queue = Annotated[
    QueueUrl,
    PlainValidator(parse_queue_url),
    Expects("sqlite:/PATH of the queue's file, or postgresql://USER@HOST/DATABASE"),
]


MilterSocket = Annotated[
    str,
    BeforeValidator(text_of(_is_milter_socket)),
    Expects("inet:PORT@HOST, inet6:PORT@HOST or unix:/PATH"),
]


WebAddress = Annotated[
    str, BeforeValidator(_parse_web_address), Expects("an address such as https://voice.example.net/calls")
]


HostAndPort = Annotated[
    str,
    BeforeValidator(text_of(lambda v: v == "" or _has_port(v))),
    Expects("HOST:PORT such as 127.0.0.1:10026"),
]


DnsServer = Annotated[
    str,
    BeforeValidator(text_of(_is_dns_server)),
    Expects("the address and port of a DNS resolver such as 127.0.0.1:53 or [::1]:53"),
]


OwnPlace = Annotated[
    str,
    BeforeValidator(text_of(_is_our_own)),
    Expects("a loopback address and port such as 127.0.0.1:8890, or unix:/PATH"),
]


PathPrefix = Annotated[str, BeforeValidator(_parse_prefix), Expects("a path such as /sms")]
