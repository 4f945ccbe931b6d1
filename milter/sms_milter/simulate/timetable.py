"""Things to do later, in one thread."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Sequence
from itertools import count
from time import monotonic


class Timetable:
    """Runs actions when they fall due; `after_each_batch` follows the actions that fell due together."""

    def __init__(self, after_each_batch: Callable[[], None]) -> None:
        self._after_each_batch = after_each_batch
        self._entries: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="simulate-timetable", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Forget what is not due yet and end."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do `action` in so many seconds; actions of the same instant keep their order."""
        entry = (monotonic() + seconds, next(self._order), action)
        with self._changed:
            heapq.heappush(self._entries, entry)
            if self._entries[0] is entry:
                self._changed.notify()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        with self._changed:
            return not self._entries

    def _run(self) -> None:
        while due := self._wait():
            for action in due:
                action()
            self._after_each_batch()

    def _wait(self) -> Sequence[Callable[[], None]]:
        """The actions that are due now; nothing at the end."""
        with self._changed:
            while not self._stopped:
                now = monotonic()
                due = []
                while self._entries and self._entries[0][0] <= now:
                    due.append(heapq.heappop(self._entries)[2])
                if due:
                    return due
                self._changed.wait(self._entries[0][0] - now if self._entries else None)
        return ()
