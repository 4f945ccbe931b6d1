"""What an operator can do to parts in every store."""

from __future__ import annotations

from typing import Any

import pytest

from contract.builders import DAY, NOW, mail, message
from contract.fates import accepted, expire, failed, lease, queued, receipt, record, settle, states, uncertain
from sms_milter.model import HELD_UNTIL, Deed, Notify, PartState, Selection

ALL = Selection()


def put(queue: Any, *messages: Any, **more: Any) -> int:
    (stored,) = queue.put([mail(*messages, **more)], NOW)
    return int(stored.queue_id)


def change(queue: Any, deed: Deed, wanted: Selection = ALL, now: float = NOW) -> list[str]:
    """The destinations of what was changed."""
    return [part.destination for part in queue.change(deed, wanted, now).parts]


# --- hold and release ---------------------------------------------------------------------------------------


def test_what_is_held_is_not_sent_until_released(queue: Any) -> None:
    put(queue)
    assert change(queue, Deed.HOLD) == ["447973100000"]
    assert change(queue, Deed.HOLD) == []
    assert lease(queue, now=NOW + 100) == []
    assert queue.next_due("main") == HELD_UNTIL
    assert change(queue, Deed.RELEASE, now=NOW + 200) == ["447973100000"]
    assert change(queue, Deed.RELEASE) == []
    assert len(lease(queue, now=NOW + 200)) == 1


def test_a_released_part_still_waits_for_its_time(queue: Any) -> None:
    put(queue, message(not_before=NOW + 500))
    change(queue, Deed.HOLD)
    change(queue, Deed.RELEASE, now=NOW + 100)
    assert lease(queue, now=NOW + 499) == []
    assert len(lease(queue, now=NOW + 500)) == 1


def test_the_validity_of_what_is_held_runs_on(queue: Any) -> None:
    put(queue, message(validity_seconds=600))
    change(queue, Deed.HOLD)
    assert [part.destination for part in expire(queue, NOW + 600)] == ["447973100000"]


def test_what_is_on_the_wire_or_beyond_is_not_held(queue: Any) -> None:
    put(queue, message("1"), message("2"), message("3"))
    first, _ = lease(queue, 2)
    record(queue, accepted(first.part_id, "a"))
    assert change(queue, Deed.HOLD) == ["3"]
    assert states(queue) == ["accepted", "submitting", "queued"]


# --- cancel -------------------------------------------------------------------------------------------------


def test_what_is_cancelled_is_never_sent_and_its_sender_is_told_once(queue: Any) -> None:
    put(queue, message(parts=2, notify=Notify.LOST), message("447973100001"))
    assert change(queue, Deed.CANCEL, Selection(destination="447973100000")) == ["447973100000"] * 2
    assert states(queue) == ["failed", "failed", "queued"]
    assert [part.destination for part in lease(queue)] == ["447973100001"]
    (due,) = queue.due_reports(NOW, 10)
    assert due.content.state is PartState.FAILED
    assert queue.summary(NOW)["parts"]["failed"] == 2


def test_what_is_held_can_be_cancelled(queue: Any) -> None:
    put(queue)
    change(queue, Deed.HOLD)
    assert change(queue, Deed.CANCEL) == ["447973100000"]


def asked(queue: Any, wanted: Selection = ALL) -> list[str]:
    """The destinations of what the SMSC is to be asked to cancel by this."""
    return [part.destination for part in queue.change(Deed.CANCEL, wanted, NOW).asked]


def accept(queue: Any, *destinations: str, **plan: Any) -> list[Any]:
    put(queue, *(message(destination, **plan) for destination in destinations))
    parts = lease(queue, len(destinations))
    record(queue, *(accepted(part.part_id, f"k{part.destination}") for part in parts))
    return list(parts)


def cancelled(queue: Any, part_id: int, *, done: bool) -> None:
    with queue.transaction() as work:
        work.cancelled(part_id, NOW, done=done)


def test_what_the_smsc_has_it_is_asked_to_cancel(queue: Any) -> None:
    part, _ = accept(queue, "1", "2", notify=Notify.LOST)
    assert asked(queue, Selection(destination="1")) == ["1"]
    assert asked(queue, Selection(destination="1")) == []
    (one,) = queue.cancellations("main")
    assert (one.part.part_id, one.smsc_message_id, one.part.body) == (part.part_id, "K1", part.body)
    assert queue.cancellations("backup") == []
    cancelled(queue, part.part_id, done=True)
    assert queue.cancellations("main") == []
    assert states(queue) == ["failed", "accepted"]
    assert [due.content.state for due in queue.due_reports(NOW, 10)] == [PartState.FAILED]
    assert queue.summary(NOW)["parts"]["failed"] == 1


def test_what_the_smsc_cannot_cancel_any_more_goes_on(queue: Any) -> None:
    (part,) = accept(queue, "1")
    asked(queue)
    cancelled(queue, part.part_id, done=False)
    assert (states(queue), queue.cancellations("main")) == (["accepted"], [])
    settle(queue, receipt("k1", source="1"))
    assert states(queue) == ["delivered"]


def test_a_receipt_may_be_faster_than_the_answer_to_a_cancel_sm(queue: Any) -> None:
    (part,) = accept(queue, "1")
    asked(queue)
    settle(queue, receipt("k1", source="1"))
    assert queue.cancellations("main") == []
    cancelled(queue, part.part_id, done=True)
    assert states(queue) == ["delivered"]


def test_what_nothing_more_will_be_heard_of_is_not_cancelled(queue: Any) -> None:
    accept(queue, "1", receipt=False)
    (on_the_wire,) = (put(queue, message("2")), lease(queue))[1]
    assert (change(queue, Deed.CANCEL), asked(queue)) == ([], [])
    assert on_the_wire.destination == "2"


# --- retry --------------------------------------------------------------------------------------------------


def test_what_waits_for_its_next_try_goes_now(queue: Any) -> None:
    put(queue, message("1"), message("2", not_before=NOW + 500))
    (part,) = lease(queue)
    record(queue, queued(part.part_id, NOW + 300))
    assert change(queue, Deed.RETRY) == ["1"]  # and not what its sender wants later
    assert [part.destination for part in lease(queue)] == ["1"]


def test_what_is_held_is_not_retried(queue: Any) -> None:
    put(queue)
    (part,) = lease(queue)
    record(queue, queued(part.part_id, NOW + 300))
    change(queue, Deed.HOLD)
    assert change(queue, Deed.RETRY) == []


@pytest.mark.parametrize("state", ["failed", "expired", "uncertain"])
def test_what_has_ended_is_sent_again_with_its_whole_validity(queue: Any, state: str) -> None:
    put(queue, message(validity_seconds=600))
    (part,) = lease(queue)
    ends = {"failed": failed, "expired": lambda part_id: queued(part_id, NOW), "uncertain": uncertain}
    record(queue, ends[state](part.part_id))
    expire(queue, NOW + 600)
    assert states(queue) == [state]
    later = NOW + DAY
    assert change(queue, Deed.RETRY, Selection(state=PartState(state)), later) == ["447973100000"]
    (again,) = lease(queue, now=later)
    assert (again.attempts, again.doubts, again.expires_at) == (0, 0, later + 600)
    assert {name: count for name, count in queue.summary(NOW)["parts"].items() if count} == {"submitting": 1}


def test_the_end_of_what_was_sent_again_is_told_again(queue: Any) -> None:
    put(queue, message(notify=Notify.LOST | Notify.SUCCESS))
    (part,) = lease(queue)
    record(queue, failed(part.part_id))
    change(queue, Deed.RETRY)
    assert queue.due_reports(NOW, 10) == []  # what was not told yet is not true any more
    (again,) = lease(queue)
    record(queue, accepted(again.part_id, "k"))
    settle(queue, receipt("k"))
    assert [due.content.state for due in queue.due_reports(NOW, 10)] == [PartState.DELIVERED]


def test_a_receipt_of_the_time_before_is_not_taken_for_the_new_one(queue: Any) -> None:
    put(queue)
    (part,) = lease(queue)
    record(queue, accepted(part.part_id, "old"))
    settle(queue, receipt("old", PartState.FAILED, stat="UNDELIV"))
    change(queue, Deed.RETRY)
    assert settle(queue, receipt("old")) == []
    assert states(queue) == ["queued"]


def test_what_was_delivered_or_may_be_is_not_sent_again(queue: Any) -> None:
    put(queue, message("1"), message("2"))
    first, second = lease(queue, 2)
    record(queue, accepted(first.part_id, "a"), accepted(second.part_id, "b"))
    settle(queue, receipt("a", source="1"))
    assert change(queue, Deed.RETRY) == []


# --- which --------------------------------------------------------------------------------------------------


def test_mails_are_named_by_either_queue_id(queue: Any) -> None:
    ours = put(queue, message("1"), mta_queue_id="4AAA")
    put(queue, message("2"), message("3"), mta_queue_id="4BBB")
    assert change(queue, Deed.HOLD, Selection(name=str(ours))) == ["1"]
    assert change(queue, Deed.HOLD, Selection(name="4BBB")) == ["2", "3"]
    assert change(queue, Deed.HOLD, Selection(name="4CCC")) == []


def test_parts_are_chosen_by_account_smsc_and_number_together(queue: Any) -> None:
    put(queue, message("41790000001"), message("41790000002", smsc="backup"), account="acme")
    put(queue, message("41790000003"), message("44790000004"), account="shop")
    assert change(queue, Deed.HOLD, Selection(account="shop", smsc="main", destination="41")) == [
        "41790000003"
    ]
    assert change(queue, Deed.HOLD, Selection(smsc="backup")) == ["41790000002"]
    assert change(queue, Deed.HOLD, Selection(destination="44")) == ["44790000004"]
    assert change(queue, Deed.HOLD, Selection(account="nobody")) == []


def test_one_message_is_named_by_its_id_and_not_another_to_the_same_number(queue: Any) -> None:
    put(queue, message("1"), message("2", parts=2), message("2"), message("22"))
    newest, same, wanted, _ = queue.find_messages("4ABC", "", 4)
    assert (wanted["parts"], same["destination"], newest["destination"]) == (2, "2", "22")
    assert change(queue, Deed.CANCEL, Selection(message_id=wanted["message_id"])) == ["2", "2"]
    assert change(queue, Deed.HOLD, Selection(message_id=same["message_id"], state=PartState.FAILED)) == []
    assert change(queue, Deed.HOLD, Selection(message_id=newest["message_id"] + 100)) == []
    assert states(queue) == ["queued", "failed", "failed", "queued", "queued"]


def test_the_log_can_name_what_was_changed(queue: Any) -> None:
    queue_id = put(queue, message(parts=2), mta_queue_id="4QID")
    done = queue.change(Deed.HOLD, ALL, NOW)
    assert done.after is None
    named = [(part.queue_id, part.mta_queue_id, part.number, part.total) for part in done.parts]
    assert named == [(queue_id, "4QID", 1, 2), (queue_id, "4QID", 2, 2)]


def test_an_smsc_is_traced_until_then(queue: Any) -> None:
    queue.trace("main", NOW + 60)
    queue.trace("backup", NOW + 600)
    assert queue.traced(NOW + 59) == {"main", "backup"}
    assert queue.traced(NOW + 60) == {"backup"}
    queue.trace("backup", NOW)
    assert queue.traced(NOW) == {"main"}
