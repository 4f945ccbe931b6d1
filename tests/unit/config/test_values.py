"""Kinds of values: sizes, durations, networks, patterns, numbers."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from sms_milter.config import values
from sms_milter.config.values import QueueUrl


def read(kind: Any, text: object) -> object:
    return TypeAdapter(kind).validate_python(text)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (values.Size, "0", 0),
        (values.Size, "1000", 1000),
        (values.Size, "17B", 17),
        (values.Size, "512KB", 512 * 1024),
        (values.Size, "10MB", 10 * 1024 * 1024),
        (values.Size, "1gb", 1024**3),
        (values.Size, 4096, 4096),
        (values.Duration, "30s", 30.0),
        (values.Duration, "2m", 120.0),
        (values.Duration, "24h", 86400.0),
        (values.Duration, "30d", 30 * 86400.0),
        (values.Duration, 1.5, 1.5),
        (values.Workers, "auto", "auto"),
        (values.Workers, "8", 8),
        (values.MaxParts, "default", "default"),
        (values.MaxParts, 255, 255),
        (values.Allowance, "unlimited", None),
        (values.Allowance, None, None),
        (values.Allowance, "0", 0),
        (values.Switch, "default", "default"),
        (values.Switch, "true", True),
        (values.Switch, False, False),
        (values.FileMode, "0660", "0660"),
        (values.DomainName, "SMS.Example.COM", "sms.example.com"),
        (values.DomainName, "localhost", "localhost"),
        (values.Network, "192.0.2.7", ip_network("192.0.2.7/32")),
        (values.Network, "192.0.2.0/24", ip_network("192.0.2.0/24")),
        (values.Network, "2001:DB8::/32", ip_network("2001:db8::/32")),
        (values.Network, ip_network("10.0.0.0/8"), ip_network("10.0.0.0/8")),
        (values.Address, "Alerts@ACME.example", "alerts@acme.example"),
        (values.Address, '"a@b"@acme.example', '"a@b"@acme.example'),
        (values.OptionalAddress, "", ""),
        (values.SenderPattern, "*", "*"),
        (values.SenderPattern, "@Ops.ACME.example", "@ops.acme.example"),
        (values.SenderPattern, "Alerts@acme.example", "alerts@acme.example"),
        (values.Originator, "ACME", "ACME"),
        (values.Originator, "A", "A"),
        (values.Originator, "Acme & Co.", "Acme & Co."),
        (values.Originator, "elevenchars", "elevenchars"),
        (values.Originator, "112", "112"),
        (values.Originator, "+41790000000", "+41790000000"),
        (values.Originator, "123456789012345", "123456789012345"),
        (values.OptionalOriginator, "", ""),
        (values.PhoneNumber, "+41790000000", "41790000000"),
        (values.PhonePrefix, "+41", "+41"),
        (values.PhonePrefix, "41", "+41"),
        (values.PhonePrefix, "*", "*"),
        (values.GroupEntry, "+41790000000", "41790000000"),
        (values.GroupEntry, "4179*", "4179*"),
        (values.GroupEntry, "+4*", "4*"),
        (values.TonNpi, "auto", "auto"),
        (values.TonNpi, "5/0", "5/0"),
        (values.Queue, "sqlite:/var/q.db", QueueUrl("sqlite", path="/var/q.db")),
        (values.Queue, "sqlite:///var/q.db", QueueUrl("sqlite", path="/var/q.db")),
        (values.Queue, "postgresql://h/d", QueueUrl("postgresql", dsn="postgresql://h/d")),
        (values.MilterSocket, "inet:8891@127.0.0.1", "inet:8891@127.0.0.1"),
        (values.MilterSocket, "inet6:8891@::1", "inet6:8891@::1"),
        (values.MilterSocket, "unix:/run/m.sock", "unix:/run/m.sock"),
        (values.HostAndPort, "127.0.0.1:10026", "127.0.0.1:10026"),
        (values.HostAndPort, "", ""),
        (values.Listed, "one.yaml", ("one.yaml",)),
    ],
)
def test_is_read_as(kind: Any, text: object, value: object) -> None:
    found = read(kind, text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (values.Size, ["", "MB", "10 MB", "-1", "1.5MB", "10M", "10TB", "٣", None, True, []]),
        (values.Duration, ["", "30", "s", "1.5h", "-1s", "2M", "30 s", "1h30m", None, True, {}]),
        (values.Workers, ["", "0", "257", "Auto", "1.5", None, True, -1]),
        (values.MaxParts, ["0", "256", "", None]),
        (values.Allowance, ["-1", "", "none", True]),
        (values.Switch, ["", "yes", None, 1, []]),
        (values.FileMode, ["660x", "rw", "0888", "07777", "", 432]),
        (values.DomainName, ["", ".", "a..b", "a b", "user@a.b", "[192.0.2.1]", ".a", "a.", "a" * 64, None]),
        (
            values.Network,
            ["", "mail.example", "192.0.2.256", "192.0.2.0/33", "192.0.2.7/24", "1", "1.2.3", None],
        ),
        (values.Address, ["", "a", "@a.b", "a@", "<a@b.c>", "a b@c.d", None]),
        (values.SenderPattern, ["", "**", "@", "a", "*@a.b c", "@a b", None]),
        (
            values.Originator,
            ["", " ", "twelveletter", "12", "+1", "1234567890123456", "Grüezi", "a\n", "+" * 12],
        ),
        (values.PhoneNumber, ["", "123456", "1234567890123456", "0790000000", "++41790000000", "4179 000"]),
        (values.PhonePrefix, ["", "+", "0041", "+0", "41*", "**", None]),
        (values.GroupEntry, ["", "*", "123456", "079*", "41 79*", "file:x", "4179**"]),
        (values.TonNpi, ["", "5", "7/0", "5/19", "5-0", "a/b"]),
        (
            values.Queue,
            ["", "sqlite:", "sqlite:q.db", "sqlite:/", "sqlite:/dir/", "mysql://h/d", "/q.db", None],
        ),
        (
            values.MilterSocket,
            ["", "8891", "inet:8891", "inet:0@h", "inet:x@h", "inet:1@", "unix:m.sock", "unix:/"],
        ),
        (values.HostAndPort, ["127.0.0.1", ":25", "h:", "h:0", "h:65536", None]),
        (values.CountryCode, ["", "CH", "0", "1234"]),
        (values.Host, ["", "a b", "http://h", "hé"]),
        (values.Name, ["", " a", "a b", ".a", "a/b", "a" * 64, "é"]),
        (values.AsciiText, ["é", "a\tb", None]),
    ],
)
def test_is_refused(kind: Any, texts: list[object]) -> None:
    for text in texts:
        with pytest.raises(ValidationError):
            raise AssertionError(f"{text!r} was read as {read(kind, text)!r}")


def test_a_network_with_host_bits_is_explained() -> None:
    with pytest.raises(ValueError, match=r"for the network write 192\.0\.2\.0/24"):
        values.parse_network("192.0.2.7/24")


def test_a_dsn_is_not_shown() -> None:
    url = values.parse_queue_url("postgresql://sms:hidden@db.example.com/sms")
    assert "hidden" not in f"{url} {url!r}"


@pytest.mark.parametrize(
    ("limit", "number"), [("1s", 1.0), ("2m", 120.0), ("64KB", 65536), ("1MB", 1 << 20), (3, 3)]
)
def test_limits_are_numbers_of_the_values_unit(limit: str | int, number: float) -> None:
    assert values.number_of(limit) == number
