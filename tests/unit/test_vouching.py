"""SPF and DKIM on a mail's way: when they are asked for, whose word counts, what a refusal says."""

from __future__ import annotations

from typing import Any

import pytest

from sms_milter import reply
from sms_milter.errors import Deferred
from sms_milter.intake import Transaction
from sms_milter.model import Action
from support.gate import Answers, Desk

PHONE = "<447973100000@sms.haysystems.com>"
SIGNED = b"mx.example.com; spf=pass smtp.mailfrom=customer.example; dkim=pass header.d=customer.example"
AR = "Authentication-Results"
TRUSTED = {"trusted_results": [{"name": "mx.example.com", "clients": ["192.0.2.25"]}]}
HASH = (  # of MyPass
    "$argon2id$v=19$m=8,t=1,p=1$syzmwLy3FWvGPNZ/njuwOg$/m0ghT1QOPlLAB50ztaiYuUTdfY90aLNAVhM3CHPxUs"
)


def desk(*require: str, proofs: Answers | None = None, **sections: dict[str, Any]) -> Desk:
    return Desk(proofs=proofs, accounts={"acme": {"require": ["sender", *require]}}, **sections)


def told(transaction: Transaction, *fields: tuple[str, bytes]) -> Transaction:
    for name, value in fields:
        transaction.header(name, value)
    transaction.body(b"Door open\r\n")
    return transaction


def test_spf_is_asked_at_rcpt_once_for_all_recipients() -> None:
    proofs = Answers(spf=True)
    here = desk("spf", proofs=proofs)
    transaction = here.transaction(helo="laptop.example")
    for number in range(3):
        assert transaction.recipient(f"<44797310000{number}@sms.haysystems.com>", {}) is None
    assert told(transaction).decide().action is Action.DISCARD
    assert proofs.asked == [("192.0.2.10", "laptop.example", "bob@customer.example")]


def test_a_sender_whom_spf_does_not_let_is_refused_at_rcpt() -> None:
    transaction = desk("spf", proofs=Answers()).transaction()
    assert transaction.recipient(PHONE, {}) == reply.SPF_FAILED


@pytest.mark.parametrize("check", ["spf", "dkim"])
def test_without_an_answer_of_the_dns_the_client_tries_again(check: str) -> None:
    away = Deferred(reply.DNS_UNAVAILABLE)
    transaction = desk(check, proofs=Answers(spf=away, dkim=away)).transaction()
    why = transaction.recipient(PHONE, {})
    if check == "dkim":
        assert why is None
        why = told(transaction).decide().reply
    assert why == reply.DNS_UNAVAILABLE


def test_dkim_is_asked_of_the_mail_as_it_came() -> None:
    proofs = Answers(dkim=True)
    transaction = desk("dkim", proofs=proofs).transaction()
    assert transaction.recipient(PHONE, {}) is None
    assert told(transaction, ("DKIM-Signature", b"x"), ("From", b"b")).decide().action is Action.DISCARD
    assert proofs.asked == [(["DKIM-Signature", "From"], b"Door open\r\n", {"customer.example"})]


def test_a_mail_that_is_not_signed_is_refused_and_stored_nowhere() -> None:
    here = desk("dkim", proofs=Answers())
    transaction = here.transaction()
    assert transaction.recipient(PHONE, {}) is None
    assert told(transaction).decide().reply == reply.DKIM_FAILED
    assert here.intake.mails == []
    assert "account=acme" in here.lines.text


def test_nobody_else_is_asked_for_anything() -> None:
    proofs = Answers(spf=Deferred(reply.DNS_UNAVAILABLE), dkim=Deferred(reply.DNS_UNAVAILABLE))
    transaction = desk(proofs=proofs).transaction()
    assert transaction.recipient(PHONE, {}) is None
    assert told(transaction).decide().action is Action.DISCARD
    assert proofs.asked == []


@pytest.mark.parametrize("client", ["192.0.2.25", "::ffff:192.0.2.25"])
def test_results_of_a_trusted_server_stand_for_our_own(client: str) -> None:
    proofs = Answers()
    here = desk("spf", "dkim", proofs=proofs, authentication=TRUSTED)
    transaction = here.transaction(client=client)
    assert transaction.recipient(PHONE, {}) is None
    assert told(transaction, (AR, SIGNED)).decide().action is Action.DISCARD
    assert proofs.asked == []


@pytest.mark.parametrize(
    ("client", "fields"),
    [
        ("192.0.2.10", [(AR, SIGNED)]),
        ("192.0.2.25", [("Received", b"1"), ("Received", b"2"), (AR, SIGNED)]),
        ("192.0.2.25", [(AR, b"mx.evil.example; " + SIGNED.partition(b";")[2])]),
        ("192.0.2.25", [(AR, SIGNED.replace(b"customer", b"evil"))]),
        ("192.0.2.25", [(AR, SIGNED.replace(b"pass", b"fail")), (AR, SIGNED)]),
        ("192.0.2.25", []),
    ],
)
def test_forged_results_are_worth_nothing(client: str, fields: list[tuple[str, bytes]]) -> None:
    proofs = Answers()
    transaction = desk("spf", "dkim", proofs=proofs, authentication=TRUSTED).transaction(client=client)
    assert transaction.recipient(PHONE, {}) is None
    assert told(transaction, *fields).decide().reply == reply.SPF_FAILED
    assert proofs.asked == [(client, "", "bob@customer.example")]


def test_what_the_trusted_server_does_not_say_is_verified() -> None:
    proofs = Answers(spf=True, dkim=True)
    transaction = desk("spf", "dkim", proofs=proofs, authentication=TRUSTED).transaction()
    assert transaction.recipient(PHONE, {}) is None
    assert told(transaction, (AR, b"mx.example.com; none")).decide().action is Action.DISCARD
    assert len(proofs.asked) == 2


def test_a_mail_that_names_its_account_is_held_against_them_too() -> None:
    shop = {"require": ["password", "spf"], "logins": {"login": "shop"}, "password_hash": HASH}
    for spf, expected in ((True, None), (False, reply.SPF_FAILED)):
        here = Desk(
            proofs=Answers(spf=spf),
            domains={"send.smscentre.com": {"dialect": "smscentre"}},
            accounts={"shop": shop},
        )
        transaction = here.transaction()
        assert transaction.recipient("<send@send.smscentre.com>", {}) is None
        transaction.body(b"shop:MyPass::::447973100000:Door open\r\n")
        verdict = transaction.decide()
        assert verdict.reply == expected


def test_where_nobody_can_ask_the_dns_the_client_tries_again() -> None:
    assert desk("spf").transaction().recipient(PHONE, {}) == reply.DNS_UNAVAILABLE


def test_it_is_explained_whose_a_mail_is() -> None:
    wide = {"senders": ["*"], "clients": ["192.0.2.0/24"]}
    ops = {
        "senders": ["bob@customer.example"],
        "require": ["client", "sender", "tls"],
        "clients": ["192.0.2.10"],
    }
    ops |= {"tls_certificates": [{"subject": "ops"}]}
    transaction = Desk(accounts={"wide": wide, "ops": ops}).transaction()
    transaction.recipient(PHONE, {})
    assert transaction.explained() == [
        "sms.haysystems.com: account ops: its sender bob@customer.example fits, but not its"
        " `tls_certificates`",
        "sms.haysystems.com: account acme: its sender @customer.example fits and all that it requires of the"
        " envelope: found",
        "sms.haysystems.com: account wide: its sender * fits, but acme is more specific or stands before it",
    ]
    stranger = Desk().transaction("<eve@evil.example>")
    stranger.recipient(PHONE, {})
    assert stranger.explained() == [
        "sms.haysystems.com: account acme: not this sender's, else it might be",
    ]
    nobody = Desk().transaction("<eve@evil.example>", "203.0.113.9")
    nobody.recipient(PHONE, {})
    assert nobody.explained() == [
        "sms.haysystems.com: no account has this sender, client, SASL user or certificate"
    ]
