"""Supervision with real processes: restart, drain, replacement, and the end of the supervisor itself."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

SERVICE = """
import os, signal, sys, time
from sms_milter import handover
from sms_milter.service_manager import ServiceManager
from sms_milter.supervisor import Supervisor

class Journal:
    def info(self, line): os.write(1, f"{line}\\n".encode())
    debug = warning = error = critical = info

def role(word):
    def main(control):
        def stuck(*_):
            time.sleep(60)
        signal.signal(signal.SIGUSR1, stuck)
        if os.path.exists(sys.argv[1] + ".broken"):
            sys.exit(78)
        while os.path.exists(sys.argv[1] + ".held") and control.told(PATIENCE / 50) is None:
            pass
        control.ready(PATIENCE)
        os.write(1, f"{word} runs pid={os.getpid()}\\n".encode())
        while (order := control.told(PATIENCE / 50)) is None:
            control.alive()
        os.write(1, f"{word} told {order.name} pid={os.getpid()}\\n".encode())
    return main

PATIENCE = 3.0
kept = role("kept")
def reload():
    if os.path.exists(sys.argv[1]):
        return False
    supervisor.replace({"a": role("second"), "b": kept})
    return True
def upgrade():
    if os.path.exists(sys.argv[1] + ".slow"):
        os.remove(sys.argv[1] + ".slow")
        time.sleep(0.5)
    program = sys.argv[2:] or [sys.executable, *sys.orig_argv[1:], "/no/such/program"]
    try:
        supervisor.become(program, [])
    except OSError as error:
        Journal().info(f"upgrade failed: {error.strerror}")
left = handover.received()
manager = ServiceManager.from_environment(os.environ)
supervisor = Supervisor(Journal(), reload, upgrade, manager, left.children, look_seconds=PATIENCE / 30)
supervisor.replace({"a": role("first"), "b": kept})
Journal().info(f"ready, {len(left.children)} children were there")
supervisor.run()
os.write(1, b"over\\n")
"""


class Service:
    def __init__(self, folder: Path) -> None:
        self._log = folder / "log"
        # While they are there, reloads are refused, children die at the start, or do not become ready.
        self.bad, self.broken, self.held = folder / "bad", folder / "bad.broken", folder / "bad.held"
        self.slow = folder / "bad.slow"  # the next upgrade takes its time, and takes it away
        self._systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._systemd.bind(str(folder / "notify"))
        self._systemd.setblocking(False)
        self._told: list[str] = []
        asked = {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "300000"}
        with self._log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVICE, str(self.bad)], stdout=out, stderr=out, env=os.environ | asked
            )

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self._systemd.close()

    def ended(self) -> int | None:
        """Wait for its end; the exit code."""
        self.wait(lambda _: self.process.poll() is not None)
        return self.process.returncode

    @property
    def told(self) -> list[str]:
        """What systemd has heard so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._told.append(self._systemd.recv(4096).decode())
        return self._told

    def hear(self, *words: str) -> None:
        """Wait until systemd has heard these one after the other, whatever comes between."""
        self.wait(lambda _: _in_order(words, self.told))

    @property
    def lines(self) -> list[str]:
        return self._log.read_text().splitlines()

    def wait(self, seen: Callable[[list[str]], bool]) -> list[str]:
        deadline = time.monotonic() + 30
        while not seen(self.lines):
            assert self.told is not None  # who does not listen makes the service wait
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
    running.hear("READY=1")  # from then on it minds signals
    yield running
    running.end()


def _in_order(words: Sequence[str], told: Sequence[str]) -> bool:
    rest = iter(told)
    return all(any(said.startswith(word) for said in rest) for word in words)


def test_a_killed_child_is_started_again(service: Service) -> None:
    first = service.pid("first")
    os.kill(first, signal.SIGKILL)
    lines = service.wait(lambda _: service.count("first runs") == 2)
    assert service.pid("first") != first
    assert any(f"role=a pid={first} died (signal 9)" in line for line in lines)
    assert service.count("kept runs") == 1


def test_a_child_that_shows_no_life_is_ended_and_started_again(service: Service) -> None:
    first, kept = service.pid("first"), service.pid("kept")
    os.kill(kept, signal.SIGSTOP)  # SIGABRT has to wait until it goes on
    lines = service.wait(lambda _: service.count("kept runs") == 2)
    assert sum(f"role=b pid={kept} has shown no life for 3" in line for line in lines) == 1
    assert any(f"role=b pid={kept} died (signal 9), started again in 0.1 s" in line for line in lines)
    assert service.pid("first") == first


def test_a_child_that_hangs_says_where(service: Service) -> None:
    first = service.pid("first")
    os.kill(first, signal.SIGUSR1)
    lines = service.wait(lambda _: service.count("first runs") == 2)
    assert any(f"role=a pid={first} died (signal 6)" in line for line in lines)
    assert any("in stuck" in line for line in lines)


def test_a_child_of_the_program_before_an_upgrade_is_looked_after_too(service: Service) -> None:
    kept = service.pid("kept")
    service.pid("first")
    os.kill(kept, signal.SIGSTOP)
    service.process.send_signal(signal.SIGUSR2)
    service.wait(lambda lines: any(f"ended role=b pid={kept} (signal 9)" in line for line in lines))
    assert any(f"role=b pid={kept} has shown no life" in line for line in service.lines)
    assert service.count("kept runs") == 2


def test_sigterm_stops_the_children_then_the_supervisor(service: Service) -> None:
    service.pid("first"), service.pid("kept")
    service.process.terminate()
    lines = service.wait(lambda lines: "over" in lines)
    assert service.ended() == 0
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


def test_the_old_go_on_until_the_new_are_ready(service: Service) -> None:
    old = service.pid("first")
    service.held.touch()
    service.process.send_signal(signal.SIGHUP)
    service.wait(lambda _: service.count("started role=a") == 2)
    time.sleep(0.3)
    assert service.count("first told") == 0
    service.held.unlink()
    service.wait(lambda lines: f"first told RETIRE pid={old}" in lines)
    second = service.pid("second")
    assert service.lines.index(f"second runs pid={second}") < service.lines.index(
        f"first told RETIRE pid={old}"
    )


def test_when_the_new_die_at_the_start_the_old_go_on_and_the_log_says_so(service: Service) -> None:
    old, kept = service.pid("first"), service.pid("kept")
    service.broken.touch()
    service.process.send_signal(signal.SIGUSR2)
    goes_on = ", the one before goes on"
    service.wait(lambda lines: sum(line.endswith(goes_on) for line in lines) == 2)
    service.wait(lambda lines: sum("(exit 78), started again" in line for line in lines) > 4)
    service.hear(f"STATUS=a, b running; a does not become ready{goes_on}; b does", "WATCHDOG=1", "WATCHDOG=1")
    assert sum(line.endswith(goes_on) for line in service.lines) == 2, "once each"
    assert service.count("first told") == service.count("kept told") == 0
    service.process.send_signal(signal.SIGHUP)  # once more, nothing is forgotten over it
    os.kill(kept, signal.SIGKILL)
    service.wait(lambda lines: any(f"{kept} died (signal 9) before its successor" in line for line in lines))
    service.broken.unlink()
    service.wait(lambda lines: f"first told RETIRE pid={old}" in lines)
    service.hear("STATUS=a, b running")


def test_children_end_when_the_supervisor_is_killed(service: Service) -> None:
    service.pid("first"), service.pid("kept")
    service.process.kill()
    service.wait(lambda _: service.count("first told STOP") == service.count("kept told STOP") == 1)


def test_systemd_hears_of_the_start_of_reloads_and_of_the_end(service: Service) -> None:
    service.hear("READY=1", "STATUS=a, b running", "WATCHDOG=1", "WATCHDOG=1")
    service.process.send_signal(signal.SIGHUP)
    service.hear("WATCHDOG=1", "RELOADING=1", "READY=1", "WATCHDOG=1")
    service.bad.touch()
    service.process.send_signal(signal.SIGHUP)
    refused = "STATUS=a, b running; reload refused, the old configuration is in force"
    service.hear("RELOADING=1", "READY=1", "RELOADING=1", "READY=1", refused)
    service.bad.unlink()
    service.process.send_signal(signal.SIGHUP)
    service.hear(refused, "RELOADING=1", "READY=1", "STATUS=a, b running")
    service.process.terminate()
    assert service.ended() == 0
    service.hear("STOPPING=1", "STATUS=stopping")
    assert not any(said.startswith("WATCHDOG") for said in service.told[service.told.index("STOPPING=1") :])


def test_the_watchdog_is_fed_while_every_role_lives(service: Service) -> None:
    service.hear("READY=1", "WATCHDOG=1")
    os.kill(service.pid("kept"), signal.SIGKILL)
    service.hear("STATUS=a running; b died and started again")
    service.wait(lambda _: service.count("kept runs") == 2)
    died = service.told.index("STATUS=a running; b died and started again")
    time.sleep(0.5)  # longer than the watchdog waits
    assert service.told[died + 1 :] == []
    service.hear("STATUS=a running; b died", "STATUS=a, b running", "WATCHDOG=1")


def test_an_upgrade_goes_on_in_the_same_process_and_new_children_replace_the_old(service: Service) -> None:
    old, kept = service.pid("first"), service.pid("kept")
    service.process.send_signal(signal.SIGUSR2)
    service.wait(lambda lines: "ready, 2 children were there" in lines)
    service.wait(lambda _: service.count("ended role=") == 2)
    service.hear("READY=1", "RELOADING=1", "READY=1", "WATCHDOG=1")
    assert f"first told RETIRE pid={old}" in service.lines
    assert f"kept told RETIRE pid={kept}" in service.lines
    assert service.process.poll() is None
    # The second program is told to become one that is not there: it goes on, and hears children and signals.
    service.process.send_signal(signal.SIGUSR2)
    service.wait(lambda lines: "upgrade failed: No such file or directory" in lines)
    new = service.pid("first")
    os.kill(new, signal.SIGKILL)
    service.wait(lambda lines: any(f"role=a pid={new} died" in line for line in lines))
    service.process.terminate()
    assert service.ended() == 0
    assert service.count("kept told STOP") == 1


def test_a_signal_during_an_upgrade_is_not_lost(service: Service) -> None:
    service.pid("first"), service.pid("kept")
    service.slow.touch()
    service.process.send_signal(signal.SIGUSR2)
    service.wait(lambda _: not service.slow.exists())
    service.process.terminate()
    assert service.ended() == 0
    assert "ready, 2 children were there" in service.lines
    assert service.lines[-1] == "over"
    assert service.count("first told") == service.count("first runs")
