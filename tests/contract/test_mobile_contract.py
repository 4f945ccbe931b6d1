"""How every store keeps what phones send until somebody was told."""

from __future__ import annotations

from typing import Any

import pytest

from contract.builders import DAY, NOW, mail, message
from contract.fates import accepted, failed, lease, record
from sms_milter.model import Answer, Conversation, Heard, MobilePart

HOUR = 3600.0


def part(content: bytes = b"Hello", *, at: float = NOW, **fields: Any) -> MobilePart:
    who = {"smsc": "main", "source": "447973100000", "destination": "4477001", "alphabet": "gsm7"}
    return MobilePart(**(who | {"content": content, "at": at} | fields))


def of_three(number: int, content: bytes = b"", **fields: Any) -> MobilePart:
    place = {"reference": 7, "width": 1, "number": number, "total": 3}
    return part(content or b"part%d" % number, **(place | fields))


def listen(queue: Any, *parts: MobilePart) -> list[Heard]:
    with queue.transaction() as work:
        return list(work.listen(parts))


def told(queue: Any, now: float = NOW) -> list[tuple[bytes | None, ...]]:
    return [message.parts for message in queue.due_mobile(now, 10)]


def test_a_whole_message_is_told_at_once(queue: Any) -> None:
    (heard,) = listen(queue, part())
    assert (heard.arrived, heard.repeat) == (1, False)
    (message,) = queue.due_mobile(NOW, 10)
    assert (message.source, message.destination, message.alphabet) == ("447973100000", "4477001", "gsm7")
    assert (message.mobile_id, message.parts, message.at) == (heard.mobile_id, (b"Hello",), NOW)


def test_parts_may_come_in_any_order_and_transaction(queue: Any) -> None:
    listen(queue, of_three(3), of_three(1, at=NOW + 1))
    assert told(queue, NOW + 10) == []
    (heard,) = listen(queue, of_three(2, at=NOW + 20))
    assert heard.arrived == 3
    assert told(queue, NOW + 20) == [(b"part1", b"part2", b"part3")]


def test_a_part_that_comes_twice_counts_once(queue: Any) -> None:
    listen(queue, of_three(1), of_three(2))
    (again,) = listen(queue, of_three(2, at=NOW + 1))
    assert (again.arrived, again.repeat) == (2, True)
    listen(queue, of_three(3))
    (late,) = listen(queue, of_three(3, at=NOW + 5))
    assert late.repeat
    assert told(queue, NOW + 10) == [(b"part1", b"part2", b"part3")]


def test_after_an_hour_a_message_is_told_as_far_as_it_came(queue: Any) -> None:
    listen(queue, of_three(3), of_three(1, at=NOW + 10))
    assert told(queue, NOW + HOUR - 1) == []
    assert told(queue, NOW + HOUR) == [(b"part1", None, b"part3")]


def test_a_reference_used_again_begins_another_message(queue: Any) -> None:
    listen(queue, of_three(1), of_three(2), of_three(3))
    listen(queue, *(of_three(number, b"next%d" % number, at=NOW + 60) for number in (1, 2, 3)))
    assert told(queue, NOW + 60) == [(b"part1", b"part2", b"part3"), (b"next1", b"next2", b"next3")]


def test_a_part_after_an_hour_begins_another_message(queue: Any) -> None:
    listen(queue, of_three(1))
    (late,) = listen(queue, of_three(2, at=NOW + HOUR + 1))
    assert late.arrived == 1


@pytest.mark.parametrize(
    "other",
    [
        {"smsc": "backup"},
        {"source": "447973100001"},
        {"destination": "4477002"},
        {"width": 2},
        {"reference": 8},
    ],
)
def test_parts_of_different_messages_are_not_joined(queue: Any, other: dict[str, Any]) -> None:
    listen(queue, of_three(1), of_three(3))
    (heard,) = listen(queue, of_three(2, **other))
    assert heard.arrived == 1


def test_what_was_told_is_not_told_again_and_goes_with_the_years(queue: Any) -> None:
    (first, second) = listen(queue, part(), part(b"Bye", at=NOW + 1))
    queue.mobile_told([(first.mobile_id, None)], NOW + 2)
    assert told(queue, NOW + 2) == [(b"Bye",)]
    assert queue.summary(NOW)["mobile_waiting"] == 1
    shown = queue.list_mobile()
    assert [(one["mobile_id"], one["state"]) for one in shown] == [
        (second.mobile_id, "waiting"),
        (first.mobile_id, "told"),
    ]
    assert "Hello" not in repr(shown)
    queue.purge(NOW + DAY)
    assert queue.list_mobile() == []


def test_the_list_says_how_much_of_a_message_came(queue: Any) -> None:
    listen(queue, of_three(1), of_three(2))
    (one,) = queue.list_mobile()
    assert (one["source"], one["destination"], one["smsc"]) == ("447973100000", "4477001", "main")
    assert (one["parts"], one["arrived"], one["state"]) == (3, 2, "incomplete")


def test_the_oldest_are_told_first(queue: Any) -> None:
    listen(queue, *(part(b"%d" % number, at=NOW - number) for number in range(5)))
    assert [message.parts[0] for message in queue.due_mobile(NOW, 3)] == [b"4", b"3", b"2"]


# --- whom a phone answers -----------------------------------------------------------------------------------


def sent(queue: Any, originator: str, destination: str = "447973100000", **fields: Any) -> None:
    """One message that reaches the phone."""
    queue.put([mail(message(destination, originator=originator, **fields))], NOW)
    (leased,) = lease(queue)
    record(queue, accepted(leased.part_id, f"k{leased.part_id}"))


def test_a_phone_can_answer_numbers_and_nobody_but_numbers(queue: Any) -> None:
    for originator in ("4477001", "+4477002", "", "ACME", "4477001"):
        sent(queue, originator)
    sent(queue, "4477001", "447973100001")
    found = queue.conversations("447973100000", 10)
    assert [one.originator for one in found] == ["4477001", "", "+4477002", "4477001"]
    assert [one.originator for one in queue.conversations("447973100000", 1)] == ["4477001"]


def test_what_never_reached_the_phone_is_not_answered(queue: Any) -> None:
    queue.put([mail(message("447973100000", originator="4477001"))], NOW)
    assert queue.conversations("447973100000", 10) == []
    (leased,) = lease(queue)
    record(queue, failed(leased.part_id))
    assert queue.conversations("447973100000", 10) == []


def test_a_conversation_knows_its_mail(queue: Any) -> None:
    sent(queue, "4477001", reference="A7", recipient="447973100000@sms.example")
    (one,) = queue.conversations("447973100000", 10)
    assert one == Conversation(
        queue_id=1,
        mta_queue_id="4ABC",
        account="acme",
        dialect="hsl",
        sender="alerts@acme.example",
        recipient="447973100000@sms.example",
        originator="4477001",
        reference="A7",
        mail_message_id="<1@acme.example>",
    )


def test_the_mail_that_tells_is_stored_when_the_message_is_done_with(queue: Any) -> None:
    first, second = listen(queue, part(), part(b"Bye"))
    answer = Answer("bob@acme.example", "SMS", "Hello\n", "447973100000@sms.example", "+447973100000")
    tells = mail()._replace(messages=(), answers=(answer,))
    queue.mobile_told([(first.mobile_id, tells), (second.mobile_id, None)], NOW)
    (due,) = queue.due_reports(NOW, 10)
    assert (due.content, due.mail_message_id) == (answer, "<1@acme.example>")
    assert told(queue) == []


def test_the_report_role_is_woken_by_a_whole_message(queue: Any) -> None:
    with queue.transaction() as work:
        work.listen([of_three(1), of_three(2)])
        assert not work.reported
    with queue.transaction() as work:
        work.listen([of_three(3)])
        assert work.reported
