"""kill -9 of the report role, and an MTA that goes away: a report may come twice, but none is lost."""

from __future__ import annotations

import re
from email import message_from_bytes

import pytest

from support.clients import Clients
from support.host import Host
from support.places import wait_until

pytestmark = [pytest.mark.mta, pytest.mark.smsc, pytest.mark.slow]

# Numbers that the SMSC refuses (support.smsc): each is reported without being asked for.
NUMBERS = [f"44797{number:05}11" for number in range(150)]


def start(host: Host, **more: str) -> str:
    """Start the service; where it hands in its reports."""
    submit_to = f"127.0.0.1:{host.postfix.ports['report']}"
    host.service.configuration["reports"] = {"submit_to": submit_to, "digest_above": 0, **more}
    host.start()
    return submit_to


def told(host: Host) -> list[str]:
    """The number that each report at the next hop is about."""
    return [re.findall(rb"mobile \+(\d+)", mail.data)[0].decode() for mail in list(host.sink.mails)]


def test_the_report_role_dies() -> None:
    with Host() as host:
        start(host)
        with Clients(host.port, NUMBERS) as clients:
            under_way = 0
            for share in (20, 50, 80, 110, 140):
                wait_until(lambda share=share: len(told(host)) >= share, f"{share} reports", 60)
                host.service.kill("report")
                under_way += len(told(host)) < len(NUMBERS)
        assert clients.accepted == set(NUMBERS)
        wait_until(lambda: set(told(host)) == set(NUMBERS), "every report", 30)
        assert len(re.findall(r"role=report pid=\d+ died", host.service.log)) == 5
        assert under_way, "the kills came when there was nothing to tell"
        # One batch of fifty for each kill at most.
        assert len(told(host)) <= len(NUMBERS) + 5 * 50


def test_the_report_role_dies_while_phones_answer() -> None:
    """A phone's answer comes once, or twice with the same Message-ID; none is lost."""
    phones = [f"4479{number:02}0070707" for number in range(60)]
    with Host() as host:
        start(host, mailbox="box@customer.example")

        def answers() -> list[tuple[str, str]]:
            mails = [message_from_bytes(mail.data) for mail in list(host.sink.mails)]
            return [(re.findall(r"\+(\d+)", mail["From"])[0], mail["Message-ID"]) for mail in mails]

        with Clients(host.port, phones) as clients:
            for share in (5, 15, 30, 45):
                wait_until(lambda share=share: len(answers()) >= share, f"{share} answers", 60)
                host.service.kill("report")
        assert clients.accepted == set(phones)
        wait_until(lambda: {phone for phone, _ in answers()} == set(phones), "every answer", 30)
        assert len(set(answers())) == len(phones)


def test_the_mta_is_away_for_a_while() -> None:
    with Host() as host:
        place = start(host)
        with Clients(host.port, NUMBERS) as clients:
            wait_until(lambda: len(clients.accepted) > 50, "some mails")
            host.service.file.write_text(host.service.file.read_text().replace(place, "127.0.0.1:9"))
            host.service.reload()
            wait_until(lambda: "the MTA takes no reports" in host.service.log, "the warning")
        assert clients.accepted == set(NUMBERS)
        before = len(told(host))
        host.service.file.write_text(host.service.file.read_text().replace("127.0.0.1:9", place))
        host.service.reload()
        wait_until(lambda: set(told(host)) == set(NUMBERS), "every report", 30)
        assert before < len(NUMBERS)
