"""The dispatcher over a real queue and real sessions; only sockets and the clock are the test's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from sms_milter.dispatch import Dispatcher
from sms_milter.errors import QueueUnavailable
from sms_milter.logline import Numbers
from sms_milter.model import (
    Cancellation,
    ComposedPart,
    Deed,
    NewMail,
    NewMessage,
    Notify,
    PlannedMessage,
    Selection,
    SubmitSm,
)
from sms_milter.ports import Work
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.smpp.codec import compose, times_of
from support.gate import Lines, configuration
from support.wire import DELIVER, DELIVER_RESP, SUBMIT_RESP, Wire, pdu

NOW = 1_700_000_000.0


class Station:
    """A queue, one SMSC's link, and the dispatcher between them."""

    def __init__(self, path: Path, *, window: int = 10, **smsc: Any) -> None:
        self.now = NOW
        self.file = path / "queue.db"
        self.queue = SqliteQueue(str(self.file))
        self.configuration = configuration(smscs={"primary": {"window": window, **smsc}})
        self.window = window
        self.restart()

    def ring(self) -> None:
        """The report role's doorbell."""
        self.rings += 1

    def restart(self, **more: Any) -> None:
        """A new dispatcher process: nothing is remembered but the queue."""
        self.rings = 0
        self.wire = Wire(window=self.window)
        self.lines = Lines()
        self.dispatcher = Dispatcher(
            self.queue,
            [self.wire],
            self.configuration.smscs,
            self.configuration.routes,
            self.lines,  # type: ignore[arg-type]  # its methods are made on demand
            Numbers(masked=False),
            keep_seconds=86400,
            reports=self,
            **more,
        )
        self.wire.connect(self.now - NOW)

    def put(
        self,
        *destinations: str,
        parts: int = 1,
        mta_queue_id: str = "4ABC",
        notify: Notify = Notify.NEVER,
        body: bytes = b"",
    ) -> int:
        messages = tuple(
            NewMessage(
                PlannedMessage(
                    destination,
                    "ACME",
                    "text",
                    (SubmitSm(),) * parts,
                    receipt=True,
                    smsc="primary",
                    notify=notify,
                ),
                tuple(ComposedPart(body or f"{destination}-{n}".encode()) for n in range(1, parts + 1)),
                self.now + 86400,
            )
            for destination in destinations
        )
        mail = NewMail(messages, self.now, "acme", "hsl", "bob@customer.example", "192.0.2.10", mta_queue_id)
        (stored,) = self.queue.put([mail], self.now)
        self.dispatcher.rung()
        return stored.queue_id  # type: ignore[union-attr]  # a Refusal would fail here

    def step(self, seconds: float = 0.05) -> float:
        self.now += seconds
        return self.dispatcher.step(self.now, self.now - NOW)

    def states(self) -> list[str]:
        return [part["state"] for part in reversed(self.queue.list_parts())]


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(tmp_path)


def test_parts_go_out_marked_and_come_back_accepted(station: Station) -> None:
    station.put("447973100000", parts=2)
    station.step()
    assert [body for _, body in station.wire.submits] == [b"447973100000-1", b"447973100000-2"]
    assert station.states() == ["submitting", "submitting"]
    station.wire.answer()
    station.step()
    assert station.states() == ["accepted", "accepted"]
    assert "4ABC: to=447973100000, queue=1, part=1/2, smsc=primary, bind=primary/1" in station.lines.text
    assert "status=accepted (message_id=" in station.lines.text


def test_octets_leave_only_after_the_mark_is_durable(station: Station) -> None:
    station.put("447973100000")
    real = station.queue.transaction

    @contextmanager
    def watched() -> Iterator[Work]:
        with real() as work:
            yield work
            assert station.wire.submits == []
        assert station.wire.submits == []
        assert station.states() == ["submitting"]

    station.queue.transaction = watched  # type: ignore[method-assign]
    station.step()
    assert len(station.wire.submits) == 1


def test_the_window_is_never_exceeded(tmp_path: Path) -> None:
    station = Station(tmp_path, window=4)
    station.put(*(f"44797310{n:04}" for n in range(10)))
    seen = 0
    for _ in range(20):
        station.step()
        assert len(station.wire.submits) <= 4
        seen += len(station.wire.submits)
        station.wire.answer()
    station.step()
    assert seen == 10
    assert station.states() == ["accepted"] * 10


def test_little_news_waits_for_more(station: Station) -> None:
    station.put("447973100000")
    station.step()
    station.wire.answer()
    assert station.step(0.001) < 0.021
    assert station.states() == ["submitting"]
    station.step(0.03)
    assert station.states() == ["accepted"]


def test_a_backlog_goes_on_when_half_a_window_is_answered(tmp_path: Path) -> None:
    station = Station(tmp_path, window=4)
    station.put(*(f"44797310{n:04}" for n in range(8)))
    station.step()
    station.wire.answer()
    station.step(0.001)
    assert station.states() == ["accepted"] * 4 + ["submitting"] * 4


def test_a_permanent_refusal_fails_the_message_and_its_waiting_parts(tmp_path: Path) -> None:
    station = Station(tmp_path, window=1)
    station.put("447973100000", parts=3)
    station.step()
    station.wire.answer(status=0x0B)
    station.step()
    assert station.states() == ["failed", "failed", "failed"]
    assert "status=refused (RINVDSTADR 0x0000000B" in station.lines.text


def test_a_temporary_refusal_is_tried_again_after_its_delay(station: Station) -> None:
    station.put("447973100000")
    station.step()
    station.wire.answer(status=0x08)
    station.step()
    assert station.states() == ["queued"]
    station.step(29)
    assert station.wire.submits == []
    station.step(2)
    assert len(station.wire.submits) == 1


def test_submit_failed_is_final_after_three_tries(station: Station) -> None:
    station.put("447973100000")
    for _ in range(3):
        station.step(3600)
        assert len(station.wire.submits) == 1
        station.wire.answer(status=0x45)
        station.step()
    assert station.states() == ["failed"]


def test_throttling_pauses_the_smsc_and_does_not_count_as_a_try(station: Station) -> None:
    station.put("447973100000")
    for _ in range(5):
        station.step(31)
        station.wire.answer(status=0x58)
        station.step()
    station.put("447973100001")
    station.step(0.5)
    assert station.wire.submits == []
    station.step(40)
    station.wire.answer()
    station.step()
    assert station.states() == ["accepted", "accepted"]


def test_a_lost_link_leaves_the_outcome_uncertain_and_sends_once_more(station: Station) -> None:
    station.put("447973100000")
    for expected in ("queued", "uncertain"):
        station.step()
        assert len(station.wire.submits) == 1
        station.wire.lose()
        station.step()
        assert station.states() == [expected]
        station.wire.sent.clear()
        station.wire.connect(station.now - NOW)
        station.step()
    assert "sent again: possibly a duplicate" in station.lines.text
    assert "not sent again" in station.lines.text


def test_never_twice_means_never_twice(tmp_path: Path) -> None:
    station = Station(tmp_path, on_uncertain="never-twice")
    station.put("447973100000")
    station.step()
    station.wire.lose()
    station.step()
    assert station.states() == ["uncertain"]


def test_waiting_means_once_more_unless_a_receipt_comes(tmp_path: Path) -> None:
    station = Station(tmp_path, on_uncertain="wait", uncertain_wait="5m")
    station.put("447973100000", "447973100001")
    station.step()
    station.wire.lose()
    station.step()
    assert station.states() == ["uncertain", "uncertain"]
    assert "sent again unless a receipt comes within 300 s" in station.lines.text
    station.wire.sent.clear()
    station.wire.connect(station.now - NOW)
    station.step(200)
    assert station.wire.submits == []
    station.wire.say(pdu(DELIVER, 77, receipt("5F1A")))
    station.step()
    assert station.states() == ["delivered", "uncertain"]
    station.step(120)
    station.step(11)
    assert [body for _, body in station.wire.submits] == [b"447973100001-1"]
    assert "no receipt within 300 s), sent again: possibly a duplicate" in station.lines.text


@pytest.mark.parametrize(
    ("meaning", "state"),
    [("permanent", "failed"), ("temporary", "queued"), ("limited", "queued"), ("throttled", "queued")],
)
def test_a_status_means_what_the_smsc_is_said_to_mean(tmp_path: Path, meaning: str, state: str) -> None:
    station = Station(tmp_path, statuses={"0x400": meaning})
    station.put("447973100000")
    station.step()
    station.wire.answer(status=0x400)
    station.step()
    assert station.states() == [state]


def test_a_status_that_is_said_to_be_limited_is_final_after_three_tries(tmp_path: Path) -> None:
    station = Station(tmp_path, statuses={"0x400": "limited"})
    station.put("447973100000")
    for _ in range(3):
        station.step(3600)
        station.wire.answer(status=0x400)
        station.step()
    assert station.states() == ["failed"]


def test_after_a_crash_only_what_was_submitting_is_in_doubt(tmp_path: Path) -> None:
    station = Station(tmp_path, window=2, on_uncertain="never-twice")
    station.put("447973100000", "447973100001", "447973100002")
    station.step()
    station.restart()
    station.step()
    assert station.states()[:2] == ["uncertain", "uncertain"]
    station.step()
    assert [body for _, body in station.wire.submits] == [b"447973100002-1"]


def receipt(message_id: str, stat: str = "DELIVRD") -> bytes:
    dates = "submit date:2411210939 done date:2411211039"
    text = f"id:{message_id} sub:001 dlvrd:001 {dates} stat:{stat} err:000 text:"
    octets = text.encode()
    addresses = b"\0" + b"\x01\x01" + b"447973100000\0" + b"\5\0ACME\0"
    return addresses + b"\x04\0\0\0\0\0\0\0\0" + bytes([len(octets)]) + octets


def test_a_receipt_is_stored_then_acknowledged(station: Station) -> None:
    queue_id = station.put("447973100000")
    station.step()
    ((sequence, _),) = station.wire.submits
    station.wire.answer()
    station.step()
    station.wire.say(pdu(DELIVER, 77, receipt(f"{sequence:X}")))
    station.step()
    assert station.states() == ["delivered"]
    assert (DELIVER_RESP, 0, 77, b"\0") in station.wire.sent
    assert "status=delivered (stat=DELIVRD err=000)" in station.lines.text
    assert station.queue.show_mail(str(queue_id)) is not None


def test_a_receipt_before_its_response_waits_for_it(station: Station) -> None:
    station.put("447973100000")
    station.step()
    ((sequence, _),) = station.wire.submits
    station.wire.say(pdu(DELIVER, 77, receipt(f"{sequence:X}")))
    station.step()
    assert station.states() == ["submitting"]
    station.wire.answer()
    station.step()
    assert station.states() == ["delivered"]


def test_a_receipt_that_another_dispatcher_parked_is_settled(station: Station) -> None:
    station.put("447973100000")
    station.step()
    station.wire.answer()
    station.step()
    with closing(sqlite3.connect(station.file)) as file, file:  # as two at the same time leave it
        file.execute(
            "INSERT INTO receipt (part_id, at, state, smsc, smsc_message_id, smsc_key, source, stat, error)"
            " SELECT NULL, ?, 4, smsc, smsc_message_id, smsc_key, destination, 'DELIVRD', '000' FROM part",
            (station.now,),
        )
    station.step(11)
    assert station.states() == ["delivered"]
    assert "status=delivered (stat=DELIVRD err=000)" in station.lines.text


def deliver_sm(content: bytes, *, esm_class: int = 0) -> bytes:
    addresses = b"\0\x01\x01447973100000\0\x01\x014477001\0"
    return addresses + bytes((esm_class,)) + b"\0" * 8 + bytes((len(content),)) + content


def test_a_message_from_a_phone_is_kept_before_it_is_acknowledged(station: Station) -> None:
    station.wire.say(pdu(DELIVER, 5, deliver_sm(b"Hello")))
    station.step()
    assert (DELIVER_RESP, 0, 5, b"\0") in station.wire.sent
    (message,) = station.queue.due_mobile(station.now, 10)
    assert (message.source, message.destination, message.parts) == ("447973100000", "4477001", (b"Hello",))
    assert (
        "mobile=1, from=447973100000, to=4477001, part=1/1, smsc=primary, status=received"
        in station.lines.text
    )
    assert "Hello" not in station.lines.text


def test_parts_from_a_phone_are_joined_in_any_order(station: Station) -> None:
    for sequence, number in enumerate((2, 1), 5):
        part = bytes((5, 0, 3, 77, 2, number)) + b"part%d" % number
        station.wire.say(pdu(DELIVER, sequence, deliver_sm(part, esm_class=0x40)))
        station.step()
    (message,) = station.queue.due_mobile(station.now, 10)
    assert message.parts == (b"part1", b"part2")
    assert "part=2/2, smsc=primary, status=kept, 1 to come" in station.lines.text
    assert "part=1/2, smsc=primary, status=received" in station.lines.text


def test_nothing_heard_is_lost_while_the_queue_cannot_be_written(station: Station) -> None:
    station.put("447973100000")
    station.step()
    station.wire.answer()
    real = station.queue.transaction

    @contextmanager
    def broken() -> Iterator[Work]:
        raise QueueUnavailable("disk I/O error")
        yield  # pragma: no cover

    station.queue.transaction = broken  # type: ignore[method-assign]
    station.step()
    station.step(2)
    station.queue.transaction = real  # type: ignore[method-assign]
    assert station.states() == ["submitting"]
    assert "accepted" not in station.lines.text
    assert station.lines.text.count("queue not available") == 1
    station.step(2)
    assert station.states() == ["accepted"]


def test_a_queue_lost_right_after_a_commit_leaves_no_part_behind(tmp_path: Path) -> None:
    station = Station(tmp_path)
    station.put("447973100000", "447973100001")

    def broken(smsc: str) -> float | None:
        raise QueueUnavailable("disk I/O error")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(station.queue, "next_due", broken)
        station.step()
        assert len(station.wire.submits) == 2
        station.wire.answer()
        station.step(2)
    station.step(2)
    assert station.states() == ["accepted", "accepted"]


def test_a_free_slot_is_used_while_others_wait_for_their_answers(tmp_path: Path) -> None:
    station = Station(tmp_path, window=10)
    station.put(*(f"44797310{n:04}" for n in range(9)))
    station.step()
    station.put("447973100009")
    station.step()
    assert len(station.wire.submits) == 10


def test_draining_takes_nothing_new_and_waits_for_what_is_open(station: Station) -> None:
    station.put("447973100000")
    station.step()
    station.dispatcher.drain()
    station.put("447973100001")
    station.step()
    assert len(station.wire.submits) == 1
    assert not station.dispatcher.idle
    station.wire.answer()
    station.step()
    assert station.dispatcher.idle
    assert station.states() == ["accepted", "queued"]
    station.dispatcher.close()
    station.step()
    assert station.dispatcher.closed


def test_an_expired_part_is_not_sent(station: Station) -> None:
    station.put("447973100000")
    station.step(86401)
    assert station.states() in (["expired"], ["queued"])
    station.step(11)
    assert station.states() == ["expired"]
    assert station.wire.submits == []


def test_the_report_role_is_woken_when_there_is_something_to_tell(station: Station) -> None:
    station.put("447973100000")
    station.step()
    station.wire.answer(status=0x0B)
    station.step()
    assert station.rings == 0
    station.put("447973100001", notify=Notify.LOST)
    station.step()
    station.wire.answer(status=0x0B)
    station.step()
    assert station.states() == ["failed", "failed"]
    assert station.rings == 1
    station.step()
    assert station.rings == 1


def test_the_report_role_is_woken_by_expiry(station: Station) -> None:
    station.put("447973100000", notify=Notify.LOST)
    station.wire.session = None
    station.step(86401)
    station.step(11)
    assert station.states() == ["expired"]
    assert station.rings == 1


def test_what_comes_late_in_the_night_waits_for_the_morning(station: Station) -> None:
    morning = NOW + 3600

    def quiet(account: str, phone: str, now: float) -> float | None:
        return morning if NOW + 10 <= now < morning else None

    station.restart(quiet=quiet)
    station.put("447973100000", "447973100001")
    station.step()
    assert len(station.wire.submits) == 2
    for sequence, _ in station.wire.submits:
        station.wire.say(pdu(SUBMIT_RESP, sequence, status=0x58))
    station.wire.sent.clear()
    station.step()
    for _ in range(40):
        station.step(30)
    assert station.wire.submits == []
    assert station.states() == ["queued", "queued"]
    assert station.lines.text.count(" s (quiet hours)") == 2
    assert "status=deferred for 35" in station.lines.text
    station.step(3600)
    station.step()
    assert len(station.wire.submits) == 2


def test_pdus_are_logged_for_as_long_as_an_operator_wants(station: Station) -> None:
    station.queue.trace("primary", station.now + 60)
    station.step(11)
    assert station.wire.watched
    station.step(61)
    assert not station.wire.watched


def test_a_bind_that_another_dispatcher_has_is_left_to_it(tmp_path: Path) -> None:
    station = Station(tmp_path)
    station.queue.hold_binds("primary", 1, "elsewhere", NOW, NOW + 20)
    station.step()
    assert not station.wire.permitted
    station.step(40)
    assert station.wire.permitted
    assert station.queue.hold_binds("primary", 1, "elsewhere", station.now, station.now + 20) == frozenset()
    station.dispatcher.release()
    assert station.queue.hold_binds("primary", 1, "elsewhere", station.now, station.now + 20) == {1}


def test_nothing_is_begun_before_the_dispatcher_before_us_has_ended(tmp_path: Path) -> None:
    station = Station(tmp_path)
    station.put("447973100000")
    station.step()
    ended = False
    station.restart(our_turn=lambda: ended)
    station.step()
    assert "the dispatcher died" not in station.lines.text
    assert station.wire.submits == []
    ended = True
    station.step()
    assert "the dispatcher died before the response" in station.lines.text
    assert len(station.wire.submits) == 1


# --- late responses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("on_uncertain", ["retry", "wait", "never-twice"])
def test_a_late_response_settles_the_doubt_before_anything_goes_twice(
    tmp_path: Path, on_uncertain: str
) -> None:
    station = Station(tmp_path, window=1, on_uncertain=on_uncertain)
    station.put("447973100000")
    station.step()
    station.step(61)  # more than the response timeout; its place in the window is still taken
    assert "uncertain (no response within 60 s)" in station.lines.text
    assert len(station.wire.submits) == 1
    station.wire.answer()
    station.step()
    assert station.states() == ["accepted"]
    assert "4ABC: to=447973100000" in station.lines.text.splitlines()[-1]
    assert "status=late response: accepted (message_id=" in station.lines.text
    station.step(120)
    assert station.wire.submits == []


def test_a_late_refusal_counts_too(tmp_path: Path) -> None:
    station = Station(tmp_path, window=1, on_uncertain="never-twice")
    station.put("447973100000")
    station.step()
    station.step(61)
    station.wire.answer(status=0x0B)
    station.step()
    assert station.states() == ["failed"]
    assert "status=late response: RINVDSTADR 0x0000000B" in station.lines.text


def test_a_late_response_to_what_is_on_the_wire_again_is_told_only(tmp_path: Path) -> None:
    station = Station(tmp_path, window=2)
    station.put("447973100000")
    station.step()
    station.step(61)
    station.step()
    first, second = (sequence for sequence, _ in station.wire.submits)
    station.wire.say(pdu(SUBMIT_RESP, first, b"ONE\0"))
    station.step()
    assert station.states() == ["submitting"]
    assert "late response: accepted (message_id=ONE), sent again before it came" in station.lines.text
    station.wire.say(pdu(SUBMIT_RESP, second, b"TWO\0"))
    station.step()
    assert station.states() == ["accepted"]


# --- times --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time_format", "written", "leaves"),
    [
        ("relative", "000001000000000R", "000000120000000R"),
        ("absolute", "000001000000000R", "231115221320000+"),
        ("relative-only", "231115221320000+", "000000120000000R"),
        ("relative", "231115221320000+", "231115221320000+"),
        ("absolute", "", ""),
    ],
)
def test_a_part_leaves_with_its_times_as_the_smsc_takes_them(
    tmp_path: Path, time_format: str, written: str, leaves: str
) -> None:
    station = Station(tmp_path, time_format=time_format)
    body = compose(
        SubmitSm(source_addr="ACME", destination_addr="447973100000", validity_period=written)
    ).body
    station.put("447973100000", body=body)
    station.step(12 * 3600)
    ((_, sent),) = station.wire.submits
    assert times_of(sent) == ("", leaves)


# --- cancel_sm ----------------------------------------------------------------------------------------------

CANCEL, CANCEL_RESP = 0x00000008, 0x80000008


def accepted_and_cancelled(station: Station) -> tuple[int, bytes]:
    """A part that the SMSC has and an operator wants back: sequence and body of the cancel_sm."""
    body = b"\0\5\0ACME\0\x01\x01447973100000\0" + b"\0" * 10
    station.put("447973100000", body=body)
    station.step()
    station.wire.answer()
    station.step()
    station.queue.change(Deed.CANCEL, Selection(), station.now)
    station.step(11)
    station.step()
    ((sequence, asked),) = [(one[2], one[3]) for one in station.wire.sent if one[0] == CANCEL]
    return sequence, asked


def test_the_smsc_is_asked_to_cancel_what_it_has(station: Station) -> None:
    sequence, asked = accepted_and_cancelled(station)
    assert asked == b"\x002\0\5\0ACME\0\x01\x01447973100000\0"
    station.wire.say(pdu(CANCEL_RESP, sequence))
    station.step()
    assert station.states() == ["failed"]
    assert "status=cancelled by the operator" in station.lines.text


def test_a_ring_of_the_operator_s_is_heard_at_once_many_rings_once_a_second(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[float] = []
    cancellations = station.queue.cancellations

    def look(smsc: str) -> list[Cancellation]:
        looked.append(station.now)
        return cancellations(smsc)

    monkeypatch.setattr(station.queue, "cancellations", look)
    for _ in range(20):
        station.dispatcher.rung()
        station.step(0.1)
    assert 2 <= len(looked) <= 3
    station.step(5)
    station.step(2)
    looked.clear()
    station.dispatcher.rung()
    station.step()
    assert len(looked) == 1


def test_what_cannot_be_cancelled_any_more_stays_accepted(station: Station) -> None:
    sequence, _ = accepted_and_cancelled(station)
    station.wire.say(pdu(CANCEL_RESP, sequence, status=0x11))
    station.step()
    station.step(11)
    assert station.states() == ["accepted"]
    assert "status=cannot be cancelled any more (RCANCELFAIL 0x00000011" in station.lines.text
    assert [one for one in station.wire.sent if one[0] == CANCEL] == [
        (CANCEL, 0, sequence, station.wire.sent[-1][3])
    ]


def test_after_a_lost_link_the_smsc_is_asked_again(station: Station) -> None:
    accepted_and_cancelled(station)
    station.step(11)
    assert sum(one[0] == CANCEL for one in station.wire.sent) == 1
    station.wire.lose()
    station.step()
    station.wire.connect(station.now - NOW)
    station.step(11)
    station.step(11)
    assert sum(one[0] == CANCEL for one in station.wire.sent) == 2
