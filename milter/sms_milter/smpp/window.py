"""The window of a session: the submits that wait for their responses, and those that waited in vain."""

from __future__ import annotations

from typing import Final

from sms_milter.smpp.events import Key

_MOST_LATE: Final = 10_000  # submits given up whose responses may still come


class Window:
    """Of `size` places each submit takes one until it is answered or, unanswered, until twice the timeout is
    over. `open` maps the sequence number of what waits to its key and time, the oldest first.
    """

    def __init__(self, size: int, timeout_seconds: float) -> None:
        self.size = size
        self.open: dict[int, tuple[Key, float]] = {}
        self.missed: dict[int, float] = {}  # given up, and still in their places
        self.answered_at = 0.0  # some submit
        self._late: dict[int, tuple[Key, float]] = {}  # given up; as `open`
        self._timeout = timeout_seconds

    @property
    def free(self) -> int:
        """How many places are empty."""
        return self.size - len(self.open) - len(self.missed)

    def due_at(self) -> float | None:
        """When something must be given up."""
        dues = [next(iter(self.missed.values())) + 2 * self._timeout] if self.missed else []
        if self.open:
            dues.append(next(iter(self.open.values()))[1] + self._timeout)
        return min(dues, default=None)

    def give_up(self, now: float) -> list[Key]:
        """SMPP 3.4 §7.2: nobody knows what became of these. Their responses may still come if the link lives,
        and until as much time again is over the SMSC may have them in hand: so long they keep their places.
        """
        keys = []
        while self.open:
            sequence, (key, since) = next(iter(self.open.items()))
            if since + self._timeout > now:
                break
            del self.open[sequence]
            self._late[sequence], self.missed[sequence] = (key, since), since
            keys.append(key)
        while len(self._late) > _MOST_LATE:
            del self._late[next(iter(self._late))]
        return keys

    def give_up_places(self, now: float) -> bool:
        """What has been missing for so long will not come. Whether nothing else has come either since: then
        nothing will.
        """
        while self.missed:
            sequence, since = next(iter(self.missed.items()))
            if since + 2 * self._timeout > now:
                return False
            if self.answered_at <= since:
                return True
            del self.missed[sequence]
        return False

    def is_late(self, sequence: int) -> bool:
        """Whether that submit was given up, and its response would be told."""
        return sequence in self._late

    def take_late(self, sequence: int) -> Key:
        """Its response has come after all: its key, and its place is free."""
        key, _ = self._late.pop(sequence)
        self.missed.pop(sequence, None)
        return key

    def clear(self) -> list[Key]:
        """The connection is gone: the keys of what was open."""
        keys = [key for key, _ in self.open.values()]
        self.open.clear()
        self._late.clear()
        self.missed.clear()
        return keys
