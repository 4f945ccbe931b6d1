"""What systemd is told of the service (sd_notify(3)): ready, reloading, stopping, its state, that it lives.

Knows nothing of what the service does. Started by anything else than systemd, it tells nobody.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import MutableMapping


class ServiceManager:
    """The datagram socket of whoever started us, at `address`; "" is nobody.

    It wants to hear `alive` at least every `watchdog_seconds`; 0 means that it does not listen for that.
    """

    def __init__(self, address: str = "", watchdog_seconds: float = 0.0) -> None:
        self.watchdog_seconds = watchdog_seconds if address else 0.0
        self._address, self._status = address, ""
        self._socket: socket.socket | None = None
        if address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            # sd_notify(3): an initial @ stands for the zero octet of an abstract address.
            self._socket.connect("\0" + address[1:] if address.startswith("@") else address)

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str]) -> ServiceManager:
        """As NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID say, which are taken out: they are no business of
        what we start. Raises OSError when that socket cannot be reached.
        """
        address = environment.pop("NOTIFY_SOCKET", "")
        microseconds = environment.pop("WATCHDOG_USEC", "0")
        ours = environment.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        return cls(address, int(microseconds) / 1e6 if ours and microseconds.isdigit() else 0.0)

    @property
    def environment(self) -> dict[str, str]:
        """What `from_environment` took, for the program that takes our place in this process."""
        if not self._address:
            return {}
        watchdog = {
            "WATCHDOG_USEC": str(round(self.watchdog_seconds * 1e6)),
            "WATCHDOG_PID": str(os.getpid()),
        }
        return {"NOTIFY_SOCKET": self._address, **(watchdog if self.watchdog_seconds else {})}

    def ready(self) -> None:
        """The start, or a reload, is done."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """A reload begins; `ready` ends it."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The service ends."""
        self._tell("STOPPING=1")

    def status(self, words: str) -> None:
        """What `systemctl status` shows as Status; told when it changes."""
        if words != self._status:
            self._status = words
            self._tell(f"STATUS={words}")

    def alive(self) -> None:
        """All is well; without this for `watchdog_seconds` the service is killed and started again."""
        if self.watchdog_seconds:
            self._tell("WATCHDOG=1")

    def close(self) -> None:
        """Tell nothing any more."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _tell(self, state: str) -> None:
        # It waits while the manager is busy: a lost READY would leave the unit starting for ever.
        if self._socket is not None:
            self._socket.send(state.encode())
