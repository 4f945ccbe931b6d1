"""Wakes a role of this host when there is work for it: a datagram socket beside the database.

A lost ring costs a moment only: each role also looks by itself now and then.
"""

from __future__ import annotations

import contextlib
import os
import socket

DISPATCH, COURIER, REPORT = ".bell", ".courier.bell", ".report.bell"  # whose bell: how its path ends
_MODE = 0o660


class DatagramDoorbell:
    """`ports.Doorbell` of a role on the database at `path`; any thread may ring."""

    def __init__(self, path: str, role: str = DISPATCH) -> None:
        self._path = path + role
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def ring(self) -> None:
        """New work is committed. A full buffer has rung already; who is away looks on coming back."""
        with contextlib.suppress(OSError):
            self._socket.sendto(b"!", self._path)

    def close(self) -> None:
        """Ring no more."""
        self._socket.close()


class Chime:
    """Several doorbells that ring as one."""

    def __init__(self, *bells: DatagramDoorbell) -> None:
        self._bells = bells

    def ring(self) -> None:
        """As each of them."""
        for bell in self._bells:
            bell.ring()


class DoorbellListener:
    """A role's own end of its doorbell beside the database at `path`: readable when it was rung, and at the
    start, since what was rung before was not heard.

    Takes over the socket that a process before it left behind, or still has. Raises OSError if it cannot be
    made.
    """

    def __init__(self, path: str, role: str = DISPATCH) -> None:
        self._path = path + role
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)
            self._socket.bind(self._path)
            os.chmod(self._path, _MODE)
            self._socket.sendto(b"!", self._path)
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """For `select` and its kin."""
        return self._socket.fileno()

    def clear(self) -> None:
        """Take note of all rings so far; look for work afterwards, not before."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(16)

    def close(self) -> None:
        """Hear no more. The path stays: it may be a successor's by now."""
        self._socket.close()
