"""Who may look."""

from __future__ import annotations

import itertools

import pytest

from contract.builders import NOW
from sms_milter.model import LoginRule
from sms_milter.statuspage.door import Blocked, Door
from support.memory_queue import MemoryQueue

RULE = LoginRule(3, 600.0, 1800.0)


class Words:
    """A password check that counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def right(self, password_hash: str, password: str, *, digest: bool = False) -> bool:
        self.asked += 1
        return password == f"word of {password_hash}"


class Entrance:
    def __init__(self) -> None:
        numbers = itertools.count(1)
        self.words, self.queue = Words(), MemoryQueue()
        self.door = Door(
            "hash",
            self.words,
            self.queue,
            RULE,
            session_seconds=100.0,
            chance=lambda octets: next(numbers).to_bytes(octets, "big"),
        )

    def enter(self, word: str = "word of hash", client: str = "192.0.2.1", now: float = NOW) -> str | None:
        return self.door.enter(word, client, now)


def test_the_password_opens_a_session_that_ends() -> None:
    entrance = Entrance()
    token = entrance.enter()
    assert token
    assert entrance.door.session(token, NOW + 99)
    assert entrance.door.session(token, NOW + 100) is None
    assert entrance.door.session("", NOW) is None
    assert entrance.door.session(token[:-1] + "\udcff", NOW) is None
    assert token not in str(entrance.door._sessions)


def test_who_leaves_must_knock_again() -> None:
    entrance = Entrance()
    token = entrance.enter() or ""
    entrance.door.leave(token)
    entrance.door.leave(token)
    assert entrance.door.session(token, NOW) is None


def test_a_wrong_password_opens_nothing() -> None:
    entrance = Entrance()
    assert entrance.enter("wrong") is None
    assert entrance.enter("") is None
    assert entrance.words.asked == 2  # both take as long


def test_a_client_that_guesses_is_blocked_and_not_even_listened_to() -> None:
    entrance = Entrance()
    for _ in range(3):
        assert entrance.enter("wrong") is None
    with pytest.raises(Blocked):
        entrance.enter()
    assert entrance.words.asked == 3
    assert entrance.enter(client="192.0.2.2")
    assert entrance.enter(now=NOW + 1801)
    assert [one["who"] for one in entrance.queue.blocks(NOW)] == ["status page 192.0.2.1"]


def test_many_clients_that_guess_close_the_door_for_all() -> None:
    entrance = Entrance()
    for number in range(30):
        entrance.enter("wrong", client=f"198.51.100.{number}")
    with pytest.raises(Blocked):
        entrance.enter()
    assert entrance.queue.lift_block("status page", NOW)
    assert entrance.enter()


def test_forms_belong_to_one_token() -> None:
    door = Entrance().door
    one, other = door.token(), door.token()
    assert door.is_form_of(one, door.form_token(one))
    assert not door.is_form_of(other, door.form_token(one))
    assert not door.is_form_of(one, "")
    assert not door.is_form_of(one, "\udcff")


def test_sessions_do_not_pile_up() -> None:
    entrance = Entrance()
    tokens = [entrance.enter() or "" for _ in range(130)]
    assert sum(entrance.door.session(token, NOW) is not None for token in tokens) == 100
    assert entrance.door.session(tokens[-1], NOW)
    entrance.enter(now=NOW + 200)
    assert len(entrance.door._sessions) == 1
