"""Clients that log in by mail, over milter connections: those who know their password and those who guess."""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

from support.mta import Mta

RECIPIENT = "<send@send.smscentre.com>"  # of a domain with dialect smscentre
TAKEN = "taken"
_NETWORK = "198.18"  # RFC 2544: for benchmarks, and nobody's


def log_in(port: int, login: str, password: str, text: str, *, number: str, client: str) -> str:
    """One mail over a connection of its own, seen by the milter as from `client`: TAKEN, or the reply."""
    with Mta(port) as mta:
        mta.negotiate()
        mta.connect(client)
        mta.mail(f"<{login}@customer.example>")
        command, answer = mta.rcpt(RECIPIENT)
        if command == "c":
            mta.data()
            mta.body(f"{login}:{password}::::{number}:{text}\r\n".encode())
            command, answer = mta.end()[-1]
    return TAKEN if command == "d" else answer.rstrip(b"\0").decode()


@dataclass
class Guessers:
    """`clients` addresses, from number `first` on, guess the password of `login` in turns, `guesses` in
    all and each another one, over `sessions` connections at a time and not more than `per_second`.
    """

    port: int
    login: str
    guesses: int
    clients: int
    first: int = 0
    sessions: int = 50
    per_second: float = float("inf")
    answers: Counter[str] = field(default_factory=Counter)

    def __enter__(self) -> Guessers:
        self._numbers, self._counting = count(), threading.Lock()
        self._began = time.monotonic()
        self._threads = [threading.Thread(target=self._guess, daemon=True) for _ in range(self.sessions)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join()

    def _guess(self) -> None:
        while (number := self._next()) < self.guesses:
            time.sleep(max(0.0, self._began + number / self.per_second - time.monotonic()))
            place = self.first + number % self.clients
            client = f"{_NETWORK}.{place // 250}.{place % 250 + 1}"
            try:
                answer = log_in(
                    self.port, self.login, f"wrong {number}", "x", number="447973100000", client=client
                )
            except (OSError, AssertionError) as failure:
                answer = f"no answer: {failure!r}"
            with self._counting:
                self.answers[answer] += 1

    def _next(self) -> int:
        with self._counting:
            return next(self._numbers)


def main() -> None:
    """As a process of its own: what was answered how often, as JSON."""
    options = argparse.ArgumentParser(prog="guessers", description=__doc__)
    options.add_argument("--login", default="shop")
    for name in ("port", "guesses", "clients", "first", "sessions"):
        options.add_argument(f"--{name}", type=int, required=True)
    options.add_argument("--per-second", type=float, default=float("inf"))
    with Guessers(**vars(options.parse_args())) as guessers:
        pass
    print(json.dumps(guessers.answers))


if __name__ == "__main__":
    main()
