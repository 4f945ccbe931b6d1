"""What outlives the program: an upgrade puts new code into the supervisor; children and sockets stay.

exec(2) keeps the process, its children and every descriptor that is marked for it; one variable of the
environment says which is which. Sockets that systemd opened for us (sd_listen_fds(3)) come the same way.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, NoReturn

_VARIABLE = "SMS_MILTER_HANDOVER"
_FIRST_OF_SYSTEMD = 3  # sd_listen_fds(3)


class Runner(NamedTuple):
    """A child that goes on running: its role, its process, our end of its line; `retired`: told to end; for
    how many seconds it may show no life, None if it does not say.
    """

    role: str
    pid: int
    line: int
    retired: bool
    patience: float | None = None


class Handover(NamedTuple):
    """What is there at the start already."""

    sockets: tuple[socket.socket, ...] = ()
    children: tuple[Runner, ...] = ()


def received() -> Handover:
    """What the program before us left, or systemd gave; once asked, it is ours alone. Raises OSError."""
    left = json.loads(os.environ.pop(_VARIABLE, "{}"))
    if left.get("pid") == os.getpid():
        # The program before us may be older than the word of patience, or younger.
        patience = left.get("patience", {})
        children = tuple(
            Runner(*one)._replace(patience=patience.get(str(one[1]))) for one in left["children"]
        )
        for descriptor in (*left["sockets"], *(child.line for child in children)):
            os.set_inheritable(descriptor, False)
        return Handover(tuple(map(_socket, left["sockets"])), children)
    return Handover(tuple(map(_socket, _of_systemd())))


def become(
    program: Sequence[str],
    sockets: Iterable[socket.socket],
    children: Iterable[Runner],
    environment: Mapping[str, str],
) -> NoReturn:
    """Go on as `program`, a command line, in this process, with `environment` added to ours. Raises OSError
    when it cannot be started.
    """
    listening, runners = [one.fileno() for one in sockets], list(children)
    left = {
        "pid": os.getpid(),
        "sockets": listening,
        "children": [child[:4] for child in runners],
        "patience": {child.pid: child.patience for child in runners},
    }
    descriptors = [*listening, *(child.line for child in runners)]
    for descriptor in descriptors:
        os.set_inheritable(descriptor, True)
    try:
        os.execve(program[0], [*program], {**os.environ, **environment, _VARIABLE: json.dumps(left)})  # noqa: S606 -- our own
    finally:
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)


def _of_systemd() -> list[int]:
    pid, count = os.environ.pop("LISTEN_PID", ""), os.environ.pop("LISTEN_FDS", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()) or not count.isdigit():
        return []
    descriptors = list(range(_FIRST_OF_SYSTEMD, _FIRST_OF_SYSTEMD + int(count)))
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return descriptors


def _socket(descriptor: int) -> socket.socket:
    one = socket.socket(fileno=descriptor)
    if not one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise OSError(f"descriptor {descriptor}, given to us at the start, does not listen")
    one.setblocking(False)
    return one
