"""The database is away: killed, or there and silent. The mail stays with the client, the dispatcher keeps its
binds, and all is well again without a restart.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from support.clients import Clients
from support.crowd import Letter
from support.places import wait_until
from support.site import Site
from support.smtp_dialogue import SmtpDialogue

pytestmark = [pytest.mark.mta, pytest.mark.smsc, pytest.mark.slow]

ANSWERED_WITHIN_SECONDS = 25  # ten of silence, a try to connect again, and a busy machine
SETTINGS = {"milter": {"workers": 1}}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(milters=1, dispatchers=1, settings=SETTINGS) as site:
        yield site


def letter(name: str, number: str) -> Letter:
    return Letter(name, "192.0.2.10", "bob@customer.example", (number,))


def send(site: Site, letter: Letter) -> str:
    """The reply that refuses it, or the last one."""
    (port,) = site.ports
    client = SmtpDialogue(port)
    client.greet(as_client=letter.client)
    recipients = [f"{number}@sms.example.com" for number in letter.numbers]
    replies = client.mail(letter.sender, recipients, letter.octets)
    client.close()
    return next((reply for reply in replies if reply[0] in "45"), replies[-1])


def all_is_well(site: Site, number: str) -> None:
    """A client that tries again gets through, and its SMS too."""
    with Clients(site.ports[0], [number], threads=1) as clients:
        pass
    assert clients.accepted == {number}
    wait_until(lambda: number in site.arrived(), "the SMS to go out", 20)
    wait_until(lambda: not site.dispatch_hosts[0].backlog(), "its outcome to be stored", 20)


def test_a_database_that_dies_costs_no_mail_and_no_bind(site: Site) -> None:
    (milter,), (sender,) = site.milter_hosts, site.dispatch_hosts
    all_is_well(site, "447973100000")
    binds = site.smsc.binds
    site.postgres.kill()
    assert send(site, letter("dead", "447973100001")).startswith("451 4.3.0")
    assert "queue not available, mail is deferred" in milter.log
    wait_until(lambda: "queue not available, trying again" in sender.log, "the dispatcher to notice")
    site.postgres.start()
    all_is_well(site, "447973100002")
    assert "queue available again" in milter.log
    assert (site.smsc.bound, site.smsc.binds) == (binds, binds), "it has kept its binds"
    assert site.arrived() == Counter(["447973100000", "447973100002"])


def test_a_database_that_falls_silent_is_given_up_in_time(site: Site) -> None:
    """Its connections stay open, but nobody answers. What it was told last it does when it goes on: the
    client that tries again meanwhile has its SMS once.
    """
    (sender,) = site.dispatch_hosts
    silence = "4479732"
    all_is_well(site, f"{silence}00000")
    binds = site.smsc.binds
    before = sender.log.count("queue not available, trying again")
    silent = letter("silent", f"{silence}00001")
    with site.postgres.frozen():
        began = time.monotonic()
        assert send(site, silent).startswith("451 4.3.")
        assert time.monotonic() - began < ANSWERED_WITHIN_SECONDS
        wait_until(
            lambda: sender.log.count("queue not available, trying again") > before,
            "the dispatcher to notice",
            ANSWERED_WITHIN_SECONDS,
        )
    wait_until(lambda: send(site, silent).startswith("250"), "the mail to be taken", 20)
    all_is_well(site, f"{silence}00002")
    assert (site.smsc.bound, site.smsc.binds) == (binds, binds), "it has kept its binds"
    arrived = Counter(
        {number: times for number, times in site.arrived().items() if number.startswith(silence)}
    )
    assert arrived == Counter(f"{silence}0000{last}" for last in range(3))
