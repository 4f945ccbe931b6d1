"""What the connections of the simulated SMSC share: who is bound, which receipts wait, what was accepted."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from time import time
from typing import Protocol

from sms_milter.simulate.faults import PLAIN, Act, Faults, Script
from sms_milter.simulate.phone import GSM, Phone, ReceivedSms, Segment
from sms_milter.simulate.timetable import Timetable
from sms_milter.simulate.wire import Bind, Status, Submission


@dataclass(frozen=True, slots=True)
class Options:
    """How the whole SMSC behaves.

    `system_id` and `password`: None takes any. The first `refuse_binds` binds get `refuse_status`.
    `response_delay` holds back every answer and `receipt_delay` every receipt (seconds). More than `rate`
    submit_sm in a second are throttled, 0: never. `faults`: whether destinations choose faults.
    `default_alphabet`: what data_coding 0 means.
    """

    system_id: str | None = None
    password: str | None = None
    refuse_binds: int = 0
    refuse_status: int = Status.BIND_FAILED
    response_delay: float = 0.0
    receipt_delay: float = 0.0
    rate: int = 0
    faults: bool = True
    default_alphabet: str = GSM


@dataclass(slots=True)
class Tally:
    """What happened so far, counted in PDUs; `receipts` counts repeats too."""

    binds: int = 0
    submitted: int = 0
    accepted: int = 0
    refused: int = 0
    receipts: int = 0
    acknowledged: int = 0


class Link(Protocol):
    """A connection as the network sees it."""

    system_id: str

    def deliver(self, body: bytes) -> bool:
        """Queue a deliver_sm and never wait; False when this connection receives none."""

    def flush(self) -> None:
        """Write what is queued."""

    def has_open_receipts(self) -> bool:
        """Whether a deliver_sm waits for its response."""

    def close(self) -> None:
        """End the connection."""


_TOO_FAST = Script("too many submit_sm in this second", Act.REFUSE, status=Status.THROTTLED)


class Network:
    """Shared by all connections; `on_sms` gets every complete SMS, one at a time."""

    def __init__(self, options: Options, on_sms: Callable[[ReceivedSms], None]) -> None:
        self.options = options
        self.tally = Tally()
        self.timetable = Timetable(self._flush)
        self._on_sms = on_sms
        self._lock = threading.Lock()
        self._showing = threading.Lock()
        self._links: list[Link] = []
        self._waiting: dict[str, list[bytes]] = defaultdict(list)  # receipts by system_id
        self._phone = Phone(options.default_alphabet)
        self._faults = Faults()
        self._message_ids = count(int(time()) << 24)  # not repeated by the next run
        self._second, self._in_second = 0, 0

    # --- connections ---

    def joined(self, link: Link) -> None:
        """There is a new connection."""
        with self._lock:
            self._links.append(link)

    def left(self, link: Link) -> None:
        """A connection is gone."""
        with self._lock:
            self._links.remove(link)

    def links(self) -> list[Link]:
        """All connections now."""
        with self._lock:
            return list(self._links)

    def status_of_bind(self, bind: Bind) -> int:
        """The command_status that a bind request gets."""
        with self._lock:
            self.tally.binds += 1
            if self.tally.binds <= self.options.refuse_binds:
                return self.options.refuse_status
        if self.options.system_id not in (None, bind.system_id):
            return Status.SYSTEM_ID
        return Status.OK if self.options.password in (None, bind.password) else Status.PASSWORD

    # --- submit_sm ---

    def script_for(self, submission: Submission, body: bytes) -> Script:
        """What to do with this try of a submit_sm."""
        with self._lock:
            self.tally.submitted += 1
            if self.options.rate and self._is_too_fast():
                return _TOO_FAST
            return self._faults.script_for(submission.destination, body) if self.options.faults else PLAIN

    def take(self, submission: Submission, segment: Segment, octets: bytes) -> str:
        """Accept a submit_sm and show the SMS that it completes; gives the message id."""
        with self._lock:
            self.tally.accepted += 1
            message_id = f"{next(self._message_ids):X}"
            sms = self._phone.take(submission, segment, message_id, octets, time())
        if sms is not None:
            with self._showing:
                self._on_sms(sms)
        return message_id

    def refused(self) -> None:
        """A submit_sm got an error."""
        with self._lock:
            self.tally.refused += 1

    @property
    def incomplete(self) -> list[tuple[str, int, int]]:
        """As `Phone.incomplete`."""
        with self._lock:
            return self._phone.incomplete

    def _is_too_fast(self) -> bool:
        now = int(time())
        self._second, self._in_second = now, self._in_second + 1 if now == self._second else 1
        return self._in_second > self.options.rate

    # --- receipts ---

    def deliver(self, system_id: str, body: bytes, first: Link | None = None) -> None:
        """Send a deliver_sm to a bind of `system_id` that can receive, `first` if it can, or keep it.

        What goes to `first` is queued there and not yet written.
        """
        with self._lock:
            self.tally.receipts += 1
            if first is not None and first.deliver(body):
                return
            links = (link for link in self._links if link.system_id == system_id and link.deliver(body))
            receiver = next(links, None)
            if receiver is None:
                self._waiting[system_id].append(body)
        if receiver is not None:
            receiver.flush()

    def deliver_waiting(self, system_id: str) -> None:
        """A bind of `system_id` can receive now: it gets what has been waiting."""
        with self._lock:
            waiting = self._waiting.pop(system_id, [])
        for body in waiting:
            self.deliver(system_id, body)

    def acknowledged(self) -> None:
        """A receipt was taken."""
        with self._lock:
            self.tally.acknowledged += 1

    @property
    def is_idle(self) -> bool:
        """Whether nothing is due later and every receipt was taken."""
        if not self.timetable.is_empty or any(link.has_open_receipts() for link in self.links()):
            return False
        with self._lock:
            return not any(self._waiting.values())

    def _flush(self) -> None:
        for link in self.links():
            link.flush()
