"""The committer of one milter worker: gathers the mails that wait into one transaction.

libmilter's callbacks run on foreign threads that hop (milter.md §5.6), so the queue is used by one
ordinary thread only. While it commits one group, the next gathers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from sms_milter import reply
from sms_milter.errors import Deferred, QueueUnavailable, Refusal
from sms_milter.logline import clean, line, place
from sms_milter.metrics import COMMIT, UNMETERED
from sms_milter.model import CreditRule, LoginRule, NewMail, PartFate, QuotaLeft, QuotaRule, Record, Stored
from sms_milter.ports import Doorbell, IntakeQueue, Journal, Meter
from sms_milter.reply import Reply

_PROGRESS_SECONDS = 5.0
_SPACE_CHECK_SECONDS = 1.0
_LEAST_FREE_OCTETS = 16 * 1024 * 1024
_REFUSED_SECONDS = 5.0  # so often is told how many mails were refused
_MESSAGES_AT_ONCE = 2000  # a group is closed when it has so many: nobody waits for a giant transaction

_Asked = TypeVar("_Asked")
_Given = TypeVar("_Given")


class GroupQueue(IntakeQueue, Protocol):
    """A queue that can take a group of mails at the last moment."""

    def put_waiting(self, take: Callable[[], Sequence[NewMail]], now: float) -> list[Stored | Refusal]:
        """As `put`, but `take` is asked for the mails only when this transaction may write."""

    def free_octets(self) -> int | None:
        """Space left where the queue is stored; None if nobody can tell."""

    def open(self) -> None:
        """Any other use does it too. Raises QueueUnavailable."""

    def close(self) -> None:
        """The end."""


class _Waiting(Generic[_Asked, _Given]):
    """Somebody waits on `woken` for `result`. `taken`: it cannot be withdrawn any more."""

    __slots__ = ("asked", "result", "taken", "woken")

    def __init__(self, asked: _Asked) -> None:
        self.asked = asked
        self.result: _Given | Exception | None = None
        self.taken = False
        self.woken = threading.Lock()
        self.woken.acquire()

    def answer(self, result: _Given | Exception) -> None:
        if self.result is None:
            self.result = result
            self.woken.release()


_Mail = _Waiting[NewMail, Stored]
_Job = _Waiting[Callable[[GroupQueue], Any], Any]


class Committer:
    """`ports.Intake` over the queue that `open_queue` makes; `start` it after fork.

    A mail whose time (`timeout_seconds`) is over before a transaction that may write has taken it is
    withdrawn and never stored. Once taken, its caller waits for the result however long that takes: what is
    refused is never sent. `healthy` is False from a failure until the next success.
    """

    def __init__(
        self,
        open_queue: Callable[[], GroupQueue],
        doorbell: Doorbell,
        journal: Journal,
        *,
        reports: Doorbell | None = None,
        timeout_seconds: float = 20.0,
        clock: Callable[[], float] = time.time,
        meter: Meter = UNMETERED,
    ) -> None:
        """`reports` wakes the report role, where there is one."""
        self.healthy = True
        self.open = False  # whether it has opened the queue, or has tried
        self._reports = reports
        self._open_queue = open_queue
        self._doorbell = doorbell
        self._journal = journal
        self._meter = meter
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._queue: GroupQueue | None = None
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._state = threading.Lock()  # guards what follows
        self._mails: list[_Mail] = []
        self._jobs: list[_Job] = []
        self._refused = 0
        self._refused_told_at = float("-inf")
        self._stopping = False
        self._asleep = False
        self._work = threading.Lock()  # held while there is nothing to do
        self._work.acquire()
        self._turns = self._turns_seen = 0
        self._group: list[_Mail] = []
        self._space_checked_at = float("-inf")
        self._full = False

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    def gets_on(self) -> bool:
        """Whether it had nothing to do, or has done something since it was asked this last."""
        seen, self._turns_seen = self._turns_seen, self._turns
        return self._thread.is_alive() and (self._asleep or seen != self._turns)

    def stop(self, wait_seconds: float = 10.0) -> None:
        """Take nothing more; returns when everything that waits is answered, or after `wait_seconds`."""
        with self._state:
            self._stopping = True
            self._wake()
        self._thread.join(wait_seconds)

    # --- on the callers' threads ----------------------------------------------------------------------------

    def put(self, mail: NewMail, progress: Callable[[], None] | None = None) -> Stored:
        """See `ports.Intake.put`."""
        waiting: _Mail = _Waiting(mail)
        return self._result(waiting, self._mails, progress)

    def refusal(self, mail: NewMail) -> Refusal | None:
        """See `ports.Intake.refusal`."""
        now = self._clock()
        job: _Job = _Waiting(lambda queue: [queue.refusal(mail, now)])
        found: list[Refusal | None] = self._result(job, self._jobs, None)
        return found[0]

    def quota_left(self, account: str, sender: str, rule: QuotaRule) -> QuotaLeft:
        """See `ports.Intake.quota_left`."""
        now = self._clock()
        job: _Job = _Waiting(lambda queue: queue.quota_left(account, sender, rule, now))
        left: QuotaLeft = self._result(job, self._jobs, None)
        return left

    def credit_left(self, account: str, rule: CreditRule) -> int:
        """See `ports.Intake.credit_left`."""
        job: _Job = _Waiting(lambda queue: queue.credit_left(account, rule))
        left: int = self._result(job, self._jobs, None)
        return left

    def next_number(self, account: str) -> int:
        """See `ports.Intake.next_number`."""
        job: _Job = _Waiting(lambda queue: queue.next_number(account))
        number: int = self._result(job, self._jobs, None)
        return number

    def suppressed(self, account: str, number: str) -> bool:
        """See `ports.Intake.suppressed`."""
        job: _Job = _Waiting(lambda queue: queue.suppressed(account, number))
        found: bool = self._result(job, self._jobs, None)
        return found

    def login_failed(self, who: str, rule: LoginRule) -> bool:
        """See `ports.Intake.login_failed`."""
        now = self._clock()
        job: _Job = _Waiting(lambda queue: queue.login_failed(who, rule, now))
        begun: bool = self._result(job, self._jobs, None)
        return begun

    def login_blocked(self, who: str) -> bool:
        """See `ports.Intake.login_blocked`."""
        now = self._clock()
        job: _Job = _Waiting(lambda queue: queue.login_blocked(who, now))
        blocked: bool = self._result(job, self._jobs, None)
        return blocked

    def count_refused(self) -> None:
        """See `ports.Intake.count_refused`."""
        with self._state:
            self._refused += 1
            if self._refused == 1:
                self._wake()

    def find_record(self, account: str, kind: str, name: str) -> Record | None:
        """See `ports.Intake.find_record`."""
        now = self._clock()
        found: list[Record | None] = self._result(
            _Waiting(lambda queue: [queue.find_record(account, kind, name, now)]), self._jobs, None
        )
        return found[0]

    def fates(self, account: str, references: Sequence[str]) -> dict[str, list[PartFate]]:
        """See `ports.Intake.fates`."""
        job: _Job = _Waiting(lambda queue: queue.fates(account, references))
        found: dict[str, list[PartFate]] = self._result(job, self._jobs, None)
        return found

    def _result(
        self,
        waiting: _Waiting[Any, _Given],
        line_up: list[Any],
        progress: Callable[[], None] | None,
    ) -> _Given:
        deadline = time.monotonic() + self._timeout_seconds
        with self._state:
            if self._stopping:
                raise Deferred(reply.QUEUE_UNAVAILABLE, "the service ends")
            line_up.append(waiting)
            self._wake()
        patience = min(self._timeout_seconds, _PROGRESS_SECONDS)
        while not waiting.woken.acquire(timeout=patience):
            left = deadline - time.monotonic()
            with self._state:
                if left <= 0 and not waiting.taken:
                    line_up.remove(waiting)
                    raise Deferred(reply.TOO_SLOW, "the queue did not take the mail in time")
            if waiting.taken and progress is not None:
                progress()
            patience = _PROGRESS_SECONDS if waiting.taken else max(0.0, min(left, _PROGRESS_SECONDS))
        if isinstance(waiting.result, Exception):
            raise waiting.result
        assert waiting.result is not None
        return waiting.result

    def _wake(self) -> None:
        if self._asleep:
            self._asleep = False
            self._work.release()

    # --- on the committer's thread --------------------------------------------------------------------------

    def _run(self) -> None:
        self._begin()
        while self._wait_for_work():
            self._turns += 1
            try:
                self._turn()
            except Exception:  # noqa: BLE001 -- the callers must be answered, whatever it was
                self._unforeseen()
                everybody: list[_Waiting[Any, Any]] = [*self._group, *self._all_waiting(), *self._all_jobs()]
                self._refuse(everybody, reply.INTERNAL_ERROR, "unforeseen")
        self._tell_refused()
        if self._queue is not None:
            self._queue.close()

    def _begin(self) -> None:
        """Open the queue before a mail waits for that; where it is away the first mail tells."""
        try:
            self._queue = self._open_queue()
            self._queue.open()
        except QueueUnavailable:
            pass
        except Exception:  # noqa: BLE001 -- as in a turn
            self._unforeseen()
        self.open = True

    def _wait_for_work(self) -> bool:
        while True:
            with self._state:
                patience = self._until_refused_are_told()
                if self._mails or self._jobs or patience == 0:
                    return True
                if self._stopping:
                    return False
                self._asleep = True
            self._work.acquire(timeout=patience)

    def _until_refused_are_told(self) -> float:
        """Seconds; -1 when there is nothing to tell."""
        if not self._refused:
            return -1.0
        return max(0.0, self._refused_told_at + _REFUSED_SECONDS - time.monotonic())

    def _turn(self) -> None:
        if self._queue is None:
            self._queue = self._open_queue()
        for job in self._all_jobs():
            self._do(job, self._queue)
        if self._mails:
            self._commit(self._queue)
        if self._until_refused_are_told() == 0:
            self._tell_refused()

    def _tell_refused(self) -> None:
        """Kept for the next time where the queue is away: whoever was refused has been told so anyway."""
        with self._state:
            times, self._refused = self._refused, 0
        self._refused_told_at = time.monotonic()
        if not times or self._queue is None:
            return
        try:
            self._queue.count_refused(times, self._clock())
        except QueueUnavailable:
            with self._state:
                self._refused += times

    def _do(self, job: _Job, queue: GroupQueue) -> None:
        try:
            job.answer(job.asked(queue))
        except QueueUnavailable as error:
            job.answer(Deferred(reply.QUEUE_UNAVAILABLE, str(error)))
        except Exception:  # noqa: BLE001 -- the caller must be answered, whatever it was
            self._unforeseen()
            job.answer(Deferred(reply.INTERNAL_ERROR))

    def _commit(self, queue: GroupQueue) -> None:
        if self._disk_full(queue):
            self._refuse(self._all_waiting(), reply.QUEUE_FULL, "disk nearly full")
            return
        self._group = []
        begun = time.monotonic()
        try:
            results = queue.put_waiting(self._take, self._clock())
        except QueueUnavailable as error:
            self._ill(str(error))
            self._refuse(self._group or self._all_waiting(), reply.QUEUE_UNAVAILABLE, str(error))
        except Exception:  # noqa: BLE001 -- one bad mail must not take the others of its group with it
            self._unforeseen()
            self._commit_singly(queue, self._group)
        else:
            self._meter.took(COMMIT, time.monotonic() - begun)
            self._answer(self._group, results)

    def _take(self) -> list[NewMail]:
        with self._state:
            messages = count = 0
            for waiting in self._mails:
                messages += len(waiting.asked.messages)
                if count and messages > _MESSAGES_AT_ONCE:
                    break
                waiting.taken = True
                count += 1
            self._group = self._mails[:count]
            del self._mails[:count]
        return [waiting.asked for waiting in self._group]

    def _commit_singly(self, queue: GroupQueue, group: list[_Mail]) -> None:
        for waiting in group:
            try:
                if len(group) == 1:
                    self._refuse(group, reply.INTERNAL_ERROR, "unforeseen")
                else:
                    self._answer([waiting], queue.put([waiting.asked], self._clock()))
            except QueueUnavailable as error:
                self._ill(str(error))
                self._refuse([waiting], reply.QUEUE_UNAVAILABLE, str(error))
            except Exception:  # noqa: BLE001 -- this is the bad one, or one of them
                self._unforeseen()
                self._refuse([waiting], reply.INTERNAL_ERROR, "unforeseen")

    def _answer(self, group: list[_Mail], results: Sequence[Stored | Refusal]) -> None:
        recovered, self.healthy = not self.healthy, True
        if any(isinstance(result, Stored) and not result.repeat for result in results):
            self._doorbell.ring()
            if self._reports is not None and any(one.asked.answers or one.asked.failed for one in group):
                self._reports.ring()
        for waiting, result in zip(group, results, strict=True):
            waiting.answer(result)
        if recovered:
            self._journal.info(line("", status="queue available again"))

    def _refuse(self, group: Sequence[_Waiting[Any, Any]], answer: Reply, why: str) -> None:
        for waiting in group:
            waiting.answer(Deferred(answer, why))

    def _all_waiting(self) -> list[_Mail]:
        with self._state:
            group, self._mails[:] = list(self._mails), []
            for waiting in group:
                waiting.taken = True
        return group

    def _all_jobs(self) -> list[_Job]:
        with self._state:
            jobs, self._jobs[:] = list(self._jobs), []
            for job in jobs:
                job.taken = True
        return jobs

    def _disk_full(self, queue: GroupQueue) -> bool:
        now = time.monotonic()
        if now - self._space_checked_at >= _SPACE_CHECK_SECONDS:
            self._space_checked_at = now
            free = queue.free_octets()
            self._full = free is not None and free < _LEAST_FREE_OCTETS
            if self._full:
                self._ill("disk nearly full")
        return self._full

    def _ill(self, why: str) -> None:
        if self.healthy:
            self.healthy = False
            self._journal.error(line("", status=f"queue not available, mail is deferred ({clean(why)})"))

    def _unforeseen(self) -> None:
        self._journal.error(line("", status=f"committer failed ({place()})"))
