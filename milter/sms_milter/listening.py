"""Sockets that the supervisor listens on for its children, who come and go.

Non-blocking: whoever shares one may lose the race for a connection, and could not be stopped then
(milter.md §7.4).
"""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable

from sms_milter.errors import ConfigError, Fault
from sms_milter.privileges import account, socket_group

_BACKLOG = 128
# Workers of a supervisor that was killed need a moment to let go of the address.
_BIND_PATIENCE_SECONDS = 10.0


def milter_socket(where: str, mode: int, user: str, group: str) -> socket.socket:
    """For the milter, as libmilter writes it: inet:PORT@HOST, inet6:PORT@HOST, unix:/PATH.

    A unix socket has file mode `mode` and belongs to `group`, and with root's help to `user`. Raises OSError,
    and ConfigError for an account or group that is not there or not ours.
    """
    kind, _, rest = where.partition(":")
    if kind == "unix":
        return _listening(socket.AF_UNIX, lambda fresh: _bind_unix(fresh, rest, mode, user, group))
    port, _, host = rest.partition("@")
    family = socket.AF_INET6 if kind == "inet6" else socket.AF_INET
    return _listening(family, lambda fresh: _bind(fresh, host, int(port)))


def http_socket(where: str) -> socket.socket:
    """For HTTP at HOST:PORT. Raises OSError."""
    host, _, port = where.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return _listening(family, lambda fresh: _bind(fresh, host, int(port)))


def _listening(family: socket.AddressFamily, bind: Callable[[socket.socket], None]) -> socket.socket:
    fresh = socket.socket(family)
    try:
        bind(fresh)
        fresh.listen(_BACKLOG)
    except BaseException:
        fresh.close()
        raise
    fresh.setblocking(False)
    return fresh


def _bind(fresh: socket.socket, host: str, port: int) -> None:
    fresh.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _patiently(lambda: fresh.bind((host, port)))


def _bind_unix(fresh: socket.socket, path: str, mode: int, user: str, group: str) -> None:
    _patiently(lambda: _remove_stale(path))
    before = os.umask(0o177)  # nobody else's until mode and owner are right
    try:
        fresh.bind(path)
    finally:
        os.umask(before)
    owner = account(user).pw_uid if user and os.geteuid() == 0 else -1
    try:
        os.chown(path, owner, socket_group(group).gr_gid if group else -1)
    except PermissionError:
        problem = f"only root and members of {group!r} may give the socket to this group"
        raise ConfigError([Fault("", 0, "milter.socket_group", problem)]) from None
    os.chmod(path, mode)


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


def _patiently(bind: Callable[[], None]) -> None:
    deadline = time.monotonic() + _BIND_PATIENCE_SECONDS
    while True:
        try:
            return bind()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
