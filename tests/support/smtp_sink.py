"""The next hop: a small SMTP server that takes every mail and keeps it, envelope and content."""

from __future__ import annotations

import socketserver
import threading
from dataclasses import dataclass, field
from types import TracebackType

from support.places import wait_until
from support.secrecy import RUN


@dataclass(frozen=True)
class SunkMail:
    """One mail as the next hop got it."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes  # CR LF line ends, dots unstuffed


@dataclass
class SmtpSink:
    """Listens on a free loopback port while it is entered; `mails` grows as they come."""

    mails: list[SunkMail] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> SmtpSink:
        self._server = _Server(("127.0.0.1", 0), _Dialogue)
        self._server.sink = self
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def clear(self) -> None:
        """Forget what came so far."""
        self.mails.clear()

    def wait_for(self, count: int, seconds: float = 10.0) -> list[SunkMail]:
        """The mails, as soon as there are `count` of them."""
        wait_until(
            lambda: len(self.mails) >= count,
            f"{count} mails at the next hop, {len(self.mails)} came",
            seconds,
        )
        return list(self.mails)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    sink: SmtpSink


class _Dialogue(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self._reply("220 sink.example ESMTP")
        sender, recipients = "", []
        while line := self.rfile.readline():
            command = line.decode("utf-8", "surrogateescape").strip()
            verb = command[:4].upper()
            if verb == "MAIL":
                sender, recipients = _address(command), []
            elif verb == "RCPT":
                recipients.append(_address(command))
            elif verb == "DATA":
                self._reply("354 go ahead")
                data = self._content()
                if b"multipart/report" in data:  # other mails of ours carry texts to those whom they are for
                    RUN.saw("report", data.decode("utf-8", "replace"))
                self.server.sink.mails.append(SunkMail(sender, tuple(recipients), data))
            elif verb == "QUIT":
                self._reply("221 bye")
                return
            self._reply(
                "250-sink.example\r\n250-8BITMIME\r\n250 SMTPUTF8" if verb == "EHLO" else "250 2.0.0 ok"
            )

    def _content(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def _reply(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


def _address(command: str) -> str:
    return command.partition("<")[2].rpartition(">")[0]
