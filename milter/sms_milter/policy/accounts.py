"""Finds the account of a mail by its envelope (HSL §2): client address, sender, SASL user, client
certificate, domain. What SPF and DKIM prove is asked of the account that was found (`proofs`).

An account that requires a password is never found so; `admits` holds the envelope against an account that the
mail itself has named (`logins`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from sms_milter.config.schema import Account
from sms_milter.model import Caller, Certificate

_CLIENTS_REMEMBERED = 65536


@dataclass(frozen=True, slots=True)
class Member:
    """One account of the book, with its name and its place in the configuration."""

    name: str
    order: int
    account: Account


class Candidate(NamedTuple):
    """An account that an envelope might be of. `pattern` of its senders fits, "" where none is required or
    none does; `obstacle` is the setting that keeps it from being found, None without one.
    """

    name: str
    pattern: str
    obstacle: str | None


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

    def find(self, caller: Caller, *, sender: str, domain: str) -> Member | None:
        """The account of which all checks hold that the envelope can show, or None. `sender` without
        brackets, "" for the null sender.
        """
        for member, _ in self._candidates(sender.lower()):
            if self.reaches(member, caller, domain):
                return member
        return None

    def admits(self, member: Member, caller: Caller, *, sender: str, domain: str) -> bool:
        """Whether all checks hold besides the password's that the envelope can show."""
        return self.lists(member, sender) and self.reaches(member, caller, domain)

    def lists(self, member: Member, sender: str) -> bool:
        """Whether the check of the sender holds, if the account requires it."""
        return "sender" not in member.account.require or sender_listed(member.account, sender.lower())

    def reaches(self, member: Member, caller: Caller, domain: str) -> bool:
        """Whether all checks hold that the connection and the domain can show."""
        return self.obstacle(member, caller, domain) is None

    def obstacle(self, member: Member, caller: Caller, domain: str) -> str | None:
        """The first of these checks that does not hold, as the setting that it goes by."""
        account = member.account
        required = account.require
        if account.domains and domain not in account.domains:
            return "domains"
        if "client" in required and not self._client_listed(member.order, caller.address):
            return "clients"
        if "sasl" in required and not (caller.sasl_user and caller.sasl_user in account.sasl_users):
            return "sasl_users"
        if "tls" in required and not _certified(account, caller.certificate):
            return "tls_certificates"
        return None

    def explained(self, caller: Caller, *, sender: str, domain: str) -> Iterator[Candidate]:
        """The accounts that `find` looks at, in its order, and those that it does not for want of the sender
        or of a password alone.
        """
        looked_at: set[int] = set()
        for member, pattern in self._candidates(sender.lower()):
            looked_at.add(member.order)
            yield Candidate(member.name, pattern, self.obstacle(member, caller, domain))
        for member in self._members:
            if member.order not in looked_at and self.reaches(member, caller, domain):
                by_password = "password" in member.account.require and self.lists(member, sender)
                yield Candidate(member.name, "", "password" if by_password else "senders")

    def _candidates(self, sender: str) -> Iterator[tuple[Member, str]]:
        """The accounts whose senders fit, most specific first, each with the pattern that did; "" for those
        that require none.
        """
        if sender:
            for pattern in _patterns(sender):
                for member in self._by_sender.get(pattern, ()):
                    yield member, pattern
            for member in self._any_sender:
                yield member, ""
        else:
            # Bounces must not become SMS (HSL §2.5): the null sender matches by explicit permission only.
            for pattern, members in (("*", self._by_sender.get("*", ())), ("", self._any_sender)):
                for member in members:
                    if member.account.allow_null_sender:
                        yield member, pattern

    def _look_up_client(self, order: int, address: str) -> bool:
        try:
            client = ip_address(address)
        except ValueError:
            return False
        return any(client in network for network in self._members[order].account.clients)


def _certified(account: Account, shown: Certificate) -> bool:
    """Whether the certificate is one of the account's, by its fingerprint or by its names."""
    if shown.fingerprint and shown.fingerprint in account.tls_fingerprints:
        return True
    return bool(shown.subject) and any(
        one.subject == shown.subject and one.issuer in ("", shown.issuer) for one in account.tls_certificates
    )


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
