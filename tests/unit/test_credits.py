"""Credits on a mail's way: what it costs, who is refused where, what dialects are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from sms_milter import reply
from sms_milter.credits import thousandths, written
from sms_milter.dialects import DIALECTS
from sms_milter.dialects.context import Context, Outcome
from sms_milter.errors import Excess
from sms_milter.intake import Verdict
from sms_milter.mail.parse import Mail
from sms_milter.model import Action, Answer, CreditRule, NewMail, Refused, SmsRequest, Stored, Wish
from sms_milter.reply import Limit
from support.gate import Desk, Remembered
from support.toy_dialect import TOY

PHONE = "<447973100000@sms.haysystems.com>"
ROUTES = {
    "default": [{"to": "+44", "via": ["primary"], "credits_per_part": 0.8}, {"to": "*", "via": ["primary"]}]
}
METERED = {"acme": {"credits": 12.5}}


def send(desk: Desk, *recipients: str, text: str = "Hello") -> Verdict:
    transaction = desk.transaction()
    for recipient in recipients:
        transaction.recipient(recipient, {})
    transaction.body(f"{text}\r\n".encode())
    return transaction.decide()


def test_each_part_costs_what_its_route_says() -> None:
    desk = Desk(accounts=METERED, routes=ROUTES)
    send(desk, PHONE, "<41790000000@sms.haysystems.com>", text="x" * 200)
    (mail,) = desk.intake.mails
    assert [(message.price, len(message.parts)) for message in mail.messages] == [(800, 2), (1000, 2)]
    assert mail.limits is not None
    assert mail.limits.credits == CreditRule(12_500)


def test_accounts_that_are_not_metered_have_no_prices() -> None:
    desk = Desk(routes=ROUTES)
    send(desk, PHONE)
    (mail,) = desk.intake.mails
    assert (mail.limits, mail.messages[0].price) == (None, 0)


def test_used_up_credits_are_known_at_rcpt() -> None:
    desk = Desk(accounts={"acme": {"credits": 0}})
    why = desk.transaction().recipient(PHONE, {})
    assert str(why) == "552 5.2.2 not enough SMS credits, 0 left"
    assert "account=acme" in desk.lines.text
    assert "refused at RCPT (552 5.2.2 not enough SMS credits, 0 left)" in desk.lines.text


# --- what a dialect is told ---------------------------------------------------------------------------------


class Listening:
    """A dialect that asks for messages to these numbers and remembers what it was told."""

    def __init__(self, *wishes: Wish, **request: Any) -> None:
        self._request = SmsRequest(wishes, max_parts=10, **request)
        self.balance: Decimal | None = None
        self.outcomes: list[Outcome[Any]] = []

    def parse(self, mail: Mail, context: Context[Any]) -> SmsRequest:
        self.balance = context.balance()
        return self._request

    def answer(self, outcome: Outcome[Any]) -> Sequence[Answer]:
        self.outcomes.append(outcome)
        return ()


def listening(
    monkeypatch: pytest.MonkeyPatch, dialect: Listening, *, pays: Sequence[str], **sections: Any
) -> Desk:
    """A desk whose account pays for these numbers."""

    def put(mail: NewMail) -> Stored:
        unpaid = [place for place, one in enumerate(mail.messages) if one.plan.destination not in pays]
        if unpaid:
            raise Excess(reply.no_credit(Decimal("0.1")), frozenset(unpaid))
        return Stored(7)

    monkeypatch.setitem(
        DIALECTS,
        "toy",
        replace(TOY, parse=dialect.parse, answer=dialect.answer, login=None, recipient=lambda *_: None),
    )
    accounts = sections.pop("accounts", METERED)
    return Desk(
        Remembered(put=put),
        domains={"toy.example": {"dialect": "toy"}},
        reports={"submit_to": "127.0.0.1:10026"},
        accounts=accounts,
        **sections,
    )


ONE, TWO, THREE = Wish("447973100001", "a"), Wish("447973100002", "b"), Wish("447973100003", "c")


def test_the_balance_is_there_for_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    dialect = Listening(ONE)
    send(listening(monkeypatch, dialect, pays=["447973100001"]), "<sms@toy.example>")
    assert dialect.balance == Decimal("12.5")
    send(listening(monkeypatch, dialect, pays=["447973100001"], accounts={}), "<sms@toy.example>")
    assert dialect.balance is None


def test_a_mail_that_credits_do_not_pay_in_whole_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    dialect = Listening(ONE, TWO, partial=True)
    verdict = send(listening(monkeypatch, dialect, pays=["447973100001"]), "<sms@toy.example>")
    assert verdict.reply is not None
    assert verdict.reply.limit is Limit.CREDIT


def test_or_in_part_where_the_sender_is_told_of_each_message(monkeypatch: pytest.MonkeyPatch) -> None:
    dialect = Listening(ONE, TWO, THREE, reply_to=("ops@acme.example",))
    desk = listening(monkeypatch, dialect, pays=["447973100002"], routes=ROUTES)
    assert send(desk, "<sms@toy.example>").action is Action.DISCARD
    told = dialect.outcomes[-1]
    assert [message.destination for message in told.messages] == ["447973100002"]
    refused = [one for one in told.results if isinstance(one, Refused)]
    assert [(one.place, one.reply.limit) for one in refused] == [(0, Limit.CREDIT), (2, Limit.CREDIT)]
    assert [told.price(message) for message in told.messages] == [Decimal("0.8")]


def test_what_costs_more_than_the_mail_allows_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    long = ONE._replace(text="x" * 200, max_credits=Decimal("1.5"))
    short = TWO._replace(max_credits=Decimal("0.8"))
    dialect = Listening(long, short, partial=True)
    desk = listening(monkeypatch, dialect, pays=["447973100001", "447973100002"], routes=ROUTES)
    assert send(desk, "<sms@toy.example>").action is Action.DISCARD
    refused, _ = dialect.outcomes[-1].results
    assert isinstance(refused, Refused)
    assert (refused.written, refused.reply.limit) == ("447973100001", Limit.PRICE)
    assert refused.reply.text == "the message costs 1.6 credits and 1.5 are allowed"


@pytest.mark.parametrize(
    ("credits", "expected"),
    [("2", "2"), ("0.250", "0.25"), ("2321.21", "2321.21"), ("100", "100"), ("0", "0"), ("-1.5", "-1.5")],
)
def test_amounts_are_written_without_needless_zeros(credits: str, expected: str) -> None:
    assert written(Decimal(credits)) == expected


def test_amounts_are_exact() -> None:
    assert thousandths(Decimal("0.1")) * 3 == thousandths(Decimal("0.3"))
