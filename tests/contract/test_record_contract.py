"""What every store owes later mails: records that are changed only as they were read, and fates, also of
messages that fail at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from contract.builders import NOW, mail, message
from contract.fates import accepted, failed, lease, receipt, record, settle
from sms_milter.errors import RecordChanged
from sms_milter.model import (
    NewMail,
    Notify,
    PartFate,
    PartState,
    PlannedMessage,
    Record,
    ReportOutcome,
    Stored,
)

CODE = Record("code", "41790000000", "12345678", until=NOW + 60)


def leaving(*records: Record, account: str = "acme", **more: Any) -> NewMail:
    """A mail that only leaves records behind."""
    return mail(account=account, **more)._replace(messages=(), records=records)


# --- records ------------------------------------------------------------------------------------------------


def test_a_record_is_found_by_account_kind_and_name_until_its_time_is_over(queue: Any) -> None:
    (stored,) = queue.put([leaving(CODE)], NOW)
    found = queue.find_record("acme", "code", "41790000000", NOW + 59)
    assert found == replace(CODE, written_by=stored.queue_id)
    assert queue.find_record("acme", "code", "41790000000", NOW + 60) is None
    for others in (("other", "code", "41790000000"), ("acme", "x", "41790000000"), ("acme", "code", "1")):
        assert queue.find_record(*others, NOW) is None


def test_a_record_without_end_stays(queue: Any) -> None:
    queue.put([leaving(replace(CODE, until=None))], NOW)
    queue.put([leaving(replace(CODE, name="1"))], NOW + 1e9)
    assert queue.find_record("acme", "code", "41790000000", NOW + 2e9).value == "12345678"


def test_only_who_has_read_a_record_as_it_is_may_change_it(queue: Any) -> None:
    queue.put([leaving(CODE)], NOW)
    read = queue.find_record("acme", "code", "41790000000", NOW)
    first, second = queue.put([leaving(replace(read, value=value)) for value in "ab"], NOW)
    assert isinstance(first, Stored)
    assert isinstance(second, RecordChanged)
    assert second.reply.is_temporary
    (unread,) = queue.put([leaving(CODE)], NOW)
    assert isinstance(unread, RecordChanged)
    assert queue.find_record("acme", "code", "41790000000", NOW).value == "a"


def test_nothing_is_left_of_a_mail_whose_record_has_changed(queue: Any) -> None:
    queue.put([leaving(CODE)], NOW)
    changed = mail(message())._replace(records=(replace(CODE, name="new"), CODE))
    (refused, other) = queue.put([changed, mail(message("447973100001"))], NOW)
    assert isinstance(refused, RecordChanged)
    assert isinstance(other, Stored)
    assert [part.destination for part in lease(queue)] == ["447973100001"]
    assert queue.find_record("acme", "code", "new", NOW) is None


def test_a_record_whose_time_is_over_is_as_unwritten(queue: Any) -> None:
    queue.put([leaving(CODE)], NOW)
    read = queue.find_record("acme", "code", "41790000000", NOW)
    late, fresh = queue.put([leaving(read), leaving(replace(CODE, until=NOW + 200))], NOW + 61)
    assert isinstance(late, RecordChanged)
    assert isinstance(fresh, Stored)
    (again,) = queue.put([leaving(read)], NOW + 62)  # another one by that name: not what was read
    assert isinstance(again, RecordChanged)


def test_the_record_of_a_retry_is_not_written_again(queue: Any) -> None:
    queue.put([leaving(CODE, fingerprint=b"1")], NOW)
    (again,) = queue.put([leaving(replace(CODE, value="x"), fingerprint=b"1")], NOW)
    assert again.repeat
    assert queue.find_record("acme", "code", "41790000000", NOW).value == "12345678"


def test_odd_octets_do_not_hurt_a_record(queue: Any) -> None:
    queue.put([leaving(replace(CODE, name="\udcff", value="\udcff"))], NOW)
    assert queue.find_record("acme", "code", "\udcff", NOW) is not None


def test_a_mail_may_leave_nothing_at_all(queue: Any) -> None:
    first, second = queue.put([leaving(), leaving()], NOW)
    assert first.queue_id != second.queue_id
    assert queue.list_parts() == []


# --- fates --------------------------------------------------------------------------------------------------


def test_a_message_is_found_by_its_reference_with_all_its_parts(queue: Any) -> None:
    queue.put([mail(message(parts=2, reference="1234"), message("447973100001", reference="1235"))], NOW)
    assert queue.fates("acme", ["1234", "9999"]) == {"1234": [PartFate(PartState.QUEUED, None, None)] * 2}
    assert queue.fates("other", ["1234"]) == {}
    assert queue.fates("acme", []) == {}


def test_the_newest_message_with_a_reference_counts(queue: Any) -> None:
    queue.put([mail(message(parts=2, reference="1"))], NOW)
    queue.put([mail(message(reference="1")), mail(message(parts=3, reference="1"), account="other")], NOW)
    assert len(queue.fates("acme", ["1"])["1"]) == 1


def test_a_fate_tells_of_submit_response_and_newest_receipt(queue: Any) -> None:
    queue.put([mail(message(reference="1"), message("447973100001", reference="2"))], NOW)
    one, two = lease(queue, now=NOW + 1)
    record(queue, accepted(one.part_id, "a", NOW + 2), failed(two.part_id, NOW + 3))
    settle(queue, receipt("a", None, stat="ENROUTE", at=NOW + 4))
    fates = queue.fates("acme", ["1", "2"])
    assert fates["1"] == [PartFate(PartState.ACCEPTED, NOW + 1, NOW + 4, "ENROUTE", "000")]
    assert fates["2"] == [PartFate(PartState.FAILED, NOW + 1, NOW + 3, command_status=0x0B)]
    settle(queue, receipt("a", at=NOW + 5))
    (delivered,) = queue.fates("acme", ["1"])["1"]
    assert (delivered.state, delivered.told_at, delivered.stat) == (
        PartState.DELIVERED,
        NOW + 5,
        "DELIVRD",
    )


# --- messages that fail at once -----------------------------------------------------------------------------


def failing(reference: str = "1", **plan: Any) -> PlannedMessage:
    return PlannedMessage("12", "ACME", "", (), reference=reference, **plan)


def test_a_message_without_destination_has_failed_when_it_is_stored(queue: Any) -> None:
    queue.put([mail(message(reference="2"))._replace(failed=(failing(),))], NOW)
    assert queue.fates("acme", ["1"]) == {"1": [PartFate(PartState.FAILED, NOW, NOW, command_status=0x0B)]}
    assert [part.destination for part in lease(queue)] == ["447973100000"]
    counted = queue.summary(NOW)["parts"]
    assert (counted["failed"], counted["submitting"], counted["queued"]) == (1, 1, 0)


def test_a_mail_may_have_nothing_else(queue: Any) -> None:
    first, second = queue.put([mail()._replace(messages=(), failed=(failing(),)), mail()], NOW)
    assert first.queue_id != second.queue_id
    assert [part["state"] for part in queue.list_parts()] == ["queued", "failed"]
    assert queue.show_mail(str(first.queue_id))["messages"][0]["destination"] == "12"


def test_it_is_told_and_forgotten_like_others(queue: Any) -> None:
    queue.put([mail()._replace(messages=(), failed=(failing(notify=Notify.LOST),))], NOW)
    (report,) = queue.due_reports(NOW, 10)
    assert report.content.destination == "12"
    assert queue.purge(NOW + 1) == 0
    queue.record_reports([ReportOutcome(report.report_id, NOW)])
    assert queue.purge(NOW + 1) == 1
    assert queue.summary(NOW)["parts"]["failed"] == 0
