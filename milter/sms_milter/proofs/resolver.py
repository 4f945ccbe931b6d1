"""Questions to the DNS: the only door to dnspython."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import dns.exception
import dns.resolver

from sms_milter import reply
from sms_milter.errors import Deferred

_REMEMBERED = 10_000
_SHARE = 0.5  # of the time that is left, for one question: a silent server leaves some for the next


class Resolver:
    """Asks within a time for each check; answers are remembered as long as they say. Any thread may."""

    def __init__(self, servers: Sequence[str], timeout_seconds: float) -> None:
        """`servers` as IP:PORT; empty: those of the system."""
        self._servers, self._timeout_seconds = servers, timeout_seconds
        self._cache = dns.resolver.LRUCache(_REMEMBERED)
        self._resolver: dns.resolver.Resolver | None = None

    def check(self) -> Questions:
        """A check begins now."""
        if self._resolver is None:
            self._resolver = self._made()
        return Questions(self._resolver, time.monotonic() + self._timeout_seconds)

    def _made(self) -> dns.resolver.Resolver:
        try:
            made = dns.resolver.Resolver(configure=not self._servers)
        except dns.exception.DNSException as error:
            raise Deferred(reply.DNS_UNAVAILABLE, str(error)) from None
        if self._servers:
            ports = dict(map(_address_and_port, self._servers))
            made.nameservers, made.nameserver_ports = list(ports), ports
        made.cache = self._cache
        return made


class Questions:
    """The questions of one check, which share its time."""

    def __init__(self, resolver: dns.resolver.Resolver, deadline: float) -> None:
        self._resolver, self._deadline = resolver, deadline

    def ask(self, name: str, kind: str) -> list[Any]:
        """The records of that kind, as dnspython has them; none for a name that does not exist. Raises
        Deferred when there is no answer in time.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Deferred(reply.DNS_UNAVAILABLE, f"no time left for {name}")
        try:
            answer = self._resolver.resolve(name, kind, lifetime=left * _SHARE, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.Timeout, dns.resolver.NoNameservers) as error:
            raise Deferred(reply.DNS_UNAVAILABLE, f"{kind} {name}: {error}") from None
        except dns.exception.DNSException:
            return []  # no name at all, such as one with a label that is too long
        return list(answer)


def _address_and_port(server: str) -> tuple[str, int]:
    host, _, port = server.rpartition(":")
    return host.strip("[]"), int(port)
