"""Passwords are guessed over ten thousand connections to the running workers, while a customer logs in."""

from __future__ import annotations

import json
from itertools import count

import pytest

from support.guessers import TAKEN, Guessers, log_in
from support.places import folder, free_port
from support.service import Service

GUESSES, CLIENTS, COUNT, WORKERS = 10_000, 250, 10, 2
PASSWORD = "MyPass"
HASH = "$argon2id$v=19$m=8,t=1,p=1$syzmwLy3FWvGPNZ/njuwOg$/m0ghT1QOPlLAB50ztaiYuUTdfY90aLNAVhM3CHPxUs"
SETTINGS = {
    "milter": {"workers": WORKERS},
    "domains": {"send.smscentre.com": {"dialect": "smscentre"}},
    "accounts": {
        "shop": {
            "require": ["password"],
            "logins": {"login": "shop"},
            "password_hash": HASH,
            "default_originator": "SHOP",
        }
    },
    "limits": {"failed_logins": {"count": COUNT, "within": "1h", "block": "1h"}, "flood": None},
}
DENIED, BLOCKED = "550 5.7.1 ERROR = 2 (authorise error)", "451 4.7.1 ERROR = 4 (ip is blocked)"


@pytest.mark.slow
def test_ten_thousand_guesses_let_nobody_in_and_keep_nobody_out() -> None:
    with (
        folder("logins") as place,
        Service(place, free_port(), SETTINGS, roles=["milter"]) as service,
    ):
        numbers = count(447_973_100_000)

        def right(client: str) -> str:
            number = str(next(numbers))
            return log_in(service.port, "shop", PASSWORD, f"to {number}", number=number, client=client)

        with Guessers(service.port, "shop", GUESSES, CLIENTS, sessions=12) as guessers:
            taken = [right("192.0.2.10") for _ in range(100)]
        taken += [right("192.0.2.10") for _ in range(50)]
        assert taken == [TAKEN] * len(taken)
        # What another worker verifies while a block begins is still answered.
        answers = guessers.answers
        assert answers.keys() == {DENIED, BLOCKED}, answers
        assert answers.total() == GUESSES
        assert CLIENTS * COUNT <= answers[DENIED] <= CLIENTS * (COUNT + WORKERS - 1)
        blocked = json.loads(service.command("account", "blocks", "--json"))
        assert {block["who"] for block in blocked} == {
            f"client 198.18.0.{number + 1}" for number in range(CLIENTS)
        }
        assert right("198.18.0.1") == BLOCKED
        parts = json.loads(service.command("queue", "list", "--limit", "1000", "--json"))
        assert len(parts) == len(taken)
