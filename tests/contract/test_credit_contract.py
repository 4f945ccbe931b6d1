"""What every store does about prepaid credits; amounts are thousandths of a credit."""

from __future__ import annotations

from typing import Any

from contract.builders import DAY, NOW, mail, message
from contract.fates import accepted, expire, failed, lease, queued, receipt, record, settle, states, uncertain
from sms_milter.errors import Excess, Rejected
from sms_milter.model import CreditRule, Deed, Limits, NewMail, PartState, QuotaRule, Selection, Stored
from sms_milter.reply import Limit

FIVE = CreditRule(deposit=5000)
METERED = Limits(credits=FIVE)
ONE, OTHER = "447973100001", "447973100002"


def paid(*parts: int, price: int = 1000, destination: str = ONE, **fields: Any) -> NewMail:
    """A mail of a metered account with messages of so many parts each."""
    messages = [message(destination, parts=count, price=price) for count in parts]
    return mail(*messages, limits=fields.pop("limits", METERED), **fields)


def left(queue: Any, account: str = "acme") -> int:
    balance: int = queue.credit_left(account, FIVE)
    return balance


def history(queue: Any) -> list[tuple[int, str]]:
    return [(one["amount"], one["note"]) for one in reversed(queue.bookings("acme"))]


# --- what is taken is paid ----------------------------------------------------------------------------------


def test_a_mail_costs_its_parts(queue: Any) -> None:
    assert left(queue) == 5000
    queue.put([paid(2, 1)], NOW)
    assert left(queue) == 2000
    queue.put([paid(3, price=250)], NOW)
    assert left(queue) == 1250
    assert history(queue) == [(-3000, "3 SMS"), (-750, "3 SMS")]


def test_a_request_may_cost_something_besides_its_messages(queue: Any) -> None:
    asking = paid()._replace(messages=(), fee=250)
    queue.put([asking, paid(1)._replace(fee=250)], NOW)
    assert left(queue) == 3500
    assert history(queue) == [(-250, "request"), (-1250, "1 SMS")]
    (refused,) = queue.put([asking._replace(fee=3501)], NOW)
    assert isinstance(refused, Rejected)
    assert not isinstance(refused, Excess)
    assert refused.reply.limit is Limit.CREDIT
    (together,) = queue.put([paid(3)._replace(fee=501)], NOW)
    assert isinstance(together, Rejected)
    assert left(queue) == 3500


def test_a_mail_that_is_not_paid_is_refused_and_costs_nothing(queue: Any) -> None:
    first, refused, third = queue.put([paid(4), paid(2), paid(1)], NOW)
    assert isinstance(first, Stored)
    assert isinstance(refused, Excess)
    assert (refused.reply.code, refused.reply.limit) == (552, Limit.CREDIT)
    assert refused.reply.text == "not enough SMS credits, 1 left"
    assert isinstance(third, Stored)
    assert left(queue) == 0
    assert len(states(queue)) == 5


def test_the_messages_that_credits_no_longer_pay_are_named(queue: Any) -> None:
    (refused,) = queue.put([paid(3, 3, 1, 2, 1)], NOW)
    assert refused.messages == {1, 3}
    assert left(queue) == 5000
    (none,) = queue.put([paid(6, 7)], NOW)
    assert none.messages == {0, 1}


def test_messages_that_cost_nothing_are_taken_without_credits(queue: Any) -> None:
    queue.put([paid(5)], NOW)
    assert isinstance(queue.put([paid(9, price=0)], NOW)[0], Stored)


def test_each_account_has_its_own_credits_and_others_none(queue: Any) -> None:
    queue.put([paid(5), paid(2, account="b"), mail(message(price=1000))], NOW)
    assert (left(queue), left(queue, "b"), left(queue, "c")) == (0, 3000, 5000)
    assert queue.balances() == {"acme": -5000, "b": -2000}


def test_a_retry_is_paid_once_and_also_when_the_credits_are_used_up(queue: Any) -> None:
    queue.put([paid(5, fingerprint=b"f")], NOW)
    (again,) = queue.put([paid(5, fingerprint=b"f")], NOW)
    assert again.repeat
    assert left(queue) == 0


def test_other_limits_are_asked_before_and_then_nothing_is_paid(queue: Any) -> None:
    none = Limits(quota=QuotaRule(0, None, 3600, defer=False), credits=FIVE)
    (refused,) = queue.put([paid(1, limits=none)], NOW)
    assert refused.reply.limit is Limit.QUOTA
    assert left(queue) == 5000


def test_what_the_configuration_gives_may_change(queue: Any) -> None:
    queue.put([paid(5)], NOW)
    assert queue.credit_left("acme", CreditRule(7000)) == 2000
    assert isinstance(queue.put([paid(2, limits=Limits(credits=CreditRule(7000)))], NOW)[0], Stored)
    assert queue.credit_left("acme", CreditRule(0)) == -7000
    (refused,) = queue.put([paid(1, limits=Limits(credits=CreditRule(0)))], NOW)
    assert refused.reply.text == "not enough SMS credits, 0 left"


# --- what never reached the SMSC comes back -----------------------------------------------------------------


def test_what_the_smsc_refuses_comes_back(queue: Any) -> None:
    queue.put([paid(1), paid(1)], NOW)
    one, other = lease(queue)
    record(queue, failed(one.part_id), accepted(other.part_id, "k"))
    assert left(queue) == 4000
    assert history(queue)[2:] == [(1000, "1 SMS not sent")]


def test_with_a_refused_part_come_back_those_that_were_not_sent(queue: Any) -> None:
    queue.put([paid(4)], NOW)
    first, second = lease(queue, 2)
    record(queue, accepted(first.part_id, "k"), failed(second.part_id))
    assert states(queue) == ["accepted", "failed", "failed", "failed"]
    assert left(queue) == 4000
    assert history(queue)[1:] == [(3000, "3 SMS not sent")]


def test_a_failure_that_a_receipt_tells_of_is_paid(queue: Any) -> None:
    queue.put([paid(2)], NOW)
    first, second = lease(queue)
    record(queue, accepted(first.part_id, "k"))
    settle(queue, receipt("k", PartState.FAILED, stat="UNDELIV"))
    assert left(queue) == 3000
    record(queue, failed(second.part_id))
    assert states(queue) == ["failed", "failed"]
    assert left(queue) == 4000


def test_what_expires_in_the_queue_comes_back(queue: Any) -> None:
    queue.put([paid(2), paid(1, destination=OTHER)], NOW)
    assert len(expire(queue, NOW + DAY)) == 3
    assert left(queue) == 5000
    expire(queue, NOW + DAY)
    assert left(queue) == 5000


def test_what_may_have_been_sent_is_paid(queue: Any) -> None:
    queue.put([paid(1), paid(1, destination=OTHER)], NOW)
    one, other = lease(queue)
    record(queue, uncertain(one.part_id), queued(other.part_id, NOW + 10, doubt=True))
    expire(queue, NOW + DAY)
    assert states(queue) == ["uncertain", "expired"]
    assert left(queue) == 3000


def test_what_is_tried_again_without_doubt_comes_back_if_it_fails(queue: Any) -> None:
    queue.put([paid(1)], NOW)
    (part,) = lease(queue)
    record(queue, queued(part.part_id, NOW + 10))
    (part,) = lease(queue, now=NOW + 10)
    record(queue, failed(part.part_id))
    record(queue, failed(part.part_id))
    assert left(queue) == 5000


def test_what_an_operator_cancels_comes_back(queue: Any) -> None:
    queue.put([paid(3)], NOW)
    lease(queue, 1)
    queue.change(Deed.CANCEL, Selection(account="acme"), NOW)
    assert left(queue) == 4000


def test_what_is_sent_again_is_paid_again_as_far_as_credits_last(queue: Any) -> None:
    queue.put([paid(1), paid(1, destination=OTHER)], NOW)
    queue.change(Deed.CANCEL, Selection(account="acme"), NOW)
    queue.put([paid(4)], NOW)
    assert left(queue) == 1000
    done = queue.change(Deed.RETRY, Selection(account="acme"), NOW + 1)
    assert [part.destination for part in done.parts] == [ONE]
    assert left(queue) == 0
    assert history(queue)[-1] == (-1000, "1 SMS sent again")
    queue.change(Deed.CANCEL, Selection(account="acme"), NOW + 2)
    assert left(queue) == 5000


def test_unmetered_accounts_get_nothing_back(queue: Any) -> None:
    queue.put([paid(1), mail(message(price=1000), account="b")], NOW)
    expire(queue, NOW + DAY)
    assert queue.balances() == {"acme": 0}


# --- operators ----------------------------------------------------------------------------------------------


def test_credits_are_booked_and_taken_away_but_not_below_nothing(queue: Any) -> None:
    assert queue.book("acme", FIVE, 2500, "invoice 7", NOW) == 7500
    queue.put([paid(7)], NOW + 1)
    assert queue.book("acme", FIVE, -501, "", NOW + 2) is None
    assert queue.book("acme", FIVE, -500, "mistake", NOW + 3) == 0
    assert history(queue) == [(2500, "invoice 7"), (-7000, "7 SMS"), (-500, "mistake")]
    newest, *_ = queue.bookings("acme", 1)
    assert (newest["at"], newest["queue_id"]) == (NOW + 3, None)
    assert queue.bookings("b") == []
