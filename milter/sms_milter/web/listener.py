"""Listens for what web services post: HTTP on a socket that is open already. A door to http.server."""

from __future__ import annotations

import hmac
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from sms_milter.logline import place
from sms_milter.ports import Journal
from sms_milter.web.deadline import until

_AT_ONCE = 8
_REQUEST_SECONDS = 15.0
_MOST_OCTETS = 64 * 1024
_SCHEME = "bearer "

Hear = Callable[[str, bytes], tuple[int, str]]


class Listener:
    """Gives every POST with the right token to `hear`: path and body in, HTTP status and words out."""

    def __init__(self, listening: socket.socket, token: str, hear: Hear, journal: Journal) -> None:
        self._server = _Server(listening, token, hear, journal)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.2,), name="callbacks", daemon=True
        )

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests; those under way are answered first."""
        self._server.shutdown()
        self._thread.join()
        self._server.pool.shutdown()


class _Server(HTTPServer):
    """Requests are answered by few threads; what comes beyond that waits in the socket's backlog."""

    def __init__(self, listening: socket.socket, token: str, hear: Hear, journal: Journal) -> None:
        super().__init__(("", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.wanted = token.encode()
        self.hear, self.journal = hear, journal
        self.pool = ThreadPoolExecutor(_AT_ONCE, "callback")
        self._slots = threading.BoundedSemaphore(_AT_ONCE)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._slots.acquire()
        self.pool.submit(self._answer, request, client_address)

    def _answer(self, request: socket.socket, client_address: Any) -> None:
        try:
            with until(time.monotonic() + _REQUEST_SECONDS, request):
                self.finish_request(request, client_address)
        except OSError:
            pass  # the client went away
        except Exception:  # noqa: BLE001 -- one request must not stop the others
            self.journal.error(f"a call-back ended in {place()}")
        finally:
            self.shutdown_request(request)
            self._slots.release()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "sms-milter", ""
    timeout = _REQUEST_SECONDS

    def do_POST(self) -> None:
        """One call-back."""
        self.close_connection = True
        given = self.headers.get("Authorization", "")
        token = given[len(_SCHEME) :].strip() if given.lower().startswith(_SCHEME) else ""
        if not hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self.server.wanted):
            self._say(401, "the token is wrong")
            return
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            self._say(411, "expected Content-Length")
        elif len(length) > 9 or int(length) > _MOST_OCTETS:
            self._say(413, f"at most {_MOST_OCTETS} octets")
        else:
            octets = self.rfile.read(int(length))
            if len(octets) == int(length):
                self._say(*self.server.hear(self.path, octets))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server refuses itself: as plain as what we do."""
        del explain
        self.close_connection = True
        self._say(int(code), message or "")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what matters, the log is told elsewhere."""

    def _say(self, status: int, words: str) -> None:
        octets = f"{words}\n".encode() if words else b""
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        if octets:
            self.send_header("Content-Type", "text/plain; charset=utf-8")
        if status != 204:
            self.send_header("Content-Length", str(len(octets)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(octets)
