"""Sockets that the supervisor listens on for its children, who come and go.

Non-blocking: whoever shares one may lose the race for a connection, and could not be stopped then
(milter.md §7.4).
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sms_milter.errors import ConfigError, Fault
from sms_milter.privileges import account, socket_group

_BACKLOG = 128
# At the start workers of a supervisor that was killed need a moment to let go of the address.
_BIND_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen: `address` is host and port, or the path of a unix socket.

    That has file mode `mode` and belongs to `group`, and with root's help to `user`.
    """

    family: socket.AddressFamily
    address: tuple[str, int] | str
    mode: int = 0o600
    user: str = ""
    group: str = ""


def milter_place(where: str, mode: int, user: str, group: str) -> Place:
    """For the milter, as libmilter writes it: inet:PORT@HOST, inet6:PORT@HOST, unix:/PATH."""
    kind, _, rest = where.partition(":")
    if kind == "unix":
        return Place(socket.AF_UNIX, rest, mode, user, group)
    port, _, host = rest.partition("@")
    return Place(socket.AF_INET6 if kind == "inet6" else socket.AF_INET, (host, int(port)))


def http_place(where: str) -> Place:
    """For HTTP at HOST:PORT."""
    host, _, port = where.rpartition(":")
    host = host.strip("[]")
    return Place(socket.AF_INET6 if ":" in host else socket.AF_INET, (host, int(port)))


class Sockets:
    """All that the supervisor listens on. They change together or not at all."""

    def __init__(self, inherited: Iterable[socket.socket] = ()) -> None:
        """`inherited` were opened before us; they serve the places that have their addresses."""
        self._open: dict[Place, socket.socket] = {}
        self._inherited = list(inherited)

    def __iter__(self) -> Iterator[socket.socket]:
        return iter(self._open.values())

    def change(self, wanted: Iterable[Place]) -> Mapping[Place, socket.socket]:
        """Listen at these places and nowhere else. Raises OSError and ConfigError; then nothing has changed.

        An address that was listened at before keeps its socket, and who waits there for an answer stays.
        """
        patience = 0.0 if self._open else _BIND_PATIENCE_SECONDS
        after: dict[Place, socket.socket] = {}
        with contextlib.ExitStack() as undo:
            for place in wanted:
                after[place] = self._kept(place) or undo.enter_context(listen(place, patience))
            undo.pop_all()
        for one in (*self._open.values(), *self._inherited):
            if one not in after.values():
                one.close()
        self._open, self._inherited = after, []
        return after

    def _kept(self, wanted: Place) -> socket.socket | None:
        for place, one in self._open.items():
            if (place.family, place.address) == (wanted.family, wanted.address):
                if place != wanted and isinstance(wanted.address, str):
                    _give(wanted.address, wanted)
                return one
        return next((one for one in self._inherited if _is_at(one, wanted)), None)


def listen(place: Place, patience_seconds: float = 0.0) -> socket.socket:
    """A new socket that listens there; so long an address may be taken. Raises OSError and ConfigError."""
    fresh, address = socket.socket(place.family), place.address
    try:
        if isinstance(address, str):
            _patiently(patience_seconds, lambda: _remove_stale(str(address)))
            _bind_unix(fresh, address, place)
        else:
            fresh.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _patiently(patience_seconds, lambda: fresh.bind(address))
        fresh.listen(_BACKLOG)
    except BaseException:
        fresh.close()
        raise
    fresh.setblocking(False)
    return fresh


def _is_at(one: socket.socket, place: Place) -> bool:
    if one.family != place.family:
        return False
    if isinstance(place.address, str):
        return os.path.abspath(str(one.getsockname())) == os.path.abspath(place.address)
    host, port = place.address
    own: tuple[str, int] = one.getsockname()[:2]
    found = socket.getaddrinfo(host, port, place.family, socket.SOCK_STREAM)
    return own in [address[:2] for *_, address in found]


def _bind_unix(fresh: socket.socket, path: str, place: Place) -> None:
    before = os.umask(0o177)  # nobody else's until mode and owner are right
    try:
        fresh.bind(path)
    finally:
        os.umask(before)
    _give(path, place)


def _give(path: str, place: Place) -> None:
    """Raises ConfigError for an account or group that is not there or not ours."""
    owner = account(place.user).pw_uid if place.user and os.geteuid() == 0 else -1
    try:
        os.chown(path, owner, socket_group(place.group).gr_gid if place.group else -1)
    except PermissionError:
        problem = f"only root and members of {place.group!r} may give the socket to this group"
        raise ConfigError([Fault("", 0, "milter.socket_group", problem)]) from None
    os.chmod(path, place.mode)


def _remove_stale(path: str) -> None:
    """Remove a socket that nobody listens on any more. Raises OSError while somebody does."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except FileNotFoundError:
            return
        except ConnectionRefusedError:
            os.unlink(path)
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), path)


def _patiently(seconds: float, bind: Callable[[], None]) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return bind()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
