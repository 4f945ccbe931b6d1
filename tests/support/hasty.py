"""The dispatcher with its real links, for which time runs faster: a minute is over in less than a second.

Behind it may be our simulator (`Simulated`) or another SMSC (`support.played`).
"""

from __future__ import annotations

import os
import random
import re
import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from sms_milter.dispatch import Dispatcher
from sms_milter.logline import Numbers
from sms_milter.model import NewMail, NewMessage, PlannedMessage, SubmitSm
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.simulate import Options, ReceivedSms, Simulator
from sms_milter.smpp.codec import compose
from sms_milter.smpp.link import Link
from sms_milter.smpp.options import SessionOptions
from sms_milter.smpp.reconnect import Backoff
from sms_milter.smpp.trace import Trace
from support.gate import Lines, configuration

NOW = 1_700_000_000.0
_FASTER = 100.0
_PATIENCE_SECONDS = 20.0
_IN_DOUBT = re.compile(r"to=(\d+),.* status=uncertain")


class Peer(Protocol):
    """The SMSC at the other end, which listens on 127.0.0.1."""

    arrived: Counter[str]  # how often each destination was taken

    @property
    def port(self) -> int: ...

    @property
    def binds(self) -> int:
        """Binds that were asked for, refused ones too."""

    @property
    def submitted(self) -> int:
        """Every submit_sm that came, taken or not."""

    @property
    def is_idle(self) -> bool:
        """Whether every receipt was taken."""

    def stop(self) -> None:
        """The test is over."""


class Simulated:
    """Our simulator as a `Peer`; a long SMS arrives when its last part does."""

    def __init__(self, script: Mapping[str, Any]) -> None:
        self.arrived: Counter[str] = Counter()
        self._simulator = Simulator(options=Options.model_validate(dict(script)), on_sms=self._take)
        self._simulator.start()
        self.stop = self._simulator.stop

    def _take(self, sms: ReceivedSms) -> None:
        self.arrived[sms.destination] += 1

    @property
    def port(self) -> int:
        return self._simulator.port

    @property
    def binds(self) -> int:
        return self._simulator.tally.binds

    @property
    def submitted(self) -> int:
        return self._simulator.tally.submitted

    @property
    def is_idle(self) -> bool:
        return self._simulator.is_idle


class Hasty:
    """A queue, our dispatcher and an SMSC; `settings` are that SMSC's.

    The dispatcher sees the queue as `through` makes it.
    """

    def __init__(
        self,
        path: Path,
        peer: Peer,
        *,
        through: Callable[[SqliteQueue], Any] = lambda queue: queue,
        **settings: Any,
    ) -> None:
        self.peer = peer
        self.queue = SqliteQueue(str(path / "queue.db"))
        self.dispatcher_queue = through(self.queue)
        self._began = time.monotonic()
        self._settings = configuration(smscs={"primary": {"port": peer.port, "window": 4, **settings}})
        self.lines = Lines()
        self.begin()

    def begin(self) -> None:
        """Put a new dispatcher in the place of the one before, of which nothing may be left but the queue."""
        smscs = self._settings.smscs
        self._links = [self._link(smscs["primary"])]
        self.dispatcher = Dispatcher(
            self.dispatcher_queue,
            self._links,
            smscs,
            self._settings.routes,
            self.lines,  # type: ignore[arg-type]  # its methods are made on demand
            Numbers(masked=False),
            keep_seconds=30 * 86400,
            reports=self,
        )

    def kill(self) -> None:
        """End the dispatcher as kill -9 does: its connections break off, without another octet."""
        for link in self._links:
            if link.fileno() >= 0:
                with socket.socket(fileno=os.dup(link.fileno())) as connection:
                    connection.shutdown(socket.SHUT_RDWR)
            link.close(self.now - NOW)

    def __enter__(self) -> Hasty:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.dispatcher.close()
        end = time.monotonic() + 5
        while not self.dispatcher.closed and time.monotonic() < end:
            self._step()
        self._step()
        self.peer.stop()
        self.queue.close()

    def ring(self) -> None:
        """The report role's doorbell."""

    def put(self, *destinations: str, parts: int = 1) -> None:
        """A mail with an SMS to each, all asking for receipts."""
        messages = tuple(_message(destination, parts, self.now) for destination in destinations)
        self.queue.put([NewMail(messages, self.now, "acme", "hsl", "a@acme.example", "", "4ABC")], self.now)
        self.dispatcher.rung()

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Let time run until it is so; AssertionError with the log when it does not come."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < end, f"in vain: {what}\n{self.lines.text[-4000:]}"
            self._step()

    def until_ended(self) -> None:
        """Until nothing is queued, on the wire or without its receipt."""
        waiting = {"queued", "submitting", "accepted"}
        self.until(lambda: not waiting & set(self.states()), f"the end of every part, not {self.states()}")

    @property
    def arrived(self) -> Counter[str]:
        """How often the SMSC took what for whom."""
        return self.peer.arrived

    def skip(self, seconds: float) -> None:
        """So much time is over, at once."""
        self._began -= seconds / _FASTER

    @property
    def now(self) -> float:
        """The time of day."""
        return NOW + (time.monotonic() - self._began) * _FASTER

    def states(self) -> list[str]:
        """The states of all parts, oldest first."""
        return [part["state"] for part in reversed(self.queue.list_parts())]

    @property
    def in_doubt(self) -> set[str]:
        """Destinations of which the log says that they may come twice."""
        return set(_IN_DOUBT.findall(self.lines.text))

    def _step(self) -> None:
        now = self.now
        self.dispatcher.step(now, now - NOW)
        files = [link.fileno() for link in self._links if link.fileno() >= 0]
        select.select(files, [], [], 0.002)

    def _link(self, smsc: Any) -> Link:
        return Link(
            smsc="primary",
            name="primary/1",
            hosts=(smsc.host,),
            port=smsc.port,
            tls=None,
            session_options=SessionOptions(
                smsc.system_id,
                smsc.password,
                window=smsc.window,
                response_timeout_seconds=smsc.response_timeout,
                enquire_link_seconds=smsc.enquire_link,
            ),
            backoff=Backoff(random.Random(1)),
            wake=lambda: None,
            journal=Lines(),  # type: ignore[arg-type]  # its methods are made on demand
            trace=Trace(Numbers(masked=False)),
        )


def _message(destination: str, parts: int, now: float) -> NewMessage:
    submits = [_submit(destination, number, parts) for number in range(1, parts + 1)]
    plan = PlannedMessage(destination, "ACME", "text", tuple(submits), receipt=True, smsc="primary")
    return NewMessage(plan, tuple(compose(submit) for submit in submits), now + 7 * 86400)


def _submit(destination: str, number: int, parts: int) -> SubmitSm:
    header = bytes((5, 0, 3, 9, parts, number)) if parts > 1 else b""
    return SubmitSm(
        source_addr="ACME",
        source_addr_ton=5,
        destination_addr=destination,
        esm_class=0x40 if header else 0,
        short_message=header + b"text",
        registered_delivery=0x11,  # of the way and of the end
    )
