"""A web service on loopback that answers as told and remembers what it was asked."""

from __future__ import annotations

import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Said:
    """An answer; with `silent_seconds` it waits so long first, with `cut` the connection ends without one,
    with `drip_seconds` each octet of it comes so long after the one before.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    silent_seconds: float = 0.0
    drip_seconds: float = 0.0
    cut: bool = False


class WebService:
    """Answers come from `answers`, one after the other, then from `answer`; both may change at any time."""

    def __init__(self, tls: tuple[Path, Path] | None = None) -> None:
        """`tls`: certificate and key."""
        self.asked: list[Asked] = []
        self.answers: deque[Said] = deque()
        self.answer: Callable[[Asked], Said] = lambda _: Said()
        self.stopping = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                service._hear(self, self.rfile.read(length))

            do_GET = do_POST

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                pass  # a client that hangs up is part of the tests

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def _hear(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        asked = Asked(handler.command, handler.path, dict(handler.headers.items()), body, time.time())
        self.asked.append(asked)
        said = self.answers.popleft() if self.answers else self.answer(asked)
        self.stopping.wait(said.silent_seconds)
        handler.close_connection = True
        if said.cut:
            return
        handler.send_response(said.status)
        for name, value in {"Content-Length": str(len(said.body)), **said.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if not said.drip_seconds:
            handler.wfile.write(said.body)
            return
        for octet in said.body:
            handler.wfile.write(bytes((octet,)))
            if self.stopping.wait(said.drip_seconds):
                return

    def __enter__(self) -> WebService:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
