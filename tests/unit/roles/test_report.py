"""The report role's loop: whoever rings is heard by both of its threads."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from sms_milter.roles import report
from sms_milter.roles.common import Watch


class Bell:
    def __init__(self) -> None:
        self._ringer, self._ear = socket.socketpair()

    def ring(self) -> None:
        self._ringer.send(b"!")

    def close(self) -> None:
        self._ringer.close()
        self._ear.close()

    def fileno(self) -> int:
        return self._ear.fileno()

    def clear(self) -> None:
        self._ear.setblocking(False)
        try:
            self._ear.recv(16)
        except BlockingIOError:
            return


class Steps:
    """What the loop has to do: nothing, and soon again."""

    def step(self, now: float) -> float:
        return 0.0

    def now(self) -> float:
        return 0.0


class Control:
    """It says that it is to end when the loop has gone around some times."""

    def __init__(self) -> None:
        self.turns = 0
        self._supervisor, self._line = socket.socketpair()

    def close(self) -> None:
        self._supervisor.close()
        self._line.close()

    def fileno(self) -> int:
        return self._line.fileno()

    def alive(self) -> None:
        self.turns += 1
        if self.turns == 4:
            self._supervisor.send(b"S")


def test_a_ring_just_after_the_look_wakes_the_thread_for_urls_too(monkeypatch: pytest.MonkeyPatch) -> None:
    bell, control, rung = Bell(), Control(), threading.Event()

    class RungAfterwards(Watch):
        def ready(self, wanted: dict[int, int], seconds: float) -> set[int]:
            found = super().ready(wanted, seconds)
            if bell.fileno() in wanted and control.turns == 2:
                bell.ring()
            return found

    monkeypatch.setattr(report, "Watch", RungAfterwards)
    steps: Any = Steps()
    report._notify_until_told(steps, steps, steps, bell, control, rung)  # type: ignore[arg-type]
    for one in (bell, control):
        one.close()
    assert rung.is_set()
