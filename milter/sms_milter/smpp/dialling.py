"""The way to an SMSC: names, addresses, TCP, and TLS where wanted."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

_CONNECT_SECONDS: Final = 10.0  # per address, and again for its TLS handshake


@dataclass(frozen=True, slots=True)
class Tls:
    """How to trust an SMSC, and what to show it. Certificate and name are always verified; TLS 1.2 or later.

    `ca_file`: "" for the system's authorities. `server_name`: "" for the host that we connect to.
    """

    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    server_name: str = ""

    def context(self) -> ssl.SSLContext:
        """Reads the files, so that renewed ones count from the next connection on. Raises OSError."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            if self.certificate_file:
                context.load_cert_chain(self.certificate_file, self.key_file or None)
        except OSError as error:
            files = ", ".join(filter(None, (self.ca_file, self.certificate_file, self.key_file)))
            raise OSError(f"cannot use the TLS files {files}: {reason(error)}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def connect(host: str, port: int, tls: Tls | None, timeout_seconds: float) -> socket.socket:
    """A non-blocking connection to the first address of `host` that takes it. Blocks meanwhile.

    Raises OSError whose text names every address tried and what was wrong with it.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise OSError(f"cannot resolve {host}: {error.strerror}") from error
    except UnicodeError as error:
        raise OSError(f"cannot resolve {host}: not a host name") from error
    context = tls.context() if tls else None
    failures = []
    for family, kind, protocol, _, address in found:
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(timeout_seconds)
            connection.connect(address)
            # Windows are written whole; Nagle's algorithm would only hold back the last of them.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls and context:
                connection = context.wrap_socket(connection, server_hostname=tls.server_name or host)
            connection.setblocking(False)
        except (OSError, ValueError) as error:  # ValueError: a server name that TLS cannot carry
            connection.close()
            failures.append(f"{_shown(address)}: {reason(error)}")
        else:
            return connection
    raise OSError("; ".join(failures))


def reason(error: OSError | ValueError) -> str:
    """What went wrong, in few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "timed out"
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__


def _shown(address: Sequence[object]) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"


class Dial:
    """One attempt to connect, on a thread of its own: names and handshakes may take their time.

    Of `hosts` the first that can be reached is taken; `wake` is called from that thread at the end. Once
    `done`, `connection` goes to `peer`, or is None and `failure` says why.
    """

    def __init__(
        self, hosts: Sequence[str], port: int, tls: Tls | None, wake: Callable[[], None], name: str
    ) -> None:
        self._hosts, self._port, self._tls = hosts, port, tls
        self._wake = wake
        self._lock = threading.Lock()
        self._abandoned = False
        self.done = False
        self.connection: socket.socket | None = None
        self.failure = "the connector failed"
        self.peer = ""
        threading.Thread(target=self._run, name=f"connect {name}", daemon=True).start()

    def _run(self) -> None:
        connection = None
        failures = []
        try:
            for host in self._hosts:
                self.peer = _shown((host, self._port))
                try:
                    connection = connect(host, self._port, self._tls, _CONNECT_SECONDS)
                    break
                except OSError as error:
                    failures.append(f"cannot connect to {self.peer}: {reason(error)}")
            self.failure = "; ".join(failures)
        finally:
            self._hand_over(connection)

    def _hand_over(self, connection: socket.socket | None) -> None:
        with self._lock:
            if self._abandoned:
                if connection is not None:
                    connection.close()
                return
            self.connection = connection
            self.done = True
        self._wake()

    def abandon(self) -> None:
        """Nobody waits for this any more."""
        with self._lock:
            self._abandoned = True
            if self.connection is not None:
                self.connection.close()
