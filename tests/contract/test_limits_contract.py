"""What every store does about identical requests and floods; quotas are in test_queue_contract."""

from __future__ import annotations

from typing import Any

from contract.builders import NOW, mail, message
from contract.fates import lease, states
from sms_milter import reply
from sms_milter.errors import Excess, Rejected
from sms_milter.model import DuplicateRule, FloodRule, Limits, QuotaRule, Stored
from sms_milter.reply import Limit

TWICE = Limits(duplicates=DuplicateRule(allow=2, window_seconds=60))
THREE = Limits(flood=FloodRule(messages=3, gap_seconds=120, per_account=False))
THREE_IN_ALL = Limits(flood=FloodRule(messages=3, gap_seconds=120, per_account=True))
ONE, OTHER = "447973100001", "447973100002"


def taken(results: list[Any]) -> list[bool]:
    return [isinstance(result, Stored) for result in results]


# --- identical requests -------------------------------------------------------------------------------------


def test_of_identical_requests_only_the_allowed_are_taken(queue: Any) -> None:
    results = queue.put([mail(limits=TWICE, identity=b"same") for _ in range(3)], NOW)
    assert taken(results) == [True, True, False]
    assert isinstance(results[2], Rejected)
    assert results[2].reply.limit is Limit.DUPLICATE
    assert results[2].reply.free_at == NOW + 60
    assert len(states(queue)) == 2


def test_the_window_slides_and_counts_what_is_taken_only(queue: Any) -> None:
    def put(at: float) -> bool:
        return taken(queue.put([mail(limits=TWICE, identity=b"same")], NOW + at))[0]

    assert [put(at) for at in (0, 50, 59, 60, 61, 109, 110)] == [True, True, False, True, False, False, True]


def test_the_reply_says_when_the_next_would_be_taken(queue: Any) -> None:
    for at in (0, 20):
        queue.put([mail(limits=TWICE, identity=b"same")], NOW + at)
    (refused,) = queue.put([mail(limits=TWICE, identity=b"same")], NOW + 30)
    assert refused.reply.free_at == NOW + 60


def test_other_requests_and_other_accounts_are_not_affected(queue: Any) -> None:
    same = [mail(limits=TWICE, identity=b"same")] * 2
    others = [mail(limits=TWICE, identity=b"other"), mail(limits=TWICE, identity=b"same", account="b")]
    assert all(taken(queue.put([*same, *others], NOW)))


def test_a_retry_counts_once(queue: Any) -> None:
    first = mail(limits=TWICE, identity=b"same", fingerprint=b"f")
    assert [result.repeat for result in queue.put([first] * 4, NOW)] == [False, True, True, True]
    assert taken(queue.put([mail(limits=TWICE, identity=b"same")] * 2, NOW)) == [True, False]
    (again,) = queue.put([first], NOW)
    assert again.repeat  # although an identical request would now be refused


def test_without_an_identity_nothing_is_a_duplicate(queue: Any) -> None:
    assert all(taken(queue.put([mail(limits=TWICE)] * 5, NOW)))


# --- floods -------------------------------------------------------------------------------------------------


def test_a_run_is_as_long_as_allowed(queue: Any) -> None:
    results = [queue.put([mail(message(ONE), limits=THREE)], NOW + at)[0] for at in (0, 119, 238, 357)]
    assert taken(results) == [True, True, True, False]
    assert isinstance(results[3], Excess)
    assert results[3].messages == {0}
    assert (results[3].reply.limit, results[3].reply.free_at) == (Limit.FLOOD, NOW + 357 + 120)


def test_a_pause_ends_a_run(queue: Any) -> None:
    for start in (0, 500):
        results = [queue.put([mail(message(ONE), limits=THREE)], NOW + start + at)[0] for at in (0, 1, 2)]
        assert all(taken(results))
    assert taken(queue.put([mail(message(ONE), limits=THREE)], NOW + 502 + 120)) == [True]


def test_what_is_refused_counts_for_the_pause_but_not_for_the_run(queue: Any) -> None:
    def put(at: float) -> bool:
        return taken(queue.put([mail(message(ONE), limits=THREE)], NOW + at))[0]

    assert [put(at) for at in (0, 1, 2, 100, 200, 300)] == [True, True, True, False, False, False]
    assert put(420)
    assert [put(at) for at in (421, 422, 423)] == [True, True, False]


def test_each_destination_of_each_account_has_its_own_run(queue: Any) -> None:
    batch = [mail(message(number), limits=THREE, account=who) for number in (ONE, OTHER) for who in "ab"]
    assert all(taken(queue.put(batch * 3, NOW)))
    assert not any(taken(queue.put(batch, NOW)))


def test_an_account_may_have_one_run_for_all_destinations(queue: Any) -> None:
    batch = [mail(message(str(number)), limits=THREE_IN_ALL) for number in range(4)]
    assert taken(queue.put(batch, NOW)) == [True, True, True, False]
    assert taken(queue.put([mail(limits=THREE_IN_ALL, account="b")], NOW)) == [True]


def test_of_a_long_mail_the_messages_that_are_too_many_are_named_and_none_is_stored(queue: Any) -> None:
    long = mail(*(message(number) for number in (ONE, OTHER, ONE, ONE, ONE, OTHER, ONE)), limits=THREE)
    (refused,) = queue.put([long], NOW)
    assert refused.messages == {4, 6}
    assert states(queue) == []
    shorter = mail(*(message(number) for number in (ONE, OTHER, ONE, ONE, OTHER)), limits=THREE)
    assert taken(queue.put([shorter], NOW)) == [True]
    assert [part.destination for part in lease(queue)] == [ONE, OTHER, ONE, ONE, OTHER]


def test_messages_count_not_their_parts(queue: Any) -> None:
    assert all(taken(queue.put([mail(message(ONE, parts=5), limits=THREE) for _ in range(3)], NOW)))


# --- phones that want nothing -------------------------------------------------------------------------------

ASKED = Limits(suppression=True)


def test_a_phone_that_wants_nothing_more_gets_nothing_from_that_account(queue: Any) -> None:
    assert queue.suppress("acme", ONE, "asked for it by SMS", NOW)
    assert not queue.suppress("acme", ONE, "by the operator", NOW + 1)
    long = mail(message(OTHER), message(ONE), message(ONE), limits=ASKED)
    refused, other, unlimited = queue.put(
        [long, mail(message(ONE), limits=ASKED, account="b"), mail(message(ONE))], NOW
    )
    assert isinstance(refused, Excess)
    assert (refused.reply, refused.messages) == (reply.OPTED_OUT, {1, 2})
    assert taken([other, unlimited]) == [True, True]
    assert [queue.suppressed(*one) for one in (("acme", ONE), ("acme", OTHER), ("b", ONE))] == [
        True,
        False,
        False,
    ]


def test_who_wants_nothing_is_listed_and_taken_off(queue: Any) -> None:
    queue.suppress("acme", OTHER, "asked for it by SMS", NOW)
    queue.suppress("acme", ONE, "by the operator", NOW + 1)
    assert [tuple(one.values()) for one in queue.list_suppressed("acme")] == [
        (OTHER, NOW, "asked for it by SMS"),
        (ONE, NOW + 1, "by the operator"),
    ]
    assert queue.list_suppressed("b") == []
    assert queue.unsuppress("acme", OTHER)
    assert not queue.unsuppress("acme", OTHER)
    assert taken(queue.put([mail(message(OTHER), limits=ASKED)], NOW)) == [True]


# --- together -----------------------------------------------------------------------------------------------


def test_what_one_limit_refuses_uses_none_of_the_others(queue: Any) -> None:
    quota = QuotaRule(messages=4, per_sender=None, period_seconds=3600, defer=False)
    all_of_them = Limits(quota, TWICE.duplicates, THREE.flood)

    def put(identity: bytes, parts: int = 1, destination: str = ONE) -> Limit | None:
        one = mail(message(destination, parts=parts), limits=all_of_them, identity=identity)
        (result,) = queue.put([one], NOW)
        return None if isinstance(result, Stored) else result.reply.limit

    assert put(b"a") is None
    assert put(b"b", parts=9) is Limit.QUOTA
    assert put(b"b", parts=9) is Limit.QUOTA  # neither of them has counted as a request
    assert put(b"b") is None
    assert put(b"b") is None
    assert put(b"b", destination=OTHER) is Limit.DUPLICATE
    assert put(b"c") is Limit.FLOOD
    assert put(b"c", destination=OTHER) is None
    assert put(b"c", destination=OTHER) is Limit.QUOTA


def test_a_refusal_can_be_foretold_and_that_changes_nothing(queue: Any) -> None:
    one = mail(message(ONE), limits=Limits(None, TWICE.duplicates, THREE.flood), identity=b"same")
    assert [queue.refusal(one, NOW) for _ in range(5)] == [None] * 5
    assert all(taken(queue.put([one, one], NOW)))
    assert [queue.refusal(one, NOW).reply.limit for _ in range(2)] == [Limit.DUPLICATE] * 2
    assert queue.refusal(mail(limits=TWICE, identity=b"other"), NOW) is None
