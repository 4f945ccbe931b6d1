"""Messages that go another way, in every store."""

from __future__ import annotations

from typing import Any

from contract.builders import NOW, mail, message
from contract.fates import accepted, failed, lease, queued, receipt, record, settle, states, uncertain
from sms_milter.model import ComposedPart, NewMessage, PartState, Promise, WaitingMessage

PROMISE = Promise(120.0)
DELIVERY = Promise(120.0, delivered=True)


def promised(promise: Promise = PROMISE, *, form: str = "", room: int = 0, **more: Any) -> NewMessage:
    return message(**more)._replace(promise=promise, form=form, room=room)


def over(queue: Any, before: float = NOW + 120, smsc: str = "main") -> list[WaitingMessage]:
    with queue.transaction() as work:
        found: list[WaitingMessage] = work.ways.promised(smsc, before, 10)
    return found


def move(queue: Any, one: WaitingMessage, smsc: str = "backup", now: float = NOW + 120) -> None:
    with queue.transaction() as work:
        work.ways.move(one, smsc, now, now + 120, "from main: not accepted")


# --- promises -----------------------------------------------------------------------------------------------


def test_a_message_whose_promise_is_over_is_found_with_all_its_parts(queue: Any) -> None:
    (stored,) = queue.put([mail(promised(parts=2), mta_queue_id="4QID")], NOW)
    assert over(queue, NOW + 119) == []
    (one,) = over(queue)
    assert (one.queue_id, one.mta_queue_id, one.destination) == (stored.queue_id, "4QID", "447973100000")
    assert (one.smsc, one.route, one.originator, one.text) == ("main", "default", "ACME", "secret words")
    assert (one.escalate_at, one.room) == (NOW + 120, 2)
    assert [part.body for part in one.parts] == [b"447973100000/1", b"447973100000/2"]


def test_a_promise_begins_when_the_message_may_go(queue: Any) -> None:
    queue.put([mail(promised(not_before=NOW + 3600))], NOW)
    assert over(queue, NOW + 3719) == []
    assert len(over(queue, NOW + 3720)) == 1


def test_accepted_keeps_the_promise_unless_it_is_delivery(queue: Any) -> None:
    queue.put([mail(promised()), mail(promised(DELIVERY))], NOW)
    record(queue, *(accepted(part.part_id, f"k{part.part_id}") for part in lease(queue)))
    (one,) = over(queue)
    settle(queue, receipt(f"k{one.message_id}"))
    assert over(queue) == []


def test_what_has_ended_or_is_in_doubt_has_no_promise(queue: Any) -> None:
    queue.put([mail(promised()) for _ in range(2)], NOW)
    first, second = lease(queue)
    record(queue, failed(first.part_id), uncertain(second.part_id))
    assert over(queue) == []


def test_a_part_that_another_smsc_should_try_has_its_promise_over_now(queue: Any) -> None:
    queue.put([mail(promised()), mail()], NOW)
    first, second = lease(queue)
    assert (first.promised, second.promised) == (True, False)
    record(queue, *(queued(part.part_id, NOW + 900, elsewhere=True) for part in (first, second)))
    assert [one.message_id for one in over(queue, NOW)] == [first.part_id]


def test_one_may_look_again_later_or_never(queue: Any) -> None:
    queue.put([mail(promised()), mail(promised())], NOW)
    first, second = over(queue)
    with queue.transaction() as work:
        work.ways.postpone(first, NOW + 500)
        work.ways.postpone(second, None)
    assert over(queue, NOW + 499) == []
    assert [one.message_id for one in over(queue, NOW + 500)] == [first.message_id]


# --- moving -------------------------------------------------------------------------------------------------


def test_all_queued_parts_move_and_keep_their_place_in_time(queue: Any) -> None:
    queue.put([mail(promised(parts=2)), mail(message("447973100001"))], NOW)
    move(queue, over(queue)[0])
    assert [part.destination for part in lease(queue)] == ["447973100001"]
    assert [part.number for part in lease(queue, smsc="backup", now=NOW + 120)] == [1, 2]


def test_a_part_that_waited_for_its_next_try_goes_at_once_and_starts_afresh(queue: Any) -> None:
    queue.put([mail(promised())], NOW)
    (part,) = lease(queue)
    record(queue, queued(part.part_id, NOW + 900))
    move(queue, over(queue)[0])
    (again,) = lease(queue, smsc="backup", now=NOW + 120)
    assert again.attempts == 0


def test_a_moved_message_has_a_new_promise(queue: Any) -> None:
    queue.put([mail(promised())], NOW)
    move(queue, over(queue)[0])
    assert over(queue, NOW + 1000) == []
    assert over(queue, NOW + 239, "backup") == []
    assert len(over(queue, NOW + 240, "backup")) == 1


def test_parts_on_the_wire_or_accepted_stay_where_they_are(queue: Any) -> None:
    queue.put([mail(promised(parts=3))], NOW)
    first, _ = lease(queue, 2)
    record(queue, accepted(first.part_id, "k1"))
    move(queue, over(queue)[0])
    assert states(queue) == ["accepted", "submitting", "queued"]
    assert [part.number for part in lease(queue, smsc="backup", now=NOW + 120)] == [3]


def accept_and_move(queue: Any) -> None:
    """A part that `main` calls k1 and has not delivered in time is to go by `backup`."""
    queue.put([mail(promised(DELIVERY))], NOW)
    (part,) = lease(queue)
    record(queue, accepted(part.part_id, "k1"))
    with queue.transaction() as work:
        (one,) = work.ways.promised("main", NOW + 120, 10)
        work.ways.move_accepted(one, "backup", NOW + 120, None, "not delivered")


def test_accepted_parts_go_once_more_and_both_receipts_find_them(queue: Any) -> None:
    accept_and_move(queue)
    assert states(queue) == ["queued"]
    (settled,) = settle(queue, receipt("k1", PartState.FAILED, stat="UNDELIV"))
    assert not settled.changed
    (again,) = lease(queue, smsc="backup", now=NOW + 120)
    record(queue, accepted(again.part_id, "k2"))
    assert states(queue) == ["accepted"]
    settle(queue, receipt("k1"))
    assert states(queue) == ["delivered"]


def test_a_receipt_by_the_new_way_counts_whatever_it_says(queue: Any) -> None:
    accept_and_move(queue)
    (again,) = lease(queue, smsc="backup", now=NOW + 120)
    record(queue, accepted(again.part_id, "k1"))
    settle(queue, receipt("k1", PartState.FAILED, stat="UNDELIV", smsc="backup"))
    assert states(queue) == ["failed"]


def test_what_waits_for_an_smsc_is_found_whether_it_may_go_or_not(queue: Any) -> None:
    queue.put([mail(message(smsc="gone")), mail(message(not_before=NOW + 60, smsc="gone")), mail()], NOW)
    with queue.transaction() as work:
        assert work.ways.smscs() == ["gone", "main"]
        assert len(work.ways.waiting_for("gone", 10)) == 2
        assert len(work.ways.waiting_for("gone", 1)) == 1


# --- bodies -------------------------------------------------------------------------------------------------


def unfit(queue: Any) -> WaitingMessage:
    with queue.transaction() as work:
        assert work.lease("main", "b1", [1], NOW, form="ascii") == []
        assert work.unfit
        (one,) = work.ways.unfit(10)
    assert lease(queue) == []
    return one  # type: ignore[no-any-return]


def test_a_body_made_for_another_smsc_is_set_aside_not_sent(queue: Any) -> None:
    queue.put([mail(promised(form="gsm7", parts=2))], NOW)
    assert [part.state for part in unfit(queue).parts] == [PartState.QUEUED] * 2


def test_what_fits_or_is_said_to_fit_everywhere_goes(queue: Any) -> None:
    queue.put([mail(promised(form="ascii")), mail()], NOW)
    with queue.transaction() as work:
        assert len(work.lease("main", "b1", [1, 2], NOW, form="ascii")) == 2
        assert not work.unfit


def test_a_form_can_be_accepted_as_it_is(queue: Any) -> None:
    queue.put([mail(promised(form="gsm7", parts=2))], NOW)
    one = unfit(queue)
    with queue.transaction() as work:
        work.ways.keep_form(one, "ascii")
        leased = work.lease("main", "b1", [1, 2], NOW, form="ascii")
    assert [part.body for part in leased] == [b"447973100000/1", b"447973100000/2"]


def refitted(queue: Any, *bodies: bytes) -> list[bytes]:
    one = unfit(queue)
    with queue.transaction() as work:
        work.ways.refit(one, "ascii", [ComposedPart(body) for body in bodies], NOW)
        leased = work.lease("main", "b1", range(1, 9), NOW, form="ascii")
    assert [part.total for part in leased] == [len(bodies)] * len(bodies)
    assert [part.number for part in leased] == list(range(1, len(bodies) + 1))
    return [part.body for part in leased]


def test_a_message_composed_anew_may_have_fewer_parts(queue: Any) -> None:
    queue.put([mail(promised(form="gsm7", parts=3))], NOW)
    assert refitted(queue, b"all") == [b"all"]
    assert queue.summary(NOW)["parts"]["submitting"] == 1
    assert queue.summary(NOW)["parts"]["queued"] == 0


def test_a_message_composed_anew_may_have_as_many_parts_as_there_is_room_for(queue: Any) -> None:
    first, second = queue.put([mail(promised(form="gsm7", room=3)), mail(message("447973100001"))], NOW)
    assert second.queue_id == first.queue_id + 3
    with queue.transaction() as work:
        (other,) = work.lease("main", "b1", [8, 9], NOW, form="ascii")
    assert other.destination == "447973100001"
    (one,) = _aside(queue)
    assert one.room == 3
    with queue.transaction() as work:
        work.ways.refit(one, "ascii", [ComposedPart(body) for body in (b"a", b"b", b"c")], NOW)
        leased = work.lease("main", "b1", range(1, 9), NOW, form="ascii")
    assert [(part.number, part.body) for part in leased] == [(1, b"a"), (2, b"b"), (3, b"c")]
    record(queue, *(accepted(part.part_id, f"k{part.number}") for part in leased))
    settle(queue, *(receipt(f"k{number}") for number in (1, 2, 3)))
    record(queue, failed(other.part_id))
    assert queue.summary(NOW)["parts"]["delivered"] == 3
    shown = queue.show_mail(str(first.queue_id))
    assert [part["number"] for part in shown["messages"][0]["parts"]] == [1, 2, 3]
    assert queue.purge(NOW + 1) == 2
    assert states(queue) == []


def _aside(queue: Any) -> list[WaitingMessage]:
    with queue.transaction() as work:
        found: list[WaitingMessage] = work.ways.unfit(10)
    return found


def test_a_message_that_becomes_several_parts_gets_a_reference(queue: Any) -> None:
    queue.put([mail(promised(form="gsm7", room=2))], NOW)
    one = unfit(queue)
    parts = [ComposedPart(b"\0\0" + letter, 0, 2) for letter in (b"a", b"b")]
    with queue.transaction() as work:
        work.ways.refit(one, "ascii", parts, NOW)
        first, second = work.lease("main", "b1", range(1, 9), NOW, form="ascii")
    assert first.body[:2] == second.body[:2]
    assert (first.body[2:], second.body[2:]) == (b"a", b"b")
