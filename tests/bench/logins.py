"""How long a mail takes that logs in with a right password: alone, while passwords are guessed, and while
those who guess are blocked.

Guesses and logins are milter connections to the real workers, with argon2id hashes as hash-password makes
them. `known` passwords have been verified before, `new` ones have to be. A run only counts when nobody who
guessed got in or had more guesses than the configuration says, and every SMS of those who know has arrived at
the SMSC.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.harness import (
    HERE,
    BenchFailure,
    Figures,
    Smsc,
    configuration,
    guarded,
    ratios,
    service,
    show,
    smsc,
    tell,
    until,
)
from sms_milter.config.secrets import hash_password
from support.guessers import TAKEN, log_in
from support.places import accepts, folder, free_port
from support.service import merged

GUESSES_PER_CLIENT = 10  # then a block
_NEW_AT_A_TIME = 3
_BLOCKED_PER_SECOND = 200
_PAUSE_SECONDS = 0.02
_RATIOS = {
    "guessed_vs_alone": ("known_guessed_ms", "known_alone_ms"),
    "blocked_vs_alone": ("known_blocked_ms", "known_alone_ms"),
    "new_guessed_vs_alone": ("new_guessed_ms", "new_alone_ms"),
}


@dataclass(frozen=True)
class Load:
    """`clients` guess until they are blocked, in each of the `rounds`, and try `blocked` times then."""

    rounds: int
    clients: int
    blocked: int
    logins: int


class Customers:
    """Those who know their password: one who mails all the time, and others who come for the first time."""

    def __init__(self, port: int, new: int) -> None:
        self._port, self._new = port, iter(range(new))
        self.mails = 0

    def known(self) -> float:
        """Milliseconds of one mail."""
        return self._mail("shop")

    def new(self) -> float:
        """Milliseconds of one mail of somebody new."""
        return self._mail(f"new{next(self._new)}")

    def _mail(self, login: str) -> float:
        self.mails += 1
        began = time.monotonic()
        number = f"4479731{self.mails:05d}"
        answer = log_in(self._port, login, f"right {login}", "Disk full", number=number, client="192.0.2.10")
        if answer != TAKEN:
            raise BenchFailure(f"a right password is answered {answer!r}")
        return (time.monotonic() - began) * 1000


def _configured(place: Path, center: Smsc, port: int, new: int) -> Path:
    path = configuration(place, smsc_port=center.port, milter_port=port)
    names = ["shop", *(f"new{number}" for number in range(new))]
    accounts = {
        name: {
            "require": ["password"],
            "logins": {"login": name},
            "password_hash": hash_password(f"right {name}"),
            "default_originator": "ACME",
        }
        for name in names
    }
    limits = {
        "duplicates": None,
        "flood": None,
        "failed_logins": {"count": GUESSES_PER_CLIENT, "within": "1h", "block": "1h"},
    }
    more = {
        "domains": {"send.smscentre.com": {"dialect": "smscentre"}},
        "accounts": accounts,
        "limits": limits,
    }
    path.write_text(yaml.safe_dump(merged(yaml.safe_load(path.read_text()), more)))
    return path


@contextmanager
def guessing(port: int, guesses: int, clients: int, first: int, rate: float) -> Iterator[Callable[[], bool]]:
    """A process full of clients that guess: what says whether they still do. In the end it fails the bench
    when any had more guesses than it may have.
    """
    command = [sys.executable, "-m", "support.guessers", f"--port={port}", f"--guesses={guesses}"]
    options = [f"--clients={clients}", f"--first={first}", "--sessions=50", f"--per-second={rate}"]
    environment = {**os.environ, "PYTHONPATH": f"{HERE.parent}:{os.environ.get('PYTHONPATH', '')}"}
    # Their own work is not what slows anybody.
    with subprocess.Popen(
        ["nice", "-n", "19", *command, *options], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield lambda: process.poll() is None
        finally:
            output, _ = process.communicate(timeout=600)
    answers = json.loads(output)
    expected = ("550 5.7.1 ", "451 4.7.1 ", "451 4.3.0 ")  # wrong, blocked, others came first
    strangers = {answer for answer in answers if not answer.startswith(expected)}
    denied = sum(times for answer, times in answers.items() if answer.startswith("550 "))
    if strangers or denied > clients * (GUESSES_PER_CLIENT + 1):
        raise BenchFailure(f"those who guessed were answered {answers}")


def _series(once: Callable[[], float], name: str, figures: Figures, still: Callable[[], bool]) -> None:
    while still():
        figures.add(name, once())
        time.sleep(_PAUSE_SECONDS)


def one_round(port: int, customers: Customers, load: Load, turn: int, figures: Figures) -> None:
    """Each of the three for a while."""
    ends = iter(range(load.logins))
    _series(customers.known, "known_alone_ms", figures, lambda: next(ends, None) is not None)
    for _ in range(_NEW_AT_A_TIME):
        figures.add("new_alone_ms", customers.new())
    first = turn * load.clients
    with guessing(port, load.clients * GUESSES_PER_CLIENT, load.clients, first, float("inf")) as still:
        time.sleep(1.0)
        for _ in range(_NEW_AT_A_TIME):
            figures.add("known_guessed_ms", customers.known())
            figures.add("new_guessed_ms", customers.new())
        _series(customers.known, "known_guessed_ms", figures, still)
    with guessing(port, load.blocked, load.clients, first, _BLOCKED_PER_SECOND) as still:
        time.sleep(0.5)
        _series(customers.known, "known_blocked_ms", figures, still)


def bench(load: Load, *, as_json: bool) -> None:
    """All of it."""
    figures = Figures()
    with folder("logins") as place, ExitStack() as stack:
        start = stack.enter_context
        new = 2 * _NEW_AT_A_TIME * load.rounds
        center, port, log = start(smsc(place)), free_port(), place / "service.log"
        config = _configured(place, center, port, new)
        start(service(config, "milter", log))
        until(lambda: accepts(port), "our milter to listen", seconds=30, log=log)
        start(service(config, "dispatch", log))
        until(lambda: center.binds, "our dispatcher to bind", seconds=30, log=log)
        customers = Customers(port, new)
        for _ in range(20):  # every worker knows the one who mails all the time
            customers.known()
        for turn in range(load.rounds):
            one_round(port, customers, load, turn, figures)
            tell(f"round {turn + 1} of {load.rounds}")
        center.wait_for(customers.mails, seconds=30)
    show(figures, ratios(figures.medians(), _RATIOS), as_json=as_json)


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(prog="logins", description=__doc__)
    options.add_argument("--json", action="store_true", help="one JSON object as the last line")
    options.add_argument("--quick", action="store_true", help="within 60 seconds")
    options.add_argument("--rounds", type=int, help="how many")
    options.add_argument("--clients", type=int, help="that guess, in each round")
    options.add_argument("--blocked", type=int, help="attempts of those who are blocked, in each round")
    given = options.parse_args()
    load = Load(
        rounds=given.rounds or (2 if given.quick else 5),
        clients=given.clients or (4 if given.quick else 10),
        blocked=given.blocked or (400 if given.quick else 1800),
        logins=100 if given.quick else 300,
    )
    bench(load, as_json=given.json)


if __name__ == "__main__":
    sys.exit(guarded(main))
