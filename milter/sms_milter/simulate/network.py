"""What the connections of the simulated SMSC share: who is bound, which receipts wait, what was accepted."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from random import Random
from time import monotonic, time
from typing import NamedTuple, Protocol
from uuid import UUID

from sms_milter.simulate import mobile
from sms_milter.simulate.faults import BindRefusals, Faults
from sms_milter.simulate.phone import Phone, ReceivedSms, Segment
from sms_milter.simulate.script import Act, IdForm, MobileRule, Options, Rule
from sms_milter.simulate.timetable import Timetable
from sms_milter.simulate.wire import Bind, Command, Status, Submission


@dataclass(slots=True)
class Tally:
    """What happened so far, counted in PDUs; `receipts` counts repeats too. `most_bound`: at a time."""

    binds: int = 0
    most_bound: int = 0
    submitted: int = 0
    accepted: int = 0
    refused: int = 0
    receipts: int = 0
    acknowledged: int = 0


class Link(Protocol):
    """A connection as the network sees it."""

    system_id: str
    is_bound: bool  # and nobody has unbound

    def deliver(self, command: Command, body: bytes) -> bool:
        """Queue a deliver_sm or data_sm and never wait; False when this connection receives none."""

    def flush(self) -> None:
        """Write what is queued."""

    def has_open_receipts(self) -> bool:
        """Whether a deliver_sm waits for its response."""

    def close(self) -> None:
        """End the connection."""


class Taken(NamedTuple):
    """An accepted submit_sm: our number for it, and the id that its response gives."""

    number: int
    message_id: str

    def id_in(self, form: str) -> str:
        """Its id as a receipt writes it; "same" as in the response, if that had one."""
        match form:
            case "same" if self.message_id:
                return self.message_id
            case "decimal":
                return str(self.number)
            case "padded":
                return f"{self.number:020}"
        return f"{self.number:X}"


_TOO_FAST = Rule(act=Act.REFUSE, status=Status.THROTTLED)


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
        self._waiting: dict[str, list[tuple[Command, bytes]]] = defaultdict(list)  # by system_id
        self._phone = Phone(options.default_alphabet)
        self._chance = Random(options.seed)
        self._faults = Faults(options, self._chance)
        self._bind_refusals = BindRefusals(options.refuse_binds)
        self._bound_until: dict[str, float] = {}  # lost connections that are still bound
        self._mobile: list[MobileRule] = list(options.mobile)
        self._references = count(1)
        self._on_the_way: set[tuple[str, str]] = set()  # message id and destination
        self._numbers = count(int(time()) << 24)  # not repeated by the next run
        self._second, self._in_second = 0, 0

    # --- connections ---

    def joined(self, link: Link) -> None:
        """There is a new connection."""
        with self._lock:
            self._links.append(link)

    def left(self, link: Link, *, lost: bool = False) -> None:
        """A connection is gone; `lost`: without an unbind, so that its bind may outlive it."""
        with self._lock:
            self._links.remove(link)
            if lost and self.options.hold_binds:
                self._bound_until[link.system_id] = monotonic() + self.options.hold_binds

    def links(self) -> list[Link]:
        """All connections now."""
        with self._lock:
            return list(self._links)

    def bind(self, link: Link, bind: Bind) -> int:
        """The command_status that a bind request gets; with 0 it is bound."""
        with self._lock:
            self.tally.binds += 1
            status = self._status_of(bind)
            if not status:
                link.system_id, link.is_bound = bind.system_id, True
                self.tally.most_bound = max(self.tally.most_bound, self._bound(bind.system_id))
        return status

    def _status_of(self, bind: Bind) -> int:
        refused = self._bind_refusals.status(monotonic())
        if refused:
            return refused
        if self._bound_until.get(bind.system_id, 0.0) > monotonic():
            return Status.ALREADY_BOUND
        if self.options.system_id not in (None, bind.system_id):
            return Status.SYSTEM_ID
        if self.options.password not in (None, bind.password):
            return Status.PASSWORD
        if self.options.binds and self._bound(bind.system_id) >= self.options.binds:
            return Status.ALREADY_BOUND
        return Status.OK

    def _bound(self, system_id: str) -> int:
        return sum(one.is_bound and one.system_id == system_id for one in self._links)

    # --- submit_sm ---

    def rule_for(self, submission: Submission, body: bytes) -> Rule:
        """What to do with this try of a submit_sm."""
        with self._lock:
            self.tally.submitted += 1
            if self.options.rate and self._is_too_fast():
                return _TOO_FAST
            return self._faults.rule_for(submission.destination, body)

    def up_to(self, seconds: float) -> float:
        """A time that is left to chance."""
        with self._lock:
            return self._chance.random() * seconds if seconds else 0.0

    def take(self, submission: Submission, segment: Segment, octets: bytes, form: IdForm) -> Taken:
        """Accept a submit_sm and show the SMS that it completes."""
        with self._lock:
            self.tally.accepted += 1
            taken = self._named(form)
            sms = self._phone.take(submission, segment, taken.message_id, octets, time())
        if sms is not None:
            with self._showing:
                self._on_sms(sms)
        return taken

    def _named(self, form: IdForm) -> Taken:
        number = next(self._numbers)
        match form:
            case "decimal":
                return Taken(number, str(number))
            case "padded":
                return Taken(number, f"{number:020}")
            case "uuid":
                return Taken(number, str(UUID(int=self._chance.getrandbits(128), version=4)))
            case "constant":
                return Taken(number, "1")
            case "empty":
                return Taken(number, "")
        return Taken(number, f"{number:X}")

    def on_the_way(self, message_id: str, destination: str) -> None:
        """Its receipt comes later; until then it can be cancelled."""
        with self._lock:
            self._on_the_way.add((message_id, destination))

    def cancel(self, message_id: str, destination: str) -> bool:
        """Whether it could still be cancelled."""
        with self._lock:
            on_the_way = (message_id, destination) in self._on_the_way
            self._on_the_way.discard((message_id, destination))
        return on_the_way

    def arrived(self, message_id: str, destination: str) -> bool:
        """Its way is over; whether it was not cancelled."""
        return self.cancel(message_id, destination)

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

    def deliver(self, system_id: str, command: Command, body: bytes, first: Link | None = None) -> None:
        """Send a delivery to a bind of `system_id` that can receive, `first` if it can, or keep it.

        What goes to `first` is queued there and not yet written.
        """
        with self._lock:
            self.tally.receipts += 1
            if first is not None and first.deliver(command, body):
                return
            links = (
                link for link in self._links if link.system_id == system_id and link.deliver(command, body)
            )
            receiver = next(links, None)
            if receiver is None:
                self._waiting[system_id].append((command, body))
        if receiver is not None:
            receiver.flush()

    def deliver_waiting(self, system_id: str) -> None:
        """A bind of `system_id` can receive now: it gets what has been waiting, and phones begin to write."""
        with self._lock:
            waiting = self._waiting.pop(system_id, [])
            phones, self._mobile = self._mobile, []
        for command, body in waiting:
            self.deliver(system_id, command, body)
        for rule in phones:
            self.timetable.after(rule.after, lambda rule=rule: self._write(system_id, rule))  # type: ignore[misc]

    def _write(self, system_id: str, rule: MobileRule) -> None:
        for body in mobile.deliveries(rule, next(self._references)):
            self.deliver(system_id, Command.DELIVER_SM, body)

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
