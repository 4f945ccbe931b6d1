"""One host for a fault test: our service behind a real Postfix, others' SMSC at the other end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from support.places import folder, wait_until
from support.postfix import Postfix
from support.service import Service
from support.smsc import Smsc
from support.smtp_sink import SmtpSink

_IN_DOUBT = re.compile(r"to=(\d+),.* status=uncertain")


@dataclass
class Host:
    """`settings` are laid over the tests' configuration; the SMSC thinks `delay_ms` about each submit_sm.

    Entered, all but the service runs: a test starts that when it is ready.
    """

    delay_ms: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __enter__(self) -> Host:
        self._stack = ExitStack()
        place = self._stack.enter_context(folder("fault"))
        (place / "mta").mkdir()
        self.sink = self._stack.enter_context(SmtpSink())
        self.smsc = self._stack.enter_context(Smsc(delay_ms=self.delay_ms))
        self.service = Service(place, self.smsc.port, self.settings)
        self._stack.callback(self.service.stop)
        postfix = Postfix(place / "mta", {"sms": self.service.for_postfix}, next_hop=self.sink.port)
        self.postfix = self._stack.enter_context(postfix)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stack.close()

    @property
    def port(self) -> int:
        """The SMS listener."""
        return self.postfix.ports["sms"]

    def start(self) -> None:
        """Start the service; returns when it is bound."""
        before = self.service.log.count(": bound to ")
        self.service.start()
        wait_until(lambda: self.service.log.count(": bound to ") > before, "the service to bind", 30)

    def arrived(self) -> Counter[str]:
        """How often each destination came to the SMSC."""
        return Counter(one.destination for one in list(self.smsc.received))

    def twice(self) -> set[str]:
        """Destinations that came more than once."""
        return {number for number, times in self.arrived().items() if times > 1}

    def in_doubt(self) -> set[str]:
        """Destinations of which the log says that they may have come before."""
        return set(_IN_DOUBT.findall(self.service.log))

    def wait_for_all(self, numbers: set[str], *, unless_in_doubt: bool = False) -> None:
        """Wait until each of them has come and nothing waits any longer."""

        def missing() -> set[str]:
            return numbers - self.arrived().keys() - (self.in_doubt() if unless_in_doubt else set())

        wait_until(lambda: not missing(), "every accepted SMS at the SMSC", 30)
        wait_until(lambda: not self.service.backlog(), "an empty backlog", 30)
