"""Several hosts' dispatchers on one queue: real processes of `sms-milter run --role dispatch`.

They differ in what their host is called, which this machine must pretend. Binds that are not renewed are
others' to have after three seconds, or a test would last for minutes.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from sms_milter.model import NewMail, NewMessage, PlannedMessage, Promise, SubmitSm
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.simulate import Options, ReceivedSms, Simulator
from sms_milter.smpp.codec import compose
from support.places import runs, wait_until

_PROGRAM = """
import socket, sys
from sms_milter.cli import main
from sms_milter.dispatch import leases
leases._BINDS_SECONDS = 3.0
name = sys.argv.pop(1)
socket.gethostname = lambda: name
sys.argv[0] = "sms-milter"
main()
"""
_IN_DOUBT = re.compile(r"to=(\d+),.* status=uncertain")


class TimedSimulator:
    """Our simulator, which remembers what came when (time.monotonic())."""

    def __init__(self, port: int = 0, **options: Any) -> None:
        self.came: list[tuple[float, str]] = []
        script = Options.model_validate({"faults": False, **options})
        simulator = Simulator(port=port, options=script, on_sms=self._take)
        simulator.start()
        self.port, self.tally = simulator.port, simulator.tally
        self._simulator: Simulator | None = simulator

    def stop(self) -> None:
        """It is gone for good."""
        if self._simulator is not None:
            self._simulator.stop()
        self._simulator = None

    def _take(self, sms: ReceivedSms) -> None:
        self.came.append((time.monotonic(), sms.destination))

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.came]

    @property
    def arrived(self) -> Counter[str]:
        """How often each destination came."""
        return Counter(destination for _, destination in self.came)


class Hosts:
    """Dispatchers by the names of their hosts; all read one configuration."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.queue = SqliteQueue(str(place / "queue.db"))
        self._file = place / "sms-milter.yaml"
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Hosts:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for name in list(self._running):
            self.stop(name)
        self.queue.close()

    def configure(self, smscs: Mapping[str, Mapping[str, Any]], via: Sequence[str], **rule: Any) -> None:
        """Write it; who runs must reload."""
        usual = {"host": "127.0.0.1", "system_id": "acme", "password": "secret"}
        self._file.write_text(
            yaml.safe_dump(
                {
                    "domains": {"sms.example.com": {"dialect": "hsl"}},
                    "accounts": {"acme": {"clients": ["127.0.0.1"], "default_originator": "ACME"}},
                    "queue": f"sqlite:{self.place}/queue.db",
                    "log": {"to": "stderr"},
                    "smscs": {name: {**usual, **smsc} for name, smsc in smscs.items()},
                    "routes": {"default": [{"to": "*", "via": list(via), **rule}]},
                }
            )
        )

    def put(self, numbers: Sequence[str], smsc: str, promise: float = 0.0) -> None:
        """A mail of one SMS to each."""
        now = time.time()
        mails = []
        for number in numbers:
            part = SubmitSm(
                source_addr="ACME", source_addr_ton=5, destination_addr=number, short_message=b"x"
            )
            plan = PlannedMessage(number, "ACME", "x", (part,), smsc=smsc)
            message = NewMessage(
                plan, (compose(part),), now + 86400, promise=Promise(promise) if promise else None
            )
            mails.append(NewMail((message,), now, "acme", "hsl", "a@acme.example", "127.0.0.1", "4ABC"))
        self.queue.put(mails, now)

    def start(self, name: str) -> None:
        """A host comes up; returns when its dispatcher runs."""
        arguments = ["run", "--role", "dispatch", "--config", str(self._file)]
        with self._log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, name, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(lambda: "ready, " in self.log(name), f"{name} to be ready", 20)

    def stop(self, name: str) -> None:
        """A host goes down in order."""
        process = self._running.pop(name)
        process.terminate()
        process.wait(60)

    def die(self, name: str) -> None:
        """A host loses its power."""
        supervisor = self._running.pop(name)
        started = map(int, re.findall(r"started role=\S+ pid=(\d+)", self.log(name)))
        pids = [pid for pid in started if runs(pid, self._file)]
        supervisor.kill()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        supervisor.wait()

    def reload(self, name: str) -> None:
        """SIGHUP; returns when the configuration has been read again."""
        before = self.log(name).count(": reloaded, ")
        self._running[name].send_signal(signal.SIGHUP)
        wait_until(lambda: self.log(name).count(": reloaded, ") > before, f"{name} to reload", 20)

    def log(self, name: str) -> str:
        """What a host has logged so far."""
        return self._log(name).read_text(errors="replace") if self._log(name).exists() else ""

    @property
    def in_doubt(self) -> set[str]:
        """Destinations of which a log says that they may come twice, or never."""
        return {number for log in self.place.glob("*.log") for number in _IN_DOUBT.findall(log.read_text())}

    @property
    def waiting(self) -> int:
        """Parts that are not accepted yet."""
        parts = self.queue.summary(time.time())["parts"]
        return int(parts["queued"] + parts["submitting"])

    def _log(self, name: str) -> Path:
        return self.place / f"{name}.log"


def most_in_a_second(times: Sequence[float]) -> int:
    """Counted from any moment on."""
    ordered = sorted(times)
    most = first = 0
    for last, at in enumerate(ordered):
        while ordered[first] <= at - 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most
