"""The kinds of value that a setting may have: text from the configuration to a checked value.

Each kind is an annotated type. What cannot be read raises ValueError: empty, when `Expects` says all there
is to say, else with a whole sentence. Sizes become octets (int), durations seconds (float). Values that are
read already pass unchanged, so that tests and programs can build models without going through text.

Kinds over one plain type use BeforeValidator, because pydantic drops a field's limits in front of a
PlainValidator.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import time, tzinfo
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, PlainValidator


@dataclass(frozen=True, slots=True)
class Expects:
    """What a value looks like, in a postmaster's words; stands in faults and in the settings table."""

    words: str


# --- sizes, durations, numbers of things --------------------------------------------------------------------

_SIZE = re.compile(r"([0-9]{1,12})(B|KB|MB|GB)?", re.ASCII)
_SIZE_UNITS = {"": 1, "B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
_DURATION = re.compile(r"([0-9]{1,9})([smhd])", re.ASCII)
_DURATION_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_size(value: object) -> int:
    """Octets of "10MB", "512KB" or "1000"; 1 KB is 1024 octets."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _SIZE.fullmatch(value.upper()) if isinstance(value, str) else None
    if found is None:
        raise ValueError
    return int(found[1]) * _SIZE_UNITS[found[2] or ""]


def parse_duration(value: object) -> float:
    """Seconds of "30s", "2m", "24h" or "30d"."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError
    return float(int(found[1]) * _DURATION_UNITS[found[2]])


Credits = Annotated[
    Decimal, Field(max_digits=15, decimal_places=3), Expects("a number with at most three decimals")
]


def number_of(limit: str | int | float) -> int | float:
    """A limit as it is declared ("1s", "64KB", 3) in the unit of the value that it limits."""
    if not isinstance(limit, str):
        return limit
    return parse_duration(limit) if _DURATION.fullmatch(limit) else parse_size(limit)


def _whole_or(word: str, least: int, most: int) -> Callable[[object], int | str]:
    def parse(value: object) -> int | str:
        if value == word:
            return word
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 12:
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        raise ValueError

    return parse


def _parse_allowance(value: object) -> int | None:
    if value is None:
        return None
    found = _whole_or("unlimited", 0, 10**12)(value)
    return found if isinstance(found, int) else None


def _parse_switch(value: object) -> bool | str:
    if isinstance(value, bool) or value == "default":
        return value
    if value not in ("true", "false"):
        raise ValueError
    return value == "true"


def _parse_file_mode(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"0?[0-7]{3}", value, re.ASCII):
        return value
    raise ValueError


Size = Annotated[int, BeforeValidator(parse_size), Expects("a size such as 512KB or 10MB")]
Duration = Annotated[
    float, BeforeValidator(parse_duration), Expects("a duration such as 30s, 2m, 24h or 30d")
]
Workers = Annotated[
    int | Literal["auto"],
    PlainValidator(_whole_or("auto", 1, 256)),
    Expects("auto or a whole number from 1 to 256"),
]
MaxParts = Annotated[
    int | Literal["default"],
    PlainValidator(_whole_or("default", 1, 255)),
    Expects("default or a whole number from 1 to 255"),
]
Allowance = Annotated[int | None, PlainValidator(_parse_allowance), Expects("unlimited or a whole number")]
Switch = Annotated[
    bool | Literal["default"], PlainValidator(_parse_switch), Expects("default, true or false")
]
FileMode = Annotated[str, BeforeValidator(_parse_file_mode), Expects("an octal file mode such as 0660")]


# --- text and names -----------------------------------------------------------------------------------------

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
_DOMAIN = re.compile(r"(?=.{1,253}$)[^\s@.\[\]<>,;:/*]{1,63}(\.[^\s@.\[\]<>,;:/*]{1,63})*")


def _text(check: Callable[[str], bool]) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if isinstance(value, str) and check(value):
            return value
        raise ValueError

    return parse


def _is_ascii(value: str) -> bool:
    return all(" " <= c <= "~" for c in value)


def _is_host(value: str) -> bool:
    return bool(value) and _is_ascii(value) and " " not in value and "/" not in value


def _parse_domain(value: object) -> str:
    if isinstance(value, str) and _DOMAIN.fullmatch(value):
        return value.lower()
    raise ValueError


Name = Annotated[
    str,
    BeforeValidator(_text(lambda v: _NAME.fullmatch(v) is not None)),
    Expects("a name of letters, digits, dots, hyphens and underscores"),
]
HeaderName = Annotated[
    str,
    BeforeValidator(_text(lambda v: re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,63}", v) is not None)),
    Expects("the name of a header field such as X-Api-Key"),
]
DomainName = Annotated[str, BeforeValidator(_parse_domain), Expects("a domain such as sms.example.com")]
AsciiText = Annotated[str, BeforeValidator(_text(_is_ascii)), Expects("text in printable ASCII")]
Host = Annotated[str, BeforeValidator(_text(_is_host)), Expects("a host name or IP address")]


# --- who sends ----------------------------------------------------------------------------------------------


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


# --- phone numbers and originators --------------------------------------------------------------------------


def parse_originator(value: object) -> str:
    """What a phone shows as the sender: a number of 3 to 15 digits, or 1 to 11 printable ASCII characters."""
    if isinstance(value, str) and value.strip() and _is_ascii(value):
        digits = value.removeprefix("+")
        if digits.isdigit() and 3 <= len(digits) <= 15:
            return value
        if not digits.isdigit() and len(value) <= 11:
            return value
    raise ValueError


def _digits(value: object, least: int, most: int) -> str:
    digits = value.removeprefix("+") if isinstance(value, str) else ""
    if digits.isascii() and digits.isdigit() and least <= len(digits) <= most and digits[0] != "0":
        return digits
    raise ValueError


def parse_prefix(value: object) -> str:
    """The beginning of numbers as "+41", or "*" for all numbers."""
    return "*" if value == "*" else "+" + _digits(value, 1, 15)


def parse_group_entry(value: object) -> str:
    """An entry of a closed group (HSL §8): a whole number, or a prefix ending in `*`; digits without `+`."""
    if isinstance(value, str) and value.endswith("*"):
        return _digits(value[:-1], 1, 15) + "*"
    return _digits(value, 7, 15)


def _parse_ton_npi(value: object) -> str:
    if isinstance(value, str) and (value == "auto" or re.fullmatch(r"[0-6]/([0-9]|1[0-8])", value, re.ASCII)):
        return value
    raise ValueError


def _number_or_octets(most: int) -> Callable[[object], int]:
    """A number from 0 to `most`, decimal or as 0x and hexadecimal digits."""

    def parse(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(r"0x[0-9A-Fa-f]{1,8}|[0-9]{1,10}", value, re.ASCII):
            value = int(value, 0) if value.startswith("0x") else int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
            return value
        raise ValueError

    return parse


def _parse_octets(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"([0-9A-Fa-f]{2}){0,255}", value, re.ASCII):
        raise ValueError
    return bytes.fromhex(value)


Octet = Annotated[
    int, BeforeValidator(_number_or_octets(0xFF)), Expects("a number from 0 to 255, such as 64 or 0x40")
]
CommandStatus = Annotated[
    int, BeforeValidator(_number_or_octets(0xFFFFFFFF)), Expects("a command_status such as 0x45")
]
Tag = Annotated[int, BeforeValidator(_number_or_octets(0xFFFF)), Expects("the tag of a TLV such as 0x1400")]
HexOctets = Annotated[
    bytes, BeforeValidator(_parse_octets), Expects("at most 255 octets in hexadecimal such as 01FF")
]
Originator = Annotated[
    str,
    BeforeValidator(parse_originator),
    Expects("an originator of 1 to 11 printable ASCII characters, or a number of 3 to 15 digits"),
]
OptionalOriginator = Annotated[
    str,
    BeforeValidator(lambda value: "" if value == "" else parse_originator(value)),
    Expects("an originator of 1 to 11 printable ASCII characters, a number of 3 to 15 digits, or nothing"),
]
NumericOriginators = Annotated[
    tuple[Originator, ...] | None,
    BeforeValidator(lambda value: None if value == "any" else value),
    Expects("any or a list of originators such as +41790000000"),
]
PhoneNumber = Annotated[
    str,
    BeforeValidator(lambda value: _digits(value, 7, 15)),
    Expects("an international number of 7 to 15 digits such as 41790000000"),
]
CountryCode = Annotated[
    str, BeforeValidator(lambda value: _digits(value, 1, 3)), Expects("a country code such as 41")
]


def parse_zone(name: object) -> tzinfo:
    """A time zone by its name in the tz database."""
    if isinstance(name, tzinfo):
        return name
    if not isinstance(name, str):
        raise ValueError
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError from None


Zone = Annotated[tzinfo, PlainValidator(parse_zone), Expects("a time zone such as Europe/Zurich")]


def _parse_time_of_day(value: object) -> time:
    if isinstance(value, time):
        return value
    found = (
        re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", value, re.ASCII) if isinstance(value, str) else None
    )
    if found is None:
        raise ValueError
    return time(int(found[1]), int(found[2]))


TimeOfDay = Annotated[time, PlainValidator(_parse_time_of_day), Expects('a time of day such as "22:00"')]


PhonePrefix = Annotated[
    str, BeforeValidator(parse_prefix), Expects('the beginning of numbers such as "+41", or * for all')
]


def _parse_mobile_network(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"([0-9]{3}-[0-9]{2})?", value, re.ASCII):
        return value
    raise ValueError


MobileNetwork = Annotated[
    str,
    BeforeValidator(_parse_mobile_network),
    Expects("the MCC-MNC of a mobile network such as 262-01, or nothing"),
]
GroupEntry = Annotated[
    str,
    BeforeValidator(parse_group_entry),
    Expects("an international number of 7 to 15 digits, a prefix ending in * or file:PATH"),
]
TonNpi = Annotated[
    str, BeforeValidator(_parse_ton_npi), Expects("auto, or type of number and numbering plan such as 5/0")
]


# --- where things are ---------------------------------------------------------------------------------------


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


Queue = Annotated[QueueUrl, PlainValidator(parse_queue_url), Expects("sqlite:/PATH of the queue's file")]
MilterSocket = Annotated[
    str,
    BeforeValidator(_text(_is_milter_socket)),
    Expects("inet:PORT@HOST, inet6:PORT@HOST or unix:/PATH"),
]
WebAddress = Annotated[
    str, BeforeValidator(_parse_web_address), Expects("an address such as https://voice.example.net/calls")
]
HostAndPort = Annotated[
    str,
    BeforeValidator(_text(lambda v: v == "" or _has_port(v))),
    Expects("HOST:PORT such as 127.0.0.1:10026"),
]
Listed = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
    Expects("a list of files or patterns"),
]
