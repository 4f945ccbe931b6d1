"""One message for a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

from contract.builders import NOW, mail, message
from contract.fates import accepted, expire, failed, lease, queued, receipt, record, settle, uncertain
from sms_milter.model import Deed, LeftOut, PartState, Selection
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.statuspage import history
from sms_milter.statuspage.history import Story


@pytest.fixture
def queue(tmp_path: Any) -> Any:
    made = SqliteQueue(str(tmp_path / "queue.db"))
    yield made
    made.close()


def told(queue: Any, now: float = NOW) -> Story:
    newest, *_ = queue.find_messages("", "", 1) or queue.find_messages("4ABC", "", 1)
    return history.story(queue.show_message(newest["message_id"]), now, UTC)


def events(story: Story) -> list[str]:
    return [f"{event.text} | {event.detail}".rstrip(" |") for event in story.parts[-1].events]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+41 79 000 00 01", ("", "41790000001")),
        ("079 000 00 01", ("", "790000001")),
        ("0041790000001", ("0041790000001", "41790000001")),
        ("520", ("520", "")),
        ("123456", ("123456", "123456")),
        ("+12", ("+12", "")),
        ("4BX7Q21Kz", ("4BX7Q21Kz", "")),
        (" <a@b.example> ", ("<a@b.example>", "")),
        ("order 17", ("order 17", "")),
        ("", ("", "")),
    ],
)
def test_what_is_typed_is_a_number_or_a_name_or_may_be_both(text: str, expected: tuple[str, str]) -> None:
    assert history.sought(text) == expected


def test_a_delivered_message_is_told_from_mail_to_receipt(queue: Any) -> None:
    queue.put([mail(message(reference="order 17"))], NOW)
    (part,) = lease(queue, now=NOW + 1)
    record(queue, accepted(part.part_id, "3fa0", NOW + 2))
    settle(queue, receipt("3fa0", at=NOW + 9))
    story = told(queue)
    assert (story.to, story.level, story.state, list(story.deeds)) == (
        "+447973100000",
        "good",
        "delivered",
        [],
    )
    assert events(story) == [
        "Taken from a mail | interface hsl",
        "Sent to main | bind b1, sequence number 1",
        "Taken by main | its id is 3FA0",
        "Receipt: DELIVRD",
    ]
    assert ("The client's id", "order 17") in story.facts
    assert "secret words" not in str(story)


def test_what_waits_says_for_whom_and_what_can_be_done(queue: Any) -> None:
    queue.put([mail()], NOW)
    story = told(queue, NOW + 120)
    assert events(story)[-1] == "Waits for main for 2 min"
    assert (story.state, list(story.deeds)) == ("waiting", ["hold", "cancel"])
    queue.change(Deed.HOLD, Selection(), NOW)
    story = told(queue)
    assert (story.state, events(story)[-1], list(story.deeds)) == (
        "held",
        "Held | held by the operator",
        ["release", "cancel"],
    )


def test_what_is_tried_again_says_when_and_why(queue: Any) -> None:
    queue.put([mail()], NOW)
    (part,) = lease(queue)
    record(queue, queued(part.part_id, NOW + 60, command_status=0x58, counts=True))
    story = told(queue)
    assert events(story)[-1] == "Waits until 12 Jan 13:47:40 | RTHROTTLED 0x00000058 (throttled)"
    assert list(story.deeds) == ["hold", "retry", "cancel"]
    (again,) = lease(queue, now=NOW + 60)
    assert events(told(queue, NOW + 61))[-2:] == [
        "Sent to main | bind b1, sequence number 1, try 2",
        "On the wire",
    ]
    record(queue, failed(again.part_id, NOW + 61))
    story = told(queue, NOW + 62)
    assert events(story)[-1].startswith("Failed | RINVDSTADR 0x0000000B")
    assert (story.level, list(story.deeds)) == ("bad", ["retry"])


def test_a_receipt_that_says_failed_is_not_said_twice(queue: Any) -> None:
    queue.put([mail()], NOW)
    (part,) = lease(queue)
    record(queue, accepted(part.part_id, "a"))
    settle(queue, receipt("a", None, stat="ENROUTE", at=NOW + 1))
    settle(queue, replace(receipt("a", PartState.FAILED, stat="UNDELIV", at=NOW + 2), error="069"))
    assert events(told(queue))[-2:] == ["Receipt: ENROUTE | not the end yet", "Receipt: UNDELIV, error 069"]


def test_doubt_and_the_end_of_validity_are_told(queue: Any) -> None:
    queue.put([mail(message(parts=2, validity_seconds=600))], NOW)
    (part,) = lease(queue, 1)
    record(queue, uncertain(part.part_id))
    expire(queue, NOW + 600)
    story = told(queue, NOW + 600)
    assert [one.state for one in story.parts] == ["uncertain", "expired"]
    assert (story.level, story.state) == ("bad", "partly expired")
    assert events(story)[-1] == "Expired | validity over before it could be sent"


def test_the_others_of_its_mail_are_counted_and_those_left_out_named(queue: Any) -> None:
    queue.put([mail(message(), message("2"))._replace(left_out=[LeftOut("12", "ERROR = 7")])], NOW)
    story = told(queue)
    assert (story.siblings, list(story.left_out)) == (1, [("12", "ERROR = 7")])


def test_a_list_says_the_worst_of_each_message(queue: Any) -> None:
    queue.put([mail(message(parts=2))], NOW)
    first, second = lease(queue)
    record(queue, accepted(first.part_id, "a"), accepted(second.part_id, "b"))
    settle(queue, receipt("a"))
    (found,) = history.found(queue.find_messages("4ABC", "", 5), UTC)
    assert (found.to, found.level, found.state, found.parts) == (
        "+447973100000",
        "fair",
        "with the SMSC",
        "2",
    )
    settle(queue, receipt("b", PartState.FAILED))
    (found,) = history.found(queue.find_messages("4ABC", "", 5), UTC)
    assert (found.level, found.state) == ("bad", "partly failed")
