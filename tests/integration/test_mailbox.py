"""From a mail to its sender's mailbox: Postfix in, an SMSC written by others, Postfix out into a Maildir."""

from __future__ import annotations

import mailbox
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from email.message import Message
from typing import Any, Literal

import pytest

from support.places import folder, wait_until
from support.postfix import Postfix
from support.requirements import missing
from support.service import Service
from support.smsc import Smsc, node_is_missing
from support.smtp_dialogue import SmtpDialogue

pytestmark = [pytest.mark.mta, pytest.mark.smsc]

BOB = "bob@customer.example"
ANSWERING = "447970070707"
SETTINGS = {
    "accounts": {
        "numbered": {
            "clients": ["192.0.2.61"],
            "senders": ["@customer.example"],
            "default_originator": "+447700900001",
        }
    }
}
# Mail for customer.example ends in a folder; nobody is there but bob.
MAILBOXES = """
virtual_mailbox_domains = customer.example
virtual_mailbox_base = {base}
virtual_mailbox_maps = inline:{{ {{ bob@customer.example = bob/ }} }}
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_minimum_uid = 1
"""


class Desk:
    """Postfix, our service and an SMSC; `box` is bob's Maildir."""

    def __init__(self, stack: ExitStack, library: Literal["smpp34", "node"]) -> None:
        place = stack.enter_context(folder("mailbox"))
        base = place / "boxes"
        base.mkdir()
        shutil.chown(base, 65534, 65534)
        (place / "mta").mkdir()
        smsc = stack.enter_context(Smsc(library=library))
        self.service = Service(place, smsc.port, SETTINGS)
        stack.callback(self.service.stop)
        milters = {"sms": self.service.for_postfix}
        postfix = Postfix(place / "mta", milters, main_cf=MAILBOXES.format(base=base))
        self.postfix = stack.enter_context(postfix)
        self.service.configuration["reports"] = {"submit_to": f"127.0.0.1:{postfix.ports['report']}"}
        self.service.start()
        wait_until(lambda: ": bound to " in self.service.log, "the service to bind", 30)
        self._base = base

    def send(self, number: str, name: str) -> None:
        client = SmtpDialogue(self.postfix.ports["sms"])
        client.greet(as_client="192.0.2.61")
        head = f"Message-ID: <{name}@customer.example>\r\nReturn-Receipt-To: {BOB}\r\n"
        data = f"{head}Subject: Are you there?\r\n\r\nPlease answer.\r\n".encode()
        replies = client.mail(BOB, [f"{number}@sms.example.com"], data)
        client.close()
        assert all(reply.startswith("2") for reply in replies), replies

    def mails(self) -> list[Message]:
        """What bob finds."""
        box = self._base / "bob"
        if not (box / "new").is_dir():
            return []
        return [mailbox.MaildirMessage(mail) for mail in mailbox.Maildir(box, create=False)]


@pytest.fixture(params=["smpp34", "node"])
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    if why := missing("postfix"):
        pytest.skip(why)
    if request.param == "node" and (why := node_is_missing()):
        pytest.skip(why)
    with ExitStack() as stack:
        yield Desk(stack, request.param)


def part(mail: Message, number: int) -> Any:
    payload: Any = mail.get_payload()
    return payload[number]


def test_the_sender_finds_the_report_and_the_phone_s_answer_in_the_thread_of_his_mail(desk: Desk) -> None:
    desk.send(ANSWERING, "question")
    wait_until(lambda: len(desk.mails()) == 2, "both mails in the mailbox", 20)
    by_kind = {mail.get_content_type(): mail for mail in desk.mails()}
    report, answer = by_kind["multipart/report"], by_kind["text/plain"]
    for mail in (report, answer):
        assert mail["Return-Path"] == "<>"
        assert mail["Delivered-To"] == BOB
        assert mail["In-Reply-To"] == mail["References"] == "<question@customer.example>"
        assert mail["Auto-Submitted"] == "auto-replied"
    assert part(report, 1).get_payload()[1]["Action"] == "delivered"
    assert part(report, 1).get_payload()[1]["Final-Recipient"] == f"rfc822; {ANSWERING}@sms.example.com"
    assert "Are you there?" not in str(report)
    assert answer["From"] == f"+{ANSWERING} <{ANSWERING}@sms.example.com>"
    assert answer.get_payload().strip() == "Yes, I do!"


def test_a_failure_is_found_there_too(desk: Desk) -> None:
    desk.send("447973100011", "failing")
    wait_until(lambda: len(desk.mails()) == 1, "the report in the mailbox", 20)
    (report,) = desk.mails()
    assert part(report, 1).get_payload()[1]["Action"] == "failed"
    assert report["In-Reply-To"] == "<failing@customer.example>"
