"""The dispatcher between a real queue and several SMSCs that a test speaks for; the clock is the test's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sms_milter.config.secrets import Passwords
from sms_milter.dispatch import Dispatcher
from sms_milter.gate import Gate
from sms_milter.logline import Numbers
from sms_milter.model import NewMail, Wish
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.sms.terms import Terms
from support.gate import Lines, configuration
from support.planning import plan
from support.wire import Wire

NOW = 1_700_000_000.0
BACKUP = {"host": "127.0.0.2", "system_id": "acme", "password": "secret"}


class Exchange:
    """SMSCs "primary" and "backup", a wire to each, and one route over both."""

    def __init__(
        self,
        path: Path,
        *,
        primary: Mapping[str, Any] | None = None,
        backup: Mapping[str, Any] | None = None,
        up: tuple[str, ...] = ("primary", "backup"),
        name: str = "",
        **rule: Any,
    ) -> None:
        """`name` is the dispatcher's among others of this queue."""
        self.now = NOW
        self.name = name
        self.queue = SqliteQueue(str(path / "queue.db"))
        self.smscs = {"primary": {**(primary or {})}, "backup": {**BACKUP, **(backup or {})}}
        self.rules = [{"to": "*", "via": ["primary", "backup"], **rule}]
        self.start(*up)

    def start(self, *up: str) -> None:
        """A new dispatcher with the present settings, bound to the SMSCs that are up."""
        self.configuration = configuration(smscs=self.smscs, routes={"default": self.rules})
        # The configuration knows its base's "primary" in any case.
        smscs = {name: smsc for name, smsc in self.configuration.smscs.items() if name in self.smscs}
        self.gate = Gate(self.configuration, Passwords())
        self.lines = Lines()
        self.wires = {name: Wire(name, window=smsc.window) for name, smsc in smscs.items()}
        self.dispatcher = Dispatcher(
            self.queue,
            list(self.wires.values()),
            smscs,
            self.configuration.routes,
            self.lines,  # type: ignore[arg-type]  # its methods are made on demand
            Numbers(masked=False),
            keep_seconds=86400,
            reports=self,
            name=self.name,
        )
        for name in up:
            self.wires[name].connect(self.now - NOW)

    def ring(self) -> None:
        """The report role's doorbell."""

    def put(
        self, text: str = "Hi", destination: str = "447973100000", account: str = "acme", **wish: Any
    ) -> int:
        """A mail of one message, planned as the milter does it; returns its queue id."""
        smsc = self.gate.routes.smscs("default", destination)[0]
        terms = Terms("ACME", smsc=smsc, traits=self.gate.traits[smsc])
        (message,) = plan([Wish(destination, text=text, **wish)], lambda _: terms)
        composed = self.gate.composed(message, self.now, metered=False)
        mail = NewMail((composed,), self.now, account, "hsl", "bob@customer.example", "192.0.2.10", "4ABC")
        (stored,) = self.queue.put([mail], self.now)
        self.dispatcher.rung()
        return stored.queue_id  # type: ignore[union-attr]  # a Refusal would fail here

    def step(self, seconds: float = 0.05, times: int = 1) -> None:
        """Let time pass; more steps let what one has moved be sent by another."""
        for _ in range(times):
            self.now += seconds
            self.dispatcher.step(self.now, self.now - NOW)

    def sent(self, smsc: str) -> int:
        """How many submit_sm the SMSC has got since it last answered."""
        return len(self.wires[smsc].submits)

    def states(self) -> list[str]:
        """The states of all parts, oldest first."""
        return [part["state"] for part in reversed(self.queue.list_parts())]

    def smsc_of(self) -> list[str]:
        """Whose the parts are, oldest first."""
        return [part["smsc"] for part in reversed(self.queue.list_parts())]
