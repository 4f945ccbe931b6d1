"""Threads that hand errands over, so that one that takes long keeps no other waiting."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from sms_milter.logline import place
from sms_milter.model import Handed, LeasedPart, PartState


class Pool:
    """`ports.Outlet`: at most `size` errands at a time; `hand` blocks until what came of one is known.

    `wake` is called whenever there is something to hear. Its threads start with the first errand and end with
    the process.
    """

    def __init__(self, hand: Callable[[LeasedPart], Handed], size: int, wake: Callable[[], None]) -> None:
        self._hand, self._size, self._wake = hand, size, wake
        self._waiting: queue.SimpleQueue[LeasedPart] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Handed] = queue.SimpleQueue()
        self._in_hand = 0
        self._threads = 0

    @property
    def free(self) -> int:
        """See `ports.Outlet.free`."""
        return self._size - self._in_hand

    def take(self, part: LeasedPart) -> None:
        """See `ports.Outlet.take`."""
        self._in_hand += 1
        if self._threads < min(self._in_hand, self._size):
            self._threads += 1
            threading.Thread(target=self._work, name="outlet", daemon=True).start()
        self._waiting.put(part)

    def done(self) -> list[Handed]:
        """See `ports.Outlet.done`."""
        heard = []
        while not self._done.empty():
            heard.append(self._done.get())
        self._in_hand -= len(heard)
        return heard

    def _work(self) -> None:
        while True:
            part = self._waiting.get()
            try:
                handed = self._hand(part)
            except Exception:  # noqa: BLE001 -- one that cannot be handed over must not stop the others
                handed = Handed(part, PartState.UNCERTAIN, place())
            self._done.put(handed)
            self._wake()
