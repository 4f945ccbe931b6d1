"""The address of a client, whatever the MTA makes of it."""

from __future__ import annotations

import pytest

from sms_milter.model import Client


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("192.0.2.10", "192.0.2.10"),
        ("::ffff:192.0.2.10", "192.0.2.10"),  # else all of IPv4 would be one /64
        ("IPv6:::ffff:192.0.2.10", "192.0.2.10"),
        ("IPv6:2001:DB8:0::7", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("unix:here", "unix:here"),
        ("", ""),
    ],
)
def test_a_client_has_one_address(written: str, address: str) -> None:
    assert Client.at(written, "mx.example", 25, "laptop") == Client(address, "mx.example", 25, "laptop")
