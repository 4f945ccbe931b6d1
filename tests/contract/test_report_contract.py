"""Which ends of messages every store turns into reports, and how it keeps them until the MTA has them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from contract.builders import DAY, NOW, mail, message
from contract.fates import accepted, expire, failed, lease, queued, receipt, record, settle, states, uncertain
from sms_milter.model import (
    Answer,
    DeliveryReport,
    Digest,
    Notify,
    Original,
    PartState,
    ReportOutcome,
)

HOUR = 3600.0
LOST = Notify.LOST
ALL = Notify.LOST | Notify.FAILURE | Notify.SUCCESS
FAILURES = Notify.LOST | Notify.FAILURE


def put(queue: Any, notify: Notify, *, parts: int = 1, **plan: Any) -> list[Any]:
    """One mail stored and leased: its parts."""
    queue.put([mail(message(parts=parts, notify=notify, recipient="447973100000@sms.example", **plan))], NOW)
    return list(lease(queue, parts))


def reports(queue: Any, now: float = NOW + 100 * DAY) -> list[DeliveryReport]:
    return [due.content for due in queue.due_reports(now, 100)]


def ends(queue: Any) -> list[str]:
    return [str(report.state) for report in reports(queue)]


# --- which ends ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("notify", "lost", "failed_later", "delivered"),
    [
        (Notify.NEVER, 0, 0, 0),
        (LOST, 1, 0, 0),
        (FAILURES, 1, 1, 0),
        (LOST | Notify.SUCCESS, 1, 0, 1),
        (ALL, 1, 1, 1),
    ],
    ids=["never", "lost", "failures", "success", "all"],
)
def test_who_is_told_of_what(
    queue: Any, notify: Notify, lost: int, failed_later: int, delivered: int
) -> None:
    (refused,) = put(queue, notify)
    record(queue, failed(refused.part_id))
    assert len(reports(queue)) == lost
    (expired,) = put(queue, notify)
    record(queue, queued(expired.part_id, NOW))
    expire(queue, NOW + DAY)
    assert len(reports(queue)) == 2 * lost
    (undelivered,) = put(queue, notify)
    record(queue, accepted(undelivered.part_id, "u"))
    settle(queue, receipt("u", PartState.FAILED, stat="UNDELIV"))
    assert len(reports(queue)) == 2 * lost + failed_later
    (arrived,) = put(queue, notify)
    record(queue, accepted(arrived.part_id, "d"))
    settle(queue, receipt("d"))
    assert len(reports(queue)) == 2 * lost + failed_later + delivered


def test_nothing_is_told_on_the_way(queue: Any) -> None:
    (part,) = put(queue, ALL)
    record(queue, accepted(part.part_id, "k"))
    settle(queue, receipt("k", None, stat="ENROUTE"), receipt("k", None, stat="ACCEPTD"))
    assert reports(queue) == []
    assert queue.next_report() is None


def test_a_message_is_delivered_when_all_of_its_parts_are(queue: Any) -> None:
    parts = put(queue, ALL, parts=3)
    record(queue, *(accepted(part.part_id, f"k{part.number}") for part in parts))
    settle(queue, receipt("k1"), receipt("k3"))
    assert reports(queue) == []
    settle(queue, receipt("k2"))
    assert ends(queue) == ["delivered"]


def test_a_message_has_failed_as_soon_as_one_part_has_and_is_reported_once(queue: Any) -> None:
    parts = put(queue, ALL, parts=3)
    record(queue, *(accepted(part.part_id, f"k{part.number}") for part in parts))
    settle(queue, receipt("k2", PartState.EXPIRED, stat="EXPIRED"))
    assert ends(queue) == ["expired"]
    settle(queue, receipt("k1", PartState.FAILED, stat="UNDELIV"), receipt("k3"))
    assert ends(queue) == ["expired"]


def test_refused_parts_of_one_message_are_one_report(queue: Any) -> None:
    parts = put(queue, LOST, parts=3)
    record(queue, failed(parts[0].part_id), failed(parts[1].part_id), accepted(parts[2].part_id, "k"))
    assert ends(queue) == ["failed"]


def test_parts_that_expire_together_are_one_report(queue: Any) -> None:
    queue.put([mail(message(parts=3, notify=LOST))], NOW)
    expire(queue, NOW + DAY)
    assert ends(queue) == ["expired"]


def test_each_message_of_a_mail_is_reported_for_itself(queue: Any) -> None:
    wanted = {"1": LOST, "2": Notify.NEVER, "3": LOST}
    queue.put([mail(*(message(destination, notify=told) for destination, told in wanted.items()))], NOW)
    record(queue, *(failed(part.part_id) for part in lease(queue)))
    assert [report.destination for report in reports(queue)] == ["1", "3"]


def test_a_parked_receipt_is_reported_when_it_finds_its_part(queue: Any) -> None:
    (part,) = put(queue, ALL)
    settle(queue, receipt("k"))
    assert reports(queue) == []
    record(queue, accepted(part.part_id, "k"))
    assert ends(queue) == ["delivered"]


def test_a_transaction_says_whether_it_has_ended_a_message_that_is_told(queue: Any) -> None:
    (part,) = put(queue, ALL)
    with queue.transaction() as work:
        work.record([accepted(part.part_id, "k")])
        assert not work.reported
    with queue.transaction() as work:
        work.settle([receipt("k")])
        assert work.reported
    with queue.transaction() as work:
        work.settle([receipt("k")])
        assert not work.reported


def test_a_report_comes_and_goes_with_its_outcome(queue: Any) -> None:
    (part,) = put(queue, ALL)

    def broken() -> None:
        with queue.transaction() as work:
            work.record([failed(part.part_id)])
            raise RuntimeError("lost")

    with pytest.raises(RuntimeError, match="lost"):
        broken()
    assert reports(queue) == []
    assert states(queue) == ["submitting"]


# --- silence ------------------------------------------------------------------------------------------------


def test_without_a_receipt_it_is_reported_a_day_after_its_validity(queue: Any) -> None:
    (part,) = put(queue, FAILURES, validity_seconds=3600)
    record(queue, accepted(part.part_id, "k", NOW + 5))
    expire(queue, NOW + DAY + 3599)
    assert reports(queue) == []
    expire(queue, NOW + DAY + 3600)
    (report,) = reports(queue)
    assert (report.state, report.at, report.stat) == (PartState.ACCEPTED, NOW, "")
    assert states(queue) == ["accepted"]
    settle(queue, receipt("k"))
    expire(queue, NOW + 5 * DAY)
    assert len(reports(queue)) == 1


def test_without_a_validity_a_receipt_is_missed_after_three_days(queue: Any) -> None:
    (part,) = put(queue, ALL)
    record(queue, uncertain(part.part_id))
    expire(queue, NOW + 3 * DAY - 1)
    assert reports(queue) == []
    expire(queue, NOW + 3 * DAY)
    assert ends(queue) == ["uncertain"]


def test_the_patience_begins_with_the_submit(queue: Any) -> None:
    queue.put([mail(message(notify=ALL, expires_at=NOW + 9 * DAY))], NOW)
    expire(queue, NOW + 3 * DAY)
    (part,) = lease(queue, now=NOW + 4 * DAY)
    record(queue, accepted(part.part_id, "k", NOW + 4 * DAY))
    for days in (4.5, 6, 6.9):
        expire(queue, NOW + days * DAY)
    assert reports(queue) == []
    expire(queue, NOW + 7 * DAY)
    assert ends(queue) == ["accepted"]


@pytest.mark.parametrize("notify", [Notify.NEVER, LOST, LOST | Notify.SUCCESS])
def test_silence_is_told_to_those_who_ask_for_failures(queue: Any, notify: Notify) -> None:
    (part,) = put(queue, notify)
    record(queue, accepted(part.part_id, "k"))
    expire(queue, NOW + 30 * DAY)
    assert reports(queue) == []


def test_of_a_message_that_has_ended_no_receipt_is_missed(queue: Any) -> None:
    one, two = put(queue, FAILURES, parts=2)
    record(queue, accepted(one.part_id, "1"), accepted(two.part_id, "2"))
    settle(queue, receipt("1"), receipt("2"))
    first, second = put(queue, FAILURES, parts=2)
    record(queue, accepted(first.part_id, "a"), failed(second.part_id))
    assert ends(queue) == ["failed"]
    for days in (3, 4, 9):
        expire(queue, NOW + days * DAY)
    assert ends(queue) == ["failed"]


def test_of_a_message_that_still_waits_to_be_sent_no_receipt_is_missed(queue: Any) -> None:
    queue.put([mail(message(notify=FAILURES, validity_seconds=60, expires_at=NOW + 3 * DAY))], NOW)
    expire(queue, NOW + 2 * DAY)
    assert ends(queue) == []
    expire(queue, NOW + 3 * DAY)
    assert ends(queue) == ["expired"]


# --- delay ------------------------------------------------------------------------------------------------

DELAYS = LOST | Notify.PENDING | Notify.DELAYED


def test_who_asks_for_delays_is_told_once_by_the_queue_and_once_by_the_network(queue: Any) -> None:
    (part,) = put(queue, DELAYS, expires_at=NOW + 2 * DAY)
    record(queue, queued(part.part_id, NOW + 30, command_status=0x58))
    expire(queue, NOW + 4 * HOUR - 1)
    assert reports(queue) == []
    for hours in (4, 5, 7, 12):
        expire(queue, NOW + hours * HOUR)
    (waiting,) = reports(queue)
    assert (waiting.on_the_way, waiting.state) == (Notify.DELAYED, PartState.QUEUED)
    assert (waiting.command_status, waiting.at) == (0x58, NOW + 4 * HOUR)
    (part,) = lease(queue, now=NOW + 13 * HOUR)
    record(queue, accepted(part.part_id, "k"))
    settle(queue, receipt("k", None, stat="ENROUTE", at=NOW + 14 * HOUR))
    assert [one.on_the_way for one in reports(queue)] == [Notify.DELAYED, Notify.PENDING]


def test_who_asks_for_delays_and_failures_is_told_of_silence_too(queue: Any) -> None:
    (part,) = put(queue, ALL | DELAYS)
    record(queue, accepted(part.part_id, "k"))
    for hours in (4, 5, 80):
        expire(queue, NOW + hours * HOUR)
    assert ends(queue) == ["accepted"]


def test_others_are_told_of_no_delay(queue: Any) -> None:
    queue.put([mail(message(notify=ALL, notice=ALL, expires_at=NOW + 2 * DAY))], NOW)
    expire(queue, NOW + DAY)
    assert reports(queue) == []


def test_a_report_knows_how_often_the_outcome_was_open(queue: Any) -> None:
    first, second = put(queue, ALL, parts=2)
    record(queue, accepted(first.part_id, "1"), queued(second.part_id, NOW, doubt=True))
    (second,) = lease(queue)
    record(queue, accepted(second.part_id, "2"))
    settle(queue, receipt("1"), receipt("2"))
    assert reports(queue)[0].doubts == 1


# --- digests ----------------------------------------------------------------------------------------------


def test_many_reports_for_one_sender_become_one(queue: Any) -> None:
    queue.put([mail(*(message(str(number), notify=LOST) for number in range(3)))], NOW)
    queue.put([mail(message("7", notify=LOST), sender="bob@acme.example")], NOW)
    record(queue, *(failed(part.part_id) for part in lease(queue)))
    assert [type(one.content) for one in queue.due_reports(NOW, 10, digest_above=3)] == [DeliveryReport] * 4
    digest, other = queue.due_reports(NOW, 10, digest_above=2)
    assert isinstance(digest.content, Digest)
    assert [one.destination for one in digest.content.reports] == ["0", "1", "2"]
    assert digest.mail_message_id == "<1@acme.example>"
    assert other.content.destination == "7"
    queue.record_reports([ReportOutcome(one, NOW) for one in (digest.report_id, *digest.more)])
    (left,) = queue.due_reports(NOW, 10, digest_above=2)
    assert left.report_id == other.report_id


def test_a_digest_of_several_mails_is_in_no_thread(queue: Any) -> None:
    for _ in range(3):
        queue.put([mail(message(notify=LOST))], NOW)
    record(queue, *(failed(part.part_id) for part in lease(queue)))
    (digest,) = queue.due_reports(NOW, 10, digest_above=1)
    assert digest.mail_message_id == ""
    assert digest.account == "acme"


# --- what a report says -------------------------------------------------------------------------------------


def test_a_report_knows_the_mail_and_the_receipt(queue: Any) -> None:
    told = message(
        "447973100000",
        notify=ALL,
        recipient="447973100000@sms.example",
        original_recipient="rfc822;a+2Bb@sms.example",
    )
    asked = mail(told, sender="Bob@Acme.example", mta_queue_id="4QID")._replace(
        original=Original("QQ+2B1", b"From: bob\nSubject: x\n")
    )
    (stored,) = queue.put([asked], NOW)
    (part,) = lease(queue)
    record(queue, accepted(part.part_id, "k"))
    settle(queue, replace(receipt("k", at=NOW + 60), done_at=NOW + 30, error="000"))
    (due,) = queue.due_reports(NOW + 60, 10)
    assert (due.queue_id, due.mta_queue_id) == (stored.queue_id, "4QID")
    assert (due.created_at, due.attempts) == (NOW + 60, 0)
    assert due.mail_message_id == "<1@acme.example>"
    assert due.content == DeliveryReport(
        sender="Bob@Acme.example",
        recipient="447973100000@sms.example",
        destination="447973100000",
        state=PartState.DELIVERED,
        smsc="main",
        stat="DELIVRD",
        error="000",
        command_status=0,
        at=NOW + 30,
        arrived_at=NOW,
        original_recipient="rfc822;a+2Bb@sms.example",
        envelope_id="QQ+2B1",
        header=b"From: bob\nSubject: x\n",
        originator="ACME",
    )


def test_a_receipt_without_a_date_is_dated_by_its_arrival(queue: Any) -> None:
    (part,) = put(queue, ALL)
    record(queue, accepted(part.part_id, "k"))
    settle(queue, receipt("k", at=NOW + 60))
    assert reports(queue)[0].at == NOW + 60


def test_a_refusal_is_reported_without_a_request_and_with_its_status(queue: Any) -> None:
    (part,) = put(queue, LOST)
    record(queue, failed(part.part_id, NOW + 7))
    (report,) = reports(queue)
    assert (report.state, report.command_status, report.at) == (PartState.FAILED, 0x0B, NOW + 7)
    assert (report.stat, report.header, report.envelope_id) == ("", b"", "")


def test_what_expired_after_a_refusal_for_now_names_that(queue: Any) -> None:
    (part,) = put(queue, LOST)
    record(queue, queued(part.part_id, NOW + 30, command_status=0x58))
    expire(queue, NOW + DAY)
    (report,) = reports(queue)
    assert (report.state, report.command_status) == (PartState.EXPIRED, 0x58)


# --- until the MTA has it -----------------------------------------------------------------------------------


def lose(queue: Any, *destinations: str) -> None:
    queue.put([mail(message(destination, notify=LOST)) for destination in destinations], NOW)
    record(queue, *(failed(part.part_id) for part in lease(queue, len(destinations))))


def test_a_report_stays_due_until_it_is_done_with(queue: Any) -> None:
    lose(queue, "1", "2", "3")
    assert queue.next_report() == NOW
    assert queue.summary(NOW)["reports_waiting"] == 3
    assert queue.due_reports(NOW - 1, 10) == []
    one, two = queue.due_reports(NOW, 2)
    queue.record_reports([ReportOutcome(one.report_id, NOW), ReportOutcome(two.report_id, NOW, "550 no")])
    (three,) = queue.due_reports(NOW, 10)
    assert three.content.destination == "3"
    assert queue.summary(NOW)["reports_waiting"] == 1


def test_a_deferred_report_waits_for_its_time(queue: Any) -> None:
    lose(queue, "1", "2")
    (one, _) = queue.due_reports(NOW, 10)
    queue.record_reports([ReportOutcome(one.report_id, NOW, "451 later", again_at=NOW + 60)])
    assert [due.content.destination for due in queue.due_reports(NOW + 59, 10)] == ["2"]
    (two, again) = queue.due_reports(NOW + 60, 10)
    assert (two.content.destination, again.content.destination, again.attempts) == ("2", "1", 1)
    queue.record_reports([ReportOutcome(two.report_id, NOW)])
    assert queue.next_report() == NOW + 60


def test_a_mail_is_not_forgotten_before_its_report_is_done_with(queue: Any) -> None:
    lose(queue, "1")
    assert queue.purge(NOW + DAY) == 0
    (due,) = queue.due_reports(NOW, 10)
    queue.record_reports([ReportOutcome(due.report_id, NOW)])
    assert queue.purge(NOW + DAY) == 1
    assert queue.due_reports(NOW + DAY, 10) == []


def test_an_answer_needs_no_messages(queue: Any) -> None:
    told = mail()._replace(messages=(), answers=(Answer("bob@acme.example", "Status", "Refused.\n"),))
    (alone, after) = queue.put([told, mail()], NOW)
    assert alone.queue_id < after.queue_id
    assert queue.summary(NOW)["parts"]["queued"] == 1
    (due,) = queue.due_reports(NOW, 10)
    assert (due.queue_id, due.content) == (alone.queue_id, told.answers[0])
    queue.record_reports([ReportOutcome(due.report_id, NOW)])
    (part,) = lease(queue, 1)
    assert part.queue_id == after.queue_id
    shown = queue.show_mail(str(alone.queue_id))
    assert shown is not None
    assert shown["messages"] == []


def test_answers_are_stored_with_their_mail(queue: Any) -> None:
    answer = Answer("bob@acme.example", "Status", "All well.\n", "send@sms.example", "SMS gateway")
    first = mail(mta_queue_id="4QID")._replace(answers=(answer,), fingerprint=b"f")
    (stored, _) = queue.put([first, first._replace(answers=(answer, answer))], NOW)
    (due,) = queue.due_reports(NOW, 10)
    assert (due.queue_id, due.mta_queue_id, due.content) == (stored.queue_id, "4QID", answer)
    assert due.mail_message_id == "<1@acme.example>"
    assert queue.next_report() == NOW


def test_what_is_taken_and_not_sent_has_failed_at_once(queue: Any) -> None:
    dear = message("447973100001", smsc="", notify=Notify.LOST).plan._replace(unsent="it costs too much")
    queue.put([mail(message())._replace(failed=(dear,))], NOW)
    assert states(queue) == ["queued", "failed"]
    assert [part.destination for part in lease(queue)] == ["447973100000"]
    (due,) = queue.due_reports(NOW, 10)
    assert (due.content.destination, due.content.state) == ("447973100001", PartState.FAILED)
    assert (due.content.smsc, due.content.command_status, due.content.cancelled) == ("", 0, False)
    counted = queue.summary(NOW)["parts"]
    assert (counted["queued"], counted["submitting"], counted["failed"]) == (0, 1, 1)
