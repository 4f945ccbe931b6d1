"""Who may look: one password, sessions in memory, tokens that prove where a form comes from."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sms_milter.model import LoginRule
from sms_milter.ports import PasswordCheck

_MOST_SESSIONS = 100
_ALL_TOGETHER = 10  # times as many failures of all clients together close the door for all


class Failures(Protocol):
    """A queue that remembers wrong passwords. Raises QueueUnavailable."""

    def login_failed(self, who: str, rule: LoginRule, now: float) -> bool:
        """See `ports.IntakeQueue.login_failed`."""

    def login_blocked(self, who: str, now: float) -> bool:
        """See `ports.IntakeQueue.login_blocked`."""


@dataclass(slots=True)
class Session:
    """Somebody who knew the password. `word` is what the next page tells, once."""

    until: float
    word: str = ""


class Blocked(Exception):
    """Too many wrong passwords: nobody's is looked at now."""


class Door:
    """Lets in who knows the password; a token is its proof. Tokens are kept as digests only."""

    def __init__(
        self,
        password_hash: str,
        passwords: PasswordCheck,
        failures: Failures,
        rule: LoginRule,
        *,
        session_seconds: float,
        chance: Callable[[int], bytes],
    ) -> None:
        """`chance` gives so many octets that nobody can guess."""
        self._hash, self._passwords = password_hash, passwords
        self._failures, self._rule = failures, rule
        self._session_seconds, self._chance = session_seconds, chance
        self._key = chance(32)
        self._sessions: dict[bytes, Session] = {}

    def token(self) -> str:
        """A new one, which proves nothing yet."""
        return self._chance(32).hex()

    def form_token(self, token: str) -> str:
        """What stands in the forms of whoever has a token, and nobody else can know."""
        return hmac.digest(self._key, token.encode(), "sha256").hex()

    def is_form_of(self, token: str, given: str) -> bool:
        """Whether a form was made for whoever has this token."""
        return hmac.compare_digest(self.form_token(token).encode(), given.encode("utf-8", "replace"))

    def enter(self, password: str, client: str, now: float) -> str | None:
        """The token of a new session; None for a wrong password, which takes as long as a right one.

        Raises Blocked, after too many failures of this client or of all, and QueueUnavailable.
        """
        names = (f"status page {client}", "status page")
        if any(self._failures.login_blocked(name, now) for name in names):
            raise Blocked
        if not self._passwords.right(self._hash, password):
            rule = self._rule
            everybody = LoginRule(rule.count * _ALL_TOGETHER, rule.within_seconds, rule.block_seconds)
            self._failures.login_failed(names[0], rule, now)
            self._failures.login_failed(names[1], everybody, now)
            return None
        self._forget(now)
        token = self.token()
        self._sessions[_digest(token)] = Session(now + self._session_seconds)
        return token

    def session(self, token: str, now: float) -> Session | None:
        """The session that a token proves."""
        found = self._sessions.get(_digest(token))
        return found if found is not None and found.until > now else None

    def leave(self, token: str) -> None:
        """It proves nothing any more."""
        self._sessions.pop(_digest(token), None)

    def _forget(self, now: float) -> None:
        self._sessions = {key: one for key, one in self._sessions.items() if one.until > now}
        while len(self._sessions) >= _MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
