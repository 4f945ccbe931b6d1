"""The listener for call-backs, over real sockets."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from sms_milter.web.listener import Listener
from support.gate import Lines


@dataclass
class Ear:
    """What the listener gives its calls to."""

    port: int = 0
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    lines: Lines = field(default_factory=Lines)
    breaks: bool = False

    def hear(self, path: str, octets: bytes) -> tuple[int, str]:
        self.heard.append((path, octets))
        if self.breaks:
            raise RuntimeError("text of a call-back")
        return (204, "") if octets != b"bad" else (400, "expected `id`")

    def post(
        self, body: bytes = b"{}", token: str | None = "Bearer right", method: str = "POST", **more: str
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": token} if token is not None else {}
        connection.request(method, "/channels/voice", body, headers | more)
        response = connection.getresponse()
        found = response.status, response.read()
        connection.close()
        return found


@pytest.fixture
def ear() -> Iterator[Ear]:
    one = Ear()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        one.port = listening.getsockname()[1]
        listener = Listener(listening, "right", one.hear, one.lines)  # type: ignore[arg-type]
        listener.start()
        yield one
        listener.stop()


def test_a_post_with_the_token_is_heard(ear: Ear) -> None:
    assert ear.post(b'{"id": 1}') == (204, b"")
    assert ear.heard == [("/channels/voice", b'{"id": 1}')]
    assert ear.post(b"bad") == (400, b"expected `id`\n")


@pytest.mark.parametrize(
    "token", [None, "", "right", "Bearer", "Bearer wrong", "Basic right", "Bearer rigt\xfe"]
)
def test_without_the_right_token_nothing_is_heard(ear: Ear, token: str | None) -> None:
    assert ear.post(token=token)[0] == 401
    assert ear.heard == []


def test_the_word_bearer_is_written_as_anybody_likes(ear: Ear) -> None:
    assert ear.post(token="bearer right")[0] == 204


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_other_methods_are_not_known(ear: Ear, method: str) -> None:
    assert ear.post(method=method)[0] == 501
    assert ear.heard == []


def test_a_body_has_a_length_and_an_end(ear: Ear) -> None:
    assert ear.post(b"x" * 70_000)[0] == 413
    with socket.create_connection(("127.0.0.1", ear.port)) as raw:
        raw.sendall(b"POST /channels/voice HTTP/1.1\r\nAuthorization: Bearer right\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 411 ")
    with socket.create_connection(("127.0.0.1", ear.port)) as raw:
        raw.sendall(b"POST / HTTP/1.1\r\nAuthorization: Bearer right\r\nContent-Length: 10\r\n\r\nabc")
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(100) == b""
    assert ear.heard == []


def test_what_is_no_http_is_refused(ear: Ear) -> None:
    with socket.create_connection(("127.0.0.1", ear.port)) as raw:
        raw.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert raw.recv(1000).startswith(b"Bad ")
    assert ear.post()[0] == 204


def test_one_that_breaks_stops_no_other(ear: Ear) -> None:
    ear.breaks = True
    with contextlib.suppress(http.client.RemoteDisconnected):
        ear.post()
    ear.breaks = False
    assert ear.post()[0] == 204
    assert "RuntimeError at" in ear.lines.text
    assert "text of a call-back" not in ear.lines.text


def test_many_that_say_nothing_are_borne(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sms_milter.web.listener._REQUEST_SECONDS", 0.5)
    idle = [socket.create_connection(("127.0.0.1", ear.port)) for _ in range(12)]
    began = time.monotonic()
    assert ear.post()[0] == 204
    assert time.monotonic() - began < 10
    for one in idle:
        one.close()


def test_calls_at_the_same_time_are_all_heard(ear: Ear) -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(ear.post()[0])) for _ in range(30)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [204] * 30
    assert len(ear.heard) == 30
