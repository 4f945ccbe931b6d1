"""What every store does about storms of alike messages: one goes, one is held, the others are counted."""

from __future__ import annotations

from typing import Any

import pytest

from contract.builders import DAY, NOW, mail, message
from contract.fates import accepted, expire, failed, lease, queued, receipt, record, settle, states
from sms_milter.errors import Excess
from sms_milter.model import (
    ComposedPart,
    CreditRule,
    Deed,
    DeliveryReport,
    DuplicateRule,
    FloodRule,
    Limits,
    Listener,
    NewMail,
    NewMessage,
    Notice,
    Notify,
    Original,
    PartFate,
    PartState,
    QuotaRule,
    ReportOutcome,
    Selection,
    Stored,
    StormRule,
)

WINDOW = 600.0
RULE = StormRule(WINDOW, similar=False)
STORMS = Limits(storms=RULE)
FORM = "gsm7 udh auto dcs-10 dcs-04"
ONE, OTHER = "447973100001", "447973100002"


def alarm(text: str = "disk full", destination: str = ONE, **more: Any) -> NewMessage:
    likeness = more.pop("likeness", b"disk")
    return message(destination, text=text, likeness=likeness, form=FORM, **more)


def put(
    queue: Any,
    at: float,
    *messages: NewMessage,
    limits: Limits = STORMS,
    now: float | None = None,
    **more: Any,
) -> Any:
    one = mail(*(messages or (alarm(f"disk full at {at:.0f}"),)), at=NOW + at, limits=limits, **more)
    (result,) = queue.put([one], NOW + at if now is None else now)
    return result


def waiting(queue: Any, now: float) -> list[tuple[str, float]]:
    """What a dispatcher would compose anew by then: texts, and when they were due."""
    with queue.transaction() as work:
        assert work.lease("main", "b1", range(1, 100), NOW + now, "", FORM) == []
        messages = work.ways.unfit(100)
    due = {part["part_id"]: part["due_at"] for part in queue.list_parts()}
    return [(one.text, due[one.message_id] - NOW) for one in messages]


def test_the_first_goes_at_once_and_the_last_when_the_window_is_over(queue: Any) -> None:
    results = [put(queue, at) for at in (0, 1, 2, 3)]
    assert [result.counted_in for result in results] == [(), (), (2,), (2,)]
    assert len({result.queue_id for result in results}) == 4
    assert [part.destination for part in lease(queue, now=NOW + 3)] == [ONE]
    assert queue.next_due("main") == NOW + WINDOW
    assert waiting(queue, WINDOW) == [("(3x) disk full at 3", WINDOW)]


def test_what_is_composed_anew_goes_once(queue: Any) -> None:
    for at in range(5):
        put(queue, at)
    lease(queue)
    with queue.transaction() as work:
        work.lease("main", "b1", range(9), NOW + WINDOW, "", FORM)
        (held,) = work.ways.unfit(9)
        assert held.form == f"stale {FORM}"
        work.ways.refit(held, FORM, [ComposedPart(b"(4x)")], NOW + WINDOW)
    with queue.transaction() as work:
        assert [part.body for part in work.lease("main", "b1", range(9), NOW + WINDOW, "", FORM)] == [b"(4x)"]
    assert lease(queue, now=NOW + DAY / 2) == []


def test_a_second_one_that_stays_alone_goes_as_it_is(queue: Any) -> None:
    put(queue, 0)
    put(queue, 5)
    assert len(lease(queue, now=NOW + 5)) == 1
    with queue.transaction() as work:
        assert len(work.lease("main", "b1", range(9), NOW + WINDOW, "", FORM)) == 1


def test_a_long_storm_is_one_sms_for_each_window(queue: Any) -> None:
    taken = 0
    for at in range(0, 6000, 100):
        result = put(queue, at)
        taken += not result.counted_in
        lease(queue, now=NOW + at)
    assert taken == 1 + 10  # the last one is held still
    assert all(part["state"] != "failed" for part in queue.list_parts())


def test_after_a_pause_the_next_goes_at_once(queue: Any) -> None:
    for at in (0, WINDOW, 2 * WINDOW + 1):
        assert put(queue, at).counted_in == ()
        assert len(lease(queue, now=NOW + at)) == 1


def test_the_window_is_counted_from_the_held_one(queue: Any) -> None:
    put(queue, 0)
    put(queue, 599)
    assert len(lease(queue, now=NOW + WINDOW)) == 2
    put(queue, 700)
    assert queue.next_due("main") == NOW + 2 * WINDOW


def test_others_are_not_alike(queue: Any) -> None:
    put(queue, 0)
    put(queue, 1, alarm(destination=OTHER))
    put(queue, 1, alarm(likeness=b"fan"))
    put(queue, 1, alarm(likeness=b""))
    put(queue, 1, account="other")
    put(queue, 1, limits=Limits(suppression=True))
    assert len(lease(queue, now=NOW + 1)) == 6


def test_what_was_submitted_once_counts_no_more(queue: Any) -> None:
    put(queue, 0)
    put(queue, 1)
    parts = lease(queue, now=NOW + WINDOW)
    record(queue, queued(parts[1].part_id, NOW + WINDOW + 60))
    result = put(queue, WINDOW + 1)
    assert result.counted_in == ()
    assert len(lease(queue, now=NOW + WINDOW + 60)) == 1
    assert len(lease(queue, now=NOW + 2 * WINDOW)) == 1


def test_while_nothing_can_be_sent_the_held_one_counts_on(queue: Any) -> None:
    put(queue, 0)
    for at in range(1, 5000, 500):
        put(queue, at)
    assert len(states(queue)) == 2
    with queue.transaction() as work:
        work.lease("main", "b1", range(9), NOW + 5000, "", FORM)
        assert [one.text for one in work.ways.unfit(9)] == ["(10x) disk full at 4501"]


def test_a_retry_counts_once(queue: Any) -> None:
    put(queue, 0)
    put(queue, 1, fingerprint=b"1")
    assert put(queue, 2, fingerprint=b"2").counted_in
    for fingerprint in (b"1", b"2", b"2"):
        assert put(queue, 3, fingerprint=fingerprint).repeat
    lease(queue, now=NOW + 3)
    assert waiting(queue, WINDOW) == [("(2x) disk full at 2", WINDOW)]


def test_a_batch_is_as_good_as_mail_after_mail(queue: Any) -> None:
    batch = [mail(alarm(f"disk full {n}"), at=NOW, limits=STORMS) for n in range(50)]
    results = queue.put(batch, NOW)
    assert [result.counted_in for result in results] == [(), (), *[(2,)] * 48]
    lease(queue)
    assert waiting(queue, WINDOW) == [("(49x) disk full 49", WINDOW)]
    assert queue.summary(NOW)["parts"] | {"queued": 0, "submitting": 0} == dict.fromkeys(
        queue.summary(NOW)["parts"], 0
    )
    assert queue.summary(NOW)["parts"]["queued"] == 1


def test_of_a_mail_to_many_only_the_alike_are_counted(queue: Any) -> None:
    put(queue, 0, alarm(), alarm("fan failed", OTHER, likeness=b"fan"))
    put(queue, 1)
    result = put(queue, 2, alarm(), alarm("fan failed", OTHER, likeness=b"fan"), message(OTHER))
    assert result.counted_in == (3,)
    shown = queue.show_mail(str(result.queue_id))
    assert [one["destination"] for one in shown["messages"]] == [OTHER, OTHER]
    assert shown["left_out"] == [{"destination": ONE, "why": "counted in 3"}]


def test_messages_of_one_mail_are_not_counted_in_each_other(queue: Any) -> None:
    put(queue, 0, alarm(), alarm(), alarm())
    assert len(lease(queue)) == 3


def test_what_is_counted_costs_nothing_and_no_limit_refuses_it(queue: Any) -> None:
    limits = Limits(
        QuotaRule(2, None, 3600, defer=False),
        DuplicateRule(1, 60),
        FloodRule(2, 120, per_account=False),
        CreditRule(3000),
        storms=RULE,
    )
    for at in range(9):
        assert isinstance(put(queue, at, alarm(price=1500), limits=limits, identity=b"same"), Stored)
    assert queue.credit_left("acme", CreditRule(3000)) == 0
    refused = put(queue, 9, alarm(price=1500, likeness=b"fan"), limits=limits, identity=b"fan")
    assert not isinstance(refused, Stored)


def test_a_refused_mail_counts_nowhere_and_its_places_are_those_of_the_mail(queue: Any) -> None:
    limits = Limits(flood=FloodRule(1, 120, per_account=False), storms=RULE)
    put(queue, 0)
    put(queue, 1)
    put(queue, 1, message(OTHER), limits=limits)
    both: NewMail = mail(alarm("never said"), message(OTHER), at=NOW + 2, limits=limits)
    foretold = queue.refusal(both, NOW + 2)
    (refused,) = queue.put([both], NOW + 2)
    for one in (foretold, refused):
        assert isinstance(one, Excess)
        assert one.messages == {1}
    put(queue, 3)
    lease(queue, now=NOW + 3)
    assert waiting(queue, WINDOW) == [("(2x) disk full at 3", WINDOW)]


def test_its_validity_begins_when_it_may_go(queue: Any) -> None:
    put(queue, 0)
    put(queue, 1, alarm(expires_at=NOW + 61))
    lease(queue)
    assert len(lease(queue, now=NOW + WINDOW)) == 1


def test_what_is_counted_late_has_its_own_validity(queue: Any) -> None:
    put(queue, 0)
    for at in (1, DAY - 10):  # nothing could be sent all day
        put(queue, at, alarm(f"disk full at {at:.0f}", expires_at=NOW + at + DAY))
    expire(queue, NOW + 1.5 * DAY)
    assert states(queue) == ["expired", "queued"]


@pytest.mark.parametrize("quiet_until", [WINDOW / 2, 8 * 3600])
def test_what_waits_for_the_end_of_quiet_hours_is_held_behind_it(queue: Any, quiet_until: float) -> None:
    for at in range(4):
        put(queue, at, alarm(f"disk full at {at}", not_before=NOW + quiet_until))
    assert lease(queue) == []
    assert len(lease(queue, now=NOW + quiet_until)) == 1
    assert waiting(queue, quiet_until + WINDOW) == [("(3x) disk full at 3", quiet_until + WINDOW)]


def test_a_clock_that_was_ahead_holds_nothing_for_long(queue: Any) -> None:
    put(queue, DAY / 2)
    lease(queue, now=NOW + DAY / 2)
    put(queue, 0)
    assert len(lease(queue)) == 1


def test_a_held_one_that_an_operator_cancels_counts_no_more(queue: Any) -> None:
    put(queue, 0)
    held = put(queue, 1)
    queue.change(Deed.CANCEL, Selection(name=str(held.queue_id)), NOW + 2)
    assert put(queue, 3).counted_in == ()
    assert queue.next_due("main") in (NOW, NOW + WINDOW, NOW + 2 * WINDOW)


def test_what_is_counted_is_forgotten_with_the_rest(queue: Any) -> None:
    put(queue, 0)
    put(queue, 1)
    counted = put(queue, 2)
    parts = lease(queue, now=NOW + WINDOW)
    record(queue, *(failed(part.part_id, NOW + WINDOW) for part in parts))
    queue.purge(NOW + 40 * DAY)
    assert queue.show_mail(str(counted.queue_id)) is None
    assert states(queue) == []


# --- who is told of what is counted -------------------------------------------------------------------------

ENDS = Notify.LOST | Notify.FAILURE | Notify.SUCCESS


def asked(queue: Any, at: float, who: str, notify: Notify = ENDS, *listeners: Listener) -> Stored:
    """An alarm of `who`, who wants to hear of its end."""
    one = mail(
        alarm(
            f"disk full at {at:.0f}",
            notify=notify,
            notice=notify,
            recipient=f"{who}@sms.example",
            reference=who,
        ),
        at=NOW + at,
        limits=STORMS,
        sender=f"{who}@acme.example",
    )
    one = one._replace(original=Original(f"ENV-{who}", f"Subject: {who}\n".encode()), listeners=listeners)
    (result,) = queue.put([one], NOW + at)
    assert isinstance(result, Stored)
    return result


def refit_and_lease(queue: Any, now: float) -> Any:
    """The held message, composed anew and on the wire."""
    with queue.transaction() as work:
        work.lease("main", "b1", range(9), now, "", FORM)
        for held in work.ways.unfit(9):
            work.ways.refit(held, FORM, [ComposedPart(b"(2x)")], now)
    with queue.transaction() as work:
        (part,) = work.lease("main", "b1", range(9), now, "", FORM)
    return part


def told(queue: Any) -> list[Any]:
    return [due.content for due in queue.due_reports(NOW + 100 * DAY, 100)]


def test_who_was_counted_hears_of_the_message_that_stands_for_all(queue: Any) -> None:
    for at, who in enumerate(("ann", "bob", "eve", "joe")):
        asked(queue, at, who)
    (first,) = lease(queue, now=NOW + 4)
    held = refit_and_lease(queue, NOW + WINDOW)
    record(queue, failed(first.part_id), accepted(held.part_id, "k"))
    settle(queue, receipt("k", source=ONE))
    reports = {one.sender: one for one in told(queue)}
    assert {sender: str(one.state) for sender, one in reports.items()} == {
        "ann@acme.example": "failed",
        "bob@acme.example": "delivered",
        "eve@acme.example": "delivered",
        "joe@acme.example": "delivered",
    }
    eve = reports["eve@acme.example"]
    assert isinstance(eve, DeliveryReport)
    assert (eve.recipient, eve.destination, eve.reference) == ("eve@sms.example", ONE, "eve")
    assert (eve.envelope_id, eve.header, eve.arrived_at) == ("ENV-eve", b"Subject: eve\n", NOW + 2)
    assert eve.parts == 1


def test_each_hears_once_what_he_wants_to(queue: Any) -> None:
    listener = Listener("desk@acme.example", Notify.FAILURE)
    asked(queue, 0, "ann", Notify.NEVER)
    asked(queue, 1, "bob", Notify.FAILURE, listener)
    asked(queue, 2, "eve", Notify.FAILURE, listener)
    asked(queue, 3, "joe", Notify.NEVER)
    lease(queue, now=NOW + 4)
    held = refit_and_lease(queue, NOW + WINDOW)
    record(queue, accepted(held.part_id, "k"))
    for _ in range(2):
        settle(queue, receipt("k", PartState.FAILED, stat="UNDELIV", source=ONE))
    reports = told(queue)
    assert sorted(one.sender for one in reports if isinstance(one, DeliveryReport)) == [
        "bob@acme.example",
        "eve@acme.example",
    ]
    notices = [one for one in reports if isinstance(one, Notice)]
    assert sorted(one.news[0].reference for one in notices) == ["bob", "eve"]
    assert [one.target for one in notices] == ["desk@acme.example"] * 2


def test_what_expires_before_it_is_sent_is_told_to_all_of_whom_it_stands_for(queue: Any) -> None:
    for at, who in enumerate(("ann", "bob", "eve")):
        asked(queue, at, who)
    expire(queue, NOW + 3 * DAY)
    assert sorted(one.sender for one in told(queue)) == [
        f"{who}@acme.example" for who in ("ann", "bob", "eve")
    ]
    assert {str(one.state) for one in told(queue)} == {"expired"}


def test_the_fate_of_what_is_counted_is_that_of_the_other(queue: Any) -> None:
    for at, who in enumerate(("ann", "bob", "eve")):
        asked(queue, at, who)
    assert queue.fates("acme", ["eve"]) == {"eve": [PartFate(PartState.QUEUED, None, None)]}
    lease(queue, now=NOW + 4)
    held = refit_and_lease(queue, NOW + WINDOW)
    record(queue, accepted(held.part_id, "k"))
    assert [fate.state for fate in queue.fates("acme", ["eve"])["eve"]] == [PartState.ACCEPTED]
    asked(queue, 2 * DAY, "eve")
    assert [fate.state for fate in queue.fates("acme", ["eve"])["eve"]] == [PartState.QUEUED]


def test_a_counted_mail_stays_until_all_is_told(queue: Any) -> None:
    asked(queue, 0, "ann")
    asked(queue, 1, "bob")
    eve = asked(queue, 2, "eve")
    queue.purge(NOW + 1)
    queue.purge(NOW + 40 * DAY)
    assert queue.show_mail(str(eve.queue_id)) is not None
    expire(queue, NOW + 3 * DAY)
    queue.purge(NOW + 40 * DAY)
    assert queue.show_mail(str(eve.queue_id)) is not None
    for due in queue.due_reports(NOW + 4 * DAY, 100):
        queue.record_reports([ReportOutcome(due.report_id, NOW + 4 * DAY)])
    queue.purge(NOW + 40 * DAY)
    assert queue.show_mail(str(eve.queue_id)) is None
    assert states(queue) == []
