"""Doorbells by NOTIFY and LISTEN: rung after the commit, heard on every host.

A ring that waited for a commit would make all commits wait for each other (PostgreSQL, `async.c`,
PreCommit_Notify): so it is a transaction of its own, many rings are one, and a lost one costs a moment only,
since each role also looks by itself now and then.
"""

from __future__ import annotations

import atexit
import contextlib
import select
import socket
import threading
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.raw_cursor import RawCursor

from sms_milter.errors import QueueUnavailable

_PAUSE_SECONDS = 1.0  # before the next try to connect
_SIGN_OF_LIFE_SECONDS = 30.0
_LAST_SECONDS = 2.0  # for what is still to be rung when the process ends
_CHANNEL = "sms_milter_"


class Bells:
    """All doorbells of a process, on one connection of its own with one thread."""

    def __init__(self, connect: Callable[[], Connection[Any]]) -> None:
        self._connect = connect
        self._state = threading.Lock()  # guards what follows
        self._to_ring: set[str] = set()
        self._listeners: dict[str, BellListener] = {}
        self._thread: threading.Thread | None = None
        self._closed = False
        self._waker, self._woken = _pair()

    def ring(self, *roles: str) -> None:
        """Never blocks, never fails."""
        with self._state:
            self._to_ring.update(roles)
        self._wake()

    def listen(self, role: str) -> BellListener:
        """Hear of a role's rings from now on."""
        listener = BellListener()
        with self._state:
            self._listeners[role] = listener
        self._wake()
        return listener

    def close(self) -> None:
        """Ring what is to be rung, if that can be done at once, and hear no more."""
        with self._state:
            self._closed = True
        if self._thread is not None:
            self._wake()
            self._thread.join(_LAST_SECONDS)
            atexit.unregister(self.close)
        for listener in self._listeners.values():
            listener.close()
        self._waker.close()
        self._woken.close()

    def _wake(self) -> None:
        with self._state:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="doorbells", daemon=True)
                self._thread.start()
                atexit.register(self.close)
        with contextlib.suppress(BlockingIOError):
            self._waker.send(b"!")

    # --- on the thread --------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closed:
            try:
                with self._connect() as connection:
                    connection.execute("SET synchronous_commit = off")
                    connection.add_notify_handler(self._heard)
                    self._serve(connection)
            except (psycopg.Error, QueueUnavailable):
                self._rest(_PAUSE_SECONDS)

    def _serve(self, connection: Connection[Any]) -> None:
        listening: set[str] = set()
        while True:
            with self._state:
                to_ring, self._to_ring = self._to_ring, set()
                fresh = self._listeners.keys() - listening
            for role in fresh:
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(_CHANNEL + role)))
                self._listeners[role].ring()  # what was rung before is not heard
            listening |= fresh
            try:
                for role in to_ring:
                    RawCursor(connection).execute("SELECT pg_notify($1, '')", [_CHANNEL + role])
            except psycopg.Error:
                with self._state:
                    self._to_ring |= to_ring  # by the next connection
                raise
            if self._closed:
                return
            line, woken = connection.fileno(), self._woken.fileno()
            readable, _, _ = select.select([line, woken], [], [], _SIGN_OF_LIFE_SECONDS)
            if woken in readable:
                self._rest(0)
            if line in readable:
                connection.pgconn.consume_input()
                while notice := connection.pgconn.notifies():
                    self._rung(notice.relname.decode())
            if not readable:
                connection.execute("SELECT 1")

    def _heard(self, notice: psycopg.Notify) -> None:
        self._rung(notice.channel)

    def _rung(self, channel: str) -> None:
        listener = self._listeners.get(channel.removeprefix(_CHANNEL))
        if listener is not None:
            listener.ring()

    def _rest(self, seconds: float) -> None:
        """Until somebody wakes us; takes note of it."""
        if select.select([self._woken], [], [], seconds)[0]:
            with contextlib.suppress(BlockingIOError):
                while True:
                    self._woken.recv(4096)


class BellListener:
    """See `home.Ear`."""

    def __init__(self) -> None:
        self._ringer, self._ear = _pair()

    def ring(self) -> None:
        """It was rung, or might have been."""
        with contextlib.suppress(OSError):  # full, so it has rung; or closed
            self._ringer.send(b"!")

    def fileno(self) -> int:
        """For `select` and its kin."""
        return self._ear.fileno()

    def clear(self) -> None:
        """Take note of all rings so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._ear.recv(4096)

    def close(self) -> None:
        """Hear no more."""
        self._ringer.close()
        self._ear.close()


class BellRope:
    """`ports.Doorbell` of some roles."""

    def __init__(self, bells: Bells, roles: tuple[str, ...]) -> None:
        self._bells, self._roles = bells, roles

    def ring(self) -> None:
        """New work is committed."""
        self._bells.ring(*self._roles)


def _pair() -> tuple[socket.socket, socket.socket]:
    pair = socket.socketpair()
    for one in pair:
        one.setblocking(False)
    return pair
