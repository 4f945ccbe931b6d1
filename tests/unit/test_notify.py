"""The report role over a real queue; only the MTA and the clock are the test's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from contract.builders import NOW, mail, message
from contract.fates import accepted, failed, lease, receipt, record, settle
from sms_milter.errors import OutboxUnavailable, QueueUnavailable, ReportDeferred, ReportRefused
from sms_milter.logline import Numbers
from sms_milter.model import Answer, Notify, PartState, ReportOutcome
from sms_milter.notify import Notifier
from sms_milter.queue.sqlite import SqliteQueue
from support.gate import Lines

DAY = 86400.0


class Mta:
    """An outbox that keeps what it takes; `says` holds what it raises, one for each mail, then nothing."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.says: list[Exception | None] = []
        self.asked = 0
        self.closed = 0

    def submit(self, recipient: str, mail: bytes) -> str:
        self.asked += 1
        error = self.says.pop(0) if self.says else None
        if error is not None:
            raise error
        self.taken.append((recipient, mail))
        return "250 2.0.0 Ok: queued as 4NEW"

    def close(self) -> None:
        self.closed += 1


class Office:
    """A queue with messages that failed, the report role, and its MTA."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.now = NOW
        self.queue = SqliteQueue(str(path / "queue.db"))
        self.mta = Mta()
        self.options = {"host_name": "gw.example", **options}
        self.restart()

    def restart(self) -> None:
        """A new process: nothing is remembered but the queue."""
        self.lines = Lines()
        self.notifier = Notifier(
            self.queue,
            self.mta,
            self.lines,  # type: ignore[arg-type]  # its methods are made on demand
            Numbers(masked=False),
            **self.options,
        )

    def lose(self, *destinations: str, **options: Any) -> None:
        """Mails whose SMS the SMSC refuses."""
        for destination in destinations:
            told = message(destination, notify=Notify.LOST, recipient=f"{destination}@sms.example")
            self.queue.put([mail(told, **options)], self.now)
        record(self.queue, *(failed(part.part_id, self.now) for part in lease(self.queue, now=self.now)))

    def step(self, seconds: float = 0.0) -> float:
        self.now += seconds
        return self.notifier.step(self.now)

    @property
    def told(self) -> list[str]:
        """The destinations that mails were taken about."""
        return [octets.split(b"mobile +")[1].split(b" ")[0].decode() for _, octets in self.mta.taken]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.queue.close()


def test_a_report_goes_to_the_sender_and_the_log(office: Office) -> None:
    office.lose("447973100000", mta_queue_id="4QID", sender="Bob@acme.example")
    assert office.step() == 5.0
    ((recipient, octets),) = office.mta.taken
    assert recipient == "Bob@acme.example"
    report = message_from_bytes(octets)
    assert report["From"] == "Mail Delivery System <postmaster@sms.example>"
    assert report["To"] == "Bob@acme.example"
    assert report["Subject"] == "Delivery Status Notification (Failure)"
    assert report["In-Reply-To"] == "<1@acme.example>"
    assert report["Message-ID"] == "<19700112134640.1@gw.example>"
    assert office.lines.written == [
        (
            "info",
            "4QID: to=<Bob@acme.example>, about=447973100000, queue=1, "
            "reply=250 2.0.0 Ok: queued as 4NEW, status=report sent (failed)",
        )
    ]


def test_the_text_is_nowhere(office: Office) -> None:
    office.lose("447973100000")
    office.step()
    assert b"secret words" not in office.mta.taken[0][1]
    assert "secret words" not in office.lines.text


def test_a_report_is_sent_once(office: Office) -> None:
    office.lose("1", "2")
    for _ in range(3):
        office.step(60)
    office.restart()
    office.step(60)
    assert office.told == ["1", "2"]
    assert office.queue.summary(office.now)["reports_waiting"] == 0


def test_many_reports_go_in_groups_over_one_connection(office: Office) -> None:
    for number in range(115):
        office.lose(str(number))
    assert [office.step(), office.step()] == [0.0, 0.0]
    assert office.mta.closed == 0
    assert office.step() == 5.0
    assert office.mta.closed == 1
    assert len(office.told) == 115


@pytest.mark.parametrize(("error", "status"), [("001", "5.1.1"), ("002", "5.0.0")])
def test_an_smsc_may_say_by_a_number_that_nobody_has_it(tmp_path: Path, error: str, status: str) -> None:
    office = Office(tmp_path, no_subscriber={"main": frozenset({"001"})})
    told = message(notify=Notify.FAILURE, recipient="447973100000@sms.example")
    office.queue.put([mail(told)], NOW)
    (part,) = lease(office.queue)
    record(office.queue, accepted(part.part_id, "a"))
    settle(office.queue, replace(receipt("a", PartState.FAILED, stat="UNDELIV"), error=error))
    office.step()
    assert f"\r\nStatus: {status}\r\n".encode() in office.mta.taken[0][1]


def test_the_from_address_may_be_another(tmp_path: Path) -> None:
    office = Office(tmp_path, author="sms@acme.example")
    office.lose("1")
    office.step()
    assert b"\r\nFrom: Mail Delivery System <sms@acme.example>\r\n" in b"\r\n" + office.mta.taken[0][1]


def test_an_answer_is_a_plain_mail(office: Office) -> None:
    answer = Answer("bob@acme.example", "Your status", "All well.\n")
    office.queue.put([mail(mta_queue_id="4QID")._replace(answers=(answer,))], NOW)
    office.step()
    ((recipient, octets),) = office.mta.taken
    assert recipient == "bob@acme.example"
    sent = message_from_bytes(octets)
    assert (sent["Subject"], sent["Auto-Submitted"]) == ("Your status", "auto-replied")
    assert sent["From"] == "Mail Delivery System <postmaster@gw.example>"
    assert sent.get_payload() == "All well.\r\n"
    assert (sent["In-Reply-To"], sent["References"]) == ("<1@acme.example>", "<1@acme.example>")
    assert "4QID: to=<bob@acme.example>, queue=1, reply=" in office.lines.text
    assert "status=report sent (answer)" in office.lines.text


@pytest.mark.parametrize(
    ("name", "shown"), [("", "send@sms.example"), ("SMS gateway", "SMS gateway <send@sms.example>")]
)
def test_an_answer_may_have_an_author_of_its_own(office: Office, name: str, shown: str) -> None:
    answer = Answer("bob@acme.example", "Re: x", "All well.", "send@sms.example", name)
    office.queue.put([mail()._replace(answers=(answer,))], NOW)
    office.step()
    assert message_from_bytes(office.mta.taken[0][1])["From"] == shown


def test_a_deferred_report_is_tried_again_ever_later_with_the_same_id(office: Office) -> None:
    office.lose("1", "2")
    office.mta.says = [ReportDeferred("451 later")]
    assert office.step() == 5.0
    assert office.told == ["2"]
    assert "status=report deferred for 60 s (451 later)" in office.lines.text
    office.mta.says = [ReportDeferred("451 later")]
    office.step(59)
    assert office.mta.asked == 2
    office.step(1)
    assert "report deferred for 300 s" in office.lines.text
    office.step(300)
    assert office.told == ["2", "1"]
    first, second = (message_from_bytes(octets)["Message-ID"] for _, octets in office.mta.taken)
    assert (first, second) == ("<19700112134640.2@gw.example>", "<19700112134640.1@gw.example>")


def test_after_five_days_it_is_given_up(office: Office) -> None:
    office.lose("1")
    office.mta.says = [ReportDeferred("451 later"), ReportDeferred("451 later")]
    office.step(5 * DAY)
    office.step(60)
    assert office.lines.written[-1][0] == "error"
    assert "report given up (too often: 451 later)" in office.lines.text
    assert office.queue.next_report() is None


def test_what_the_mta_refuses_is_given_up(office: Office) -> None:
    office.lose("1", "2")
    office.mta.says = [ReportRefused("550 5.1.1 no such user")]
    office.step()
    assert office.told == ["2"]
    severity, text = office.lines.written[0]
    assert severity == "error"
    assert text.endswith("queue=1, status=report given up (550 5.1.1 no such user)")
    office.step(DAY)
    assert office.mta.asked == 2


def test_while_the_mta_is_away_reports_wait_without_noise(office: Office) -> None:
    office.lose("1", "2")
    office.mta.says = [OutboxUnavailable("refused") for _ in range(3)]
    rests = [office.step(rest) for rest in (0, 1, 2)]
    assert rests == [1.0, 2.0, 4.0]
    assert office.step(1) == 3.0
    assert office.mta.asked == 3
    office.step(3)
    office.step(8)
    assert sorted(office.told) == ["1", "2"]
    assert [severity for severity, _ in office.lines.written] == ["warning", "info", "info", "info"]
    assert "the MTA takes no reports, trying again (refused)" in office.lines.text
    assert "the MTA takes reports again" in office.lines.text


def test_a_mail_that_the_mta_chokes_on_does_not_hold_up_the_others(office: Office) -> None:
    office.lose("1", "2")
    office.mta.says = [OutboxUnavailable("connection lost")]
    office.step()
    office.step(1)
    assert office.told == ["2"]


def test_what_the_queue_could_not_store_is_stored_before_anything_is_sent(office: Office) -> None:
    office.lose("1")
    real = office.queue.record_reports

    def fail(_: Sequence[ReportOutcome]) -> None:
        raise QueueUnavailable("disk full")

    office.queue.record_reports = fail  # type: ignore[method-assign]
    assert [office.step(), office.step(1), office.step(1)] == [1.0, 1.0, 1.0]
    assert office.told == ["1"]
    assert office.lines.text.count("queue not available") == 1
    office.queue.record_reports = real  # type: ignore[method-assign]
    office.step(1)
    office.restart()
    office.step(1)
    assert office.told == ["1"]


def test_a_process_killed_before_it_recorded_repeats_and_loses_nothing(office: Office) -> None:
    office.lose("1", "2", "3")

    def killed(_: Sequence[ReportOutcome]) -> None:
        raise KeyboardInterrupt

    real, office.queue.record_reports = office.queue.record_reports, killed  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        office.step()
    office.queue.record_reports = real  # type: ignore[method-assign]
    office.restart()
    office.step()
    assert office.told == ["1", "2", "3", "1", "2", "3"]
    ids = [message_from_bytes(octets)["Message-ID"] for _, octets in office.mta.taken]
    assert ids[:3] == ids[3:]


def test_one_that_cannot_be_written_does_not_stop_the_others(office: Office, monkeypatch: Any) -> None:
    from sms_milter.report import dsn

    real = dsn.compose

    def broken(reports: Any, *arguments: Any, **more: Any) -> bytes:
        if reports[0].destination == "1":
            raise IndexError("string index out of range")
        return real(reports, *arguments, **more)

    monkeypatch.setattr(dsn, "compose", broken)
    office.lose("1", "2")
    office.step()
    assert office.told == ["2"]
    assert "status=report given up (cannot be written: IndexError" in office.lines.text


def test_nothing_is_sent_before_the_process_that_is_replaced_has_ended(tmp_path: Path) -> None:
    turns = [False, True]
    office = Office(tmp_path, our_turn=lambda: turns.pop(0))
    office.lose("1")
    assert office.step() == 0.1
    assert office.told == []
    office.step(0.1)
    assert office.told == ["1"]


def test_numbers_may_be_masked(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.notifier._numbers = Numbers(masked=True)
    office.lose("447973100000")
    office.step()
    assert "about=4479******00," in office.lines.text
