"""Password hashes, and the passwords found right."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

import pytest

from sms_milter import reply
from sms_milter.config import secrets
from sms_milter.config.secrets import Passwords, hash_password, verify
from sms_milter.errors import Deferred, Denied
from sms_milter.reply import Denial
from support.places import wait_until


def test_the_password_is_recognised_and_no_other() -> None:
    hashed = hash_password("pässword")
    assert hashed.startswith("$argon2id$")
    assert verify(hashed, "pässword")
    assert not verify(hashed, "Pässword")
    assert not verify(hashed, "")


def test_two_hashes_differ() -> None:
    assert hash_password("x") != hash_password("x")


def test_what_is_no_hash_fits_no_password() -> None:
    assert not verify("", "")
    assert not verify("plain", "plain")
    assert not verify("$argon2id$…", "x")


class Counted:
    """`verify`, counting; each hash is its password with a letter in front."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def __call__(self, password_hash: str, password: str) -> bool:
        self.asked.append((password_hash, password))
        return password_hash == f"#{password}"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted()
    monkeypatch.setattr(secrets, "verify", counted)
    return counted


def test_a_right_password_is_verified_once(counted: Counted) -> None:
    passwords = Passwords()
    assert [passwords.right("#blue", "blue") for _ in range(3)] == [True] * 3
    assert counted.asked == [("#blue", "blue")]


def test_a_wrong_password_is_verified_each_time(counted: Counted) -> None:
    passwords = Passwords()
    assert [passwords.right("#blue", "red") for _ in range(3)] == [False] * 3
    assert len(counted.asked) == 3


def test_what_is_right_for_one_hash_is_not_for_another(counted: Counted) -> None:
    passwords = Passwords()
    assert passwords.right("#blue", "blue")
    assert not passwords.right("#red", "blue")
    assert not passwords.right("#blue\0blue", "")
    assert not passwords.right("", "#blue\0blue")


def test_another_configuration_verifies_anew(counted: Counted) -> None:
    assert Passwords().right("#blue", "blue")
    assert Passwords().right("#blue", "blue")
    assert len(counted.asked) == 2


def test_without_a_hash_a_password_is_verified_all_the_same_and_never_right(counted: Counted) -> None:
    passwords = Passwords()
    assert not passwords.right("", "blue")
    ((password_hash, password),) = counted.asked
    assert password_hash.startswith("$argon2id$")
    assert password == "blue"


class Slowly:
    """`verify` that waits to be told how to end, once for each that it was asked."""

    def __init__(self) -> None:
        self.asked: SimpleQueue[str] = SimpleQueue()
        self.answers: SimpleQueue[bool] = SimpleQueue()

    def __call__(self, password_hash: str, password: str) -> bool:
        self.asked.put(password)
        return self.answers.get(timeout=10)


def test_who_was_wrong_lately_comes_after_those_who_were_not() -> None:
    slowly = Slowly()
    passwords = Passwords(slowly)
    with ThreadPoolExecutor() as callers:

        def asks(password: str, client: str) -> Future[bool]:
            return callers.submit(passwords.right, "#", password, client=client)

        first = asks("guess 1", "203.0.113.9")
        assert slowly.asked.get(timeout=10) == "guess 1"
        guesses = [asks(f"guess {number}", "203.0.113.9") for number in (2, 3)]
        wait_until(lambda: len(passwords) == 2, "the guesses to wait")
        own = asks("my own", "192.0.2.10")
        wait_until(lambda: len(passwords) == 3, "the customer to wait")
        slowly.answers.put(False)
        assert slowly.asked.get(timeout=10) == "my own"
        slowly.answers.put(True)
        assert (first.result(10), own.result(10)) == (False, True)
        for _ in guesses:
            slowly.answers.put(False)
        assert [guess.result(10) for guess in guesses] == [False, False]


def test_who_was_wrong_lately_gets_a_tenth_of_a_cpu_and_others_wait_for_no_rest() -> None:
    costs = {"guess 1": 0.5, "guess 2": 0.1, "guess 3": 0.1, "my own": 0.0}
    spent, asked = [0.0], []

    def verify(_: str, password: str) -> bool:
        asked.append((password, time.monotonic()))
        spent.append(spent[-1] + costs[password])
        return password == "my own"

    passwords = Passwords(verify, spent=lambda: spent[-1])
    # Of his first guess nobody knows that it is one.
    assert not passwords.right("#", "guess 1", client="203.0.113.9")
    assert not passwords.right("#", "guess 2", client="203.0.113.9")
    with ThreadPoolExecutor() as callers:
        guess = callers.submit(passwords.right, "#", "guess 3", client="203.0.113.9")
        wait_until(lambda: len(passwords) == 1, "the guess to wait")
        assert passwords.right("#", "my own", client="192.0.2.10")
        assert not guess.result(10)
    assert [password for password, _ in asked] == ["guess 1", "guess 2", "my own", "guess 3"]
    at = dict(asked)
    assert at["guess 3"] - at["guess 2"] >= 9 * costs["guess 2"]


def test_who_is_not_welcome_any_more_when_his_turn_comes_costs_no_hash(counted: Counted) -> None:
    def blocked() -> None:
        raise Denied(Denial.BLOCKED)

    passwords = Passwords()
    with pytest.raises(Denied):
        passwords.right("#blue", "blue", welcome=blocked)
    assert counted.asked == []
    assert passwords.right("#blue", "blue")
    assert passwords.right("#blue", "blue", welcome=blocked)  # known: there is no turn


def test_who_waits_too_long_is_verified_at_once_unless_he_was_wrong_lately(counted: Counted) -> None:
    slowly = Slowly()
    passwords = Passwords(slowly, timeout_seconds=0.4)
    slowly.answers.put(False)
    assert not passwords.right("#blue", "red", client="203.0.113.9")
    assert passwords.right("#blue", "blue", client="192.0.2.10")
    assert counted.asked == [("#blue", "blue")]
    with pytest.raises(Deferred) as deferred:
        passwords.right("#red", "red", client="203.0.113.9")
    assert deferred.value.reply == reply.TOO_SLOW
    for _ in range(2):
        slowly.answers.put(False)


def test_many_at_once_verify_a_new_password_once(monkeypatch: pytest.MonkeyPatch) -> None:
    entered, go = threading.Event(), threading.Event()
    asked: list[str] = []

    def slow(_: str, password: str) -> bool:
        asked.append(password)
        entered.set()
        return go.wait(10)

    monkeypatch.setattr(secrets, "verify", slow)
    passwords = Passwords()
    found: list[bool] = []
    threads = [
        threading.Thread(target=lambda: found.append(passwords.right("#blue", "blue"))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    assert entered.wait(10)
    go.set()
    for thread in threads:
        thread.join(10)
    assert (found, asked) == ([True] * 4, ["blue"])


def test_nothing_of_a_password_can_be_read_back() -> None:
    passwords = Passwords()
    assert passwords.right(hash_password("Rainbow7"), "Rainbow7")
    assert "Rainbow7" not in repr(vars(passwords))


def test_octets_that_are_no_text_are_just_wrong() -> None:
    assert not Passwords().right(hash_password("x"), "\udcff")


def test_the_digest_of_a_password_will_do_where_both_sides_allow_it() -> None:
    hashed, digest = hash_password("123", of_md5=True), "202cb962ac59075b964b07152d234b70"
    assert Passwords().right(hashed, "123")
    assert Passwords().right(hashed, "123", digest=True)
    assert Passwords().right(hashed, digest, digest=True)
    assert not Passwords().right(hashed, digest)
    assert not Passwords().right(hashed, digest.upper(), digest=True)
    assert not Passwords().right(hash_password("123"), digest, digest=True)
