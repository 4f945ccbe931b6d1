"""What systemd hears, from a socket such as it gives to its services."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sms_milter.service_manager import ServiceManager


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(30)
        yield heard


def said(systemd: socket.socket) -> list[str]:
    systemd.setblocking(False)
    words = []
    while True:
        try:
            words.append(systemd.recv(4096).decode())
        except BlockingIOError:
            return words


def test_each_event_has_its_word(systemd: socket.socket) -> None:
    before = time.monotonic_ns() // 1000
    with closing(ServiceManager(systemd.getsockname(), 30.0)) as manager:
        for tell in (manager.ready, manager.alive, manager.reloading, manager.stopping):
            tell()
    ready, alive, reloading, stopping = said(systemd)
    assert (ready, alive, stopping) == ("READY=1", "WATCHDOG=1", "STOPPING=1")
    word, _, moment = reloading.partition("\nMONOTONIC_USEC=")
    assert word == "RELOADING=1"
    assert before <= int(moment) <= time.monotonic_ns() // 1000


def test_a_status_is_told_when_it_changes(systemd: socket.socket) -> None:
    with closing(ServiceManager(systemd.getsockname())) as manager:
        for words in ("a running", "a running", "a died", "a running"):
            manager.status(words)
    assert said(systemd) == ["STATUS=a running", "STATUS=a died", "STATUS=a running"]


def test_without_a_watchdog_nobody_hears_that_it_lives(systemd: socket.socket) -> None:
    with closing(ServiceManager(systemd.getsockname())) as manager:
        manager.alive()
    assert said(systemd) == []


def test_an_abstract_address_begins_with_an_at_sign() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("\0sms-milter-test-notify")
        with closing(ServiceManager("@sms-milter-test-notify")) as manager:
            manager.ready()
        assert said(heard) == ["READY=1"]


def test_nobody_is_told_when_nobody_asked() -> None:
    manager = ServiceManager.from_environment({})
    for tell in (manager.ready, manager.reloading, manager.alive, manager.stopping, manager.close):
        tell()
    manager.status("running")
    assert manager.watchdog_seconds == 0


def test_the_environment_says_whom_to_tell_and_how_often_and_is_for_us_alone(systemd: socket.socket) -> None:
    asked = {
        "NOTIFY_SOCKET": systemd.getsockname(),
        "WATCHDOG_USEC": "2500000",
        "WATCHDOG_PID": str(os.getpid()),
        "HOME": "/",
    }
    with closing(ServiceManager.from_environment(asked)) as manager:
        manager.ready()
        assert manager.watchdog_seconds == 2.5
        again = manager.environment
    assert said(systemd) == ["READY=1"]
    assert asked == {"HOME": "/"}
    with closing(ServiceManager.from_environment(again)) as manager:
        assert manager.watchdog_seconds == 2.5, "an upgrade is watched as before"


@pytest.mark.parametrize(
    "watchdog", [{"WATCHDOG_PID": "1", "WATCHDOG_USEC": "2500000"}, {"WATCHDOG_USEC": "soon"}]
)
def test_a_watchdog_for_another_process_is_not_ours(systemd: socket.socket, watchdog: dict[str, str]) -> None:
    asked = {"NOTIFY_SOCKET": systemd.getsockname(), **watchdog}
    with closing(ServiceManager.from_environment(asked)) as manager:
        assert manager.watchdog_seconds == 0
