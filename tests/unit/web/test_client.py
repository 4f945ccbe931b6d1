"""Asking a web service, over real sockets: what arrived, what certainly did not, and how long it may take."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sms_milter.errors import NoAnswer, NotSent
from sms_milter.web.client import WebClient, is_public
from support.places import make_certificate
from support.web_service import Said, WebService


@pytest.fixture
def service() -> Iterator[WebService]:
    with WebService() as one:
        yield one


def client(timeout_seconds: float = 5.0) -> WebClient:
    return WebClient(timeout_seconds=timeout_seconds, private=True)


def test_a_request_arrives_as_it_was_made(service: WebService) -> None:
    service.answer = lambda _: Said(202, b'{"id": "a"}')
    answer = client().ask("POST", f"{service.url}/calls?x=1", {"X-Api-Key": "k"}, b"{}")
    assert (answer.status, answer.reason, answer.body) == (202, "Accepted", b'{"id": "a"}')
    (asked,) = service.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/calls?x=1", b"{}")
    assert asked.headers["X-Api-Key"] == "k"
    assert asked.headers["Host"] == f"127.0.0.1:{service.port}"
    assert asked.headers["Connection"] == "close"
    assert asked.headers["User-Agent"] == "sms-milter"


def test_a_request_may_have_no_body(service: WebService) -> None:
    assert client().ask("GET", service.url).status == 200
    assert (service.asked[0].method, service.asked[0].path) == ("GET", "/")
    assert "Content-Length" not in service.asked[0].headers


@pytest.mark.parametrize("status", [302, 404, 503])
def test_every_status_is_an_answer_and_redirects_are_not_followed(service: WebService, status: int) -> None:
    service.answer = lambda _: Said(status, headers={"Location": "/other", "Retry-After": "7"})
    answer = client().ask("POST", service.url, body=b"")
    assert (answer.status, answer.retry_after) == (status, "7")
    assert len(service.asked) == 1


def test_of_an_endless_answer_only_the_beginning_is_read(service: WebService) -> None:
    service.answer = lambda _: Said(body=b"x" * 1_000_000)
    assert len(client().ask("GET", service.url).body) == 64 * 1024


def test_what_nobody_listens_to_was_not_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(NotSent, match="refused"):
            client().ask("POST", f"http://127.0.0.1:{unused.getsockname()[1]}/", body=b"")


def test_a_host_without_an_address_was_not_asked() -> None:
    with pytest.raises(NotSent, match=r"nowhere\.invalid"):
        client().ask("GET", "http://nowhere.invalid/")


def test_no_answer_in_time_leaves_doubt(service: WebService) -> None:
    service.answer = lambda _: Said(silent_seconds=30)
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="in time"):
        client(0.3).ask("POST", service.url, body=b"x")
    assert time.monotonic() - began < 20
    assert service.asked[0].body == b"x"


def test_an_answer_that_drips_is_cut_off_in_time(service: WebService) -> None:
    service.answer = lambda _: Said(body=b"x" * 1000, drip_seconds=0.1)
    began = time.monotonic()
    answer = client(0.5).ask("GET", service.url)
    assert time.monotonic() - began < 20
    assert answer.status == 200
    assert 0 < len(answer.body) < 100


def test_a_head_that_drips_is_cut_off_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        over = threading.Event()

        def drip() -> None:
            taken, _ = listening.accept()
            with taken, contextlib.suppress(OSError):
                while not over.wait(0.1):
                    taken.sendall(b"H")

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        with pytest.raises(NoAnswer, match="in time"):
            client(0.5).ask("GET", f"http://127.0.0.1:{listening.getsockname()[1]}/")
        assert time.monotonic() - began < 20
        over.set()
        thread.join()


def test_a_connection_that_ends_without_an_answer_leaves_doubt(service: WebService) -> None:
    service.answer = lambda _: Said(cut=True)
    with pytest.raises(NoAnswer):
        client().ask("POST", service.url, body=b"x")


def test_an_answer_that_is_no_http_leaves_doubt() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        listening.settimeout(30)

        def babble() -> None:
            taken, _ = listening.accept()
            with taken:
                taken.recv(4096)
                taken.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=babble)
        thread.start()
        with pytest.raises(NoAnswer):
            client().ask("GET", url)
        thread.join()


def test_tls_needs_a_service_that_speaks_it(service: WebService) -> None:
    with pytest.raises(NotSent):
        client().ask("GET", service.url.replace("http:", "https:"))


def test_tls_needs_a_certificate_that_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = make_certificate(tmp_path)
    with WebService(tls=(certificate, key)) as service:
        with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
            client().ask("POST", service.url, body=b"x")
        assert service.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert client().ask("POST", service.url, body=b"x").status == 200
        assert service.asked[0].body == b"x"
        assert service.asked[0].headers["Host"] == f"127.0.0.1:{service.port}"


def test_a_tls_service_that_is_silent_is_cut_off_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with WebService(tls=(certificate, key)) as service:
        service.answer = lambda _: Said(silent_seconds=30)
        began = time.monotonic()
        with pytest.raises(NoAnswer, match="in time"):
            client(0.5).ask("POST", service.url, body=b"x")
        assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "http:///x",
        "http://user:password@127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1/a b\r\nX: y",
        "http://127.0.0.1\n/",
        "",
    ],
)
def test_what_is_no_url_is_not_sent(url: str) -> None:
    with pytest.raises(NotSent):
        client().ask("GET", url)


def test_a_line_end_in_a_field_is_not_sent(service: WebService) -> None:
    with pytest.raises(NotSent, match="no request"):
        client().ask("GET", service.url, {"X-Key": "a\r\nB: c"})
    assert not service.asked


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1"])
def test_where_strangers_choose_the_url_nothing_private_is_asked(service: WebService, host: str) -> None:
    with pytest.raises(NotSent):
        WebClient(timeout_seconds=1).ask("GET", f"http://{host}:{service.port}/")
    assert not service.asked


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("10.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("239.1.1.1", False),
        ("::1", False),
        ("fe80::1%lo", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_which_addresses_are_in_the_public_internet(address: str, public: bool) -> None:
    assert is_public(address) is public
