"""Stop, reload and upgrade under load, politely, as an operator does it: nothing is lost or in doubt."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from support.clients import Clients
from support.host import Host
from support.places import runs, wait_until
from support.smtp_source import SmtpSource, taken

pytestmark = [pytest.mark.mta, pytest.mark.smsc, pytest.mark.slow]

NUMBERS = [f"4479733{number:05}" for number in range(300)]
LATER = [f"4479734{number:05}" for number in range(20)]
SMSC_DELAY_MS = 20
ANYWHERE = {"routes": {"default": [{"to": "*", "via": ["primary"]}]}}
MAILS = 4000  # an upgrade takes a second or two of them


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
                workers = [pid for role, pid in host.service.pids().items() if role.startswith("milter/")]
                host.service.reload()
        wait_until(lambda: not any(map(runs, workers)), "the workers before the last reload to end")
        with Clients(host.port, LATER) as later:
            pass
        assert clients.accepted | later.accepted == {*NUMBERS, *LATER}
        assert clients.refused == later.refused == [], "a reload must not be noticed by any client"
        host.wait_for_all({*NUMBERS, *LATER})
        assert host.twice() == set()
        assert host.service.log.count(": bound to ") == links, "a reload must not cost a bind"
        # Of the ones between a new worker may have been replaced before its first mail.
        originators = {one.destination: one.originator for one in host.smsc.received}
        assert "ACME" in {originators[number] for number in NUMBERS}
        assert {originators[number] for number in LATER} == {"ACME180"}


def test_stop_and_start_answer_at_most_4yz() -> None:
    with Host(settings=ANYWHERE) as host:
        host.start()
        with SmtpSource(host.port, MAILS, stubborn=True) as source:
            wait_until(lambda: len(taken(host.postfix.log)) > MAILS // 5, "the load to begin")
            host.service.stop()
            host.start()
            assert source.running, "the start came after the load"
            source.finish()
        refusals = set(re.findall(r"milter-reject: .*?: (\d\d\d \d\.\d+\.\d+)", host.postfix.log))
        assert {one[0] for one in refusals} <= {"4"}
        taken_once(host, taken(host.postfix.log))


DISTURBANCES: dict[str, Callable[[Host], None]] = {
    "reload": lambda host: reconfigured(host, "RELOADED"),
    "upgrade": lambda host: host.service.upgrade(),
}


@pytest.mark.parametrize("disturbance", DISTURBANCES)
def test_no_client_notices(disturbance: str) -> None:
    with Host(settings=ANYWHERE) as host:
        host.start()
        before = host.service.pids()
        first, second = "0447973", "0447974"
        with (
            SmtpSource(host.port, MAILS, first) as source,
            SmtpSource(host.port, MAILS, second, one_connection=True) as keeping,
        ):
            wait_until(lambda: len(taken(host.postfix.log)) > MAILS // 5, "the load to begin")
            DISTURBANCES[disturbance](host)
            assert source.running or keeping.running, f"the {disturbance} came after the load"
            assert source.finish() == keeping.finish() == "", (
                f"a {disturbance} must not be noticed by any client"
            )
        numbers = [f"{counter}{ending}" for ending in (first, second) for counter in range(1, MAILS + 1)]
        assert sorted(taken(host.postfix.log)) == sorted(numbers)
        taken_once(host, numbers)
        replaced = {role for role, pid in host.service.pids().items() if pid != before[role]}
        assert replaced == ({"milter/0", "milter/1"} if disturbance == "reload" else before.keys())


def reconfigured(host: Host, originator: str) -> None:
    host.service.configure({"accounts": {"local": {"default_originator": originator}}})
    host.service.reload()


def taken_once(host: Host, numbers: list[str]) -> None:
    """Each of them, and nothing else, came to the SMSC once; nothing was in doubt."""
    host.wait_for_all(set(numbers))
    assert host.arrived() == dict.fromkeys(numbers, 1)
    assert host.in_doubt() == set()
