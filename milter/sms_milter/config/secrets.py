"""Password hashes: the only door to argon2."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()  # Argon2id with the library's parameters (RFC 9106 §4)


def hash_password(password: str) -> str:
    """The hash to put into `password_hash`; another one each time, because it is salted."""
    return _HASHER.hash(password)


def verify(password_hash: str, password: str) -> bool:
    """Whether `password` is the one that was hashed; False for what is no hash. Takes long on purpose."""
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
