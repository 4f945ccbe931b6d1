"""Verifies passwords in a process of its own, which works while nobody else wants the CPU.

A hash is slow on purpose: guesses must cost those time who make them, not those who know their password. A
thread could not step aside so: it would keep Python's lock to itself while others wait for it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import time
from typing import NoReturn

from sms_milter.config.secrets import Verify

_LENGTHS = struct.Struct("!II")
_ANSWER = struct.Struct("!?d")  # whether it is the one; CPU seconds so far
_LEAST_NICE = 19
_MOST_OPEN = 65_536  # whatever the limit: at the start there are a few


class Aside:
    """`verify`, done by a process that is forked here, hence before the first thread. One caller at a time.

    The process ends with the one that made it. Should it be gone before, `verify` is done here.
    """

    def __init__(self, verify: Verify) -> None:
        self._verify = verify
        self._spent = 0.0
        self._there: socket.socket | None
        self._there, here = socket.socketpair()
        self.pid = os.fork()
        if not self.pid:
            _serve(here.detach(), verify)
        here.close()

    def __call__(self, password_hash: str, password: str) -> bool:
        """Whether `password` is the one that was hashed."""
        if self._there is not None:
            octets = [one.encode("utf-8", "surrogatepass") for one in (password_hash, password)]
            with contextlib.suppress(OSError):
                self._there.sendall(_LENGTHS.pack(*map(len, octets)) + b"".join(octets))
                if answer := _read(self._there, _ANSWER.size):
                    right, self._spent = _ANSWER.unpack(answer)
                    return bool(right)
            self.close()
        before = time.process_time()
        try:
            return self._verify(password_hash, password)
        finally:
            self._spent += time.process_time() - before

    def spent(self) -> float:
        """CPU seconds of all that was verified so far."""
        return self._spent

    def close(self) -> None:
        """End the process."""
        if self._there is not None:
            self._there.close()
            self._there = None
            os.waitpid(self.pid, 0)


def _serve(number: int, verify: Verify) -> NoReturn:
    """The process's life: it has nothing open but its socket."""
    code = 70  # EX_SOFTWARE
    try:
        os.closerange(3, number)
        os.closerange(number + 1, min(os.sysconf("SC_OPEN_MAX"), _MOST_OPEN))
        for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # for those who serve; we end with them
            signal.signal(one, signal.SIG_IGN)
        _step_aside()
        with socket.socket(fileno=number) as here:
            while head := _read(here, _LENGTHS.size):
                first, second = _LENGTHS.unpack(head)
                octets = _read(here, first + second)
                password_hash, password = (
                    one.decode("utf-8", "surrogatepass") for one in (octets[:first], octets[first:])
                )
                right = verify(password_hash, password)
                here.sendall(_ANSWER.pack(right, time.process_time()))
        code = 0
    except OSError:
        code = 0  # nobody is there any more
    finally:
        os._exit(code)


def _step_aside() -> None:
    """Where a sandbox forbids the one or the other, or the system has it not: then without."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _LEAST_NICE)
    if hasattr(os, "SCHED_IDLE"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _read(here: socket.socket, length: int) -> bytes:
    """So many octets, b"" at the end."""
    octets = bytearray()
    while len(octets) < length:
        more = here.recv(length - len(octets))
        if not more:
            return b""
        octets += more
    return bytes(octets)
