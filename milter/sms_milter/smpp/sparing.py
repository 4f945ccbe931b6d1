"""A line of the log that would come again and again, said now and then."""

from __future__ import annotations


class Sparing:
    """Lets a text through when it is new, or when the last one is long enough ago; counts the others."""

    def __init__(self, seconds: float, *, new_texts: bool) -> None:
        self._seconds = seconds
        self._new_texts = new_texts
        self._last = ""
        self._said_at: float | None = None
        self._kept_back = 0

    def text(self, text: str, now: float) -> str | None:
        """The text to write, or None for now."""
        fresh = self._said_at is None or now - self._said_at >= self._seconds
        if not fresh and not (self._new_texts and text != self._last):
            self._kept_back += 1
            return None
        more = f" (and {self._kept_back} more since then)" if self._kept_back else ""
        self._last, self._said_at, self._kept_back = text, now, 0
        return text + more

    def reset(self) -> None:
        """The next text is new."""
        self._last, self._said_at, self._kept_back = "", None, 0
