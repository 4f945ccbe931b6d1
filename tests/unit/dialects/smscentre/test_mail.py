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


def test_a_request_without_id_gets_the_next_number_of_its_account_once_it_can_have_one() -> None:
    here = desk()
    for request in (
        "too few",
        "alex:x::::1:x",
        "alex:123::never::79999999999:x",
        "alex:123:7:::79999999999:x",
    ):
        say(here, request)
    assert here.intake.numbers == {}
    for identity in ("", "0"):
        assert say(here, f"alex:123:{identity}:::79999999999:x").action is Action.DISCARD
    refused = say(here, "alex:123::::12:x")
    assert str(refused.reply).endswith("ID - 3")
    assert [mail.messages[0].plan.reference for mail in here.intake.mails] == ["7", "1", "2"]


def test_numbers_that_are_none_and_those_without_a_way_are_left_out_and_kept() -> None:
    here = desk(routes={"default": [{"to": "+79", "via": ["primary"]}]})
    say(here, "alex:123:a:::12, 447973100000, G9, 79999999999, nobody:x")
    (mail,) = here.intake.mails
    assert [one.plan.destination for one in mail.messages] == ["79999999999"]
    assert [(one.destination, one.why) for one in mail.left_out] == [
        ("447973100000", "ERROR = 8 (can't to deliver), ID - a"),
        ("12", "ERROR = 7 (invalid number), ID - a"),
        ("G9", "ERROR = 7 (invalid number), ID - a"),
        ("nobody", "ERROR = 7 (invalid number), ID - a"),
    ]


def test_a_comment_is_kept_and_not_sent() -> None:
    here = desk()
    say(here, "alex:123:::,2:79999999999:http://x.example\r\nName\r\n~~~\r\norder 17\r\nby bob")
    plan = here.intake.mails[0].messages[0].plan
    assert plan.comment == "order 17\nby bob"
    assert b"order" not in plan.parts[0].short_message
    assert "order" not in here.lines.text
