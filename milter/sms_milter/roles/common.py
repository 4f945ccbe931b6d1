"""What the roles share: doorbells, poll sets, wakers, how long an end may take, who we are."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Callable

from sms_milter.config.schema import Configuration
from sms_milter.errors import QueueUnavailable
from sms_milter.lifeline import Control
from sms_milter.metrics import UNMETERED
from sms_milter.observe import open_journal
from sms_milter.ports import Journal, Meter
from sms_milter.privileges import give_up_privileges
from sms_milter.queue import home_of
from sms_milter.queue.home import Ear, Home
from sms_milter.queue.store import Store

Metering = Callable[[], Meter]  # makes that of a process

# A role that shows no life for so long hangs. A disk or a database that answers at last takes a fraction of
# it: a statement of PostgreSQL ends after 30 s.
PATIENCE_SECONDS = 300.0
STOP_SECONDS = 20.0  # how long running mails and open windows may take when the service ends


def entered(configuration: Configuration, role: str) -> tuple[Journal, Home]:
    """The log and the queue of a role whose process has just begun. The log is opened with the rights that
    the process was started with; everything after it is done without them.
    """
    journal = open_journal(configuration.log, role)
    give_up_privileges(configuration.user)
    return journal, home_of(configuration.queue)


def begin(control: Control, queue: Store, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Say that the role is ready: its queue is open and up to date, or cannot be had."""
    with contextlib.suppress(QueueUnavailable):
        queue.open()
    control.ready(patience_seconds)


def unmetered() -> Meter:
    """Where nobody asks for metrics."""
    return UNMETERED


class Bell:
    """The doorbell, as long as it can be had: without it the role's slow poll has to do."""

    def __init__(self, home: Home, role: str, journal: Journal) -> None:
        self._home, self._role, self._journal = home, role, journal
        self._listener: Ear | None = None
        self._missed = False

    def fileno(self) -> int:
        """The descriptor to poll, -1 while there is none."""
        if self._listener is None:
            try:
                self._listener = self._home.listener(self._role)
                self._missed = False
            except OSError as error:
                if not self._missed:
                    self._journal.error(f"no doorbell beside the queue, polling instead ({error})")
                self._missed = True
                return -1
        return self._listener.fileno()

    def clear(self) -> None:
        """Forget the rings so far."""
        if self._listener is not None:
            self._listener.clear()

    def close(self) -> None:
        """Take the doorbell away."""
        if self._listener is not None:
            self._listener.close()


class Watch:
    """A poll set that is told anew what to watch each time, and changes only what is different."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._watched: dict[int, int] = {}

    def ready(self, wanted: dict[int, int], seconds: float) -> set[int]:
        """Descriptors of `wanted` (with their event masks; -1 is none) that have something, or time is up."""
        wanted.pop(-1, None)
        if wanted != self._watched:
            for descriptor in self._watched.keys() - wanted.keys():
                self._poll.unregister(descriptor)
            for descriptor, mask in wanted.items():
                self._poll.register(descriptor, mask)
            self._watched = wanted
        return {descriptor for descriptor, _ in self._poll.poll(seconds * 1000)}


def our_name() -> str:
    """This host for other mail systems, as well as it knows itself."""
    name = socket.getfqdn()
    return socket.gethostname() if name.startswith("localhost") else name


def wake(waker: socket.socket) -> None:
    """Interrupt a poll of the socket at the other end; from any thread."""
    with contextlib.suppress(OSError):
        waker.send(b"!")
