"""Who asks us: the services of Postfix that have our socket among their milters, for all clients or some."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from sms_milter.doctor.postfix.facts import MilterEntry, PostfixFacts, Service, milters
from sms_milter.doctor.postfix.tables import Clients, clients

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_ANY = frozenset({"0.0.0.0", "::"})


@dataclass(frozen=True, slots=True)
class Listener:
    """A service that asks us about its mail.

    `parameter` lists its milters; where that names tables, they are those of `clients`. `cleanup` is where
    its mail goes on. `chrooted_path` is set when our unix socket is looked up below the queue directory,
    where it is not.
    """

    service: Service
    parameter: str
    milters: tuple[MilterEntry, ...]
    position: int
    cleanup_name: str
    cleanup: Service | None
    chrooted_path: str = ""
    clients: Clients | None = None

    @property
    def ours(self) -> MilterEntry:
        """Our own entry."""
        return self.milters[self.position]

    @property
    def label(self) -> str:
        """Of whose mail it asks us."""
        return self.service.label if self.clients is None else f"{self.service.label} for {self.clients}"


def listeners(facts: PostfixFacts, socket: str) -> Iterator[Listener]:
    """Each service that asks us; cleanup, where sendmail(1) does."""
    for service in facts.services:
        cleanup_name = facts.value(service, "cleanup_service_name") or "cleanup"
        cleanup = facts.service(cleanup_name)
        if service.command == "smtpd":
            some = list(clients(facts, service))
            if all(one.keys for one in some):
                yield from _asking(facts, socket, service, "smtpd_milters", cleanup_name)
            for one in some:
                yield from _asking(facts, socket, service, "smtpd_milter_maps", cleanup_name, one)
        elif service.command == "pickup" and cleanup is not None:  # sendmail(1): cleanup itself asks
            yield from _asking(facts, socket, cleanup, "non_smtpd_milters", cleanup_name)


def _asking(
    facts: PostfixFacts,
    socket: str,
    service: Service,
    parameter: str,
    cleanup_name: str,
    some: Clients | None = None,
) -> Iterator[Listener]:
    entries = tuple(milters(facts.value(service, parameter) if some is None else some.result))
    for position, entry in enumerate(entries):
        means, chrooted_path = is_ours(facts, service, entry.address, socket)
        if means:
            cleanup = facts.service(cleanup_name)
            yield Listener(service, parameter, entries, position, cleanup_name, cleanup, chrooted_path, some)
            return


def is_ours(facts: PostfixFacts, service: Service, address: str, socket: str) -> tuple[bool, str]:
    """Whether Postfix's address of a milter means our socket; and the path where it looks in vain."""
    kind, _, place = address.partition(":")
    own_kind, _, own_place = socket.partition(":")
    if own_kind != "unix":
        host, _, port = place.rpartition(":")
        own_port, _, own_host = own_place.partition("@")
        host, own_host = host.strip("[]"), own_host.strip("[]")
        same = host == own_host or own_host in _ANY or {host, own_host} <= _LOOPBACK
        return kind.startswith("inet") and port == own_port and same, ""
    if kind not in ("unix", "local"):
        return False, ""
    queue = facts.main.get("queue_directory", "/")
    below = posixpath.normpath(posixpath.join(queue, place.lstrip("/")))
    looked_at = below if service.chroot or not place.startswith("/") else posixpath.normpath(place)
    wanted = posixpath.normpath(own_place)
    if looked_at == wanted:
        return True, ""
    return posixpath.normpath(place) == wanted, looked_at


def for_postfix(socket: str) -> str:
    """Our socket as Postfix writes it: inet:HOST:PORT, or unix:/PATH."""
    kind, _, place = socket.partition(":")
    port, _, host = place.partition("@")
    if kind == "unix":
        return socket
    host = "127.0.0.1" if host in _ANY else host
    return f"inet:[{host}]:{port}" if ":" in host else f"inet:{host}:{port}"
