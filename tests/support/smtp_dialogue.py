"""A bare SMTP client that says what it is told, octet by octet, and hands back each reply whole."""

from __future__ import annotations

import re
import socket
import ssl
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support.secrecy import RUN

_TIMEOUT_SECONDS = 30.0


@dataclass
class SmtpDialogue:
    """A connection to `address`:`port`, from the address `source` if given."""

    port: int
    address: str = "127.0.0.1"
    source: str = ""
    transcript: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        source = (self.source, 0) if self.source else None
        self._socket = socket.create_connection((self.address, self.port), _TIMEOUT_SECONDS, source)
        self._file = self._socket.makefile("rb")

    def greet(self, *, as_client: str = "", login: str = "") -> None:
        """Read the greeting, play another client by XCLIENT (Postfix) when asked to, and say EHLO."""
        self._expect_ok(None)
        if as_client:
            self._expect_ok("EHLO tests.example")
            address = f"IPV6:{as_client}" if ":" in as_client else as_client
            self._expect_ok(
                f"XCLIENT NAME=[UNAVAILABLE] ADDR={address}" + (f" LOGIN={login}" if login else "")
            )
        self._expect_ok("EHLO tests.example")

    def mail(
        self,
        sender: str,
        recipients: Sequence[str],
        data: bytes,
        parameters: str = "",
        recipient_parameters: str = "",
    ) -> list[str]:
        """One mail; the replies to MAIL, every RCPT, and DATA or the final dot, whichever came last.

        A recipient that has its own angle brackets is sent as it stands.
        """
        replies = [self.say(f"MAIL FROM:<{sender}>{parameters}")]
        for recipient in recipients:
            path = recipient if recipient.startswith("<") else f"<{recipient}>"
            replies.append(self.say(f"RCPT TO:{path}{recipient_parameters}"))
        last = self.say("DATA")
        if last.startswith("354"):
            self.send(stuffed(data) + b".\r\n")
            last = self.reply()
        return [*replies, last]

    def say(self, command: str) -> str:
        """One command and its reply."""
        self.send(command.encode("utf-8", "surrogateescape") + b"\r\n")
        return self.reply()

    def send(self, octets: bytes) -> None:
        """These octets, in one piece."""
        RUN.said(octets)
        self.transcript.append(f"C: {octets!r}"[:200])
        self._socket.sendall(octets)

    def reply(self) -> str:
        """The next reply: all of its lines joined by a line feed; "closed" when the server has hung up."""
        lines = []
        while True:
            try:
                line = self._file.readline()
            except ConnectionResetError:
                line = b""
            if not line:
                self.transcript.append("S: closed")
                return "closed"
            lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
            if not re.match(rb"\d{3}-", line):
                break
        self.transcript.append(f"S: {' | '.join(lines)}")
        RUN.saw("reply", "\n".join(lines))
        return "\n".join(lines)

    def start_tls(self, certificate: Path | None = None) -> None:
        """The handshake after the server's reply to STARTTLS; the server's certificate is not looked at, ours
        (with its key in the same file) is shown when it asks.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if certificate is not None:
            context.load_cert_chain(certificate)
        self._file.close()
        self._socket = context.wrap_socket(self._socket)
        self._file = self._socket.makefile("rb")

    def vanish(self) -> None:
        """Be gone at once, without a word: the connection is reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()

    def _expect_ok(self, command: str | None) -> None:
        answer = self.reply() if command is None else self.say(command)
        assert answer.startswith("2"), f"{command or 'connect'}: {answer}"


def stuffed(data: bytes) -> bytes:
    """A mail's octets as they go over the wire: ended by CR LF, leading dots doubled."""
    if data and not data.endswith(b"\r\n"):
        data += b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", data)
