"""What a mail to send@ comes to, seen at the gate: limits and blocks."""

from __future__ import annotations

from typing import Any

from sms_milter.config.secrets import hash_password
from sms_milter.intake import Verdict
from sms_milter.model import Action
from support.gate import Desk

SEND = "<send@send.smscentre.com>"
HASH = hash_password("123")


def desk(**sections: dict[str, Any]) -> Desk:
    alex = {
        "require": ["password"],
        "logins": {"login": "alex"},
        "password_hash": HASH,
        "default_originator": "Info",
        "groups": {1: [f"7916{number:07}" for number in range(600)]},
    }
    domains = {"send.smscentre.com": {"dialect": "smscentre"}}
    return Desk(domains=domains, accounts={"alex": alex}, **sections)


def say(here: Desk, request: str) -> Verdict:
    transaction = here.transaction(sender="<alex@customer.example>")
    assert transaction.recipient(SEND, {}) is None
    transaction.body(request.encode())
    return transaction.decide()


def test_a_mail_is_too_large_in_the_words_of_the_interface() -> None:
    here = desk()
    transaction = here.transaction()
    transaction.recipient(SEND, {})
    transaction.body(b"alex:123::::79999999999:x".ljust(102_401))
    assert str(transaction.decide().reply) == "552 5.3.4 ERROR = 1 (parameters error)"


def test_a_thousand_recipients_are_taken_and_no_more() -> None:
    some = ",".join(f"7926{number:07}" for number in range(400))
    here = desk()
    assert say(here, f"alex:123::::G1,{some}:x").action is Action.DISCARD
    assert len(here.intake.mails[0].messages) == 1000
    refused = say(here, f"alex:123::::G1,{some},79990000000:x")
    assert str(refused.reply) == "554 5.6.0 ERROR = 1 (parameters error)"


def test_a_list_of_groups_is_bounded_before_it_is_expanded() -> None:
    refused = say(desk(), "alex:123:::::" + "G1:x\n" * 1000)
    assert str(refused.reply) == "554 5.6.0 ERROR = 1 (parameters error)"


def test_errors_in_the_parameters_block_a_client_and_other_refusals_do_not() -> None:
    limit = {"count": 2, "within": "10m", "block": "15m"}
    here = desk(limits={"failed_logins": limit})
    for request in ("alex:123::::12:x", "alex:123::tomorrow::79999999999:x", "alex:123::::79999999999:"):
        assert say(here, request).action is Action.REJECT
    assert len(here.intake.failed) == 1
    say(here, "nothing")
    blocked = here.transaction().recipient(SEND, {})
    assert str(blocked) == "451 4.7.1 ERROR = 4 (ip is blocked)"
