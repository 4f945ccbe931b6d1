"""The committer: groups, deadlines, and what becomes of mails when the queue does not work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.builders import NOW, mail, message
from sms_milter import reply
from sms_milter.errors import Deferred, QueueUnavailable, RecordChanged, Refusal, Rejected
from sms_milter.model import Answer, LoginRule, NewMail, PartState, QuotaRule, Record, Stored
from sms_milter.queue import committer as module
from sms_milter.queue.committer import Committer
from sms_milter.queue.sqlite import SqliteQueue
from support.memory_queue import MemoryQueue

NOTHING_LEFT = QuotaRule(messages=0, per_sender=None, period_seconds=60, defer=False)


class Lines:
    """A journal that keeps (severity, line)."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __getattr__(self, severity: str) -> Callable[[str], None]:
        return lambda text: self.lines.append((severity, text))


class Bell:
    def __init__(self) -> None:
        self.rings = 0

    def ring(self) -> None:
        self.rings += 1


class GatedQueue(MemoryQueue):
    """A queue whose write lock and disk the test holds; keeps the sizes of its groups."""

    def __init__(self) -> None:
        super().__init__()
        self.may_lock = threading.Event()
        self.may_sync = threading.Event()
        self.wants_lock = threading.Event()
        self.has_taken = threading.Event()
        self.may_lock.set()
        self.may_sync.set()
        self.groups: list[int] = []
        self.fault: Exception | None = None
        self.closed = False

    def put_waiting(self, take: Callable[[], Sequence[NewMail]], now: float) -> list[Stored | Refusal]:
        self.wants_lock.set()
        assert self.may_lock.wait(10)
        mails = take()
        self.has_taken.set()
        assert self.may_sync.wait(10)
        if self.fault:
            raise self.fault
        self.groups.append(len(mails))
        return self.put(mails, now)

    def close(self) -> None:
        self.closed = True


class Bench:
    """A committer at work with everything around it."""

    def __init__(self, timeout_seconds: float = 10.0) -> None:
        self.queue = GatedQueue()
        self.bell = Bell()
        self.report_bell = Bell()
        self.journal = Lines()
        self.committer = Committer(
            lambda: self.queue,
            self.bell,
            self.journal,
            reports=self.report_bell,
            timeout_seconds=timeout_seconds,
            clock=lambda: NOW,
        )
        self.committer.start()
        self._callers: list[threading.Thread] = []
        self.results: list[Any] = []

    def call(self, one: NewMail, **options: Any) -> None:
        """Put a mail from a thread of its own."""

        def run() -> None:
            try:
                self.results.append(self.committer.put(one, **options))
            except Refusal as refusal:
                self.results.append(refusal)

        caller = threading.Thread(target=run)
        caller.start()
        self._callers.append(caller)

    def until_waiting(self, mails: int) -> None:
        """Wait until so many mails wait for the next group."""
        while len(self.committer._mails) < mails:
            time.sleep(0.001)

    def join(self) -> list[Any]:
        """Wait for all callers; their results in the order of their return."""
        for caller in self._callers:
            caller.join(10)
        return self.results

    def replies(self) -> list[Any]:
        return [result.reply if isinstance(result, Refusal) else result for result in self.join()]


def until(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.queue.may_lock.set()
    made.queue.may_sync.set()
    made.committer.stop()


def test_numbers_come_from_the_queue(bench: Bench) -> None:
    assert [bench.committer.next_number(account) for account in ("a", "a", "b")] == [1, 2, 1]


def test_a_mail_is_stored_and_the_doorbell_rung(bench: Bench) -> None:
    stored = bench.committer.put(mail(fingerprint=b"f"))
    assert not stored.repeat
    assert bench.bell.rings == 1
    assert bench.committer.put(mail(fingerprint=b"f")) == Stored(stored.queue_id, repeat=True)
    assert bench.bell.rings == 1  # nothing new
    assert bench.report_bell.rings == 0


def test_the_report_role_is_woken_for_answers(bench: Bench) -> None:
    bench.committer.put(mail()._replace(answers=(Answer("bob@acme.example", "Re: x", "Well."),)))
    assert bench.report_bell.rings == 1


def test_mails_that_wait_share_one_transaction(bench: Bench) -> None:
    bench.queue.may_sync.clear()
    bench.call(mail())
    assert bench.queue.has_taken.wait(10)
    for _ in range(5):
        bench.call(mail())
    bench.until_waiting(5)
    bench.queue.may_sync.set()
    assert len({stored.queue_id for stored in bench.join()}) == 6
    assert bench.queue.groups == [1, 5]
    assert bench.bell.rings == 2


def test_a_group_is_closed_when_it_is_large(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MESSAGES_AT_ONCE", 3)
    bench.queue.may_sync.clear()
    bench.call(mail())
    assert bench.queue.has_taken.wait(10)
    for _ in range(4):
        bench.call(mail(message("1"), message("2")))
    bench.until_waiting(4)
    bench.call(mail(*(message(str(number)) for number in range(7))))
    bench.until_waiting(5)
    bench.queue.may_sync.set()
    assert all(isinstance(result, Stored) for result in bench.join())
    assert bench.queue.groups == [1, 1, 1, 1, 1, 1]


def test_a_refusal_concerns_its_own_mail_only(bench: Bench) -> None:
    with pytest.raises(Rejected) as refused:
        bench.committer.put(mail(quota=NOTHING_LEFT))
    assert refused.value.reply.code == 552
    assert bench.bell.rings == 0
    assert bench.committer.healthy
    assert bench.committer.put(mail())


# --- deadlines ----------------------------------------------------------------------------------------------


def test_a_mail_not_taken_in_time_is_withdrawn_for_good() -> None:
    bench = Bench(timeout_seconds=0.05)
    bench.queue.may_lock.clear()
    with pytest.raises(Deferred) as refused:
        bench.committer.put(mail())
    assert refused.value.reply == reply.TOO_SLOW
    bench.queue.may_lock.set()
    bench.committer.stop()
    assert bench.queue.groups == [0]
    assert bench.queue.list_parts() == []


def test_a_mail_that_was_taken_waits_for_its_result_and_shows_progress(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PROGRESS_SECONDS", 0.01)
    bench = Bench(timeout_seconds=0.03)
    bench.queue.may_sync.clear()
    beats: list[int] = []
    enough = threading.Event()

    def progress() -> None:
        beats.append(1)
        if len(beats) > 10:  # well past the deadline
            enough.set()

    bench.call(mail(), progress=progress)
    assert enough.wait(10)
    assert bench.results == []
    bench.queue.may_sync.set()
    (stored,) = bench.join()
    assert isinstance(stored, Stored)
    bench.committer.stop()


def test_a_withdrawn_mail_does_not_take_its_neighbours_with_it() -> None:
    bench = Bench(timeout_seconds=0.2)
    bench.queue.may_lock.clear()
    bench.call(mail(mta_queue_id="4OLD"))
    assert bench.queue.wants_lock.wait(10)
    bench.join()
    bench.call(mail(mta_queue_id="4NEW"))
    bench.until_waiting(1)
    bench.queue.may_lock.set()
    assert bench.replies()[0] == reply.TOO_SLOW
    assert isinstance(bench.results[1], Stored)
    assert [part["mta_queue_id"] for part in bench.queue.list_parts()] == ["4NEW"]
    bench.committer.stop()


def test_with_a_real_lock_held_elsewhere_nothing_refused_is_stored(tmp_path: Path) -> None:
    other = SqliteQueue(str(tmp_path / "queue.db"))
    other.put([mail()], NOW)
    committer = Committer(
        lambda: SqliteQueue(str(tmp_path / "queue.db")), Bell(), Lines(), timeout_seconds=0.1
    )
    committer.start()
    with other.transaction(), pytest.raises(Deferred) as refused:
        committer.put(mail())
    assert refused.value.reply == reply.TOO_SLOW
    assert committer.put(mail())
    committer.stop()
    assert len(other.list_parts()) == 2
    other.close()


# --- faults -------------------------------------------------------------------------------------------------


def test_an_unavailable_queue_defers_the_group_until_it_is_back(bench: Bench) -> None:
    bench.queue.fault = QueueUnavailable("/q.db: disk full")
    for _ in range(2):
        with pytest.raises(Deferred) as refused:
            bench.committer.put(mail())
        assert refused.value.reply == reply.QUEUE_UNAVAILABLE
        assert not bench.committer.healthy
    bench.queue.fault = None
    assert bench.committer.put(mail())
    assert bench.committer.healthy
    bench.committer.stop()
    assert [severity for severity, _ in bench.journal.lines] == ["error", "info"]
    assert "disk full" in bench.journal.lines[0][1]


def test_before_anything_was_taken_all_that_wait_are_deferred(bench: Bench) -> None:
    def unavailable(take: object, now: float) -> list[Stored | Refusal]:
        raise QueueUnavailable("/q.db: directory missing")

    bench.queue.put_waiting = unavailable  # type: ignore[method-assign, assignment]
    with pytest.raises(Deferred) as refused:
        bench.committer.put(mail())
    assert refused.value.reply == reply.QUEUE_UNAVAILABLE


def test_a_nearly_full_disk_is_not_tried(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SPACE_CHECK_SECONDS", 0.0)
    bench.queue.free_octets = lambda: 16 * 1024 * 1024 - 1  # type: ignore[method-assign]
    with pytest.raises(Deferred) as refused:
        bench.committer.put(mail())
    assert refused.value.reply == reply.QUEUE_FULL
    assert bench.queue.groups == []
    assert not bench.committer.healthy
    bench.queue.free_octets = lambda: 16 * 1024 * 1024  # type: ignore[method-assign]
    assert bench.committer.put(mail())
    assert bench.committer.healthy


def test_space_is_looked_at_now_and_then_only(bench: Bench) -> None:
    looks: list[int] = []
    bench.queue.free_octets = lambda: looks.append(1) or None  # type: ignore[method-assign]
    for _ in range(20):
        bench.committer.put(mail())
    assert len(looks) < 20


class Poisoned(GatedQueue):
    def put(self, mails: Sequence[NewMail], now: float) -> list[Stored | Refusal]:
        if any(one.mta_queue_id == "4BAD" for one in mails):
            raise ValueError("cannot be stored")
        return super().put(mails, now)


def test_one_bad_mail_does_not_take_the_others_with_it(bench: Bench) -> None:
    bench.queue.__class__ = Poisoned
    bench.queue.may_sync.clear()
    bench.call(mail())
    assert bench.queue.has_taken.wait(10)
    for name in ("4ONE", "4BAD", "4TWO"):
        bench.call(mail(mta_queue_id=name))
    bench.until_waiting(3)
    bench.queue.may_sync.set()
    replies = bench.replies()
    assert replies.count(reply.INTERNAL_ERROR) == 1
    assert sorted(part["mta_queue_id"] for part in bench.queue.list_parts()) == ["4ABC", "4ONE", "4TWO"]
    group, alone = [text for severity, text in bench.journal.lines if severity == "error"]
    for failure in (group, alone):
        assert "committer failed (ValueError at " in failure
        assert "cannot be stored" not in failure  # an error's text may quote the mail


def test_a_bad_mail_alone_is_deferred_once(bench: Bench) -> None:
    bench.queue.__class__ = Poisoned
    with pytest.raises(Deferred) as refused:
        bench.committer.put(mail(mta_queue_id="4BAD"))
    assert refused.value.reply == reply.INTERNAL_ERROR
    assert bench.committer.put(mail())


def test_a_queue_that_cannot_be_opened_defers(tmp_path: Path) -> None:
    def broken() -> SqliteQueue:
        raise RuntimeError("no such thing")

    committer = Committer(broken, Bell(), Lines())
    committer.start()
    with pytest.raises(Deferred) as refused:
        committer.put(mail())
    assert refused.value.reply == reply.INTERNAL_ERROR
    with pytest.raises(Deferred):
        committer.quota_left("acme", "a@b", NOTHING_LEFT)
    committer.stop()


# --- reads, and the end -------------------------------------------------------------------------------------


def test_the_queue_is_opened_before_a_mail_comes(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    committer = Committer(lambda: SqliteQueue(str(path)), Bell(), Lines())
    committer.start()
    until(lambda: committer.open)
    assert path.exists()
    committer.stop()


def test_a_queue_that_is_away_at_the_start_is_only_told_of_when_a_mail_comes(tmp_path: Path) -> None:
    journal = Lines()
    committer = Committer(lambda: SqliteQueue(str(tmp_path / "no" / "queue.db")), Bell(), journal)
    committer.start()
    until(lambda: committer.open)
    assert not journal.lines
    committer.stop()


def test_it_gets_on_as_long_as_it_does_something_or_has_nothing_to_do() -> None:
    bench = Bench()
    until(bench.committer.gets_on)
    assert bench.committer.gets_on()
    bench.queue.may_lock.clear()
    bench.call(mail())
    assert bench.queue.wants_lock.wait(10)
    bench.committer.gets_on()
    assert not bench.committer.gets_on()
    bench.queue.may_lock.set()
    bench.join()
    until(bench.committer.gets_on)
    bench.committer.stop()
    assert not bench.committer.gets_on()


def test_quotas_are_read_on_the_same_thread(bench: Bench) -> None:
    rule = QuotaRule(messages=5, per_sender=None, period_seconds=60, defer=False)
    bench.committer.put(mail(quota=rule))
    assert bench.committer.quota_left("acme", "a@b", rule)[:2] == (4, NOW + 60)


def test_failed_logins_are_counted_on_the_same_thread(bench: Bench) -> None:
    twice = LoginRule(count=2, within_seconds=60, block_seconds=60)
    assert [bench.committer.login_failed("a", twice) for _ in range(2)] == [False, True]
    assert [bench.committer.login_blocked(who) for who in ("a", "b")] == [True, False]


def test_records_and_fates_are_read_on_the_same_thread(bench: Bench) -> None:
    assert bench.committer.find_record("acme", "code", "1") is None
    bench.committer.put(mail(message(reference="7"))._replace(records=(Record("code", "1", "x"),)))
    found = bench.committer.find_record("acme", "code", "1")
    assert found is not None
    assert found.value == "x"
    assert [part.state for part in bench.committer.fates("acme", ["7"])["7"]] == [PartState.QUEUED]


def test_a_record_that_many_change_at_a_time_misses_no_change(tmp_path: Path) -> None:
    committers = [
        Committer(lambda: SqliteQueue(str(tmp_path / "queue.db")), Bell(), Lines()) for _ in range(2)
    ]

    def count_one(committer: Committer) -> None:
        while True:
            read = committer.find_record("acme", "tries", "1") or Record("tries", "1", "0")
            try:
                committer.put(mail()._replace(records=(replace(read, value=str(int(read.value) + 1)),)))
            except RecordChanged:
                continue
            return

    threads = [threading.Thread(target=count_one, args=(committers[one % 2],)) for one in range(20)]
    for one in committers:
        one.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    counted = committers[0].find_record("acme", "tries", "1")
    for one in committers:
        one.stop()
    assert counted is not None
    assert counted.value == "20"


def test_a_quota_that_cannot_be_read_in_time_is_deferred() -> None:
    bench = Bench(timeout_seconds=0.05)
    bench.queue.may_sync.clear()
    bench.call(mail())
    assert bench.queue.has_taken.wait(10)
    with pytest.raises(Deferred) as refused:
        bench.committer.quota_left("acme", "a@b", NOTHING_LEFT)
    assert refused.value.reply == reply.TOO_SLOW
    bench.queue.may_sync.set()
    bench.join()
    bench.committer.stop()


def test_an_unavailable_queue_defers_reads(bench: Bench) -> None:
    def unavailable(*_: object) -> tuple[int, float]:
        raise QueueUnavailable("gone")

    bench.queue.quota_left = unavailable  # type: ignore[method-assign]
    with pytest.raises(Deferred) as refused:
        bench.committer.quota_left("acme", "a@b", NOTHING_LEFT)
    assert refused.value.reply == reply.QUEUE_UNAVAILABLE


def test_stopping_answers_what_waits_and_takes_nothing_more(bench: Bench) -> None:
    bench.queue.may_sync.clear()
    bench.call(mail())
    assert bench.queue.has_taken.wait(10)
    bench.call(mail())
    bench.until_waiting(1)
    threading.Timer(0.02, bench.queue.may_sync.set).start()
    bench.committer.stop()
    assert [isinstance(result, Stored) for result in bench.join()] == [True, True]
    assert bench.queue.closed
    with pytest.raises(Deferred) as refused:
        bench.committer.put(mail())
    assert refused.value.reply == reply.QUEUE_UNAVAILABLE


def test_callers_on_many_threads_all_get_their_own_answer(tmp_path: Path) -> None:
    committer = Committer(lambda: SqliteQueue(str(tmp_path / "queue.db")), Bell(), Lines())
    committer.start()
    ids: list[tuple[str, int]] = []

    def run(name: str) -> None:
        for number in range(20):
            ids.append((f"{name}{number}", committer.put(mail(mta_queue_id=f"{name}{number}")).queue_id))

    callers = [threading.Thread(target=run, args=(name,)) for name in "ABCDEFGH"]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(30)
    committer.stop()
    queue = SqliteQueue(str(tmp_path / "queue.db"))
    assert sorted(ids) == sorted((part["mta_queue_id"], part["queue_id"]) for part in queue.list_parts())
    assert len(ids) == 160
    queue.close()


# --- refusals -----------------------------------------------------------------------------------------------


def refusals(queue: Any) -> int:
    return sum(row["refused"] for row in queue.flow(0.0, NOW + 60))


def test_refusals_are_told_together_and_at_once_when_it_was_quiet(bench: Bench) -> None:
    bench.committer.count_refused()
    while not refusals(bench.queue):
        time.sleep(0.001)
    for _ in range(4):
        bench.committer.count_refused()
    assert refusals(bench.queue) == 1  # the next only after some seconds
    bench.committer.stop()
    assert refusals(bench.queue) == 5


def test_refusals_wait_for_a_queue_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REFUSED_SECONDS", 0.01)
    bench = Bench()
    count, failures = bench.queue.count_refused, []

    def fail_twice(times: int, now: float) -> None:
        if len(failures) < 2:
            failures.append(times)
            raise QueueUnavailable("disk full")
        count(times, now)

    monkeypatch.setattr(bench.queue, "count_refused", fail_twice)
    bench.committer.count_refused()
    while not refusals(bench.queue):
        time.sleep(0.001)
    bench.committer.stop()
    assert (failures, refusals(bench.queue)) == ([1, 1], 1)
