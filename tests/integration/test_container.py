"""deploy/container: its images are built of a fresh Debian, and its compose file runs."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator

import pytest

from support.containers import Podman
from support.machine import why_not
from support.places import accepts, wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.package,
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]

MAIL = b"Subject: db3\r\nDisposition-Notification-To: alerts@acme.example\r\n\r\nDisk /var is full.\r\n"


@pytest.fixture(scope="module")
def running(podman: Podman) -> Iterator[Podman]:
    """What `podman-compose up --build` makes."""
    podman.compose("up", "--build", "--detach")
    yield podman
    podman.compose("down", "--volumes")


def send(podman: Podman) -> str:
    """A mail to a phone; its queue id at Postfix."""
    port = int(podman.variables["SMTP_PORT"])
    wait_until(lambda: accepts(port), "Postfix to listen", 20)
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.ehlo()
        client.docmd("MAIL FROM:<alerts@acme.example>")
        assert client.docmd("RCPT TO:<447973100000@sms.example.com>")[0] == 250
        code, text = client.data(MAIL)
    assert code == 250, text
    return text.decode().split()[-1]


def delivered(podman: Podman, queue_id: str) -> bool:
    shown = podman.within("sms-milter", "sms-milter", "queue", "show", queue_id, check=False)
    return "state: delivered" in shown


def test_a_mail_becomes_an_sms_and_its_report_comes_back(running: Podman) -> None:
    queue_id = send(running)
    wait_until(lambda: delivered(running, queue_id), "the receipt", 30)
    assert "(db3) Disk /var is full." in running.log("smsc")
    mailbox = ("cat", "/var/mail/root")
    wait_until(lambda: "447973100000" in running.within("postfix", *mailbox, check=False), "the report", 30)


def test_the_service_is_nobody_special(running: Podman) -> None:
    status = running.within("sms-milter", "cat", "/proc/1/status")
    facts = {name: value.split() for name, _, value in (line.partition(":") for line in status.splitlines())}
    assert facts["Uid"][0] != "0"
    assert (facts["CapEff"], facts["CapBnd"], facts["NoNewPrivs"]) == (["0" * 16], ["0" * 16], ["1"])
    assert "Read-only" in running.within("sms-milter", "touch", "/usr/new", check=False)


def test_it_reloads_and_keeps_its_queue_over_a_restart(running: Podman) -> None:
    queue_id = send(running)
    wait_until(lambda: delivered(running, queue_id), "the receipt", 30)
    running.signal("sms-milter", "HUP")
    wait_until(lambda: ": reloaded, configuration" in running.log("sms-milter"), "the reload", 20)
    running.podman("restart", "smsmilter_postgresql_1", "smsmilter_sms-milter_1")
    assert ": stopped" in running.log("sms-milter")
    wait_until(lambda: delivered(running, queue_id), "the queue to be there", 20)
