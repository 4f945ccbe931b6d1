"""Client certificates, SASL, SPF, DKIM and other servers' results, with a real MTA and a name server."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.authority import Authority, fingerprint
from support.dns_server import SILENT, DnsServer, text_record
from support.places import folder, make_certificate
from support.postfix import Postfix
from support.requirements import missing
from support.sendmail import Sendmail
from support.service import Service
from support.smtp_dialogue import SmtpDialogue
from unit.proofs.test_verifier import key, signature

pytestmark = pytest.mark.mta

TO = "447973100000@sms.example.com"
NOBODY = 9  # the port of no SMSC
NAME = "Monitor (1) + Co"  # what Sendmail writes with plus signs and digits
PASSWORD = "Sunflower5"
SIGNED = b"Door  open \r\n..\r\n"


@dataclass
class Gate:
    """The MTA in front of our service, and what the clients have to show."""

    mta: Postfix | Sendmail
    service: Service
    certificates: dict[str, Path]

    def say(
        self,
        sender: str,
        *fields: tuple[str, bytes],
        client: str = "192.0.2.77",
        certificate: str = "",
        login: str = "",
        body: bytes = b"Door open\r\n",
    ) -> str:
        """The reply that decided one mail."""
        port = self.mta.ports["sms"]
        if isinstance(self.mta, Postfix):
            dialogue = SmtpDialogue(port)
            # XCLIENT begins a new session: TLS is offered to the client that is played.
            dialogue.greet(as_client="" if certificate else client, login=login)
        else:
            dialogue = SmtpDialogue(port, source=f"127.{client.partition('.')[2]}")
            dialogue.greet()
            if login:
                said = b64encode(f"\0{login}\0{PASSWORD}".encode()).decode()
                assert dialogue.say(f"AUTH PLAIN {said}").startswith("235")
        if certificate:
            assert dialogue.say("STARTTLS").startswith("220")
            dialogue.start_tls(self.certificates.get(certificate))
            assert dialogue.say("EHLO tests.example").startswith("250")
        head = b"".join(
            name.encode() + b": " + value.replace(b"\n", b"\r\n") + b"\r\n" for name, value in fields
        )
        replies = dialogue.mail(sender, [TO], head + b"\r\n" + body)
        dialogue.close()
        return next((one for one in replies if one[:1] in "45"), replies[-1])


@pytest.fixture(scope="module", params=["postfix", "sendmail"])
def gate(request: pytest.FixtureRequest) -> Iterator[Gate]:
    if why := missing(request.param):
        pytest.skip(why)
    with ExitStack() as stack:
        place = stack.enter_context(folder("authentication"))
        trusted, other = Authority(place, "Tests CA"), Authority(place, "Other CA")
        certificates = {"trusted": trusted.issue(NAME), "unknown": trusted.issue("Somebody else")}
        certificates["untrusted"] = other.issue(NAME)
        certificates["by-fingerprint"] = trusted.issue("Printed")
        records = {
            ("spf.example", "TXT"): ['"v=spf1 ip4:192.0.2.77 ip4:127.0.2.77 -all"'],
            ("silent.example", "*"): SILENT,
            ("s1._domainkey.dkim.example", "TXT"): [text_record(key(2048)[1])],
        }
        server = stack.enter_context(DnsServer(records))
        accounts = {
            "certified": {
                "require": ["sender", "tls"],
                "senders": ["@tls.example"],
                "tls_certificates": [{"subject": NAME, "issuer": "Tests CA"}],
                "tls_fingerprints": [fingerprint(certificates["by-fingerprint"])],
            },
            "sent": {"require": ["sender", "spf"], "senders": ["@spf.example", "@silent.example"]},
            "signed": {"require": ["sender", "dkim"], "senders": ["@dkim.example"]},
            "known": {"require": ["sender", "sasl"], "senders": ["@sasl.example"], "sasl_users": ["known"]},
            "all": {
                "require": ["sender", "client", "spf", "dkim"],
                "senders": ["@relayed.example"],
                "clients": ["192.0.2.0/24", "127.0.2.0/24"],
            },
        }
        trust = {"name": "mx.relay.example", "clients": ["192.0.2.25", "127.0.2.25"]}
        settings = {
            "milter": {"workers": 1},
            "accounts": accounts,
            "authentication": {"dns": [server.address], "timeout": "1s", "trusted_results": [trust]},
        }
        service = stack.enter_context(Service(place, NOBODY, settings))
        (place / "mta").mkdir()
        mta: Postfix | Sendmail
        if request.param == "postfix":
            tls = f"smtpd_tls_ask_ccert = yes\nsmtpd_tls_CAfile = {trusted.certificate}\n"
            mta = Postfix(place / "mta", {"sms": service.for_postfix}, tls=True, main_cf=tls)
        else:
            certificate, own_key = make_certificate(place, "mx.sms.test")
            own_key.chmod(0o600)
            mc = f"""define(`confCACERT_PATH', `{place}')dnl
define(`confCACERT', `{trusted.certificate}')dnl
define(`confSERVER_CERT', `{certificate}')dnl
define(`confSERVER_KEY', `{own_key}')dnl
define(`confCERT_FINGERPRINT_ALGORITHM', `sha256')dnl
"""
            users = dict.fromkeys(["known", "other"], PASSWORD)
            mta = Sendmail(place / "mta", {"sms": service.for_sendmail}, mc=mc, users=users)
        yield Gate(stack.enter_context(mta), service, certificates)


def test_a_verified_certificate_is_known_by_its_names(gate: Gate) -> None:
    assert gate.say("bob@tls.example", certificate="trusted").startswith("250")
    for other in ("unknown", "untrusted", "none"):
        assert "5.7.1" in gate.say("bob@tls.example", certificate=other), other
    assert "5.7.1" in gate.say("bob@tls.example")


def test_only_sendmail_tells_a_fingerprint(gate: Gate) -> None:
    told = gate.say("bob@tls.example", certificate="by-fingerprint")
    assert told.startswith("250") is isinstance(gate.mta, Sendmail), told


def test_a_sasl_user(gate: Gate) -> None:
    assert gate.say("bob@sasl.example", login="known").startswith("250")
    for other in ("other", "known@mx.sms.test"):  # the name as it was given, with its realm
        assert "5.7.1" in gate.say("bob@sasl.example", login=other), other


def test_spf_of_the_client_as_the_mta_names_it(gate: Gate) -> None:
    assert gate.say("bob@spf.example").startswith("250")
    assert "5.7.23" in gate.say("bob@spf.example", client="192.0.2.78")
    assert gate.say("bob@silent.example").startswith("451 4.4.3")


def test_a_signature_survives_the_mta(gate: Gate) -> None:
    mail = (
        ("From", b"bob@dkim.example"),
        ("Subject", b"Pump\n 3"),
        ("Date", b"Sun, 22 Nov 2026 04:00:00 +0000"),
    )
    for way in (b"simple", b"relaxed"):
        headers = [b"from", b"subject"]
        own = signature(mail, SIGNED, "dkim.example", headers=headers, canonicalize=(way, way))
        assert gate.say("bob@dkim.example", own, *mail, body=SIGNED).startswith("250"), way
        assert "5.7.20" in gate.say("bob@dkim.example", own, *mail, body=b"Door shut\r\n")
    assert "5.7.20" in gate.say("bob@dkim.example", *mail)


def test_a_relay_before_us_is_believed_and_nobody_else(gate: Gate) -> None:
    said = b"mx.relay.example; spf=pass smtp.mailfrom=relayed.example; dkim=pass header.d=relayed.example"
    received, results = ("Received", b"from laptop by mx.relay.example"), ("Authentication-Results", said)
    sender = "bob@relayed.example"
    assert gate.say(sender, received, results, client="192.0.2.25").startswith("250")
    assert gate.say(sender, results, received, client="192.0.2.25").startswith("250")
    assert "5.7.23" in gate.say(sender, received, received, results, client="192.0.2.25")
    assert "5.7.23" in gate.say(sender, received, results, client="192.0.2.26")


def test_who_it_was_stands_in_the_log(gate: Gate) -> None:
    assert "550 5.7.20 no passing DKIM signature" in gate.service.log
    assert "account=certified" in gate.service.log
