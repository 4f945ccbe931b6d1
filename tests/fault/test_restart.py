"""Stopping and reloading under load, politely, as an operator does it: nothing is lost or in doubt."""

from __future__ import annotations

import pytest

from support.clients import Clients
from support.host import Host
from support.places import wait_until

pytestmark = [pytest.mark.mta, pytest.mark.smsc, pytest.mark.slow]

NUMBERS = [f"4479733{number:05}" for number in range(300)]
SMSC_DELAY_MS = 20


def accepted(clients: Clients, share: int) -> None:
    wait_until(lambda: len(clients.accepted) >= share, f"{share} mails to be accepted", 60)


def test_stop_and_start() -> None:
    with Host(SMSC_DELAY_MS) as host:
        host.start()
        with Clients(host.port, NUMBERS) as clients:
            accepted(clients, 100)
            host.service.stop()
            assert host.smsc.bound == 0
            host.start()
        assert clients.accepted == set(NUMBERS)
        host.wait_for_all(clients.accepted)
        assert host.in_doubt() == set()
        assert host.twice() == set()


def test_reload() -> None:
    with Host(SMSC_DELAY_MS) as host:
        host.start()
        links = host.service.log.count(": bound to ")
        with Clients(host.port, NUMBERS) as clients:
            for share in (60, 120, 180):
                accepted(clients, share)
                host.service.configure({"accounts": {"acme": {"default_originator": f"ACME{share}"}}})
                host.service.reload()
        assert clients.accepted == set(NUMBERS)
        assert clients.refused == [], "a reload must not be noticed by any client"
        host.wait_for_all(clients.accepted)
        assert host.twice() == set()
        assert host.service.log.count(": bound to ") == links, "a reload must not cost a bind"
        assert {one.originator for one in host.smsc.received} == {"ACME", "ACME60", "ACME120", "ACME180"}
