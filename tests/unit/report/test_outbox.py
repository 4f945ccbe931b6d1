"""The SMTP client against an MTA that says what the test wants."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from sms_milter.errors import OutboxUnavailable, ReportDeferred, ReportRefused
from sms_milter.report.outbox import SmtpOutbox
from support.places import free_port

MAIL = b"Subject: x\r\n\r\nFirst\r\n.dot\r\n"
GREETING, EHLO, END = "220 mx ESMTP", "250-mx\r\n250-8BITMIME\r\n250 SMTPUTF8", "250 2.0.0 Ok: queued as 4NEW"


class Mta:
    """Answers each command with the next of `answers` for its verb, else 250; "" hangs up."""

    def __init__(self) -> None:
        self.answers: dict[str, list[str]] = {}
        self.heard: list[str] = []
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            with client, client.makefile("rwb") as lines:
                self._talk(lines.write, lines.flush, lambda: lines.readline().decode())

    def _talk(
        self, write: Callable[[bytes], int], flush: Callable[[], None], read: Callable[[], str]
    ) -> None:
        verb, usual = "CONNECT", GREETING
        while True:
            answers = self.answers.get(verb, [])
            answer = answers.pop(0) if answers else usual
            if not answer:
                return
            write(answer.encode() + b"\r\n")
            flush()
            if answer.startswith("354"):
                while (line := read()) not in (".\r\n", ""):
                    self.heard.append(line.rstrip("\r\n"))
                verb, usual = ".", END
                continue
            line = read().rstrip("\r\n")
            if not line:
                return
            self.heard.append(line)
            verb = line[:4].upper()
            usual = {"EHLO": EHLO, "DATA": "354 go on", "QUIT": "221 bye"}.get(verb, "250 ok")

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def mta() -> Iterator[Mta]:
    mta = Mta()
    yield mta
    mta.close()


@pytest.fixture
def outbox(mta: Mta) -> Iterator[SmtpOutbox]:
    outbox = SmtpOutbox("127.0.0.1", mta.port, "gw.example")
    yield outbox
    outbox.close()


def test_a_mail_is_handed_over_with_the_null_sender(mta: Mta, outbox: SmtpOutbox) -> None:
    assert outbox.submit('"a b"@x.example', MAIL) == "250 2.0.0 Ok: queued as 4NEW"
    assert mta.heard == [
        "ehlo gw.example",
        "mail FROM:<>",
        'RCPT TO:<"a b"@x.example>',
        "data",
        "Subject: x",
        "",
        "First",
        "..dot",
    ]


def test_one_connection_carries_several_mails_until_it_is_closed(mta: Mta, outbox: SmtpOutbox) -> None:
    outbox.submit("a@x.example", MAIL)
    outbox.submit("b@x.example", MAIL)
    assert mta.connections == 1
    outbox.close()
    outbox.submit("c@x.example", MAIL)
    assert mta.connections == 2
    assert mta.heard.count("quit") == 1


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize(
    ("answer", "error"),
    [("451 4.3.0 later", ReportDeferred), ("550 5.1.1 no such user", ReportRefused)],
    ids=["later", "never"],
)
def test_a_refused_mail_leaves_the_next_one_unharmed(
    mta: Mta, outbox: SmtpOutbox, verb: str, answer: str, error: type[Exception]
) -> None:
    mta.answers = {verb: [answer]}
    with pytest.raises(error, match=answer):
        outbox.submit("a@x.example", MAIL)
    assert outbox.submit("b@x.example", MAIL).startswith("250")
    assert mta.connections == 1


@pytest.mark.parametrize("verb", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize("answer", ["421 4.3.2 closing", ""], ids=["421", "hangs-up"])
def test_an_mta_that_closes_takes_no_mail_now(mta: Mta, outbox: SmtpOutbox, verb: str, answer: str) -> None:
    mta.answers = {verb: [answer, answer]}  # smtplib says HELO after a failed EHLO
    if verb == "EHLO":
        mta.answers["HELO"] = [answer]
    with pytest.raises(OutboxUnavailable, match="127"):
        outbox.submit("a@x.example", MAIL)
    mta.answers = {}
    assert outbox.submit("a@x.example", MAIL).startswith("250")


def test_an_mta_that_is_away_takes_no_mail_now() -> None:
    with pytest.raises(OutboxUnavailable, match="Connection refused"):
        SmtpOutbox("127.0.0.1", free_port(), "gw.example").submit("a@x.example", MAIL)


def test_an_mta_that_does_not_want_us_takes_no_mail_now(mta: Mta, outbox: SmtpOutbox) -> None:
    mta.answers = {"CONNECT": ["554 5.7.1 go away"]}
    with pytest.raises(OutboxUnavailable, match="554"):
        outbox.submit("a@x.example", MAIL)


def test_an_address_outside_ascii_needs_smtputf8(mta: Mta, outbox: SmtpOutbox) -> None:
    outbox.submit("jürgen@x.example", MAIL)
    assert "mail FROM:<> SMTPUTF8 BODY=8BITMIME" in mta.heard
    assert "RCPT TO:<jürgen@x.example>" in mta.heard
    outbox.close()
    mta.answers = {"EHLO": ["250 mx"]}
    with pytest.raises(ReportRefused, match="outside ASCII"):
        outbox.submit("jürgen@x.example", MAIL)


def test_an_address_cannot_become_a_command(mta: Mta, outbox: SmtpOutbox) -> None:
    with pytest.raises(ReportRefused, match="no address"):
        outbox.submit("a@x.example>\r\nRCPT TO:<b@x.example", MAIL)
    assert not any("b@x.example" in line for line in mta.heard)
    assert outbox.submit("c@x.example", MAIL).startswith("250")
