"""Duplicates and floods on a mail's way: which rules hold, what is left out, what the log says."""

from __future__ import annotations

from typing import Any

import pytest

from sms_milter import reply
from sms_milter.config.secrets import Passwords
from sms_milter.dialects import DIALECTS
from sms_milter.errors import Excess
from sms_milter.gate import Gate
from sms_milter.model import Action, DuplicateRule, FloodRule, Limits, NewMail, Stored
from support.gate import Desk, Remembered, configuration

PHONE = "<447973100000@sms.haysystems.com>"
FLOOD = reply.flood(50, 120, 1_700_000_120.0, per_account=False)
SMSCENTRES = Limits(duplicates=DuplicateRule(2, 60.0), flood=FloodRule(50, 120.0, per_account=False))


def limits_of(dialect: str, for_all: dict[str, Any], account: dict[str, Any]) -> Limits | None:
    configured = configuration(limits=for_all, accounts={"acme": account})
    return Gate(configured, Passwords()).limits("acme", DIALECTS[dialect])


@pytest.mark.parametrize(
    ("dialect", "for_all", "account", "expected"),
    [
        ("hsl", {}, {}, None),
        ("smscentre", {}, {}, SMSCENTRES),
        ("smscentre", {"duplicates": "default", "flood": "default"}, {}, SMSCENTRES),
        ("smscentre", {"duplicates": None, "flood": None}, {}, None),
        ("hsl", {"duplicates": {"window": "5m"}}, {}, Limits(duplicates=DuplicateRule(2, 300.0))),
        ("hsl", {"flood": {"per": "account"}}, {}, Limits(flood=FloodRule(50, 120.0, per_account=True))),
        ("hsl", {"flood": {}}, {"flood": None}, None),
        ("hsl", {}, {"duplicates": {"allow": 1}}, Limits(duplicates=DuplicateRule(1, 60.0))),
        ("smscentre", {"duplicates": {"allow": 9}}, {"duplicates": None, "flood": None}, None),
    ],
)
def test_the_accounts_rule_comes_before_that_for_all_and_that_before_the_dialects(
    dialect: str, for_all: dict[str, Any], account: dict[str, Any], expected: Limits | None
) -> None:
    assert limits_of(dialect, for_all, account) == expected


def test_a_phone_that_wants_nothing_more_is_known_at_rcpt() -> None:
    desk = Desk(limits={"stop_words": ["STOP"]})
    desk.intake.unwilling.add("447973100000")
    transaction = desk.transaction()
    assert transaction.recipient(PHONE, {}) == reply.OPTED_OUT
    assert transaction.recipient("<447973100001@sms.haysystems.com>", {}) is None
    assert "account=acme, status=refused at RCPT (550 5.7.1" in desk.lines.text
    without = Desk()
    without.intake.unwilling.add("447973100000")
    assert without.transaction().recipient(PHONE, {}) is None


def test_in_quiet_hours_messages_wait_and_their_validity_with_them() -> None:
    quiet = [{"to": "+44", "from": "20:00", "until": "23:30"}]  # UTC; it is 22:13:20
    desk = Desk(accounts={"acme": {"quiet_hours": quiet}})
    transaction = desk.transaction()
    for number in ("447973100000", "41790000000"):
        transaction.recipient(f"<{number}@sms.haysystems.com>", {})
    transaction.body(b"Hello\r\n")
    assert transaction.decide().action is Action.DISCARD
    (mail,) = desk.intake.mails
    quiet_one, other = mail.messages
    assert (quiet_one.plan.not_before, other.plan.not_before) == (1_700_004_600.0, None)
    assert quiet_one.expires_at - other.expires_at == 4600.0


def test_an_account_without_limits_hands_none_to_the_queue() -> None:
    desk = Desk()
    transaction = desk.transaction()
    transaction.recipient(PHONE, {})
    transaction.body(b"Hello\r\n")
    transaction.decide()
    (mail,) = desk.intake.mails
    assert (mail.limits, mail.identity) == (None, b"")


def test_a_flood_refuses_the_whole_mail_where_nothing_may_be_left_out() -> None:
    def put(_mail: NewMail) -> Stored:
        raise Excess(FLOOD, frozenset({0}))

    desk = Desk(Remembered(put=put), limits={"flood": {"messages": 50}})
    transaction = desk.transaction()
    for number in ("447973100000", "447973100001"):
        transaction.recipient(f"<{number}@sms.haysystems.com>", {})
    transaction.body(b"Hello\r\n")
    verdict = transaction.decide()
    assert (verdict.action, verdict.reply) == (Action.REJECT, FLOOD)
    assert "account=acme" in desk.lines.text
    assert (
        "refused at end of message (550 5.7.1 flood: more than 50 messages to one number" in desk.lines.text
    )


def test_where_some_may_be_left_out_the_others_are_taken_and_the_log_counts() -> None:
    taken: list[NewMail] = []

    def put(mail: NewMail) -> Stored:
        excess = [place for place, one in enumerate(mail.messages) if one.plan.destination == "79160000002"]
        if excess:
            raise Excess(FLOOD, frozenset(excess))
        taken.append(mail)
        return Stored(7)

    alex = {"require": ["client"], "clients": ["192.0.2.10"], "logins": {"login": "alex"}}
    alex |= {"forward_to": ["79160000001", "79160000002", "79160000003"]}
    desk = Desk(Remembered(put=put), domains={"x.example": {"dialect": "smscentre"}}, accounts={"alex": alex})
    transaction = desk.transaction()
    assert transaction.recipient("<alex@x.example>", {}) is None
    transaction.body(b"Server down\r\n")
    assert transaction.decide().action is Action.DISCARD
    ((one, other),) = [mail.messages for mail in taken]
    assert (one.plan.destination, other.plan.destination) == ("79160000001", "79160000003")
    assert "messages=2, parts=2, left_out=1" in desk.lines.text
