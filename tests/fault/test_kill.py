"""kill -9 of each role under load: nothing accepted is lost; twice comes only what the log calls in doubt."""

from __future__ import annotations

import time

import pytest

from support.clients import Clients
from support.host import Host
from support.places import wait_until

pytestmark = [pytest.mark.mta, pytest.mark.smsc, pytest.mark.slow]

NUMBERS = [f"4479731{number:05}" for number in range(300)]
SMSC_DELAY_MS = 100  # so that parts are under way whenever somebody dies


def accepted(clients: Clients, share: int) -> None:
    wait_until(lambda: len(clients.accepted) >= share, f"{share} mails to be accepted", 60)


def kill_under_load(host: Host, clients: Clients, role: str, times: int) -> None:
    """kill -9 a role, always when a good part of the load has passed since the last time."""
    for number in range(1, times + 1):
        accepted(clients, len(NUMBERS) * number // (times + 1))
        host.service.kill(role)


def assert_nothing_lost(host: Host, clients: Clients) -> None:
    assert clients.accepted == set(NUMBERS), f"not accepted in time, last replies {clients.refused[-3:]}"
    host.wait_for_all(clients.accepted)
    assert host.twice() <= host.in_doubt()


def test_milter_workers_die() -> None:
    with Host(SMSC_DELAY_MS) as host:
        host.start()
        with Clients(host.port, NUMBERS) as clients:
            kill_under_load(host, clients, "milter", 3)
        assert_nothing_lost(host, clients)
        assert clients.refused, "the kills came when nobody noticed"
        assert host.in_doubt() == set(), "a milter worker holds nothing that could be in doubt"


def test_the_dispatcher_dies() -> None:
    with Host(SMSC_DELAY_MS) as host:
        host.start()
        with Clients(host.port, NUMBERS) as clients:
            kill_under_load(host, clients, "dispatch", 3)
        assert_nothing_lost(host, clients)
        assert clients.refused == [], "no client should notice that the dispatcher is away"
        wait_until(host.in_doubt, "parts in doubt; the kills came when nothing was under way")


def test_the_dispatcher_dies_and_nothing_may_come_twice() -> None:
    with Host(SMSC_DELAY_MS, {"smscs": {"primary": {"on_uncertain": "never-twice"}}}) as host:
        host.start()
        with Clients(host.port, NUMBERS) as clients:
            kill_under_load(host, clients, "dispatch", 2)
        assert clients.accepted == set(NUMBERS)
        wait_until(host.in_doubt, "parts in doubt; the kills came when nothing was under way")
        host.wait_for_all(clients.accepted, unless_in_doubt=True)
        assert host.twice() == set()


def test_the_supervisor_dies() -> None:
    with Host(SMSC_DELAY_MS) as host:
        host.start()
        with Clients(host.port, NUMBERS) as clients:
            for share in (100, 200):
                accepted(clients, share)
                host.service.kill("supervisor")
                host.start()
        assert_nothing_lost(host, clients)


def test_everything_dies_at_once() -> None:
    with Host(SMSC_DELAY_MS) as host:
        host.start()
        with Clients(host.port, NUMBERS) as clients:
            accepted(clients, 100)
            for role in ("supervisor", "milter", "dispatch"):
                host.service.kill(role)
            time.sleep(0.5)  # the clients meet nobody
            host.start()
        assert_nothing_lost(host, clients)


def test_the_smsc_dies() -> None:
    with Host(SMSC_DELAY_MS) as host:
        host.start()
        with Clients(host.port, NUMBERS) as clients:
            accepted(clients, 100)
            host.smsc.kill()
            host.smsc.start()
        assert_nothing_lost(host, clients)
        assert clients.refused == [], "no client should notice that the SMSC is away"


@pytest.mark.parametrize("role", ["milter", "dispatch"])
def test_a_dead_role_comes_back(role: str) -> None:
    with Host() as host:
        host.start()
        before = host.service.pids()
        killed = {name for name in before if name.partition("/")[0] == role}
        host.service.kill(role)

        def back() -> bool:
            now = host.service.pids()
            return now.keys() == before.keys() and {n for n in now if now[n] != before[n]} == killed

        wait_until(back, f"{role} to run again, and the others undisturbed")
