"""An end to what a peer may drag out: who sends an octet now and then lives through timeouts."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def until(deadline: float, connected: socket.socket) -> Iterator[None]:
    """Cut the connection when time.monotonic() reaches `deadline`, if it is still in use then."""
    cut = threading.Timer(max(deadline - time.monotonic(), 0), _cut, (connected,))
    cut.daemon = True
    cut.start()
    try:
        yield
    finally:
        cut.cancel()


def _cut(connected: socket.socket) -> None:
    with suppress(OSError):
        # Not the method of a TLS socket, which another thread may be reading from.
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
