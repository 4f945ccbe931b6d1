"""Password hashes: the only door to argon2; and the right passwords, remembered."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from functools import cache
from threading import Lock

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHash, VerificationError

from sms_milter.policy.logins import OF_MD5

# Argon2id with 64 MiB, RFC 9106 §4's second choice; not every version of the library has it as its default.
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)


_MD5 = re.compile(r"[0-9a-f]{32}")


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


class Passwords:
    """A `PasswordCheck` that verifies a right password once and then remembers it by a keyed digest.

    Lives as long as one configuration does. Wrong passwords are never remembered. One is verified at a time:
    each takes 64 MiB, and many mails at once may bring the same new password.
    """

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._right: set[bytes] = set()
        self._verifying = Lock()

    def right(self, password_hash: str, password: str, *, digest: bool = False) -> bool:
        """Whether `password` is the one that was hashed; without a hash never, after as long a time.

        `digest`: the password's MD5 will do too, where that was hashed; what looks like one is one.
        """
        if password_hash.startswith(OF_MD5):
            password_hash = password_hash.removeprefix(OF_MD5)
            password = password if digest and _MD5.fullmatch(password) else _md5(password)
        known_by = self._digest(password_hash, password)
        if known_by in self._right:
            return True
        with self._verifying:
            if known_by in self._right:
                return True
            if not verify(password_hash or _nobodys(), password) or not password_hash:
                return False
            self._right.add(known_by)
            return True

    def _digest(self, password_hash: str, password: str) -> bytes:
        both = f"{password_hash}\0{password}".encode("utf-8", "surrogateescape")
        return hmac.digest(self._key, both, "sha256")


@cache
def _nobodys() -> str:
    """The hash of a password that nobody knows."""
    return hash_password(os.urandom(32).hex())
