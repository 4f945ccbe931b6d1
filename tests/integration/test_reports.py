"""What senders are told by mail: a real Postfix in and out, and receipts of an SMSC written by others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from itertools import count
from typing import Any

import pytest

from sms_milter.config.secrets import hash_password
from support.host import Host
from support.places import wait_until
from support.requirements import missing
from support.smtp_dialogue import SmtpDialogue
from support.smtp_sink import SunkMail
from support.web_service import WebService

pytestmark = [pytest.mark.mta, pytest.mark.smsc]

# What the SMSC makes of each number is written in support.smsc.
DELIVERED, EXPIRED, REFUSED = "447973100000", "447973100003", "447973100011"
ANSWERING = "447970070707"
ASKS = b"Disposition-Notification-To: x@other.example\r\n"
OPEN = {"clients": ["192.0.2.60"], "senders": ["*"], "allow_null_sender": True}
NUMBERS = count()
LAST: list[int] = []
NUMBERED = {"clients": ["192.0.2.61"], "senders": ["*"], "default_originator": "+447700900001"}
ASPSMS = {
    "clients": ["192.0.2.62"],
    "require": ["password"],
    "logins": {"userkey": "ABCD12345678"},
    "password_hash": hash_password("secret"),
    "originators": [],
}
SETTINGS = {
    "domains": {"aspsms.example": {"dialect": "aspsms"}},
    "accounts": {"open": OPEN, "numbered": NUMBERED, "aspsms": ASPSMS},
    "reports": {
        "from": "postmaster@sms.example.com",
        "mailbox": "replies@customer.example",
        "private_urls": True,
    },
}


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    if why := missing("postfix"):
        pytest.skip(why)
    with Host(settings=SETTINGS) as host:
        host.service.configuration["reports"]["submit_to"] = f"127.0.0.1:{host.postfix.ports['report']}"
        host.start()
        yield host


@dataclass(frozen=True)
class Report:
    """A report as its reader's program sees it."""

    envelope: SunkMail
    mail: Message
    words: str
    per_message: Message
    per_recipient: Message
    header: str


def read(sunk: SunkMail) -> Report:
    mail = message_from_bytes(sunk.data)
    assert mail.get_content_type() == "multipart/report"
    words, status, header = parts(mail)
    per_message, per_recipient = parts(status)
    return Report(sunk, mail, words.get_payload(), per_message, per_recipient, header.get_payload())


def parts(entity: Message) -> list[Any]:
    payload = entity.get_payload()
    assert isinstance(payload, list)
    return payload


def send(
    host: Host, destination: str, header: bytes = b"", sender: str = "bob@customer.example", **more: str
) -> None:
    client = SmtpDialogue(host.port)
    client.greet(as_client=more.pop("client", "192.0.2.10"))
    LAST[:] = [next(NUMBERS)]
    message_id = f"Message-ID: <{message_number()}@customer.example>\r\n".encode()  # else it is a retry
    data = message_id + header + b"Subject: Greeting\r\n\r\nUnspoken words\r\n"
    replies = client.mail(sender, [f"{destination}@sms.example.com"], data, **more)
    client.close()
    assert all(reply.startswith("2") for reply in replies), replies


def message_number() -> int:
    """That of the mail sent last."""
    return LAST[0]


def report_on(host: Host, destination: str, *arguments: Any, **more: str) -> Report:
    """The report about a mail; nothing else has come before it."""
    host.sink.clear()
    send(host, destination, *arguments, **more)
    (sunk,) = host.sink.wait_for(1)
    return read(sunk)


def test_a_delivery_is_confirmed_to_the_envelope_sender(host: Host) -> None:
    report = report_on(host, DELIVERED, ASKS)
    assert report.envelope.sender == ""
    assert report.envelope.recipients == ("bob@customer.example",)
    assert report.mail["To"] == "bob@customer.example"
    assert report.mail["From"] == "Mail Delivery System <postmaster@sms.example.com>"
    assert report.mail["Subject"] == "Delivery Status Notification (Delivered)"
    assert report.mail["In-Reply-To"] in report.header
    assert report.mail["Auto-Submitted"] == "auto-replied"
    assert "Your message to mobile +447973100000 has been delivered." in report.words
    assert report.per_recipient["Final-Recipient"] == "rfc822; 447973100000@sms.example.com"
    assert (report.per_recipient["Action"], report.per_recipient["Status"]) == ("delivered", "2.0.0")
    assert report.per_recipient["Remote-MTA"] == "x-smpp; primary"
    assert report.per_recipient["Diagnostic-Code"].startswith("x-smpp; stat:DELIVRD err:")
    assert "Disposition-Notification-To: x@other.example" in report.header
    assert b"Unspoken" not in report.envelope.data
    assert b"Greeting" not in report.envelope.data


def test_an_expiry_is_told_as_a_failure(host: Host) -> None:
    report = report_on(host, EXPIRED, ASKS)
    assert report.mail["Subject"] == "Delivery Status Notification (Failure)"
    assert (report.per_recipient["Action"], report.per_recipient["Status"]) == ("failed", "5.4.7")


def test_a_refusal_is_told_without_a_request(host: Host) -> None:
    report = report_on(host, REFUSED)
    assert (report.per_recipient["Action"], report.per_recipient["Status"]) == ("failed", "5.1.1")
    assert "RINVDSTADR" in report.per_recipient["Diagnostic-Code"]
    assert report.header.startswith("Message-ID: <")
    assert "Greeting" not in report.header


def test_esmtp_parameters_come_back(host: Host) -> None:
    report = report_on(
        host,
        DELIVERED,
        sender="Bob@customer.example",
        parameters=" RET=HDRS ENVID=QQ+2B314159",
        recipient_parameters=" NOTIFY=SUCCESS ORCPT=rfc822;night+2Bshift@customer.example",
    )
    assert report.envelope.recipients == ("Bob@customer.example",)
    assert report.per_message["Original-Envelope-Id"] == "QQ+314159"
    assert report.per_recipient["Original-Recipient"] == "rfc822; night+shift@customer.example"
    assert report.per_recipient["Action"] == "delivered"


def test_the_phone_s_answer_comes_to_the_sender_in_the_thread_of_his_mail(host: Host) -> None:
    host.sink.clear()
    send(host, ANSWERING, client="192.0.2.61", sender="bob@customer.example")
    (sunk,) = host.sink.wait_for(1)
    mail = message_from_bytes(sunk.data)
    assert (sunk.sender, sunk.recipients) == ("", ("bob@customer.example",))
    assert mail["From"] == f"+{ANSWERING} <{ANSWERING}@sms.example.com>"
    assert mail["Subject"] == f"SMS from +{ANSWERING}"
    assert mail["In-Reply-To"] == mail["References"] == f"<{message_number()}@customer.example>"
    assert mail.get_payload().strip() == "Yes, I do!"
    assert "Yes, I do" not in host.service.log


def test_a_phone_that_answers_nobody_writes_to_the_mailbox(host: Host) -> None:
    host.sink.clear()
    send(host, ANSWERING, client="192.0.2.60", sender="")
    (sunk,) = host.sink.wait_for(1)
    assert sunk.recipients == ("replies@customer.example",)


def test_postfix_says_nothing_to_notify_that_we_answer(host: Host) -> None:
    """RFC 3461 §4.1: the one who takes responsibility tells, and only that one."""
    host.sink.clear()
    client = SmtpDialogue(host.port)
    client.greet(as_client="192.0.2.10")
    assert "-DSN\n" in client.say("EHLO customer.example")
    recipients = [f"{DELIVERED}@sms.example.com", "eve@elsewhere.example"]
    both = " NOTIFY=SUCCESS,FAILURE"
    data = b"Message-ID: <mixed@customer.example>\r\nSubject: x\r\n\r\nHello\r\n"
    replies = client.mail("bob@customer.example", recipients, data, recipient_parameters=both)
    client.close()
    assert all(reply.startswith("2") for reply in replies), replies
    mails = host.sink.wait_for(3)
    wait_until(lambda: not host.postfix.queue(), "Postfix to have nothing more to say")
    told = {}
    for mail in mails:
        if b"report-type" in mail.data:
            (whom,) = re.findall(rb"Final-Recipient: rfc822; *(\S+)", mail.data)
            told[whom] = re.findall(rb"Action: (\w+)", mail.data)
    assert told[b"447973100000@sms.example.com"] == [b"delivered"]  # ours
    assert told[b"eve@elsewhere.example"] == [b"relayed"]  # Postfix's own
    assert len(host.sink.mails) == 3
    assert {mail.recipients for mail in mails} == {("bob@customer.example",), ("eve@elsewhere.example",)}


XML = """<?xml version="1.0" encoding="ISO-8859-1"?>
<aspsms>
  <Userkey>ABCD12345678</Userkey>
  <Password>secret</Password>
  <Recipient><PhoneNumber>00{number}</PhoneNumber><TransRefNumber>1234</TransRefNumber></Recipient>
  <MessageData>Hello</MessageData>
  <URLDeliveryNotification>{url}/delivered?ID=</URLDeliveryNotification>
  <URLNonDeliveryNotification>{url}/failed?ID=</URLNonDeliveryNotification>
  <Action>SendTextSMS</Action>
</aspsms>
"""


def test_urls_are_requested_and_the_request_is_answered_by_mail(host: Host) -> None:
    host.sink.clear()
    with WebService() as web:
        for number in (DELIVERED, REFUSED):
            client = SmtpDialogue(host.port)
            client.greet(as_client="192.0.2.62")
            document = XML.format(number=number, url=web.url).replace("\n", "\r\n").encode()
            head = f"Message-ID: <{number}@customer.example>\r\nSubject: order\r\n\r\n".encode()
            replies = client.mail("bob@customer.example", ["xml@aspsms.example"], head + document)
            client.close()
            assert all(reply.startswith("2") for reply in replies), replies
        wait_until(lambda: len(web.asked) >= 2, "both URLs")
    assert {asked.path for asked in web.asked} == {"/delivered?ID=1234", "/failed?ID=1234"}
    assert {asked.method for asked in web.asked} == {"GET"}
    (answer, _) = host.sink.wait_for(2)
    mail = message_from_bytes(answer.data)
    assert (answer.sender, answer.recipients) == ("", ("bob@customer.example",))
    assert (mail["From"], mail["Subject"]) == ("SMS gateway <xml@aspsms.example>", "Re: order")
    assert mail["In-Reply-To"] == f"<{DELIVERED}@customer.example>"
    assert "<ErrorCode>1</ErrorCode>" in mail.get_payload()


def test_the_log_tells_it_under_the_mta_s_queue_id(host: Host) -> None:
    report_on(host, DELIVERED, ASKS)

    def lines() -> list[str]:
        return re.findall(r": (\w+): to=<bob@customer.example>, about=447973100000, .*", host.service.log)

    wait_until(lines, "the log line")
    queue_id = lines()[-1]
    (line,) = re.findall(rf"{queue_id}: to=<bob.*", host.service.log)
    assert re.search(r"queue=\d+, reply=250 .* queued as \w+, status=report sent \(delivered\)", line)
    assert f"{queue_id}: client=[192.0.2.10]" in host.service.log


@pytest.mark.parametrize(
    ("header", "more"),
    [
        (ASKS, {"recipient_parameters": " NOTIFY=NEVER"}),
        (ASKS, {"sender": "", "client": "192.0.2.60"}),
        (ASKS + b"Auto-Submitted: auto-generated\r\n", {}),
        (ASKS + b"Precedence: bulk\r\n", {}),
    ],
    ids=["never", "null-sender", "robot", "bulk"],
)
def test_some_are_never_told(host: Host, header: bytes, more: dict[str, str]) -> None:
    host.sink.clear()
    before = host.service.log.count("status=refused (RINVDSTADR")
    send(host, REFUSED, header, **more)
    wait_until(lambda: host.service.log.count("status=refused (RINVDSTADR") > before, "the refusal")
    # Reports leave in the order of the ends that they tell of.
    send(host, DELIVERED, ASKS)
    (sunk,) = host.sink.wait_for(1)
    assert read(sunk).per_recipient["Action"] == "delivered"


def test_a_report_role_that_is_replaced_leaves_nothing_to_send_twice(host: Host) -> None:
    host.sink.clear()
    for number in range(30):
        send(host, f"4479732{number:05}", ASKS)
        if number % 10 == 5:
            changed = re.sub(r"from: \S+", f"from: from{number}@x.example", host.service.file.read_text())
            host.service.file.write_text(changed)
            host.service.reload()
    host.sink.wait_for(30)
    send(host, EXPIRED, ASKS)
    host.sink.wait_for(31)
    assert len(host.sink.mails) == 31
    assert host.service.log.count("started role=report") == 4
