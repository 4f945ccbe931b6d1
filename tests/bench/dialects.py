"""How many typical short mails of each dialect one core judges a second: from MAIL FROM to the composed
submit_sm, without MTA and queue.

The peer is Python's own mail parser, which only reads the same mail. Both take CPU time, in turns, and each
mail is another one, so that nothing is known from the mail before.
"""

from __future__ import annotations

import argparse
import email
import email.policy
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.harness import BenchFailure, Figures, guarded, ratios, rotated, show
from sms_milter.config.load import load
from sms_milter.config.secrets import Passwords
from sms_milter.gate import Gate
from sms_milter.intake import Transaction
from sms_milter.model import Action, Client, NewMail, Stored
from sms_milter.rehearsal import Rehearsal, SilentJournal, split_message
from support.memory_queue import MemoryQueue

_HASH = (  # of MyPass, made cheaply: it is verified once, and not what is measured
    "$argon2id$v=19$m=8,t=1,p=1$syzmwLy3FWvGPNZ/njuwOg$/m0ghT1QOPlLAB50ztaiYuUTdfY90aLNAVhM3CHPxUs"
)
_CONFIGURATION = f"""
domains:
  hsl.example: {{dialect: hsl}}
  aspsms.example: {{dialect: aspsms}}
  smscentre.example: {{dialect: smscentre}}
  clickatell.example: {{dialect: clickatell}}
accounts:
  alerts:
    clients: [192.0.2.0/24]
    senders: ["@shop.example"]
    domains: [hsl.example]
    default_originator: ACME
  shop:
    require: [password]
    domains: [aspsms.example, smscentre.example, clickatell.example]
    logins: {{userkey: ABCD12345678, login: shop, user: shop, api_id: "1234"}}
    password_hash: "{_HASH}"
    default_originator: SHOP
smscs: {{primary: {{host: 127.0.0.1, system_id: bench, password: bench}}}}
routes: {{default: [{{to: "*", via: [primary]}}]}}
"""
_HEAD = (
    "Received: from db3.shop.example (db3.shop.example [192.0.2.10])\r\n"
    "\tby mail.example.com (Postfix) with ESMTP id 4XyZ1a2b3c; Thu, 21 Nov 2024 12:00:00 +0000 (UTC)\r\n"
    "Date: Thu, 21 Nov 2024 12:00:00 +0000\r\n"
    "From: Shop <alerts@shop.example>\r\n"
    "Message-ID: <{number}.1732190400@shop.example>\r\n"
)


@dataclass(frozen=True)
class Sample:
    """A typical short mail of a dialect; `{number}` makes each another one."""

    recipient: str
    text: str


SAMPLES = {
    "aspsms": Sample(
        "textsms@aspsms.example",
        "Subject: U=ABCD12345678,P=MyPass,R=0041795555555,O=SHOP,N=FAILED\r\n\r\n"
        "Your parcel {number} is waiting at the counter.\r\n",
    ),
    "smscentre": Sample(
        "send@smscentre.example",
        "Subject: sms\r\n\r\nshop:MyPass:{number}::0,0,SHOP:79161234567:Your parcel {number} is waiting.\r\n",
    ),
    "clickatell": Sample(
        "sms@clickatell.example",
        "Subject: sms\r\n\r\nuser:shop\r\npassword:MyPass\r\napi_id:1234\r\nto:448311234567\r\nfrom:SHOP\r\n"
        "cliMsgId:order{number}\r\ntext:Your parcel {number} is waiting at the counter.\r\n",
    ),
    "hsl": Sample(
        "447973100000@hsl.example",
        "Subject: parcel\r\n\r\nYour parcel {number} is waiting at the counter.\r\n",
    ),
}


class Counted(Rehearsal):
    """An intake that counts what it is given, and keeps nothing."""

    def __init__(self) -> None:
        super().__init__(MemoryQueue(), 0.0)
        self.messages = 0

    def put(self, mail: NewMail, progress: Callable[[], None] | None = None) -> Stored:
        """Counted."""
        del progress
        self.messages += len(mail.messages)
        return Stored(1)


def mails(sample: Sample, count: int, first: int) -> list[bytes]:
    """`count` mails, none like another."""
    text = _HEAD + sample.text
    return [text.replace("{number}", str(first + one)).encode() for one in range(count)]


def judged_per_second(gate: Gate, sample: Sample, octets: Sequence[bytes]) -> float:
    """Through the gate, as `milterd` does it; BenchFailure unless each becomes one SMS."""
    received = [split_message(one) for one in octets]
    intake, journal, client = Counted(), SilentJournal(), Client("192.0.2.10")
    started = time.process_time()
    for fields, body in received:
        transaction = Transaction(gate, intake, journal, client, "<alerts@shop.example>", {})
        transaction.recipient(f"<{sample.recipient}>", {})
        for name, value in fields:
            transaction.header(name, value)
        transaction.body(body)
        verdict = transaction.decide()
        if verdict.action is not Action.DISCARD:
            raise BenchFailure(f"a mail to {sample.recipient} : {verdict.action} {verdict.reply}")
    seconds = time.process_time() - started
    if intake.messages != len(octets):
        raise BenchFailure(f"{len(octets)} mails became {intake.messages} SMS")
    return len(octets) / seconds


def read_per_second(octets: Sequence[bytes]) -> float:
    """Python's own mail parser: the header fields and the text, no more."""
    started = time.process_time()
    for one in octets:
        message = email.message_from_bytes(one, policy=email.policy.default)
        if not message["message-id"] or not message.get_content():
            raise BenchFailure("the mail parser found nothing")
    return len(octets) / (time.process_time() - started)


def bench(count: int, rounds: int, *, as_json: bool) -> None:
    """Every dialect and its peer, `rounds` times."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sms-milter.yaml")
        path.write_text(_CONFIGURATION)
        gate = Gate(load(path).configuration, Passwords())
    for sample in SAMPLES.values():  # warm: passwords verified, terms compiled
        judged_per_second(gate, sample, mails(sample, 200, 0))
    for turn in range(rounds):
        for name in rotated(list(SAMPLES), turn):
            octets = mails(SAMPLES[name], count, 1000 + turn * count)
            figures.add(name, judged_per_second(gate, SAMPLES[name], octets))
            figures.add(f"{name}_email_parser", read_per_second(octets[: max(1, count // 4)]))
    print(f"mails a second of CPU time, {rounds} rounds of {count} mails of about 400 octets")
    print("NAME: judged, planned and composed; NAME_email_parser: Python's email package reads the same mail")
    pairs = {f"{name}_vs_email_parser": (name, f"{name}_email_parser") for name in SAMPLES}
    show(figures, ratios(figures.medians(), pairs), as_json=as_json)


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(prog="dialects", description=__doc__)
    options.add_argument("--json", action="store_true", help="one JSON object as the last line")
    options.add_argument("--quick", action="store_true", help="within 30 seconds")
    options.add_argument("--mails", type=int, help="mails per run")
    options.add_argument("--rounds", type=int, help="runs of each dialect")
    given = options.parse_args()
    bench(
        given.mails or (2000 if given.quick else 10_000),
        given.rounds or (3 if given.quick else 7),
        as_json=given.json,
    )


if __name__ == "__main__":
    sys.exit(guarded(main))
