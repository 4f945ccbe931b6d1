"""Several URLs side by side."""

from __future__ import annotations

import threading

from sms_milter.errors import NotSent
from sms_milter.model import WebAnswer
from sms_milter.web.crowd import Crowd


class Slow:
    """Answers only when so many have asked."""

    def __init__(self, together: int) -> None:
        self._all = threading.Barrier(together)

    def ask(self, method: str, url: str, *_: object) -> WebAnswer:
        assert method == "GET"
        self._all.wait(10)
        if url.endswith("bad"):
            raise NotSent("no")
        return WebAnswer(200, url, b"", "")


def test_they_are_asked_side_by_side_and_told_in_order() -> None:
    came = Crowd(Slow(3), threads=3).ask(["a", "bad", "c"])
    assert [one.reason if isinstance(one, WebAnswer) else str(one) for one in came] == ["a", "no", "c"]


def test_nobody_asks_nothing() -> None:
    assert Crowd(Slow(1)).ask([]) == []
