"""Several hosts for a fault test: MTAs with their milters, dispatchers, one PostgreSQL, others' SMSC."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from support.places import folder, wait_until
from support.postfix import Postfix
from support.postgres import Postgres
from support.postgres_roles import make_roles, make_tables, url_of
from support.service import Service
from support.smsc import Smsc

_IN_DOUBT = re.compile(r"to=(\d+),.* status=uncertain")


@dataclass
class Site:
    """`settings` are laid over the tests' configuration; the SMSC thinks `delay_ms` about each submit_sm.

    Entered, everything runs. Each host is a `Service` with a name and a configuration of its own, and may do
    in the database what it must (deploy/postgres); it may be killed while the others go on.
    """

    milters: int
    dispatchers: int
    delay_ms: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __enter__(self) -> Site:
        with ExitStack() as stack:
            self.postgres = stack.enter_context(Postgres())
            make_roles(self.postgres)
            with self.postgres.connection() as connection:
                connection.execute("CREATE DATABASE sms")
            make_tables(self.postgres, "sms")
            self.smsc = stack.enter_context(Smsc(delay_ms=self.delay_ms))
            place = stack.enter_context(folder("site"))
            self.dispatch_hosts = []
            for number in range(1, self.dispatchers + 1):
                home = place / f"sender{number}"
                home.mkdir()
                host = self._host(home, "dispatch", "dispatch")
                stack.callback(host.stop)
                host.start()
                self.dispatch_hosts.append(host)
            self.milter_hosts, self.ports = [], []
            for number in range(1, self.milters + 1):
                home = place / f"mx{number}"
                (home / "mta").mkdir(parents=True)
                host = self._host(home, "milter", "intake")
                stack.callback(host.stop)
                host.start()
                self.milter_hosts.append(host)
                mta = stack.enter_context(Postfix(home / "mta", {"sms": host.for_postfix}))
                self.ports.append(mta.ports["sms"])
            wait_until(lambda: self.smsc.bound >= self.dispatchers, "every dispatcher to bind", 30)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stack.close()

    def arrived(self) -> Counter[str]:
        """How often each destination came to the SMSC."""
        return Counter(one.destination for one in list(self.smsc.received))

    def in_doubt(self) -> set[str]:
        """Destinations of which a log says that they may have come before."""
        return set().union(*(_IN_DOUBT.findall(host.log) for host in self.dispatch_hosts))

    def doubtful(self) -> set[str]:
        """Destinations of which the queue knows that they may have come before."""
        with self.postgres.connection("sms") as connection:
            rows = connection.execute("SELECT destination FROM part WHERE doubts > 0 OR state = 3").fetchall()
        return {destination for (destination,) in rows}

    def story(self, numbers: Iterable[str]) -> str:
        """What is known of the first few of them: by the queue, by the logs."""
        told = []
        with self.postgres.connection("sms") as connection:
            for number in sorted(numbers)[:3]:
                row = connection.execute(
                    "SELECT id, state, attempts, doubts, owner, bind, sequence, submitted_at, why,"
                    " smsc_message_id FROM part WHERE destination = %s",
                    (number,),
                ).fetchall()
                lines = [
                    f"{host.host}: {line}"
                    for host in (*self.milter_hosts, *self.dispatch_hosts)
                    for line in host.log.splitlines()
                    if number in line
                ]
                told.append("\n".join([f"{number} came {self.arrived()[number]} times: {row}", *lines]))
        return "\n".join(told)

    def _host(self, home: Path, role: str, group: str) -> Service:
        return Service(
            home,
            self.smsc.port,
            self.settings,
            queue=url_of(self.postgres, "sms", group),
            roles=[role],
            host=home.name,
        )
