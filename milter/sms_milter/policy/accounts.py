"""Finds the account of a mail by its envelope (HSL §2): client address, sender, SASL user, domain.

An account that requires a password is never found so; `admits` holds the envelope against an account that the
mail itself has named (`logins`).
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sms_milter.config.schema import Account

_CLIENTS_REMEMBERED = 65536


@dataclass(frozen=True, slots=True)
class Member:
    """One account of the book, with its name and its place in the configuration."""

    name: str
    order: int
    account: Account


class AccountBook:
    """The accounts, indexed by envelope sender when the configuration is loaded.

    More than one account may match: the most specific sender pattern wins (address, domain, `*`, accounts
    that do not require a sender), then the order of the configuration.
    """

    def __init__(self, accounts: Mapping[str, Account]) -> None:
        self._by_sender: dict[str, list[Member]] = defaultdict(list)
        self._any_sender: list[Member] = []
        self._members = [Member(name, order, a) for order, (name, a) in enumerate(accounts.items())]
        self._names = {member.name: member for member in self._members}
        for member in self._members:
            account = member.account
            if "password" in account.require:
                continue
            if "sender" not in account.require:
                self._any_sender.append(member)
                continue
            for pattern in account.senders:
                self._by_sender[pattern.lower()].append(member)
        self._client_listed = lru_cache(_CLIENTS_REMEMBERED)(self._look_up_client)

    def __getitem__(self, name: str) -> Member:
        return self._names[name]

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members)

    def find(self, *, client: str, sender: str, sasl_user: str, domain: str) -> Member | None:
        """The account whose required checks all hold, or None. `sender` without brackets, "" for the null
        sender.
        """
        for member in self._candidates(sender.lower()):
            if self.reaches(member, client, sasl_user, domain):
                return member
        return None

    def admits(self, member: Member, *, client: str, sender: str, sasl_user: str, domain: str) -> bool:
        """Whether all checks besides the password hold that the account requires."""
        return self.lists(member, sender) and self.reaches(member, client, sasl_user, domain)

    def lists(self, member: Member, sender: str) -> bool:
        """Whether the check of the sender holds, if the account requires it."""
        return "sender" not in member.account.require or sender_listed(member.account, sender.lower())

    def reaches(self, member: Member, client: str, sasl_user: str, domain: str) -> bool:
        """Whether all checks hold but those of password and sender."""
        account = member.account
        if account.domains and domain not in account.domains:
            return False
        if "client" in account.require and not self._client_listed(member.order, client):
            return False
        return "sasl" not in account.require or bool(sasl_user and sasl_user in account.sasl_users)

    def _candidates(self, sender: str) -> Iterator[Member]:
        if sender:
            for pattern in _patterns(sender):
                yield from self._by_sender.get(pattern, ())
            yield from self._any_sender
        else:
            # Bounces must not become SMS (HSL §2.5): the null sender matches by explicit permission only.
            for member in (*self._by_sender.get("*", ()), *self._any_sender):
                if member.account.allow_null_sender:
                    yield member

    def _look_up_client(self, order: int, address: str) -> bool:
        try:
            client = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(client, ipaddress.IPv6Address) and client.ipv4_mapped:
            client = client.ipv4_mapped
        return any(client in network for network in self._members[order].account.clients)


def may_write_as(account: Account, author: str) -> bool:
    """Whether messages of the account by e-mail may be From `author` (SMSCentre §7.7)."""
    return _listed(author.lower(), account.mail_from_allowed)


def sender_listed(account: Account, sender: str) -> bool:
    """Whether that address, in lower case, is among those that may send for the account."""
    if not sender:
        return account.allow_null_sender and "*" in account.senders
    return _listed(sender, account.senders)


def _listed(address: str, patterns: Sequence[str]) -> bool:
    """Whether an address in lower case is among addresses, `@domain` and `*`."""
    wanted = _patterns(address)
    return any(pattern.lower() in wanted for pattern in patterns)


def _patterns(address: str) -> tuple[str, ...]:
    """The patterns that an address matches, the most specific one first. `@domain` alone is no address."""
    at = address.rfind("@")
    if at > 0:
        return address, address[at:], "*"
    return ("*",) if at == 0 else (address, "*")
