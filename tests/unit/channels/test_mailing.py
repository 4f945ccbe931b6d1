"""The outlet `email`: the mail that is written, and what the MTA's answers mean."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest

from sms_milter.channels.errand import identity
from sms_milter.channels.mailing import Mailing, letter
from sms_milter.errors import OutboxSilent, OutboxUnavailable, ReportDeferred, ReportRefused
from sms_milter.model import Errand, PartState
from unit.channels.parts import part

MAIL = {
    "channel": "email",
    "destination": "ann@customer.example",
    "originator": "info@acme.example",
    "text": "Привет\n.\nдень",
    "fields": (("subject", "Тема"),),
}


class Mta:
    """A `ports.Outbox` that answers as told."""

    def __init__(self, why: Exception | None = None) -> None:
        self.why, self.taken, self.closed = why, [], 0
        self.taken: list[tuple[str, bytes, str]]

    def submit(self, recipient: str, mail: bytes, sender: str = "") -> str:
        if self.why is not None:
            raise self.why
        self.taken.append((recipient, mail, sender))
        return "250 2.0.0 Ok"

    def close(self) -> None:
        self.closed += 1


def test_a_mail_goes_to_the_mta_from_whom_the_errand_names() -> None:
    mta = Mta()
    found = Mailing(lambda: mta, "gate.example").hand(part(**MAIL))
    ((recipient, octets, sender),) = mta.taken
    assert (recipient, sender, mta.closed) == ("ann@customer.example", "info@acme.example", 1)
    mail = message_from_bytes(octets, policy=default)
    assert mail["From"] == "info@acme.example"
    assert mail["To"] == "ann@customer.example"
    assert mail["Subject"] == "Тема"
    assert mail["Message-ID"] == f"<{identity(part())}@gate.example>"
    assert mail["Date"] == "Tue, 14 Nov 2023 22:13:20 +0000"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert (mail.get_content_type(), mail.get_content_charset()) == ("text/plain", "utf-8")
    assert mail.get_content() == "Привет\r\n.\r\nдень\r\n"
    assert b"\n" not in octets.replace(b"\r\n", b"")
    assert octets.isascii()
    assert (found.state, found.outlet_id, found.key) == (PartState.ACCEPTED, mail["Message-ID"], "")


def test_the_mail_is_the_same_at_every_try() -> None:
    mta = Mta()
    mailing = Mailing(lambda: mta, "gate.example")
    mailing.hand(part(**MAIL))
    mailing.hand(part(**MAIL))
    assert mta.taken[0] == mta.taken[1]


def test_a_line_end_in_a_subject_makes_no_field() -> None:
    errand = Errand("email", "a@b.example", "c@d.example", "x", (("subject", "Hi\r\nBcc: e@f.example"),))
    mail = message_from_bytes(letter(errand, part(), "<m@x>"), policy=default)
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Hi Bcc: e@f.example"


@pytest.mark.parametrize(
    ("why", "state", "closed"),
    [
        (ReportRefused("550 5.1.1 nobody"), PartState.FAILED, False),
        (ReportDeferred("452 4.3.1 full"), PartState.QUEUED, False),
        (OutboxUnavailable("refused"), PartState.QUEUED, True),
        (OutboxSilent("closed"), PartState.UNCERTAIN, False),
    ],
)
def test_what_the_mta_says_is_what_becomes_of_it(why: Exception, state: PartState, closed: bool) -> None:
    mta = Mta(why)
    found = Mailing(lambda: mta, "gate.example").hand(part(**MAIL))
    assert (found.state, found.closed, found.why) == (state, closed, str(why))
    assert mta.closed == 1


def test_what_is_no_errand_is_not_sent() -> None:
    mta = Mta()
    assert Mailing(lambda: mta, "gate.example").hand(part(body=b"{}")).state is PartState.FAILED
    assert mta.taken == []
