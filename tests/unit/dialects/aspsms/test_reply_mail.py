"""The reply to an XML request as its client gets it, octet for octet (ASPSMS §11.4)."""

from __future__ import annotations

from typing import Any

from sms_milter.config.secrets import hash_password
from sms_milter.logline import Numbers
from sms_milter.model import Answer, DueReport
from sms_milter.notify import Notifier
from support.gate import Desk, Lines

NOW = 1_732_190_400.0  # 2024-11-21 12:00:00 UTC
REQUEST = (
    '<?xml version="1.0" encoding="ISO-8859-1"?>\r\n'
    "<aspsms>\r\n<Userkey>KEY1</Userkey><Password>Rainbow7</Password>\r\n"
    "<TransRefNumber>&#228;&lt;1</TransRefNumber><Action>InquireDeliveryNotifications</Action></aspsms>\r\n"
)
REPLY = """\
From: SMS gateway <xml@sms.example>
To: ann@client.example
Subject: Re: status of today
Date: Thu, 21 Nov 2024 12:00:00 +0000
Message-ID: <20241121120000.1@gw.example>
In-Reply-To: <1@client.example>
References: <1@client.example>
Auto-Submitted: auto-replied
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: 7bit
MIME-Version: 1.0

<?xml version="1.0"?>
<aspsms>
  <ErrorCode>1</ErrorCode>
  <ErrorDescription>Ok</ErrorDescription>
  <DeliveryNotification>
    <TransRefNumber>&#228;&lt;1</TransRefNumber>
    <DeliveryStatus>-1</DeliveryStatus>
  </DeliveryNotification>
</aspsms>
"""


class Outbox:
    """One due answer, and the MTA that takes it."""

    def __init__(self, answer: Answer) -> None:
        self._due = [DueReport(1, 7, "4ABC", NOW, 0, "<1@client.example>", answer)]
        self.mail = b""

    def due_reports(self, now: float, limit: int, **_: bool) -> list[DueReport]:
        due, self._due = self._due, []
        return due

    def next_report(self, **_: bool) -> None:
        return None

    def record_reports(self, outcomes: Any) -> None:
        pass

    def submit(self, recipient: str, mail: bytes) -> str:
        assert recipient == "ann@client.example"
        self.mail = mail
        return "250 2.0.0 Ok"

    def close(self) -> None:
        pass


def test_a_request_is_answered_in_its_thread() -> None:
    account = {
        "logins": {"userkey": "KEY1"},
        "password_hash": hash_password("Rainbow7"),
        "require": ["password"],
    }
    desk = Desk(
        domains={"sms.example": {"dialect": "aspsms"}},
        accounts={"client": account},
        reports={"submit_to": "127.0.0.1:25"},
    )
    mail = desk.transaction(sender="<ann@client.example>")
    assert mail.recipient("<XML@sms.example>", {}) is None
    mail.header("Subject", b"status of today")
    mail.header("Message-ID", b"<1@client.example>")
    mail.body(REQUEST.encode())
    mail.decide()
    (stored,) = desk.intake.mails
    (answer,) = stored.answers
    outbox = Outbox(answer)  # type: ignore[arg-type]  # an answer of this dialect is a mail
    Notifier(outbox, outbox, Lines(), Numbers(masked=False), host_name="gw.example").step(NOW)  # type: ignore[arg-type]
    assert outbox.mail.decode("ascii").replace("\r\n", "\n") == REPLY
    assert outbox.mail.count(b"\n") == outbox.mail.count(b"\r\n")
