"""How every store keeps what phones send until somebody was told."""

from __future__ import annotations

from typing import Any

import pytest

from contract.builders import DAY, NOW
from sms_milter.model import Heard, MobilePart

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
    queue.mobile_told([first.mobile_id], NOW + 2)
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
