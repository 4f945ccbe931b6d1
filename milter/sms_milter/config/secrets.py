"""Password hashes: the only door to argon2; and the right passwords, remembered."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import cache
from heapq import heappop, heappush
from itertools import count
from threading import Condition, Lock, Thread
from time import monotonic, process_time

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHash, VerificationError

from sms_milter import reply
from sms_milter.errors import Deferred
from sms_milter.policy.logins import OF_MD5

Verify = Callable[[str, str], bool]  # password hash, password

# Argon2id with 64 MiB, RFC 9106 §4's second choice; not every version of the library has it as its default.
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)


_MD5 = re.compile(r"[0-9a-f]{32}")
_LATELY_SECONDS = 600.0
_CLIENTS_REMEMBERED = 10_000
_SHARE = 0.25  # of the time that a mail has: for waiting without hurry
_REST = 9.0  # times what it cost to verify who was wrong lately: they get a tenth of a CPU


def hash_password(password: str, *, of_md5: bool = False) -> str:
    """The hash to put into `password_hash`; another one each time, because it is salted."""
    return OF_MD5 + _HASHER.hash(_md5(password)) if of_md5 else _HASHER.hash(password)


def _md5(password: str) -> str:
    # What an interface asks for (SMSCentre §5), not what keeps the password secret.
    return hashlib.md5(password.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def verify(password_hash: str, password: str) -> bool:
    """Whether `password` is the one that was hashed; False for what is no hash. Takes long on purpose."""
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHash, UnicodeEncodeError):
        return False


def _everybody() -> None:
    """Welcome."""


class Passwords:
    """A `PasswordCheck` that verifies a right password once and then remembers it by a keyed digest.

    Lives as long as one configuration does. Wrong passwords are never remembered. One is verified at a time,
    which takes 64 MiB; clients that were right lately, or are new, come before those that were wrong, who
    together get a tenth of a CPU.
    """

    def __init__(
        self,
        verify: Verify | None = None,
        *,
        spent: Callable[[], float] = process_time,
        timeout_seconds: float = 20.0,
    ) -> None:
        """`verify` may take its time (`verifying.Aside`), `spent` says the CPU seconds of all its work so
        far. Who has waited for a quarter of `timeout_seconds` is verified in his own thread; clients that
        were wrong lately are Deferred after all of it.
        """
        self._key = os.urandom(32)
        self._right: set[bytes] = set()
        self._wrong: dict[str, float] = {}  # clients, and when; the latest last
        self._verify = verify or _verify
        self._timeout_seconds = timeout_seconds
        self._turns = Turns(spent)
        self._hurrying, self._remembering = Lock(), Lock()

    def __len__(self) -> int:
        """How many wait for their turn."""
        return len(self._turns)

    def right(
        self,
        password_hash: str,
        password: str,
        *,
        digest: bool = False,
        client: str = "",
        welcome: Callable[[], None] = _everybody,
    ) -> bool:
        """Whether `password` is the one that was hashed; without a hash never, after as long a time.

        `digest`: the password's MD5 will do too, where that was hashed; what looks like one is one. `welcome`
        is called when its turn has come to be verified. Raises what that raises, and Deferred.
        """
        if password_hash.startswith(OF_MD5):
            password_hash = password_hash.removeprefix(OF_MD5)
            password = password if digest and _MD5.fullmatch(password) else _md5(password)
        known_by = self._digest(password_hash, password)
        if known_by in self._right:
            return True

        def wrong_lately() -> bool:
            return monotonic() - self._wrong.get(client, float("-inf")) < _LATELY_SECONDS

        def verified(verify: Verify) -> bool:
            if known_by in self._right:
                return True
            welcome()
            right = verify(password_hash or _nobodys(), password) and bool(password_hash)
            self._remember(known_by, client, right=right)
            return right

        turn = self._turns.take(lambda: verified(self._verify), wrong_lately)
        patience = self._timeout_seconds * _SHARE
        with suppress(TimeoutError):
            return turn.result(patience)
        if not wrong_lately():
            turn.cancel()
            with self._hurrying:
                return verified(_verify)
        with suppress(TimeoutError):
            return turn.result(self._timeout_seconds - patience)
        turn.cancel()
        raise Deferred(reply.TOO_SLOW, "others' passwords come first")

    def _remember(self, known_by: bytes, client: str, *, right: bool) -> None:
        with self._remembering:
            self._wrong.pop(client, None)
            if right:
                self._right.add(known_by)
                return
            self._wrong[client] = monotonic()
            if len(self._wrong) > _CLIENTS_REMEMBERED:
                del self._wrong[next(iter(self._wrong))]

    def _digest(self, password_hash: str, password: str) -> bytes:
        both = f"{password_hash}\0{password}".encode("utf-8", "surrogateescape")
        return hmac.digest(self._key, both, "sha256")


_Turn = tuple[bool, int, Callable[[], bool], Callable[[], bool], "Future[bool]"]  # last, number, later, work


class Turns:
    """Does one thing at a time, in a thread that lives while anything waits. What may be done `later`, asked
    when its turn has come, is done when nothing else waits, and rests afterwards for `_REST` times as long as
    it had the CPU.
    """

    def __init__(self, spent: Callable[[], float]) -> None:
        """`spent`: CPU seconds of all that was done so far."""
        self._spent = spent
        self._numbers = count()
        self._changed = Condition()  # guards what follows
        self._waiting: list[_Turn] = []
        self._working = False
        self._rests_until = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, work: Callable[[], bool], later: Callable[[], bool]) -> Future[bool]:
        """What comes of it, or is raised by it."""
        future: Future[bool] = Future()
        with self._changed:
            heappush(self._waiting, (later(), next(self._numbers), later, work, future))
            if not self._working:
                Thread(target=self._work, name="passwords", daemon=True).start()
                self._working = True
            self._changed.notify()
        return future

    def _work(self) -> None:
        while (turn := self._next()) is not None:
            last, _, _, work, future = turn
            before = self._spent()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work())
                except Exception as error:  # noqa: BLE001 -- whose turn it is shall have it
                    future.set_exception(error)
            if last:
                self._rests_until = monotonic() + _REST * (self._spent() - before)

    def _next(self) -> _Turn | None:
        with self._changed:
            while self._waiting:
                rest = self._rests_until - monotonic()
                if rest > 0 and self._waiting[0][0]:
                    self._changed.wait(rest)
                    continue
                turn = last, number, later, work, future = heappop(self._waiting)
                if last or not later():
                    return turn
                heappush(self._waiting, (True, number, later, work, future))
            self._working = False
            return None


def _verify(password_hash: str, password: str) -> bool:
    return verify(password_hash, password)


@cache
def _nobodys() -> str:
    """The hash of a password that nobody knows."""
    return hash_password(os.urandom(32).hex())
