"""What every store tells a page for operators: the flow, what waits by age, messages that are looked for."""

from __future__ import annotations

from typing import Any

import pytest

from contract.builders import NOW, mail, message
from contract.fates import accepted, expire, failed, lease, queued, receipt, record, settle, uncertain
from sms_milter.model import Deed, PartState, Priority, Selection

MINUTE = NOW // 60 * 60
NEVER = {"stored": 0, "refused": 0, "sent": 0, "delivered": 0, "failed": 0}


def put(queue: Any, *messages: Any, now: float = NOW, **more: Any) -> int:
    (stored,) = queue.put([mail(*messages, at=now, **more)], now)
    return int(stored.queue_id)


# --- flow ---------------------------------------------------------------------------------------------------


def flow(queue: Any) -> dict[float, dict[str, int]]:
    """By minutes after the one of NOW; what was not, left out."""
    rows = queue.flow(MINUTE - 3600, MINUTE + 36000)
    assert all(row.keys() == {"minute", *NEVER} for row in rows)
    return {(row["minute"] - MINUTE) / 60: {name: row[name] for name in NEVER if row[name]} for row in rows}


def test_minutes_in_which_nothing_was_done_are_left_out(queue: Any) -> None:
    assert flow(queue) == {}
    put(queue)
    put(queue, now=NOW + 300)
    assert list(flow(queue)) == [0, 5]


def test_what_is_stored_sent_and_delivered_counts_in_its_minute_by_parts(queue: Any) -> None:
    put(queue, message("1", parts=2), message("2"))
    parts = lease(queue)
    record(queue, *(accepted(part.part_id, f"k{part.part_id}", NOW + 60) for part in parts))
    settle(queue, *(receipt(f"k{part.part_id}", source=part.destination, at=NOW + 180) for part in parts[:2]))
    assert flow(queue) == {0: {"stored": 3}, 1: {"sent": 3}, 3: {"delivered": 2}}


def test_a_failed_part_counts_with_the_siblings_that_it_takes_along(queue: Any) -> None:
    put(queue, message(parts=3))
    (part,) = lease(queue, 1)
    record(queue, failed(part.part_id))
    assert flow(queue)[0] == {"stored": 3, "failed": 3}


def test_what_fails_by_a_receipt_expires_or_is_cancelled_has_failed(queue: Any) -> None:
    put(queue, message("1"), message("2", validity_seconds=600), message("3"), message("4"))
    first, *_ = lease(queue, 1)
    record(queue, accepted(first.part_id, "k"))
    settle(queue, receipt("k", PartState.FAILED, source="1", stat="UNDELIV", at=NOW + 60))
    expire(queue, NOW + 600)
    queue.change(Deed.CANCEL, Selection(destination="3"), NOW + 1200)
    assert flow(queue) == {
        0: {"stored": 4, "sent": 1},
        1: {"failed": 1},
        10: {"failed": 1},
        20: {"failed": 1},
    }


def test_a_part_in_doubt_or_to_be_tried_again_has_not_gone_anywhere(queue: Any) -> None:
    put(queue, message("1"), message("2"))
    first, second = lease(queue)
    record(queue, uncertain(first.part_id), queued(second.part_id, NOW + 60))
    assert flow(queue) == {0: {"stored": 2}}


def test_the_first_receipt_counts_and_no_further_one(queue: Any) -> None:
    put(queue)
    (part,) = lease(queue)
    record(queue, accepted(part.part_id, "k"))
    settle(queue, receipt("k"))
    settle(queue, receipt("k", at=NOW + 60))
    assert flow(queue) == {0: {"stored": 1, "sent": 1, "delivered": 1}}


def test_a_mail_that_was_stored_already_is_not_stored_again(queue: Any) -> None:
    put(queue, fingerprint=b"same")
    put(queue, fingerprint=b"same")
    assert flow(queue) == {0: {"stored": 1}}


def test_refusals_are_counted_as_they_are_told(queue: Any) -> None:
    queue.count_refused(3, NOW)
    queue.count_refused(2, NOW)
    queue.count_refused(1, NOW + 60)
    assert flow(queue) == {0: {"refused": 5}, 1: {"refused": 1}}


def test_only_minutes_within_the_time_are_told(queue: Any) -> None:
    for minute in range(4):
        queue.count_refused(1, MINUTE + 60 * minute + 59)
    found = queue.flow(MINUTE + 60, MINUTE + 180)
    assert [row["minute"] for row in found] == [MINUTE + 60, MINUTE + 120]
    assert [row["minute"] for row in queue.flow(MINUTE + 1, MINUTE + 121)] == [MINUTE + 60, MINUTE + 120]


def test_minutes_are_forgotten_with_the_mails_of_their_time(queue: Any) -> None:
    for minute in (0, 1, 2):
        queue.count_refused(1, MINUTE + 60 * minute)
    queue.purge(MINUTE + 60)
    assert list(flow(queue)) == [1, 2]


# --- what waits ---------------------------------------------------------------------------------------------


def ages(queue: Any, now: float) -> dict[tuple[str, str], list[int]]:
    rows = queue.ages(now, (60.0, 900.0))
    assert all(row["parts"] == sum(row["ages"]) for row in rows)
    return {(row["smsc"], row["lane"]): row["ages"] for row in rows}


def test_what_waits_is_counted_by_smsc_priority_and_age(queue: Any) -> None:
    put(queue, message("1", parts=2), message("2", priority=Priority.HIGH), account="acme")
    put(queue, message("3"), now=NOW + 890, account="shop")
    put(queue, message("4"), message("5", smsc="backup", priority=Priority.LOW), now=NOW + 950)
    assert ages(queue, NOW + 960) == {
        ("main", "high"): [0, 0, 1],
        ("main", "normal"): [1, 1, 2],
        ("backup", "low"): [1, 0, 0],
    }


def test_an_accounts_own_order_is_no_priority_among_all(queue: Any) -> None:
    put(
        queue, message(priority=Priority.HIGH, own_order=True), message(priority=Priority.LOW, own_order=True)
    )
    assert ages(queue, NOW) == {("main", "normal"): [2, 0, 0]}


def test_what_is_timed_or_held_or_tried_again_waits_apart(queue: Any) -> None:
    put(queue, message("1"), message("2"), message("3", not_before=NOW + 5000))
    (part,) = lease(queue, 1)
    record(queue, queued(part.part_id, NOW + 100))
    queue.change(Deed.HOLD, Selection(destination="2"), NOW)
    assert ages(queue, NOW) == {("main", "later"): [2], ("main", "held"): [1]}
    assert ages(queue, NOW + 200) == {
        ("main", "again"): [0, 1, 0],
        ("main", "later"): [1],
        ("main", "held"): [1],
    }


def test_an_empty_queue_has_no_lanes(queue: Any) -> None:
    put(queue)
    lease(queue)
    assert queue.ages(NOW, (60.0,)) == []


# --- search -------------------------------------------------------------------------------------------------


def find(queue: Any, name: str = "", number: str = "", limit: int = 10) -> list[str]:
    return [one["destination"] for one in queue.find_messages(name, number, limit)]


def test_messages_are_found_by_the_end_of_their_number_newest_first(queue: Any) -> None:
    put(queue, message("41790000001"), message("41790000002"))
    put(queue, message("41790000001", parts=2))
    newest, oldest = queue.find_messages("", "790000001", 10)
    assert newest["queue_id"] > oldest["queue_id"]
    assert (newest["parts"], newest["states"]) == (2, {"queued": 2})
    assert find(queue, number="41790000001", limit=1) == ["41790000001"]
    assert find(queue, number="90000003") == []


def test_messages_are_found_by_every_name_that_somebody_knows_them_by(queue: Any) -> None:
    put(queue, message("1"), mta_queue_id="4OTHER")
    ours = put(
        queue,
        message("2", reference="order 17", public_id="c0ffee"),
        message("3", parts=2),
        mta_queue_id="4QID",
    )
    parts = {part.destination: part.part_id for part in lease(queue)}
    record(queue, accepted(parts["2"], "3fa0"))
    assert find(queue, str(ours)) == find(queue, "4QID") == ["3", "2"]
    assert find(queue, "order 17") == find(queue, "c0ffee") == find(queue, "3FA0") == ["2"]
    assert find(queue, "<1@acme.example>") == find(queue, "1@acme.example") == ["3", "2", "1"]
    assert find(queue, "4NONE") == find(queue, "") == find(queue, "\udcff") == []


def test_what_is_found_says_whose_it_is_and_never_its_text(queue: Any) -> None:
    put(queue, message("2", originator="SHOP", priority=Priority.HIGH), account="shop")
    (found,) = queue.find_messages("", "2", 10)
    assert (found["account"], found["originator"], found["priority"]) == ("shop", "SHOP", "high")
    assert (found["sender"], found["dialect"], found["smsc"]) == ("alerts@acme.example", "hsl", "main")
    assert "secret words" not in str(found)


@pytest.mark.parametrize("parts", [1, 3])
def test_one_message_of_a_mail_is_shown(queue: Any, parts: int) -> None:
    put(queue, message("1"), message("2", parts=parts), message("3"))
    (found,) = queue.find_messages("", "2", 10)
    shown = queue.show_message(found["message_id"])
    (only,) = shown["messages"]
    assert (shown["queue_id"], shown["message_count"]) == (found["queue_id"], 3)
    assert (only["destination"], len(only["parts"])) == ("2", parts)
    assert queue.show_message(found["message_id"] + 100) is None


def test_the_summary_can_be_had_without_the_backlog(queue: Any) -> None:
    put(queue)
    whole = queue.summary(NOW)
    assert whole["backlog"]
    assert queue.summary(NOW, backlog=False) == {**whole, "backlog": []}
