"""What every store does, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from contract.builders import DAY, NOW, concatenated, mail, message
from contract.fates import accepted, expire, failed, lease, queued, receipt, record, settle, states, uncertain
from sms_milter.errors import Deferred, Rejected
from sms_milter.model import (
    Deed,
    LinkState,
    LinkStatus,
    LoginRule,
    Outcome,
    PartState,
    Priority,
    Promise,
    QuotaRule,
    ReceiptNews,
    Selection,
    SmscLoad,
    Stored,
)
from sms_milter.queue.postgresql import PostgresqlQueue

Open = Callable[..., Any]


# --- put ----------------------------------------------------------------------------------------------------


def test_each_mail_of_a_batch_gets_its_own_queue_id(queue: Any) -> None:
    results = queue.put([mail(), mail(message(parts=2), message("447973100001")), mail()], NOW)
    assert all(isinstance(result, Stored) and not result.repeat for result in results)
    assert len({result.queue_id for result in results}) == 3
    assert states(queue) == ["queued"] * 5


def test_nothing_to_put_is_nothing(queue: Any) -> None:
    assert queue.put([], NOW) == []


def test_a_leased_part_carries_what_sending_and_logging_need(queue: Any) -> None:
    (stored,) = queue.put([mail(message(parts=2, validity_seconds=600), mta_queue_id="4QID")], NOW)
    first, second = lease(queue, first=41)
    assert (first.queue_id, first.mta_queue_id) == (stored.queue_id, "4QID")
    assert (first.destination, first.number, first.total) == ("447973100000", 1, 2)
    assert (first.body, second.body) == (b"447973100000/1", b"447973100000/2")
    assert (first.attempts, first.doubts) == (0, 0)
    assert (first.received_at, first.expires_at) == (NOW, NOW + 600)
    assert (first.sequence, second.sequence) == (41, 42)


def test_odd_octets_in_an_address_do_not_hurt_the_batch(queue: Any) -> None:
    odd = mail(sender="caf\udce9@acme.example", mta_queue_id="4ODD")
    assert all(isinstance(result, Stored) for result in queue.put([odd, mail()], NOW))
    assert len(lease(queue)) == 2


def test_a_retry_is_answered_with_the_first_ones_id(queue: Any) -> None:
    (first,) = queue.put([mail(fingerprint=b"f")], NOW)
    again, other = queue.put([mail(fingerprint=b"f"), mail(fingerprint=b"g")], NOW + 3600)
    assert again == Stored(first.queue_id, repeat=True)
    assert not other.repeat
    assert len(states(queue)) == 2


def test_a_retry_within_one_batch_counts_too(queue: Any) -> None:
    first, again = queue.put([mail(fingerprint=b"f"), mail(fingerprint=b"f")], NOW)
    assert again == Stored(first.queue_id, repeat=True)
    assert len(states(queue)) == 1


def test_mails_without_fingerprint_are_never_retries(queue: Any) -> None:
    assert not any(result.repeat for result in queue.put([mail(), mail()], NOW))


def test_after_the_retry_window_it_is_a_new_mail(open_one: Open) -> None:
    queue = open_one(retry_window_seconds=60.0)
    queue.put([mail(fingerprint=b"f", at=NOW)], NOW)
    (again,) = queue.put([mail(fingerprint=b"f", at=NOW + 60)], NOW + 60)
    assert not again.repeat
    (third,) = queue.put([mail(fingerprint=b"f", at=NOW + 61)], NOW + 61)
    assert third == Stored(again.queue_id, repeat=True)


def test_parts_of_a_message_share_a_reference_and_the_next_message_gets_the_next(queue: Any) -> None:
    queue.put([mail(concatenated("447973100000")), mail(concatenated("447973100000"))], NOW)
    queue.put([mail(concatenated("447973100000"))], NOW)
    references = [int.from_bytes(part.body[:2], "big") for part in lease(queue)]
    start = references[0]
    expected = [(start + step) % 65536 for step in (0, 0, 1, 1, 2, 2)]
    assert references == expected


def test_references_of_one_octet_go_round(queue: Any) -> None:
    queue.put([mail(concatenated("447973100000", width=1)) for _ in range(300)], NOW)
    references = [part.body[0] for part in lease(queue, 600)][::2]
    assert all(after == (before + 1) % 256 for before, after in pairwise(references))


def test_references_belong_to_a_pair_of_addresses(queue: Any) -> None:
    pairs = [("447973100000", "ACME"), ("447973100000", "OTHER"), ("447973100001", "ACME")]
    before = [concatenated(destination, originator=originator) for destination, originator in pairs]
    queue.put([mail(*before), mail(before[0])], NOW)
    bodies = [int.from_bytes(part.body[:2], "big") for part in lease(queue)][::2]
    assert (bodies[3] - bodies[0]) % 65536 == 1


# --- quotas -------------------------------------------------------------------------------------------------

HOURLY = QuotaRule(messages=3, per_sender=2, period_seconds=3600, defer=False)


def test_over_the_quota_nothing_of_the_mail_is_left(queue: Any) -> None:
    big = mail(message(parts=4), quota=HOURLY, fingerprint=b"big")
    refused, other = queue.put([big, mail()], NOW)
    assert isinstance(refused, Rejected)
    assert refused.reply.code == 552
    assert isinstance(other, Stored)
    assert states(queue) == ["queued"]
    assert queue.quota_left("acme", "alerts@acme.example", HOURLY, NOW)[:2] == (2, NOW)
    (later,) = queue.put([mail(fingerprint=b"big")], NOW)
    assert not later.repeat


def test_a_sender_may_have_a_quota_of_its_own(queue: Any) -> None:
    rule = QuotaRule(
        None, 1, 3600.0, True, {"two@acme.example": 2, "free@acme.example": None, "none@acme.example": 0}
    )
    for sender, allowed in (("two@acme.example", 2), ("free@acme.example", 5), ("other@acme.example", 1)):
        results = [queue.put([mail(quota=rule, sender=sender)], NOW)[0] for _ in range(5)]
        assert [isinstance(one, Stored) for one in results] == [place < allowed for place in range(5)]
    assert queue.quota_left("acme", "none@acme.example", rule, NOW)[0] == 0
    assert queue.quota_left("acme", "two@acme.example", rule, NOW)[0] == 0


def test_a_quota_may_put_off_instead(queue: Any) -> None:
    rule = QuotaRule(messages=1, per_sender=None, period_seconds=3600, defer=True)
    _, refused = queue.put([mail(quota=rule), mail(quota=rule)], NOW)
    assert isinstance(refused, Deferred)
    assert refused.reply.code == 452


def test_mails_of_one_batch_count_for_each_other(queue: Any) -> None:
    results = queue.put([mail(quota=HOURLY) for _ in range(3)], NOW)
    assert [isinstance(result, Stored) for result in results] == [True, True, False]


def test_a_sender_has_its_own_share(queue: Any) -> None:
    def by(sender: str) -> Any:
        return queue.put([mail(quota=HOURLY, sender=sender)], NOW)[0]

    assert isinstance(by("a@acme.example"), Stored)
    assert isinstance(by("a@acme.example"), Stored)
    assert isinstance(by("a@acme.example"), Rejected)
    assert isinstance(by("b@acme.example"), Stored)
    assert isinstance(by("c@acme.example"), Rejected)  # the account's three are used up
    assert queue.quota_left("acme", "c@acme.example", HOURLY, NOW)[0] == 0
    assert queue.quota_left("other", "c@acme.example", HOURLY, NOW)[0] == 2


def test_the_window_slides(queue: Any) -> None:
    rule = QuotaRule(messages=2, per_sender=None, period_seconds=100, defer=False)
    for at in (NOW, NOW + 60):
        assert isinstance(queue.put([mail(quota=rule)], at)[0], Stored)
    (refused,) = queue.put([mail(quota=rule)], NOW + 99)
    assert "free again 1970-01-12T13:48:20Z" in refused.reply.text  # NOW + 100
    assert queue.quota_left("acme", "x@y", rule, NOW + 99)[:2] == (0, NOW + 100)
    assert isinstance(queue.put([mail(quota=rule)], NOW + 100)[0], Stored)
    assert queue.quota_left("acme", "x@y", rule, NOW + 100)[:2] == (0, NOW + 160)
    assert queue.quota_left("acme", "x@y", rule, NOW + 1000)[:2] == (2, NOW + 1000)


def test_the_reply_names_the_time_when_the_whole_mail_will_fit(queue: Any) -> None:
    rule = QuotaRule(messages=3, per_sender=None, period_seconds=100, defer=False)
    for at in (NOW, NOW + 20, NOW + 40):
        queue.put([mail(quota=rule)], at)
    (refused,) = queue.put([mail(message(parts=2), quota=rule)], NOW + 50)
    assert "free again 1970-01-12T13:48:40Z" in refused.reply.text  # NOW + 120: two of three have left


def test_a_clock_set_back_loses_no_charge(queue: Any) -> None:
    rule = QuotaRule(messages=5, per_sender=None, period_seconds=100, defer=False)
    for at in (NOW + 10, NOW, NOW + 5):
        queue.put([mail(quota=rule)], at)
    assert queue.quota_left("acme", "x@y", rule, NOW + 10)[0] == 2
    assert queue.quota_left("acme", "x@y", rule, NOW + 110)[0] == 5


def test_a_retry_is_not_charged(queue: Any) -> None:
    queue.put([mail(quota=HOURLY, fingerprint=b"f")], NOW)
    queue.put([mail(quota=HOURLY, fingerprint=b"f")], NOW)
    assert queue.quota_left("acme", "alerts@acme.example", HOURLY, NOW)[0] == 1


def test_a_fixed_period_begins_by_the_calendar(queue: Any) -> None:
    rule = QuotaRule(messages=2, per_sender=None, period_seconds=DAY, defer=False, fixed=True)
    midnight = 12 * DAY  # NOW is on the day before
    for at in (NOW, midnight - 1):
        assert isinstance(queue.put([mail(quota=rule)], at)[0], Stored)
    (refused,) = queue.put([mail(quota=rule)], midnight - 0.5)
    assert refused.reply.text == "quota of 2 SMS per day used, free again 1970-01-13T00:00:00Z"
    assert queue.quota_left("acme", "", rule, midnight - 0.5).parts == 0
    for at in (midnight, midnight + 1):
        assert isinstance(queue.put([mail(quota=rule)], at)[0], Stored)
    (refused,) = queue.put([mail(quota=rule)], midnight + DAY - 1)
    assert refused.reply.free_at == pytest.approx(midnight + DAY, abs=1e-6)
    assert queue.quota_left("acme", "", rule, midnight + DAY).parts == 2


def test_the_refusal_names_the_quota_for_which_the_wait_is_longest(queue: Any) -> None:
    rule = QuotaRule(messages=3, per_sender=1, period_seconds=100, defer=True)
    for at, sender in ((0, "a@acme.example"), (10, "b@acme.example"), (20, "c@acme.example")):
        queue.put([mail(quota=rule, sender=sender)], NOW + at)
    (refused,) = queue.put([mail(quota=rule, sender="c@acme.example")], NOW + 30)
    assert refused.reply.text.startswith("quota of 1 SMS per 100 s of this sender used")
    assert refused.reply.free_at == NOW + 120
    (refused,) = queue.put([mail(quota=rule, sender="d@acme.example")], NOW + 30)
    assert refused.reply.text.startswith("quota of 3 SMS per 100 s used")
    assert refused.reply.free_at == NOW + 100


def test_what_will_never_fit_is_refused_for_good(queue: Any) -> None:
    rule = QuotaRule(messages=9, per_sender=2, period_seconds=3600, defer=True)
    (refused,) = queue.put([mail(message(parts=3), quota=rule)], NOW)
    assert isinstance(refused, Rejected)
    assert refused.reply.text == "the mail needs 3 SMS, more than the quota of 2 SMS per hour of this sender"


# --- failed logins ------------------------------------------------------------------------------------------

THREE = LoginRule(count=3, within_seconds=100, block_seconds=50)


def test_too_many_failed_logins_block_for_a_time(queue: Any) -> None:
    assert [queue.login_failed("client a", THREE, NOW + at) for at in (0, 1, 2)] == [False, False, True]
    assert queue.login_blocked("client a", NOW + 51)
    assert not queue.login_blocked("client a", NOW + 52)
    assert not queue.login_blocked("client b", NOW + 2)


def test_old_failures_do_not_count(queue: Any) -> None:
    assert [queue.login_failed("a", THREE, NOW + at) for at in (0, 1, 100, 101)] == [False] * 4
    assert queue.login_failed("a", THREE, NOW + 102)


def test_after_a_block_counting_begins_anew(queue: Any) -> None:
    assert [queue.login_failed("a", THREE, NOW) for _ in range(5)] == [False, False, True, False, False]
    assert queue.login_failed("a", THREE, NOW + 10)
    assert queue.login_blocked("a", NOW + 59)


def test_a_failed_login_of_one_is_none_of_another(queue: Any) -> None:
    assert [queue.login_failed(who, THREE, NOW) for who in ("a", "b", "a", "b")] == [False] * 4


def test_blocks_are_shown_and_lifted(queue: Any) -> None:
    for who in ("client b", "client a", "client a", "client a", "client c", "client c", "client c"):
        queue.login_failed(who, THREE, NOW)
    assert [one["who"] for one in queue.blocks(NOW + 49)] == ["client a", "client c"]
    assert queue.blocks(NOW)[0]["until"] == NOW + 50
    assert not queue.lift_block("client b", NOW)
    assert queue.lift_block("client a", NOW)
    assert not queue.lift_block("client a", NOW)
    assert [queue.login_blocked(who, NOW) for who in ("client a", "client c")] == [False, True]
    assert queue.blocks(NOW + 50) == []
    assert not queue.lift_block("client c", NOW + 50)


# --- lease --------------------------------------------------------------------------------------------------


def test_parts_leave_by_priority_due_time_and_age(queue: Any) -> None:
    def put(destination: str, priority: Priority, not_before: float | None = None) -> None:
        queue.put([mail(message(destination, priority=priority, not_before=not_before))], NOW)

    put("1", Priority.LOW)
    put("2", Priority.NORMAL)
    put("3", Priority.NORMAL, NOW - 60)
    put("4", Priority.NORMAL)
    put("5", Priority.HIGH)
    assert [part.destination for part in lease(queue)] == ["5", "3", "2", "4", "1"]


def test_parts_of_one_message_leave_in_order(queue: Any) -> None:
    queue.put([mail(message(parts=5)), mail(message("447973100001", parts=5))], NOW)
    assert [part.number for part in lease(queue)] == [1, 2, 3, 4, 5] * 2


def test_no_part_is_leased_twice(queue: Any) -> None:
    queue.put([mail() for _ in range(5)], NOW)
    first, second = lease(queue, 3), lease(queue, 3)
    assert (len(first), len(second)) == (3, 2)
    assert len({part.part_id for part in (*first, *second)}) == 5
    assert lease(queue) == []


def test_each_smsc_has_its_own_parts(queue: Any) -> None:
    queue.put([mail(message(smsc="main")), mail(message(smsc="backup"))], NOW)
    assert len(lease(queue, smsc="backup")) == 1
    assert len(lease(queue, smsc="main")) == 1


def test_a_part_is_not_sent_before_its_time_nor_after(queue: Any) -> None:
    queue.put([mail(message(not_before=NOW + 100, validity_seconds=50))], NOW)
    assert lease(queue, now=NOW + 99) == []
    assert lease(queue, now=NOW + 150) == []
    (part,) = lease(queue, now=NOW + 149)
    assert part.expires_at == NOW + 150


def _accounts(parts: Any) -> list[str]:
    return [part.account for part in parts]


def test_accounts_share_the_slots_of_a_priority(queue: Any) -> None:
    crowd = [mail(message(f"44797310{number:04}"), account="crowd") for number in range(20)]
    few = [mail(account=name) for name in ("alone", "zealous") for _ in range(2)]
    queue.put(crowd + few, NOW)
    taken = _accounts(lease(queue, 9))
    assert {name: taken.count(name) for name in set(taken)} == {"alone": 2, "crowd": 5, "zealous": 2}
    assert _accounts(lease(queue, 5, first=20)) == ["crowd"] * 5


def test_with_one_slot_accounts_take_turns(queue: Any) -> None:
    queue.put([mail(account=name) for name in ("a", "a", "a", "b", "c")], NOW)
    turns, after = [], ""
    for number in range(5):
        with queue.transaction() as work:
            (part,) = work.lease("main", "b1", [number + 1], NOW, after)
        after = part.account
        turns.append(after)
    assert turns == ["a", "b", "c", "a", "a"]


def test_a_higher_priority_goes_before_anybodys_turn(queue: Any) -> None:
    queue.put([mail(account="a"), mail(message(priority=Priority.HIGH), account="z")], NOW)
    assert _accounts(lease(queue, 1)) == ["z"]


def test_an_accounts_own_order_overtakes_nobody_else(queue: Any) -> None:
    own = [
        mail(message(f"44797310000{number}", priority=priority, own_order=True), account="z")
        for number, priority in enumerate((Priority.LOW, Priority.HIGH, Priority.NORMAL))
    ]
    queue.put([*own, mail(message("447973100009"), account="a")], NOW)
    assert [part.destination[-1] for part in lease(queue, 4)] == ["9", "1", "2", "0"]


def test_a_part_that_had_to_wait_goes_when_its_time_comes(queue: Any) -> None:
    queue.put([mail(message(not_before=NOW + 60))], NOW)
    assert lease(queue, now=NOW + 59) == []
    (part,) = lease(queue, now=NOW + 60)
    record(queue, queued(part.part_id, NOW + 90))
    assert lease(queue, now=NOW + 89) == []
    assert len(lease(queue, now=NOW + 90)) == 1


def test_the_next_due_time_is_known(queue: Any) -> None:
    assert queue.next_due("main") is None
    queue.put([mail(message(not_before=NOW + 50, priority=Priority.HIGH))], NOW)
    assert queue.next_due("main") == NOW + 50
    queue.put([mail(message(not_before=NOW - 5, priority=Priority.LOW))], NOW)
    assert queue.next_due("main") == NOW - 5
    assert queue.next_due("backup") is None
    lease(queue)
    assert queue.next_due("main") == NOW + 50


def test_an_exception_undoes_the_whole_transaction(queue: Any) -> None:
    queue.put([mail(), mail()], NOW)
    (part,) = lease(queue, 1)

    def broken() -> None:
        with queue.transaction() as work:
            work.record([accepted(part.part_id, "k")])
            work.lease("main", "b1", [7], NOW)
            raise RuntimeError("lost")

    with pytest.raises(RuntimeError, match="lost"):
        broken()
    assert states(queue) == ["submitting", "queued"]
    assert settle(queue, receipt("k")) == []


# --- outcomes -----------------------------------------------------------------------------------------------


def test_a_part_to_be_tried_again_waits_for_its_time(queue: Any) -> None:
    queue.put([mail()], NOW)
    (part,) = lease(queue)
    record(queue, queued(part.part_id, NOW + 30))
    assert lease(queue, now=NOW + 29) == []
    (again,) = lease(queue, now=NOW + 30)
    assert (again.part_id, again.attempts, again.doubts) == (part.part_id, 1, 0)
    record(queue, queued(part.part_id, NOW + 31, counts=False, doubt=True))
    (third,) = lease(queue, now=NOW + 31)
    assert (third.attempts, third.doubts) == (1, 1)


def test_a_failed_part_takes_its_waiting_siblings_with_it(queue: Any) -> None:
    queue.put([mail(message(parts=4), message("447973100001", parts=2))], NOW)
    parts = lease(queue, 2)
    record(queue, accepted(parts[0].part_id, "k"), failed(parts[1].part_id))
    assert states(queue) == ["accepted", "failed", "failed", "failed", "queued", "queued"]


def test_an_uncertain_part_keeps_bind_and_sequence_and_may_end_in_any_way(queue: Any) -> None:
    queue.put([mail() for _ in range(3)], NOW)
    parts = lease(queue, first=71)
    record(queue, *(uncertain(part.part_id) for part in parts))
    shown = queue.list_parts(states=["uncertain"])
    assert [(part["bind"], part["sequence"]) for part in shown] == [("b1", 73), ("b1", 72), ("b1", 71)]
    record(queue, accepted(parts[0].part_id, "k"), failed(parts[1].part_id), queued(parts[2].part_id, NOW))
    assert states(queue) == ["accepted", "failed", "queued"]


def test_a_late_acceptance_keeps_a_part_from_being_sent_again(queue: Any) -> None:
    queue.put([mail()], NOW)
    (part,) = lease(queue)
    record(queue, queued(part.part_id, NOW + 30, doubt=True))
    record(queue, accepted(part.part_id, "k"))
    assert lease(queue, now=NOW + 30) == []
    assert settle(queue, receipt("k"))[0].changed


def test_outcomes_of_one_part_count_in_their_order(queue: Any) -> None:
    queue.put([mail()], NOW)
    (part,) = lease(queue)
    record(queue, uncertain(part.part_id), queued(part.part_id, NOW + 5, doubt=True))
    assert states(queue) == ["queued"]
    assert queue.next_due("main") == NOW + 5


def test_the_first_final_state_stays(queue: Any) -> None:
    queue.put([mail(), mail()], NOW)
    one, two = lease(queue)
    record(queue, failed(one.part_id), accepted(two.part_id, "k"))
    settle(queue, receipt("k"))
    record(queue, accepted(one.part_id, "l"), failed(two.part_id), queued(two.part_id, NOW))
    record(queue, uncertain(one.part_id))
    assert states(queue) == ["failed", "delivered"]
    assert lease(queue) == []


def test_parts_left_behind_are_named_until_an_outcome_is_recorded(queue: Any) -> None:
    queue.put([mail(), mail(message(smsc="backup")), mail()], NOW)
    (part,) = lease(queue, 1, first=9)
    lease(queue, smsc="backup")
    abandoned = queue.abandoned("main")
    assert [(one.part_id, one.sequence, one.body) for one in abandoned] == [(part.part_id, 9, part.body)]
    assert states(queue) == ["submitting", "submitting", "queued"]
    record(queue, uncertain(part.part_id))
    assert queue.abandoned("main") == []
    assert states(queue) == ["uncertain", "submitting", "queued"]


def test_parts_expire_when_their_time_is_over(queue: Any) -> None:
    first, second, third = (
        message(name, expires_at=NOW + after) for name, after in (("1", 1000), ("2", 10), ("3", 1000))
    )
    queue.put([mail(first), mail(second), mail(third)], NOW)
    lease(queue, 1)
    assert expire(queue, NOW + 9) == []
    assert [part.destination for part in expire(queue, NOW + 10)] == ["2"]
    assert expire(queue, NOW + 11) == []
    assert [part.destination for part in expire(queue, NOW + 1000)] == ["3"]
    assert states(queue) == ["submitting", "expired", "expired"]


def test_a_thousand_parts_expire_at_a_time(queue: Any) -> None:
    queue.put([mail(*(message(str(number), expires_at=NOW + 1) for number in range(1100)))], NOW)
    assert [len(expire(queue, NOW + 1)) for _ in range(3)] == [1000, 100, 0]


# --- receipts -----------------------------------------------------------------------------------------------


def sent(queue: Any, *destinations: str, key: str = "k") -> list[Any]:
    queue.put([mail(message(destination)) for destination in destinations], NOW)
    parts = list(lease(queue))
    record(queue, *(accepted(part.part_id, key) for part in parts))
    return parts


def test_a_receipt_settles_its_part(queue: Any) -> None:
    (part,) = sent(queue, "447973100000")
    news = receipt("k", PartState.FAILED, stat="UNDELIV")
    (settled,) = settle(queue, news)
    assert (settled.queue_id, settled.mta_queue_id) == (part.queue_id, "4ABC")
    assert (settled.destination, settled.number, settled.total) == ("447973100000", 1, 1)
    assert settled.receipt == news
    assert settled.changed
    assert states(queue) == ["failed"]


def test_a_repeated_receipt_changes_nothing(queue: Any) -> None:
    sent(queue, "447973100000")
    one, two = settle(queue, receipt("k"), receipt("k"))
    assert (one.changed, two.changed) == (True, False)


def test_a_later_final_state_does_not_replace_the_first(queue: Any) -> None:
    sent(queue, "447973100000")
    settle(queue, receipt("k"))
    (late,) = settle(queue, receipt("k", PartState.EXPIRED, stat="EXPIRED"))
    assert not late.changed
    assert states(queue) == ["delivered"]


def test_an_interim_receipt_is_news_once_and_never_replaces_a_final_one(queue: Any) -> None:
    sent(queue, "447973100000")
    interim = receipt("k", None, stat="ENROUTE")
    assert [settled.changed for settled in settle(queue, interim, interim)] == [True, False]
    assert states(queue) == ["accepted"]
    settle(queue, receipt("k"))
    assert [settled.changed for settled in settle(queue, interim)] == [False]
    assert states(queue) == ["delivered"]


def test_a_receipt_may_come_before_its_response(queue: Any) -> None:
    queue.put([mail()], NOW)
    (part,) = lease(queue)
    assert settle(queue, receipt("k")) == []
    assert queue.summary(NOW)["parked_receipts"] == 1
    (settled,) = record(queue, accepted(part.part_id, "k"))
    assert settled.changed
    assert settled.receipt == receipt("k")
    assert states(queue) == ["delivered"]
    assert queue.summary(NOW)["parked_receipts"] == 0
    assert record(queue, accepted(part.part_id, "k")) == []


def test_a_receipt_parked_while_another_stores_its_response_is_settled_later(tables: str) -> None:
    one, other = PostgresqlQueue(tables, owner="one"), PostgresqlQueue(tables, owner="other")
    one.put([mail()], NOW)
    (part,) = lease(one)
    with one.transaction() as work:
        assert work.record([accepted(part.part_id, "k")]) == []
        assert settle(other, receipt("k")) == []
    assert states(one) == ["accepted"]
    with other.transaction() as work:
        assert work.settle_parked(NOW + 1) == []
        (settled,) = work.settle_parked(NOW)
    assert (settled.queue_id, settled.changed, settled.receipt) == (part.queue_id, True, receipt("k"))
    assert states(one) == ["delivered"]
    assert one.summary(NOW)["parked_receipts"] == 0
    one.close()
    other.close()


def test_a_parked_receipt_without_a_part_stays_parked(queue: Any) -> None:
    settle(queue, receipt("k"))
    with queue.transaction() as work:
        assert work.settle_parked(NOW) == []
    assert queue.summary(NOW)["parked_receipts"] == 1


def test_a_parked_receipt_waits_for_its_own_smsc(queue: Any) -> None:
    queue.put([mail()], NOW)
    (part,) = lease(queue)
    settle(queue, receipt("k", smsc="backup"))
    assert record(queue, accepted(part.part_id, "k")) == []
    assert queue.summary(NOW)["parked_receipts"] == 1


def test_what_is_in_doubt_may_be_settled_by_an_id_that_we_chose(queue: Any) -> None:
    queue.put([mail()], NOW)
    (part,) = lease(queue)
    record(queue, uncertain(part.part_id)._replace(smsc_key="ours"))
    (settled,) = settle(queue, receipt("ours"))
    assert (settled.queue_id, settled.changed) == (part.queue_id, True)
    assert states(queue) == ["delivered"]


def test_what_is_done_is_not_tried_again_though_it_was_in_doubt(queue: Any) -> None:
    queue.put([mail()], NOW)
    (part,) = lease(queue)
    settle(queue, receipt("ours"))
    doubt = queued(part.part_id, NOW, doubt=True, smsc_key="ours")
    assert [one.changed for one in record(queue, doubt)] == [True]
    assert states(queue) == ["delivered"]
    assert lease(queue) == []
    assert queue.summary(NOW)["parts"]["queued"] == 0


def test_an_id_that_the_smsc_chose_takes_the_place_of_ours(queue: Any) -> None:
    queue.put([mail()], NOW)
    (part,) = lease(queue)
    record(queue, queued(part.part_id, NOW, doubt=True, smsc_key="ours"))
    (again,) = lease(queue)
    record(queue, accepted(again.part_id, "theirs"))
    assert settle(queue, receipt("ours")) == []
    assert [one.changed for one in settle(queue, receipt("theirs"))] == [True]


def test_parked_receipts_take_effect_in_the_order_they_came(queue: Any) -> None:
    queue.put([mail()], NOW)
    (part,) = lease(queue)
    settle(queue, receipt("k", None, stat="ENROUTE"), receipt("k"), receipt("k"))
    settled = record(queue, accepted(part.part_id, "k"))
    assert [one.changed for one in settled] == [True, True, False]


def test_ids_are_known_per_smsc_and_for_other_phones_exactly(queue: Any) -> None:
    sent(queue, "447973100000")
    other = "447000000000"
    strange = [receipt(key, source=other) for key in ("K", "0k")]
    assert settle(queue, receipt("k", smsc="backup"), *strange) == []
    assert states(queue) == ["accepted"]


def test_of_several_parts_with_one_id_the_phones_own_and_newest_is_meant(queue: Any) -> None:
    parts = sent(queue, "447973100001", "447973100002", "447973100001", "447973100003")
    (settled,) = settle(queue, receipt("k", source="+447973100001"))
    assert settled.queue_id == parts[2].queue_id
    (unknown,) = settle(queue, receipt("k", source="national"))
    assert unknown.queue_id == parts[3].queue_id


def test_an_empty_id_matches_nothing(queue: Any) -> None:
    sent(queue, "447973100000", key="")
    assert settle(queue, receipt("")) == []


def test_parked_receipts_are_given_up_after_a_week(queue: Any) -> None:
    settle(queue, receipt("old"), receipt("less old", at=NOW + 2 * DAY))
    settle(queue, receipt("new", at=NOW + 8 * DAY))
    assert queue.summary(NOW)["parked_receipts"] == 2
    queue.purge(NOW + 16 * DAY)
    assert queue.summary(NOW)["parked_receipts"] == 0


# --- purge --------------------------------------------------------------------------------------------------


def test_only_mails_finished_before_the_time_are_forgotten(queue: Any) -> None:
    queue.put([mail(message(parts=2)), mail(), mail()], NOW)
    a, b, c, _ = lease(queue)
    record(queue, accepted(a.part_id, "a"), accepted(b.part_id, "b"), failed(c.part_id, at=NOW + 5))
    settle(queue, receipt("a", at=NOW + 10))
    assert queue.purge(NOW + 5) == 0
    assert queue.purge(NOW + 6) == 1
    assert queue.purge(NOW + 11) == 0  # the second part still waits for its receipt
    settle(queue, receipt("b", at=NOW + 10))
    assert queue.purge(NOW + 11) == 1
    assert states(queue) == ["submitting"]
    assert settle(queue, receipt("a")) == []


def test_a_purge_stops_at_its_limit(queue: Any) -> None:
    queue.put([mail(message(parts=3)) for _ in range(5)], NOW)
    record(queue, *(failed(part.part_id) for part in lease(queue, 15)))
    assert [queue.purge(NOW + 1, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_a_mail_that_cannot_be_forgotten_does_not_hide_others(queue: Any) -> None:
    for destination in ("1", "2", "3"):
        queue.put([mail(message(destination), message(destination + "0", not_before=NOW + DAY))], NOW)
    queue.put([mail(message("4"))], NOW)
    record(queue, *(failed(part.part_id) for part in lease(queue)))
    assert queue.purge(NOW + 1, limit=1) == 1
    assert states(queue) == ["failed", "queued"] * 3


def test_without_a_receipt_a_mail_ends_with_its_acceptance(queue: Any) -> None:
    queue.put([mail(message(receipt=False))], NOW)
    (part,) = lease(queue)
    record(queue, accepted(part.part_id, "k"))
    assert queue.purge(NOW + 1) == 1


def test_receipts_are_waited_for_a_week_beyond_the_validity(queue: Any) -> None:
    queue.put([mail(message(validity_seconds=3600)), mail(message(validity_seconds=3600))], NOW)
    one, two = lease(queue)
    record(queue, accepted(one.part_id, "k"), uncertain(two.part_id))
    assert queue.purge(NOW + 3600 + 7 * DAY) == 0
    assert queue.purge(NOW + 3601 + 7 * DAY) == 2


def test_queue_ids_do_not_come_again(queue: Any) -> None:
    (old,) = queue.put([mail()], NOW)
    (part,) = lease(queue)
    record(queue, failed(part.part_id))
    assert queue.purge(NOW + 1) == 1
    (new,) = queue.put([mail()], NOW)
    assert new.queue_id > old.queue_id


# --- operators ----------------------------------------------------------------------------------------------


def test_parts_are_listed_newest_first_and_by_state(queue: Any) -> None:
    queue.put([mail(message(str(number))) for number in range(6)], NOW)
    parts = lease(queue, 5)
    record(queue, accepted(parts[0].part_id, "a"), failed(parts[1].part_id), accepted(parts[2].part_id, "c"))
    record(queue, uncertain(parts[3].part_id))
    settle(queue, receipt("c", source="2"))

    def listed(*wanted: str, limit: int = 1000) -> list[tuple[str, str]]:
        return [(part["destination"], part["state"]) for part in queue.list_parts(states=wanted, limit=limit)]

    assert listed(limit=3) == [("5", "queued"), ("4", "submitting"), ("3", "uncertain")]
    assert listed("delivered", "accepted") == [("2", "delivered"), ("0", "accepted")]
    assert listed("queued", "failed", "expired") == [("5", "queued"), ("1", "failed")]
    assert listed("submitting", "uncertain", limit=1) == [("4", "submitting")]


def test_a_mail_is_shown_by_either_queue_id_and_without_its_text(queue: Any) -> None:
    (stored, _) = queue.put(
        [mail(message(parts=2), message("447973100001"), mta_queue_id="4QID"), mail()], NOW
    )
    parts = lease(queue, 3)
    record(queue, *(accepted(part.part_id, f"k{part.number}") for part in parts[:2]))
    settle(queue, receipt("k2"))
    shown = queue.show_mail("4QID")
    assert shown == queue.show_mail(str(stored.queue_id))
    assert (shown["queue_id"], shown["mta_queue_id"], shown["account"]) == (stored.queue_id, "4QID", "acme")
    assert [one["destination"] for one in shown["messages"]] == ["447973100000", "447973100001"]
    assert [[part["state"] for part in one["parts"]] for one in shown["messages"]] == [
        ["accepted", "delivered"],
        ["submitting"],
    ]
    assert [kept["stat"] for kept in shown["messages"][0]["parts"][1]["receipts"]] == ["DELIVRD"]
    assert "secret words" not in repr(shown)
    assert "secret words" not in repr(queue.list_parts())
    assert queue.show_mail("4NONE") is None
    assert queue.show_mail("999999") is None


def test_of_two_mails_with_one_mta_queue_id_the_newest_is_shown(queue: Any) -> None:
    _, newest = queue.put([mail(mta_queue_id="4QID"), mail(mta_queue_id="4QID")], NOW)
    assert queue.show_mail("4QID")["queue_id"] == newest.queue_id


def test_a_message_is_shown_and_changed_by_the_id_that_its_client_knows(queue: Any) -> None:
    ids = ["a" * 32, "b" * 32]
    batch = [message(f"44797310000{at}", public_id=one, parts=2) for at, one in enumerate(ids)]
    (stored, _) = queue.put([mail(*batch), mail()], NOW)
    shown = queue.show_mail("b" * 32)
    (only,) = shown["messages"]
    assert (shown["queue_id"], only["destination"], only["public_id"]) == (
        stored.queue_id,
        "447973100001",
        "b" * 32,
    )
    assert [part["number"] for part in only["parts"]] == [1, 2]
    assert len(queue.show_mail(str(stored.queue_id))["messages"]) == 2
    assert {part["public_id"] for part in queue.list_parts()} == {*ids, None}
    done = queue.change(Deed.CANCEL, Selection("a" * 32), NOW)
    assert [part.destination for part in done.parts] == ["447973100000"] * 2
    assert queue.show_mail("c" * 32) is None


def test_the_summary_counts_states_backlog_and_links(queue: Any) -> None:
    queue.put([mail(message(priority=Priority.HIGH)), mail(), mail(message(not_before=NOW + 100))], NOW)
    lease(queue, 1)
    link = LinkStatus("main", "b1", LinkState.BOUND, NOW, 1, 10, 5, 4, 0, 0)
    queue.report_links([link], NOW)
    queue.report_links([link], NOW + 1)
    summary = queue.summary(NOW + 20)
    assert summary["parts"] == {
        **dict.fromkeys(map(str, PartState), 0),
        "queued": 2,
        "submitting": 1,
    }
    assert summary["backlog"] == [
        {"smsc": "main", "priority": "normal", "queued": 2, "due": 1, "oldest_seconds": 20.0}
    ]
    (shown,) = summary["links"]
    assert (shown["smsc"], shown["bind"]) == ("main", "b1")
    assert shown["reported_at"] == NOW + 1


def test_what_a_dispatcher_has_told_is_not_known_any_more_when_it_is_gone(queue: Any) -> None:
    queue.report_links([LinkStatus("main", "main/1", LinkState.BOUND, NOW, 1, 10, 5, 4, 0, 0)], NOW)
    queue.report_loads([SmscLoad("main", "window", "more", 4.0, 0.0, 0.0, 10, 1, None, None)], NOW)

    def shown(now: float) -> list[tuple[str, bool]]:
        (link,), (load,) = (queue.summary(now)[name] for name in ("links", "smscs"))
        assert link["reported_at"] == load["reported_at"] == NOW
        assert "alive_until" not in link.keys() | load.keys()
        return [(link["state"], link["stale"]), (load["limited_by"], load["stale"])]

    assert shown(NOW) == [("unknown", True)] * 2, "it never wanted a bind"
    queue.hold_binds("main", 1, "this host", NOW, NOW + 20)
    assert shown(NOW + 19) == [("bound", False), ("window", False)]
    assert shown(NOW + 20) == [("unknown", True)] * 2
    queue.hold_binds("main", 1, "this host", NOW + 20, NOW + 40)
    assert shown(NOW + 20) == [("bound", False), ("window", False)]
    queue.release_binds("this host")
    assert shown(NOW + 20) == [("unknown", True)] * 2, "it has ended"


def test_the_summary_names_the_dispatchers_that_have_binds(queue: Any) -> None:
    queue.hold_binds("main", 2, "one", NOW, NOW + 90)
    queue.hold_binds("other", 1, "one", NOW, NOW + 60)
    queue.hold_binds("third", 1, "two", NOW, NOW + 30)
    assert queue.summary(NOW)["dispatchers"] == [
        {"name": "one", "alive_until": NOW + 90},
        {"name": "two", "alive_until": NOW + 30},
    ]
    queue.release_binds("one")
    assert [one["name"] for one in queue.summary(NOW)["dispatchers"]] == ["two"]


# --- quiet hours --------------------------------------------------------------------------------------------

QUIET_UNTIL = NOW + 8 * 3600


def at_night(queue: Any, now: float = NOW, **more: Any) -> tuple[list[str], list[tuple[str, float]]]:
    """Whom what is leased is for while "acme" leaves British phones alone; of what is put off, until when."""

    def quiet(account: str, phone: str, now: float) -> float | None:
        return QUIET_UNTIL if account == "acme" and phone.startswith("44") and now < QUIET_UNTIL else None

    with queue.transaction() as work:
        found = work.lease("main", "main/1", range(1, 11), now, quiet=quiet, **more)
        later = [(part.destination, until) for part, until in work.asleep]
    return [part.destination for part in found], later


def test_what_would_ring_at_night_is_put_off(queue: Any) -> None:
    queue.put([mail(), mail(message("41790000000")), mail(message("447973100009"), account="other")], NOW)
    awake, asleep = at_night(queue)
    assert sorted(awake) == ["41790000000", "447973100009"]
    assert asleep == [("447973100000", QUIET_UNTIL)]
    assert queue.next_due("main") == QUIET_UNTIL
    assert lease(queue, now=QUIET_UNTIL - 1) == []
    assert at_night(queue, QUIET_UNTIL) == (["447973100000"], [])


def test_a_try_again_at_night_waits_for_the_morning_and_its_promise_with_it(queue: Any) -> None:
    queue.put([mail(message()._replace(promise=Promise(120.0)))], NOW)
    (part,) = lease(queue)
    record(queue, queued(part.part_id, NOW + 30, command_status=0x58))
    assert at_night(queue, NOW + 40) == ([], [("447973100000", QUIET_UNTIL)])
    with queue.transaction() as work:
        assert work.ways.promised("main", QUIET_UNTIL + 79, 10) == []
        assert len(work.ways.promised("main", QUIET_UNTIL + 81, 10)) == 1


def test_what_is_over_before_the_morning_goes_at_night(queue: Any) -> None:
    queue.put([mail(message(expires_at=QUIET_UNTIL))], NOW)
    assert at_night(queue) == (["447973100000"], [])


def test_a_message_that_has_begun_is_not_cut_in_two_by_the_night(queue: Any) -> None:
    queue.put([mail(message(parts=3)), mail(message("447973100001", parts=2))], NOW)
    lease(queue, 1)
    awake, asleep = at_night(queue)
    assert awake == ["447973100000"] * 2
    assert asleep == [("447973100001", QUIET_UNTIL)] * 2


# --- in doubt -----------------------------------------------------------------------------------------------


def in_doubt(queue: Any, *messages: Any) -> list[int]:
    """Part ids of what was sent and never answered."""
    queue.put([mail(one) for one in messages or (message(),)], NOW)
    parts = lease(queue)
    record(queue, *(uncertain(part.part_id) for part in parts))
    return [part.part_id for part in parts]


def reconsidered(queue: Any, before: float) -> list[int]:
    with queue.transaction() as work:
        return [part.part_id for part in work.reconsider("main", before, before + 1)]


def test_what_is_in_doubt_for_long_enough_is_queued_once_more_and_only_once(queue: Any) -> None:
    (part_id,) = in_doubt(queue)
    assert reconsidered(queue, NOW - 1) == []
    assert reconsidered(queue, NOW) == [part_id]
    (again,) = lease(queue, now=NOW + 1)
    assert again.doubts == 1
    record(queue, uncertain(part_id))
    assert reconsidered(queue, NOW + 1000) == []
    assert states(queue) == ["uncertain"]


def test_what_is_in_doubt_is_not_queued_after_its_validity(queue: Any) -> None:
    in_doubt(queue, message(expires_at=NOW + 10))
    assert reconsidered(queue, NOW + 9) == []


def test_a_receipt_with_a_strange_id_settles_the_only_part_in_doubt_for_its_phone(queue: Any) -> None:
    in_doubt(queue, message(), message("447973100001"))
    (settled,) = settle(queue, receipt("new"))
    assert settled.changed
    assert states(queue) == ["delivered", "uncertain"]
    (repeat,) = settle(queue, receipt("new"))
    assert not repeat.changed


def test_a_receipt_that_could_mean_several_parts_in_doubt_is_parked(queue: Any) -> None:
    in_doubt(queue, message(), message())
    assert settle(queue, receipt("new")) == []
    assert states(queue) == ["uncertain", "uncertain"]


def test_a_receipt_that_may_be_for_what_is_on_the_wire_is_parked(queue: Any) -> None:
    in_doubt(queue)
    queue.put([mail()], NOW)
    (part,) = lease(queue)
    assert settle(queue, receipt("new")) == []
    (found,) = record(queue, accepted(part.part_id, "new"))
    assert found.changed
    assert states(queue) == ["uncertain", "delivered"]


def test_a_receipt_that_quotes_another_text_means_another_part(queue: Any) -> None:
    in_doubt(queue)
    assert settle(queue, replace(receipt("new"), text="other words")) == []
    assert len(settle(queue, replace(receipt("newer"), text="secret"))) == 1


def test_a_late_outcome_counts_only_while_the_part_is_that_smscs(queue: Any) -> None:
    queue.put([mail(), mail()], NOW)
    parts = lease(queue)
    record(queue, *(queued(part.part_id, NOW) for part in parts))
    late = accepted(parts[0].part_id, "K")._replace(late_from="main")
    record(queue, late, accepted(parts[1].part_id, "L")._replace(late_from="backup"))
    assert states(queue) == ["accepted", "queued"]


@pytest.mark.parametrize("state", [PartState.QUEUED, PartState.FAILED, PartState.ACCEPTED])
def test_a_late_outcome_leaves_what_is_on_the_wire_again_to_whoever_sent_it(
    queue: Any, state: PartState
) -> None:
    queue.put([mail()], NOW)
    (part,) = lease(queue)
    record(queue, queued(part.part_id, NOW, doubt=True))
    late = Outcome(part.part_id, state, NOW + 1, smsc_message_id="K", smsc_key="k", late_from="main")
    assert len(lease(queue, now=NOW + 1)) == 1, "by another dispatcher"
    record(queue, late)
    assert states(queue) == ["submitting"]
    assert lease(queue, now=NOW + 2) == []
    record(queue, accepted(part.part_id, "L"))
    assert states(queue) == ["accepted"]


def test_a_late_outcome_may_come_with_the_doubt_that_it_ends(queue: Any) -> None:
    queue.put([mail()], NOW)
    (part,) = lease(queue)
    late = accepted(part.part_id, "K")._replace(late_from="main")
    record(queue, queued(part.part_id, NOW, doubt=True), late)
    assert states(queue) == ["accepted"]


# --- binds --------------------------------------------------------------------------------------------------


def test_two_dispatchers_share_the_binds_of_an_smsc(queue: Any) -> None:
    assert queue.hold_binds("main", 1, "one", NOW, NOW + 90) == {1}
    assert queue.hold_binds("main", 2, "two", NOW, NOW + 90) == {2}
    assert queue.hold_binds("backup", 1, "two", NOW, NOW + 90) == {1}


def test_binds_are_kept_by_renewing_them(queue: Any) -> None:
    queue.hold_binds("main", 2, "one", NOW, NOW + 90)
    assert queue.hold_binds("main", 2, "one", NOW + 60, NOW + 150) == {1, 2}
    assert queue.hold_binds("main", 2, "two", NOW + 100, NOW + 190) == frozenset()


def test_binds_that_are_not_renewed_or_released_are_others_to_have(queue: Any) -> None:
    queue.hold_binds("main", 2, "one", NOW, NOW + 90)
    assert queue.hold_binds("main", 1, "two", NOW + 90, NOW + 180) == {1}
    queue.release_binds("one")
    assert queue.hold_binds("main", 2, "two", NOW + 90, NOW + 180) == {1, 2}


def test_who_has_more_than_its_share_gives_binds_up(queue: Any) -> None:
    assert queue.hold_binds("main", 3, "one", NOW, NOW + 20) == {1, 2, 3}
    assert queue.hold_binds("main", 3, "two", NOW + 1, NOW + 21) == frozenset()
    assert queue.hold_binds("main", 3, "one", NOW + 7, NOW + 27) == {1, 2}
    assert queue.hold_binds("main", 3, "two", NOW + 8, NOW + 28) == frozenset()  # it may still be bound
    assert queue.hold_binds("main", 3, "two", NOW + 20, NOW + 40) == {3}
    assert queue.hold_binds("main", 3, "one", NOW + 21, NOW + 41) == {1, 2}


def test_a_bind_that_cannot_be_shared_stays_where_it_is(queue: Any) -> None:
    for at in (0, 7, 14, 21, 28):
        assert queue.hold_binds("main", 1, "two", NOW + at, NOW + at + 20) == {1}
        assert queue.hold_binds("main", 1, "one", NOW + at + 1, NOW + at + 21) == frozenset()


def test_who_has_released_its_binds_has_no_share(queue: Any) -> None:
    queue.hold_binds("main", 2, "one", NOW, NOW + 20)
    queue.hold_binds("main", 2, "two", NOW, NOW + 20)
    queue.release_binds("one")
    assert queue.hold_binds("main", 2, "two", NOW + 1, NOW + 21) == {1, 2}


def test_what_is_on_a_bind_that_another_holds_is_not_abandoned(queue: Any) -> None:
    queue.put([mail(), mail(), mail()], NOW)
    queue.hold_binds("main", 1, "one", NOW, NOW + 90)
    queue.hold_binds("main", 2, "two", NOW, NOW + 120)
    with queue.transaction() as work:
        for bind in ("main/1", "main/2-transmitter", "main/3"):
            work.lease("main", bind, [1], NOW)

    def abandoned(owner: str, at: float) -> list[int]:
        return [part.queue_id for part in queue.abandoned("main", owner, NOW + at)]

    assert abandoned("one", 1) == [1, 3]
    assert abandoned("two", 1) == [2, 3]
    assert abandoned("three", 1) == [3]
    assert abandoned("three", 100) == [1, 3]
    assert abandoned("three", 120) == [1, 2, 3]


# --- ids in another form ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "told"),
    [
        ("5F1A2B", "6232619"),
        ("6232619", "5f1a2b"),
        ("5f1a2b", "5F1A2B"),
        ("87654321", "0087654321"),
        ("005F1A2B", "6232619"),
    ],
)
def test_a_receipt_finds_its_part_by_another_form_of_the_id(queue: Any, response: str, told: str) -> None:
    queue.put([mail(), mail(message("447973100001"))], NOW)
    first, second = lease(queue)
    for part, key in ((first, response), (second, "other")):
        outcome = Outcome(part.part_id, PartState.ACCEPTED, NOW, smsc_message_id=key, smsc_key=key)
        record(queue, outcome)
    news = ReceiptNews("main", told, told, "+447973100000", "DELIVRD", "000", PartState.DELIVERED, None, NOW)
    assert len(settle(queue, news)) == 1
    assert states(queue) == ["delivered", "accepted"]


def test_another_form_counts_only_for_the_same_phone(queue: Any) -> None:
    queue.put([mail()], NOW)
    (part,) = lease(queue)
    record(queue, Outcome(part.part_id, PartState.ACCEPTED, NOW, smsc_message_id="5F1A2B", smsc_key="5F1A2B"))
    strange = ReceiptNews("main", "6232619", "6232619", "447000000000", "DELIVRD", "000", None, None, NOW)
    assert settle(queue, strange) == []
    (parked,) = queue.parked_receipts()
    assert (parked["smsc"], parked["smsc_message_id"], parked["source"]) == (
        "main",
        "6232619",
        "447000000000",
    )
