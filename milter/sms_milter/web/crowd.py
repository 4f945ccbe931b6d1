"""Asks several URLs side by side, so that a slow one holds up few others."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from sms_milter.errors import WebError
from sms_milter.model import WebAnswer
from sms_milter.ports import Web


class Crowd:
    """Up to `threads` requests of `web` at a time; its threads end when nobody asks."""

    def __init__(self, web: Web, threads: int = 16) -> None:
        self._web, self._threads = web, threads

    def ask(self, urls: Sequence[str]) -> Sequence[WebAnswer | WebError]:
        """GET each; what came of it, in their order."""
        with ThreadPoolExecutor(min(self._threads, max(len(urls), 1)), "url") as pool:
            return list(pool.map(self._asked, urls))

    def _asked(self, url: str) -> WebAnswer | WebError:
        try:
            return self._web.ask("GET", url)
        except WebError as error:
            return error
