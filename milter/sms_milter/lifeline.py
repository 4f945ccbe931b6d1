"""The line between the supervisor and a child: orders one way, signs of life the other.

Orders come this way and not by signals, because libmilter keeps TERM, HUP and INT for itself; a closed line
means that the supervisor is gone and the child must end too. A child that hangs is as good as dead, and only
the supervisor can notice: so it says when it is ready, and shows from then on that it lives.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

LIFE_SECONDS = 10.0  # a child that has nothing to do says as often that it lives
_SIGNS = 30  # so many of them are within a child's patience; there is no need for more


class Order(Enum):
    """What the supervisor tells a child through its line."""

    STOP = b"S"  # the service ends: finish what is under way, soon
    RETIRE = b"R"  # a replacement is ready: finish at leisure


class Control:
    """A child's end of its line to the supervisor."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._often, self._said_at = 0.0, float("-inf")

    def fileno(self) -> int:
        """For select and poll: readable when there is an order."""
        return self._line.fileno()

    def told(self, seconds: float) -> Order | None:
        """Wait so long for the supervisor's word; its end reads as STOP."""
        if not select.select([self._line], [], [], seconds)[0]:
            return None
        try:
            octets = self._line.recv(1)
        except ConnectionResetError:  # its end, and what we said last was not heard
            return Order.STOP
        return Order.RETIRE if octets == Order.RETIRE.value else Order.STOP

    def ready(self, patience_seconds: float) -> None:
        """The role does its work from now on; whenever it does not call `alive` for so long, it hangs."""
        self._often = patience_seconds / _SIGNS
        self._say(f"{patience_seconds}\n".encode())

    def alive(self) -> None:
        """Show life; to be called every `LIFE_SECONDS`, or as often as one likes."""
        now = time.monotonic()
        if now - self._said_at >= self._often:
            self._said_at = now
            self._say(b".")

    def _say(self, octets: bytes) -> None:
        with contextlib.suppress(OSError):  # the supervisor is gone, or does not listen
            self._line.send(octets, socket.MSG_DONTWAIT)


Main = Callable[[Control], None]


@dataclass(slots=True)
class Child:
    """The supervisor's end, and what it knows of that child: `line` is a descriptor, `started` by the clock
    that never jumps. `patience`: for how many seconds it may show no life; None: it is not ready, or of a
    program whose children do not say.
    """

    name: str
    pid: int
    line: int
    started: float
    retired: bool = False
    patience: float | None = None
    said: bytes = b""
    silent_looks: int = 0

    def tell(self, order: Order) -> None:
        """It will end."""
        self.retired = True
        with contextlib.suppress(OSError):
            os.write(self.line, order.value)

    def hear(self) -> bool:
        """Whether it has said anything since the last time."""
        try:
            octets = os.read(self.line, 4096)
        except OSError:  # nothing; or a pipe of the program before us, which is for writing only
            return False
        if self.patience is None:
            self.said += octets
            if b"\n" in self.said:
                self.patience = float(self.said.partition(b"\n")[0])
        return bool(octets)
