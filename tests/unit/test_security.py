"""What attackers try: to pass for somebody else, to guess, to slip something into our mails and logs, to read
what is none of their business.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from contract.fates import failed, lease, record
from sms_milter.config.schema import Configuration
from sms_milter.config.secrets import Passwords
from sms_milter.errors import Refusal
from sms_milter.gate import Gate
from sms_milter.intake import Transaction, Verdict
from sms_milter.logline import Numbers
from sms_milter.mail.address import esmtp_parameters
from sms_milter.model import Action, Client, NewMail, Stored
from sms_milter.notify import Notifier
from sms_milter.preview import describe
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.rehearsal import Rehearsal, split_message
from support.gate import Lines, configuration
from unit.test_notify import Mta

HASH = (  # of MyPass
    "$argon2id$v=19$m=8,t=1,p=1$syzmwLy3FWvGPNZ/njuwOg$/m0ghT1QOPlLAB50ztaiYuUTdfY90aLNAVhM3CHPxUs"
)
KEY = "0123-secret-key-4567"
SECRET_TEXT = "The door code is 4711"
NUMBER = "447973100000"
ACME, SHOP = "sms.haysystems.com", "send.smscentre.com"
SECTIONS: dict[str, Any] = {
    "domains": {SHOP: {"dialect": "smscentre", "error_reply": "both"}, "a.example": {"dialect": "aspsms"}},
    "accounts": {
        "shop": {
            "require": ["password"],
            "logins": {"login": "shop", "userkey": "SHOPKEY"},
            "password_hash": HASH,
            "api_keys": [f"sha256:{hashlib.sha256(KEY.encode()).hexdigest()}"],
            "default_originator": "SHOP",
        }
    },
    "reports": {"submit_to": "127.0.0.1:10026"},
}


class Taking(Rehearsal):
    """An intake that stores at once."""

    def put(self, mail: NewMail, progress: object = None) -> Stored:
        (stored,) = self._queue.put([mail], self._now)  # type: ignore[attr-defined]  # a whole queue
        if isinstance(stored, Refusal):
            raise stored
        return stored

    def login_failed(self, who: str, rule: Any) -> bool:
        blocked: bool = self._queue.login_failed(who, rule, self._now)  # type: ignore[attr-defined]
        return blocked


@dataclass
class House:
    """A gate with everything behind it, for one moment."""

    queue: SqliteQueue
    gate: Gate
    now: float = field(default_factory=time.time)
    lines: Lines = field(default_factory=Lines)

    def mail(
        self,
        octets: bytes,
        recipient: str,
        *,
        sender: str = "<bob@customer.example>",
        client: str = "192.0.2.10",
        parameters: Sequence[str] = (),
    ) -> tuple[Transaction, Verdict]:
        transaction = Transaction(
            self.gate,
            Taking(self.queue, self.now),
            self.lines,  # type: ignore[arg-type]  # its methods are made on demand
            Client(client),
            sender,
            esmtp_parameters(parameters),
            clock=lambda: self.now,
        )
        transaction.recipient(recipient, {})
        fields, body = split_message(octets)
        for name, value in fields:
            transaction.header(name, value)
        transaction.body(body)
        return transaction, transaction.decide()

    def our_mails(self) -> list[bytes]:
        """What the report role writes."""
        mta = Mta()
        numbers = Numbers(masked=False)
        notifier = Notifier(self.queue, mta, self.lines, numbers, host_name="gw.example")  # type: ignore[arg-type]
        notifier.step(self.now)
        notifier.step(self.now)
        return [octets for _, octets in mta.taken]


def house(path: Path, **sections: Any) -> House:
    path.mkdir(exist_ok=True)
    configured: Configuration = configuration(**(SECTIONS | sections))
    return House(SqliteQueue(str(path / "queue.db")), Gate(configured, Passwords()))


# --- passing for somebody else ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sender",
    [
        "<>",
        "<bob@evil.example>",
        "<bob@customer.example@evil.example>",
        '<"bob@customer.example"@evil.example>',
        "<bob%customer.example@evil.example>",
        "<bob@customer.example.evil.example>",
        "<bob@evilcustomer.example>",
        "<bob@cust\u043emer.example>",  # a Cyrillic o
        "<bob@customer\u3002example>",  # an ideographic full stop
        "<customer.example>",
        "<@customer.example>",
        "<bob@customer.example\x00@evil.example>",
        "<@customer.example:bob@evil.example>",
        "<evil!bob@customer.example!x>",
    ],
)
def test_no_sender_passes_for_another(tmp_path: Path, sender: str) -> None:
    here = house(tmp_path)
    transaction, verdict = here.mail(b"\r\nHi\r\n", f"<{NUMBER}@{ACME}>", sender=sender)
    assert verdict.action in (Action.REJECT, Action.DEFER), verdict
    assert transaction.judged_by[1] is None
    assert here.queue.list_parts() == []
    assert here.lines.text.isprintable()


@pytest.mark.parametrize(
    "forged",
    [
        b"From: bob@customer.example\r\nReturn-Path: <bob@customer.example>\r\nX-Sender: acme\r\n",
        b"Authentication-Results: gw.example; spf=pass smtp.mailfrom=customer.example; dkim=pass\r\n",
        b"Received: from customer.example ([192.0.2.10]) by gw.example\r\nX-Originating-IP: 192.0.2.10\r\n",
        b"Received-SPF: pass\r\nX-Auth-User: acme\r\nX-Authenticated-Sender: acme\r\n",
    ],
)
def test_no_header_field_lets_anybody_in(tmp_path: Path, forged: bytes) -> None:
    here = house(tmp_path)
    recipient = f"<{NUMBER}@{ACME}>"
    for sender, client in (("<eve@evil.example>", "192.0.2.10"), ("<bob@customer.example>", "203.0.113.9")):
        _, verdict = here.mail(forged + b"\r\nHi\r\n", recipient, sender=sender, client=client)
        assert verdict.action is Action.REJECT
    assert here.queue.list_parts() == []


@pytest.mark.parametrize(
    "recipient",
    [
        f"<@relay.example:{NUMBER}@{ACME}>",
        f"<{NUMBER}%evil.example@{ACME}>",
        f"<{NUMBER}@evil.example@{ACME}>",
        f"<\uff14\uff14{NUMBER[2:]}@{ACME}>",  # full-width digits
        f"<\u0664\u0664{NUMBER[2:]}@{ACME}>",  # Arabic-Indic digits
        f"<{NUMBER};447973100001@{ACME}>",
        f"<{NUMBER},447973100001@{ACME}>",
        f"<{NUMBER}\r\nRCPT TO:<x@evil.example>@{ACME}>",
        f"<447973100000000000000000@{ACME}>",
        f"<|/bin/sh@{ACME}>",
    ],
)
def test_no_address_means_another_number(tmp_path: Path, recipient: str) -> None:
    here = house(tmp_path)
    transaction, verdict = here.mail(b"\r\nHi\r\n", recipient)
    assert verdict.action is Action.REJECT
    assert all(judged.ours for judged in transaction.recipients)
    assert here.queue.list_parts() == []
    assert here.lines.text.isprintable()


# --- guessing -----------------------------------------------------------------------------------------------

GUARDED = {"limits": {"failed_logins": {"count": 10, "within": "10m", "block": "30m"}}}
REQUEST = f"shop:%s::::{NUMBER}:{SECRET_TEXT}"


def request(password: str) -> bytes:
    return b"\r\n" + (REQUEST % password).encode() + b"\r\n"


def test_a_block_holds_for_the_right_password_too_and_tells_nothing(tmp_path: Path) -> None:
    here = house(tmp_path, **GUARDED)
    told = set()
    for number in range(12):
        transaction, verdict = here.mail(request(f"wrong {number}"), f"<send@{SHOP}>")
        told.add(str(verdict.reply or transaction.recipients[0].reply))
    assert told == {"550 5.7.1 ERROR = 2 (authorise error)", "451 4.7.1 ERROR = 4 (ip is blocked)"}
    transaction, _ = here.mail(request("MyPass"), f"<send@{SHOP}>")
    assert str(transaction.recipients[0].reply) == "451 4.7.1 ERROR = 4 (ip is blocked)"
    _, verdict = here.mail(request("MyPass"), f"<send@{SHOP}>", client="198.51.100.7")
    assert verdict.action is Action.DISCARD


def test_an_unknown_login_and_a_wrong_password_sound_alike(tmp_path: Path) -> None:
    here = house(tmp_path)
    _, unknown = here.mail(request("x").replace(b"shop:", b"nobody:"), f"<send@{SHOP}>")
    _, wrong = here.mail(request("x"), f"<send@{SHOP}>")
    assert unknown.reply == wrong.reply


# --- slipping something in ----------------------------------------------------------------------------------

INJECTION = b"=?utf-8?q?Hi=0D=0ABcc:_victim@evil.example=0D=0A=0D=0ABuy?="


def test_no_subject_becomes_a_header_field_of_our_mails(tmp_path: Path) -> None:
    here = house(tmp_path)
    head = b"Subject: " + INJECTION + b"\r\nMessage-ID: <1@a>\r\n\r\n"
    body = f"shop:MyPass:7::,,,1:{NUMBER}:{SECRET_TEXT}".encode()
    _, verdict = here.mail(head + body, f"<send@{SHOP}>")
    assert verdict.action is Action.DISCARD
    _, verdict = here.mail(head + b"shop:MyPass:7:bad:,,,1:1:x", f"<send@{SHOP}>")
    assert verdict.reply is not None
    mails = here.our_mails()
    assert len(mails) == 2
    for octets in mails:
        parsed = message_from_bytes(octets, policy=policy.default)
        assert "Bcc" not in parsed
        assert parsed["To"] == "bob@customer.example"
        assert "Buy" not in parsed.get_content()


@pytest.mark.parametrize(
    "sender", ["<bob@customer.example\r\nBcc: x@evil.example>", "<bob\x1b[2J@customer.example>"]
)
def test_no_sender_becomes_a_line_of_the_log_or_a_field_of_a_mail(tmp_path: Path, sender: str) -> None:
    here = house(tmp_path)
    here.mail(request("MyPass"), f"<send@{SHOP}>", sender=sender)
    here.mail(request("wrong"), f"<send@{SHOP}>", sender=sender)
    assert all(line.isprintable() for _, line in here.lines.written)
    assert not [octets for octets in here.our_mails() if b"\nBcc" in octets]


# --- reading what is none of their business -----------------------------------------------------------------


def test_no_password_key_or_text_comes_out_anywhere(tmp_path: Path) -> None:
    here = house(tmp_path, **GUARDED)
    outputs: list[str] = []

    def say(octets: bytes, recipient: str, sender: str = "<bob@customer.example>") -> None:
        transaction, verdict = here.mail(octets, recipient, sender=sender, parameters=["RET=FULL"])
        outputs.extend((repr(transaction), repr(verdict.reply), str(verdict.reply)))
        outputs.extend(str(judged.reply) for judged in transaction.recipients)
        if verdict.reply is not None:
            outputs.append(json.dumps(describe(transaction, verdict)))

    for password in ("MyPass", "MyPess"):
        subject = f"Subject: U=SHOPKEY,P={password},R=0041791234567\r\n\r\n".encode()
        say(subject + SECRET_TEXT.encode(), "<textsms@a.example>")
        say(request(password), f"<send@{SHOP}>")
        say(f"\r\nshop:{password}:7:bad:,,,1:1:{SECRET_TEXT}".encode(), f"<send@{SHOP}>")
        say(f"\r\nshop:{password}:7::,,,1:{NUMBER}:{SECRET_TEXT * 99}".encode(), f"<send@{SHOP}>")
    for key in (KEY, KEY + "x"):
        say(f"\r\n:{key}:::,,,1:{NUMBER}:{SECRET_TEXT}".encode(), f"<send@{SHOP}>")
    say(f"Subject: {SECRET_TEXT}\r\nDisposition-Notification-To: b@c\r\n\r\nx".encode(), f"<{NUMBER}@{ACME}>")
    say(f"Subject: {SECRET_TEXT}\r\n\r\nx".encode(), f"<{NUMBER}@{ACME}>", "<eve@evil.example>")
    parts = lease(here.queue, 100, now=here.now, smsc="primary")
    assert len(parts) >= 4
    record(here.queue, *(failed(part.part_id, here.now) for part in parts))
    mails = here.our_mails()
    assert len(mails) >= 6
    outputs += [octets.decode() for octets in mails]
    outputs += [repr(part) for part in here.queue.list_parts()]
    outputs += [repr(here.queue.show_mail(str(part.queue_id))) for part in parts]
    outputs += [repr(here.queue.summary(here.now)), repr(here.queue.blocks(here.now)), here.lines.text]
    outputs += [repr(here.gate.accounts["shop"]), repr(here.gate.accounts["shop"].account.model_dump_json)]
    for output in outputs:
        for secret in ("MyPass", "MyPess", KEY, SECRET_TEXT, "4711", HASH):
            assert secret not in output, output[:500]
