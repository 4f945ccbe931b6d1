"""Last of several milters, behind OpenDKIM: what those before us do to a mail, and what comes of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.opendkim import OpenDkim
from support.places import ROOT, accepts, folder, free_port, wait_until
from support.postfix import Postfix
from support.requirements import missing
from support.sendmail import Sendmail
from support.service import Service
from support.smtp_dialogue import SmtpDialogue
from support.smtp_sink import SmtpSink

pytestmark = pytest.mark.mta

OURS, TOYS = "strict.sms.example.com", "sms.example.com"  # the toy milter between takes mail for the latter
NOBODY = 9  # the port of no SMSC


@dataclass
class Chain:
    """OpenDKIM, a toy milter that prints what it sees, and our service."""

    mta: Postfix | Sendmail
    service: Service
    seen: Path

    def send(self, sender: str, recipients: list[str], *fields: str) -> str:
        port = self.mta.ports["every" if isinstance(self.mta, Postfix) else "sms"]
        if isinstance(self.mta, Postfix):
            client = SmtpDialogue(port)
            client.greet(as_client="192.0.2.10")
        else:
            client = SmtpDialogue(port, source="127.0.2.10")
            client.greet()
        mail = "\r\n".join([f"From: {sender}", "Subject: Alarm", *fields, "", "Door open\r\n"])
        *_, last = client.mail(sender, recipients, mail.encode())
        client.close()
        return last

    def fields(self) -> list[list[str]]:
        """The header fields that the second milter saw last."""
        found: list[list[str]] = json.loads(self.seen.read_text().splitlines()[-1])
        return found


@pytest.fixture(scope="module", params=["postfix", "sendmail"])
def chain(request: pytest.FixtureRequest) -> Iterator[Chain]:
    if why := missing(request.param):
        pytest.skip(why)
    with ExitStack() as stack:
        place = stack.enter_context(folder("chain"))
        dkim = stack.enter_context(OpenDkim(place))
        toy, seen = free_port(), place / "seen"
        process = subprocess.Popen(
            [sys.executable, "-m", "support.toy_milter", f"inet:{toy}@127.0.0.1"],
            cwd=ROOT / "tests", stdout=stack.enter_context(seen.open("w")),
        )  # fmt: skip
        stack.callback(process.wait)
        stack.callback(process.kill)  # libmilter takes five seconds to stop
        wait_until(lambda: accepts(toy), "the toy milter to listen")
        service = stack.enter_context(Service(place, NOBODY, {"milter": {"workers": 1}}))
        (place / "mta").mkdir()
        mta: Postfix | Sendmail
        if request.param == "postfix":
            sink = stack.enter_context(SmtpSink())
            mta = Postfix(
                place / "mta",
                {},
                (TOYS, OURS),
                next_hop=sink.port,
                everywhere=service.for_postfix,
                main_cf=f"other_milters = inet:127.0.0.1:{dkim.port}, inet:127.0.0.1:{toy}\n",
            )
        else:
            before = {"opendkim": f"inet:{dkim.port}@127.0.0.1", "toy": f"inet:{toy}@127.0.0.1"}
            mta = Sendmail(
                place / "mta", {"sms": service.for_sendmail}, (TOYS, OURS), before=before, tables=True
            )
        yield Chain(stack.enter_context(mta), service, seen)


def test_fields_of_a_milter_before_us_stand_at_the_top(chain: Chain) -> None:
    to = f"447973100000@{OURS}"
    assert chain.send("bob@customer.example", [to]).startswith("250")
    name, value = chain.fields()[0]
    assert (name, "d=customer.example" in value) == ("DKIM-Signature", True), "signed before we see it"
    chain.send("eve@stranger.example", ["alice@elsewhere.example"])
    chain.mta.empty()
    assert chain.fields()[0][0] == "Authentication-Results"
    assert chain.fields()[0][1].startswith("mx.sms.test; dkim=none")
    assert chain.fields()[1:3] == [["From", "eve@stranger.example"], ["Subject", "Alarm"]]


def test_each_takes_what_is_its_own_and_the_last_one_decides_last(chain: Chain) -> None:
    before = chain.service.log
    assert chain.send("bob@customer.example", [f"447973100001@{OURS}"]).startswith("250")
    assert chain.send("bob@customer.example", [f"447973100001@{TOYS}"]).startswith("250")
    assert chain.send("bob@customer.example", [f"late@{TOYS}", f"447973100001@{OURS}"]).startswith(
        "554 5.6.0"
    )
    log = chain.service.log[len(before) :]
    assert log.count("status=discard (stored)") == 1, "what another milter refuses or takes is none of ours"
    assert chain.mta.queue() == []


def test_a_retry_is_known_though_it_is_signed_anew(chain: Chain) -> None:
    before = chain.service.log
    dated = ("Date: Sat, 21 Nov 2026 12:00:00 +0000", "X-Try: one")
    for _ in range(2):
        assert chain.send("bob@customer.example", [f"447973100002@{OURS}"], *dated).startswith("250")
    log = chain.service.log[len(before) :]
    assert [log.count(words) for words in ("(stored)", "repeat of a stored mail, not sent again")] == [1, 1]
