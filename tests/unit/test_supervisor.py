"""Supervision with real processes: restart, drain, replacement, and the end of the supervisor itself."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SERVICE = """
import os, sys
from sms_milter.supervisor import Supervisor

class Journal:
    def info(self, line): os.write(1, f"{line}\\n".encode())
    debug = warning = error = critical = info

def role(word):
    def main(control):
        os.write(1, f"{word} runs pid={os.getpid()}\\n".encode())
        order = control.read()
        os.write(1, f"{word} told {order.name} pid={os.getpid()}\\n".encode())
    return main

kept = role("kept")
def reload():
    supervisor.replace({"a": role("second"), "b": kept})
supervisor = Supervisor(Journal(), reload)
supervisor.replace({"a": role("first"), "b": kept})
supervisor.run()
os.write(1, b"over\\n")
"""


class Service:
    def __init__(self, folder: Path) -> None:
        self._log = folder / "log"
        with self._log.open("wb") as out:
            self.process = subprocess.Popen([sys.executable, "-c", SERVICE], stdout=out, stderr=out)

    @property
    def lines(self) -> list[str]:
        return self._log.read_text().splitlines()

    def wait(self, seen: Callable[[list[str]], bool]) -> list[str]:
        deadline = time.monotonic() + 10
        while not seen(self.lines):
            assert time.monotonic() < deadline, "\n".join(self.lines)
            time.sleep(0.01)
        return self.lines

    def pid(self, word: str) -> int:
        lines = self.wait(lambda lines: any(line.startswith(f"{word} runs") for line in lines))
        return [int(line.rpartition("=")[2]) for line in lines if line.startswith(f"{word} runs")][-1]

    def count(self, start: str) -> int:
        return sum(line.startswith(start) for line in self.lines)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    running = Service(tmp_path)
    yield running
    with contextlib.suppress(ProcessLookupError):
        running.process.kill()
    running.process.wait()


def test_a_killed_child_is_started_again(service: Service) -> None:
    first = service.pid("first")
    os.kill(first, signal.SIGKILL)
    lines = service.wait(lambda _: service.count("first runs") == 2)
    assert service.pid("first") != first
    assert any(f"role=a pid={first} died (signal 9)" in line for line in lines)
    assert service.count("kept runs") == 1


def test_sigterm_stops_the_children_then_the_supervisor(service: Service) -> None:
    service.pid("first"), service.pid("kept")
    service.process.terminate()
    lines = service.wait(lambda lines: "over" in lines)
    assert service.process.wait(10) == 0
    assert service.count("first told STOP") == service.count("kept told STOP") == 1
    assert lines[-1] == "over"


def test_a_reload_starts_the_new_before_the_old_retires_and_leaves_the_unchanged(service: Service) -> None:
    old = service.pid("first")
    service.pid("kept")
    service.process.send_signal(signal.SIGHUP)
    service.wait(lambda _: service.count("second runs") == 1 and service.count("ended role=a") == 1)
    assert f"first told RETIRE pid={old}" in service.lines
    assert service.count("kept runs") == 1
    assert service.count("kept told") == 0


def test_children_end_when_the_supervisor_is_killed(service: Service) -> None:
    service.pid("first"), service.pid("kept")
    service.process.kill()
    service.wait(lambda _: service.count("first told STOP") == service.count("kept told STOP") == 1)
