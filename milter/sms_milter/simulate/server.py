"""The listener of the simulated SMSC and its threads: one for each connection, one for what comes later."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from sms_milter.simulate.connection import Connection
from sms_milter.simulate.network import Network, Tally
from sms_milter.simulate.phone import ReceivedSms
from sms_milter.simulate.script import Options
from sms_milter.simulate.wire import Command

_DEFAULT_OPTIONS = Options()


def _nobody(_: ReceivedSms) -> None:
    """For those who look at the tally only."""


class Simulator:
    """An SMSC on `host` and `port` (0: any free one); every complete SMS goes to `on_sms`, one at a time.

    `on_sms` runs in the thread of a connection and must not call `stop`. A context manager: started inside.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        options: Options = _DEFAULT_OPTIONS,
        on_sms: Callable[[ReceivedSms], None] = _nobody,
    ) -> None:
        self._network = Network(options, on_sms)
        self._host, self._port = host, port
        self._listener: socket.socket | None = None
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Listen; returns at once. Raises OSError when the address cannot be had."""
        family, _, _, _, address = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)[0]
        self._listener = socket.create_server((str(address[0]), self._port), family=family, backlog=128)
        self._network.timetable.start()
        listener = self._listener
        self._begin(lambda: self._accept(listener))

    def stop(self) -> None:
        """Close everything; returns when all threads have ended."""
        if self._listener is None:
            return
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._threads[0].join()
        self._listener.close()
        self.disconnect()
        self._network.timetable.stop()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port it listens on, once started."""
        return int(self._listener.getsockname()[1]) if self._listener else self._port

    @property
    def tally(self) -> Tally:
        """What happened so far."""
        return self._network.tally

    @property
    def incomplete(self) -> list[tuple[str, int, int]]:
        """Destination, parts that came and parts there should be of each SMS that is not complete."""
        return self._network.incomplete

    @property
    def is_connected(self) -> bool:
        """Whether anybody is connected."""
        return bool(self._network.links())

    @property
    def is_idle(self) -> bool:
        """Whether nothing is due later and every receipt was taken."""
        return self._network.is_idle

    def deliver(self, system_id: str, body: bytes) -> None:
        """Send a deliver_sm to a bind of `system_id` that can receive, now or when there is one."""
        self._network.deliver(system_id, Command.DELIVER_SM, body)

    def disconnect(self) -> None:
        """Close every connection, as a failing SMSC would; new ones are taken."""
        for link in self._network.links():
            link.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                link, _ = listener.accept()
            except OSError:  # `stop`
                return
            connection = Connection(self._network, link)
            self._network.joined(connection)
            self._begin(connection.run)

    def _begin(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="simulate", daemon=True)
        thread.start()
        self._threads = [t for t in self._threads if t.is_alive()]
        self._threads.append(thread)
