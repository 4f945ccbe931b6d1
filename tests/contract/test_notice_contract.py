"""Whom every store tells in the words of a dialect, of what, and what it gathers for one mail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from contract.builders import DAY, NOW, mail, message
from contract.fates import accepted, expire, failed, lease, queued, receipt, record, settle
from sms_milter.model import DeliveryReport, DueReport, Listener, Notice, Notify, PartState, ReportOutcome

ENDS = Notify.LOST | Notify.FAILURE | Notify.SUCCESS
ALL = ENDS | Notify.PENDING | Notify.SENT | Notify.RETRY
BOB = Listener("bob@acme.example", ALL)


def put(
    queue: Any, *listeners: Listener, notice: Notify = ALL, parts: int = 1, messages: int = 1, **plan: Any
) -> list[Any]:
    """One mail with listeners, stored and leased: its parts."""
    planned = [message(parts=parts, notice=notice, **plan) for _ in range(messages)]
    queue.put([mail(*planned)._replace(listeners=listeners)], NOW)
    return list(lease(queue, parts * messages))


def due(queue: Any, now: float = NOW + 100 * DAY, **more: bool) -> list[DueReport]:
    return list(queue.due_reports(now, 100, **more))


def told(queue: Any, **more: bool) -> list[tuple[str, list[str]]]:
    """Who is told what, a line for each mail or request."""
    return [
        (one.content.target, [_word(news) for news in one.content.news])
        for one in due(queue, **more)
        if isinstance(one.content, Notice)
    ]


def _word(news: DeliveryReport) -> str:
    return str(news.on_the_way.name if news.on_the_way else news.state.name).lower()


@pytest.mark.parametrize(
    ("of_listener", "of_message", "heard"),
    [
        (ALL, ALL, ["sent", "pending", "delivered"]),
        (ENDS, ALL, ["delivered"]),
        (ALL, ENDS, ["delivered"]),
        (Notify.PENDING, ALL, ["pending"]),
        (Notify.SENT, Notify.SENT, ["sent"]),
        (Notify.LOST | Notify.FAILURE, ALL, []),
        (ALL, Notify.NEVER, []),
    ],
)
def test_a_listener_hears_what_it_and_the_message_name(
    queue: Any, of_listener: Notify, of_message: Notify, heard: list[str]
) -> None:
    (part,) = put(queue, replace(BOB, told=of_listener), notice=of_message)
    record(queue, accepted(part.part_id, "k"))
    settle(queue, receipt("k", None, stat="ENROUTE"))
    settle(queue, receipt("k"))
    assert [words for _, words in told(queue)] == [[word] for word in heard]


@pytest.mark.parametrize("of_message", [Notify.NEVER, Notify.SUCCESS])
def test_who_does_not_listen_for_failures_hears_of_none(queue: Any, of_message: Notify) -> None:
    refused, undelivered = put(queue, BOB, notice=of_message, messages=2)
    record(queue, failed(refused.part_id), accepted(undelivered.part_id, "k"))
    settle(queue, receipt("k", PartState.FAILED, stat="UNDELIV"))
    expire(queue, NOW + 9 * DAY)
    assert told(queue) == []


def test_failures_of_every_kind_are_heard(queue: Any) -> None:
    refused, undelivered, silent = put(queue, BOB, notice=Notify.LOST | Notify.FAILURE, messages=3)
    record(queue, failed(refused.part_id), accepted(undelivered.part_id, "k"), accepted(silent.part_id, "s"))
    settle(queue, receipt("k", PartState.FAILED, stat="UNDELIV"))
    expire(queue, NOW + 3 * DAY)
    assert [words for _, words in told(queue)] == [["failed"], ["failed"], ["accepted"]]


def test_the_network_is_heard_once_and_not_after_the_end(queue: Any) -> None:
    first, second = put(queue, BOB, notice=ENDS | Notify.PENDING, parts=2)
    record(queue, accepted(first.part_id, "1"), accepted(second.part_id, "2"))
    settle(queue, receipt("1", None, stat="ENROUTE"))
    settle(queue, receipt("1", None, stat="ACCEPTD"), receipt("2", None, stat="ENROUTE"))
    assert [words for _, words in told(queue)] == [["pending"]]
    first, second = put(queue, BOB, notice=ENDS | Notify.PENDING, parts=2)
    record(queue, accepted(first.part_id, "a"), accepted(second.part_id, "b"))
    settle(queue, receipt("a", PartState.FAILED, stat="UNDELIV"))
    settle(queue, receipt("b", None, stat="ENROUTE"))
    assert [words for _, words in told(queue)] == [["pending"], ["failed"]]


def test_nothing_is_pending_of_a_message_that_was_missed(queue: Any) -> None:
    (part,) = put(queue, BOB, notice=ENDS | Notify.PENDING)
    record(queue, accepted(part.part_id, "k"))
    expire(queue, NOW + 3 * DAY)
    settle(queue, receipt("k", None, stat="ENROUTE"))
    assert [words for _, words in told(queue)] == [["accepted"]]


def test_a_message_is_sent_when_all_of_its_parts_are(queue: Any) -> None:
    first, second = put(queue, BOB, notice=Notify.SENT, parts=2)
    record(queue, accepted(first.part_id, "1"))
    assert told(queue) == []
    record(queue, accepted(second.part_id, "2"))
    assert told(queue) == [("bob@acme.example", ["sent"])]


def test_a_message_goes_to_be_tried_again_once(queue: Any) -> None:
    (part,) = put(queue, BOB, notice=Notify.RETRY)
    record(queue, queued(part.part_id, NOW + 1))
    (part,) = lease(queue, now=NOW + 1)
    record(queue, queued(part.part_id, NOW + 2))
    assert told(queue) == [("bob@acme.example", ["retry"])]


def test_the_dispatcher_is_told_that_somebody_hears_of_it(queue: Any) -> None:
    (part,) = put(queue, BOB, notice=Notify.SENT)
    with queue.transaction() as work:
        work.record([accepted(part.part_id, "k")])
        assert work.reported


def test_every_listener_is_told_and_the_sender_too(queue: Any) -> None:
    (part,) = put(queue, BOB, Listener("eve@acme.example", ENDS), notify=ENDS)
    record(queue, accepted(part.part_id, "k"))
    settle(queue, receipt("k"))
    assert told(queue) == [
        ("bob@acme.example", ["sent"]),
        ("bob@acme.example", ["delivered"]),
        ("eve@acme.example", ["delivered"]),
    ]
    assert sum(isinstance(one.content, DeliveryReport) for one in due(queue)) == 1


def test_the_listeners_of_one_mail_do_not_hear_of_another(queue: Any) -> None:
    (quiet,) = put(queue, notice=ALL)
    (part,) = put(queue, BOB, notice=ALL)
    record(queue, accepted(quiet.part_id, "q"), failed(part.part_id))
    assert told(queue) == [("bob@acme.example", ["failed"])]


def test_urls_wait_apart_from_mails(queue: Any) -> None:
    url = Listener("https://acme.example/done", ENDS, is_url=True)
    (part,) = put(queue, BOB, url, notice=ENDS)
    record(queue, accepted(part.part_id, "k"))
    settle(queue, receipt("k", at=NOW + 5))
    assert told(queue) == [("bob@acme.example", ["delivered"])]
    assert told(queue, urls=True) == [("https://acme.example/done", ["delivered"])]
    assert queue.next_report(urls=True) == NOW + 5
    (call,) = due(queue, urls=True)
    queue.record_reports([ReportOutcome(call.report_id, NOW + 6)])
    assert queue.next_report(urls=True) is None
    assert queue.next_report() == NOW + 5


def test_what_comes_within_the_time_is_one_mail(queue: Any) -> None:
    parts = put(queue, replace(BOB, gather_seconds=60), notice=ENDS | Notify.SENT, messages=2)
    record(queue, *(accepted(part.part_id, f"k{part.part_id}", NOW) for part in parts))
    settle(queue, receipt(f"k{parts[1].part_id}", at=NOW + 50))
    assert due(queue, NOW + 59) == []
    assert queue.next_report() == NOW + 60
    (one,) = due(queue, NOW + 60)
    assert told(queue) == [("bob@acme.example", ["sent", "sent", "delivered"])]
    queue.record_reports([ReportOutcome(report, NOW + 60) for report in (one.report_id, *one.more)])
    settle(queue, receipt(f"k{parts[0].part_id}", at=NOW + 70))
    assert queue.next_report() == NOW + 130
    assert told(queue) == [("bob@acme.example", ["delivered"])]


def test_a_notice_knows_the_message(queue: Any) -> None:
    (part,) = put(
        queue, BOB, notice=Notify.SENT, reference="order77", public_id="7c1b", recipient="4479@sms.example"
    )
    record(queue, accepted(part.part_id, "k", NOW + 3))
    (one,) = due(queue)
    assert isinstance(one.content, Notice)
    (news,) = one.content.news
    assert (news.originator, news.reference, news.public_id, news.parts) == ("ACME", "order77", "7c1b", 1)
    assert (news.sender, news.recipient) == ("alerts@acme.example", "4479@sms.example")
    assert (news.smsc, news.at, news.arrived_at) == ("main", NOW + 3, NOW)
    assert one.content.dialect == "hsl"


def test_a_mail_is_not_forgotten_before_its_listeners_were_told(queue: Any) -> None:
    (part,) = put(queue, BOB, notice=ENDS)
    record(queue, failed(part.part_id))
    assert queue.purge(NOW + 9 * DAY) == 0
    (one,) = due(queue)
    queue.record_reports([ReportOutcome(one.report_id, NOW)])
    assert queue.purge(NOW + 9 * DAY) == 1
