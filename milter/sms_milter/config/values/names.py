"""Names, domains, and who sends: networks and mail addresses."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import BeforeValidator, PlainValidator

from sms_milter.config.values.expects import Expects, printable, text_of

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)


_DOMAIN = re.compile(r"(?=.{1,253}$)[^\s@.\[\]<>,;:/*]{1,63}(\.[^\s@.\[\]<>,;:/*]{1,63})*")


def _is_host(value: str) -> bool:
    return bool(value) and printable(value) and " " not in value and "/" not in value


def _parse_domain(value: object) -> str:
    if isinstance(value, str) and _DOMAIN.fullmatch(value):
        return value.lower()
    raise ValueError


Name = Annotated[
    str,
    BeforeValidator(text_of(lambda v: _NAME.fullmatch(v) is not None)),
    Expects("a name of letters, digits, dots, hyphens and underscores"),
]


HeaderName = Annotated[
    str,
    BeforeValidator(text_of(lambda v: re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,63}", v) is not None)),
    Expects("the name of a header field such as X-Api-Key"),
]


DomainName = Annotated[str, BeforeValidator(_parse_domain), Expects("a domain such as sms.example.com")]


Host = Annotated[str, BeforeValidator(text_of(_is_host)), Expects("a host name or IP address")]


def parse_network(value: object) -> IPv4Network | IPv6Network:
    """An IPv4 or IPv6 network; a single address is a network of one."""
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    if not isinstance(value, str) or value.isdigit():
        raise ValueError
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        raise ValueError from None
    if network != _strict(value):
        raise ValueError(f"{value} names a host and a network at once; for the network write {network}")
    return network


def _strict(value: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(value)
    except ValueError:
        return None


_FINGERPRINT = re.compile(r"([0-9a-f]{2}){16,64}", re.ASCII)


def parse_fingerprint(value: object) -> str:
    """The digest of a certificate in hexadecimal, in lower case without colons."""
    plain = value.replace(":", "").lower() if isinstance(value, str) else ""
    if _FINGERPRINT.fullmatch(plain):
        return plain
    raise ValueError


def parse_address(value: object) -> str:
    """A mail address in lower case, without brackets."""
    if isinstance(value, str) and not any(c.isspace() or c in "<>" for c in value):
        local, at, domain = value.rpartition("@")
        if local and at and _DOMAIN.fullmatch(domain):
            return value.lower()
    raise ValueError


def parse_sender_pattern(value: object) -> str:
    """An exact address, "@domain" or "*", in lower case."""
    if value == "*":
        return "*"
    if isinstance(value, str) and value.startswith("@"):
        return "@" + _parse_domain(value[1:])
    return parse_address(value)


Fingerprint = Annotated[
    str,
    BeforeValidator(parse_fingerprint),
    Expects("the fingerprint of a certificate: 16 to 64 octets in hexadecimal, with or without colons"),
]
Network = Annotated[
    IPv4Network | IPv6Network,
    PlainValidator(parse_network),
    Expects("an IP address or network such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32"),
]


Address = Annotated[str, BeforeValidator(parse_address), Expects("a mail address such as alerts@example.com")]


OptionalAddress = Annotated[
    str,
    BeforeValidator(lambda value: "" if value == "" else parse_address(value)),
    Expects("a mail address such as alerts@example.com, or nothing"),
]


SenderPattern = Annotated[
    str,
    BeforeValidator(parse_sender_pattern),
    Expects("a mail address, @ and a domain such as @example.com, or *"),
]


def _parse_login_names(value: object) -> str | tuple[str, ...]:
    """One name as it is, several as a tuple; at most 64 characters each."""
    names = (value,) if isinstance(value, str) else value
    if isinstance(names, list | tuple) and all(isinstance(one, str) and len(one) <= 64 for one in names):
        return value if isinstance(value, str) else tuple(names)
    raise ValueError


LoginNames = Annotated[
    str | tuple[str, ...],
    PlainValidator(_parse_login_names),
    Expects("a name of at most 64 characters, or a list of them"),
]
