"""Finds the account that a mail names by its content: by login names, or by an API key.

Passwords are not verified here; that is slow on purpose (`ports.PasswordCheck`).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from ipaddress import IPv6Network
from itertools import islice

from sms_milter.config.schema import Logins
from sms_milter.model import Credentials
from sms_milter.policy.accounts import AccountBook, Member

LOGIN_NAMES = ("userkey", "login", "user", "api_id")
_ANY_CASE = frozenset({"login", "user"})
KEY_DIGEST = "sha256:"
OF_MD5 = "md5:"  # in front of a password_hash: not of the password, but of its MD5 in lower-case hexadecimal


def login_key(kind: str, name: str) -> tuple[str, str]:
    """What login names are compared by: of some kinds without regard to case."""
    return kind, name.lower() if kind in _ANY_CASE else name


def login_names(logins: Logins, kind: str) -> Sequence[str]:
    """The names of one kind that an account has."""
    names: str | tuple[str, ...] = getattr(logins, kind)
    return tuple(filter(None, (names,) if isinstance(names, str) else names))


class LoginBook:
    """The accounts by their login names and API keys, indexed when the configuration is loaded."""

    def __init__(self, accounts: AccountBook) -> None:
        self._by_name: dict[tuple[str, str], Member] = {}
        self._by_key: list[tuple[bytes, Member]] = []
        for member in accounts:
            for kind in LOGIN_NAMES:
                for name in login_names(member.account.logins, kind):
                    self._by_name[login_key(kind, name)] = member
            for key in member.account.api_keys:
                self._by_key.append((key.removeprefix(KEY_DIGEST).lower().encode(), member))

    def find(self, given: Credentials) -> Member | None:
        """The account of the API key, or else of the first name; None when there is none."""
        if given.api_key:
            return self._of_key(given.api_key)
        first = next(iter(given.names.items()), None)
        return None if first is None else self._by_name.get(login_key(*first))

    def owns(self, member: Member, names: Mapping[str, str]) -> bool:
        """Whether the further names, after the first, are the account's too."""
        further = islice(names.items(), 1, None)
        return all(self._by_name.get(login_key(kind, name)) is member for kind, name in further)

    def for_another_interface(self, member: Member, names: Mapping[str, str]) -> bool:
        """Whether the api_id is one of the account's that is not for mail."""
        return names.get("api_id") in member.account.other_api_ids

    def _of_key(self, key: str) -> Member | None:
        digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest().encode()
        found = None
        for one, member in self._by_key:  # all of them: how long it takes says nothing
            if hmac.compare_digest(one, digest):
                found = member
        return found


def household(address: str) -> str:
    """Whose an IP address is, as far as it tells: with IPv6 whoever has one has its /64 (RFC 6177 §2)."""
    if ":" not in address:
        return address
    try:
        return str(IPv6Network((address, 64), strict=False))
    except ValueError:
        return address  # a path


def unknown_name(given: Credentials) -> str:
    """The digest of the first name."""
    kind, name = login_key(*next(iter(given.names.items())))
    return hashlib.sha256(f"{kind} {name}".encode("utf-8", "surrogateescape")).hexdigest()
