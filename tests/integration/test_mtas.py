"""The tests' MTAs obey a milter that is not ours, and keep what no milter takes: all else rests on that."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from support.places import ROOT, accepts, folder, free_port, wait_until
from support.postfix import Postfix
from support.requirements import missing
from support.sendmail import Sendmail
from support.smtp_dialogue import SmtpDialogue
from support.smtp_sink import SmtpSink

pytestmark = pytest.mark.mta

NUMBER, MAILBOX = "447973100000@sms.example.com", "alice@elsewhere.example"
MAIL = b"Subject: Hi\r\n\r\nHello\r\n.\r\n"


@pytest.fixture
def toy() -> Iterator[int]:
    """The port of a toy milter."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "support.toy_milter", f"inet:{port}@127.0.0.1"], cwd=ROOT / "tests"
    )
    try:
        wait_until(lambda: accepts(port), "the toy milter to listen")
        yield port
    finally:
        process.kill()  # libmilter takes five seconds to stop
        process.wait()


def send(port: int, *recipients: str, source: str = "") -> list[str]:
    client = SmtpDialogue(port, source=source)
    client.greet()
    replies = client.mail("bob@customer.example", recipients, MAIL)
    client.close()
    return replies


def test_postfix(toy: int) -> None:
    if why := missing("postfix"):
        pytest.skip(why)
    with folder("postfix") as place, SmtpSink() as sink:
        milter = f"inet:127.0.0.1:{toy}"
        with Postfix(place, {"sms": milter}, next_hop=sink.port, everywhere=milter) as postfix:
            assert [one[:3] for one in send(postfix.ports["sms"], NUMBER)] == ["250"] * 3
            assert postfix.queue() == []
            assert send(postfix.ports["sms"], "late@sms.example.com")[-1] == "554 5.6.0 empty message"
            replies = send(postfix.ports["every"], NUMBER, "refuse@sms.example.com", MAILBOX)
            assert replies[2] == "550 5.1.1 not a number, 100% sure"
            assert sink.wait_for(1)[0].recipients == (MAILBOX,)
            assert sink.mails[0].data.endswith(b"\r\n\r\nHello\r\n.\r\n")
            send(postfix.ports["report"], NUMBER)
            wait_until(lambda: [mail.queue for mail in postfix.queue()] == ["deferred"], "a deferred mail")
            assert postfix.queue()[0].recipients == {NUMBER: "SMS mail that sms-milter has not seen"}


@pytest.mark.parametrize("tables", [False, True], ids=["rules", "mailertable and access"])
def test_sendmail(toy: int, tables: bool) -> None:
    if why := missing("sendmail"):
        pytest.skip(why)
    milter = {"sms": f"inet:{toy}@127.0.0.1"}
    with folder("sendmail") as place, Sendmail(place, milter, tables=tables) as sendmail:
        customer = "127.0.2.10"
        assert [one[:3] for one in send(sendmail.ports["sms"], NUMBER, source=customer)] == ["250"] * 3
        assert sendmail.queue() == []
        late = send(sendmail.ports["sms"], "late@sms.example.com", source=customer)
        assert late[-1] == "554 5.6.0 empty message"
        replies = send(sendmail.ports["sms"], NUMBER, "refuse@sms.example.com", MAILBOX, source=customer)
        assert replies[2] == "550 5.1.1 <refuse@sms.example.com>... not a number, 100% sure"
        [mail] = sendmail.queue()
        assert list(mail.recipients) == [MAILBOX]
        assert sendmail.content(mail) == b"Hello\n.\n"
        sendmail.empty()
        stranger = send(sendmail.ports["sms"], MAILBOX, NUMBER, source="127.0.3.10")
        assert [one[:9] for one in stranger[1:]] == ["550 5.7.1", "250 2.1.5", "250 2.0.0"]
        send(sendmail.ports["every"], NUMBER, source=customer)
        sendmail.run_queue("sms.example.com")
        [mail] = sendmail.queue()
        assert (mail.queue, list(mail.recipients)) == ("deferred", [NUMBER])
        assert "EX_TEMPFAIL" in mail.recipients[NUMBER]
