"""The outlet `http`: what the service gets, and what its answers mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from sms_milter.channels.endpoint import Endpoint
from sms_milter.channels.errand import identity
from sms_milter.config.schema import HttpChannel
from sms_milter.errors import NoAnswer, NotSent
from sms_milter.model import Handed, PartState, WebAnswer
from unit.channels.parts import part


@dataclass
class Service:
    """A `ports.Web` that answers as told."""

    answer: WebAnswer | Exception = field(default_factory=lambda: WebAnswer(200, "OK", b""))
    asked: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)

    def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> WebAnswer:
        assert headers is not None
        assert body is not None
        self.asked.append((method, url, headers, body))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def handed(answer: WebAnswer | Exception, *, call_back: bool = True) -> Handed:
    settings = HttpChannel(outlet="http", url="http://voice.example/calls", call_back=call_back)
    return Endpoint(settings, Service(answer)).hand(part())


def test_the_service_gets_the_errand_as_json() -> None:
    service = Service()
    endpoint = Endpoint(HttpChannel(outlet="http", url="http://voice.example/calls"), service)
    one = part(text="Ночь & день", fields=(("voice", "w"),), reference="279")
    endpoint.hand(one)
    ((method, url, headers, body),) = service.asked
    assert (method, url) == ("POST", "http://voice.example/calls")
    assert headers == {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Idempotency-Key": f'"{identity(one)}"',
    }
    assert json.loads(body) == {
        "id": identity(one),
        "channel": "voice",
        "destination": "447973100000",
        "originator": "ACME",
        "text": "Ночь & день",
        "fields": {"voice": "w"},
        "reference": "279",
        "account": "acme",
        "received_at": "2023-11-14T22:13:20Z",
        "expires_at": "2023-11-14T23:13:20Z",
    }


@pytest.mark.parametrize(
    ("field_name", "shown"), [("Authorization", "Bearer s3cret"), ("X-Api-Key", "s3cret")]
)
def test_the_token_goes_with_it(field_name: str, shown: str) -> None:
    service = Service()
    settings = HttpChannel(outlet="http", url="http://v.example/", token="s3cret", token_header=field_name)
    Endpoint(settings, service).hand(part())
    assert service.asked[0][2][field_name] == shown
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"id": "call-1"}', "call-1"),
        (b'{"id": 4711, "more": []}', "4711"),
        (b"", identity(part())),
        (b"OK", identity(part())),
        (b'{"id": null}', identity(part())),
        (b'{"id": true}', identity(part())),
        (b'{"id": ["x"]}', identity(part())),
        (b'["id"]', identity(part())),
        (b'{"id": "a\\nb"}', identity(part())),
        (b'{"id": "' + b"x" * 101 + b'"}', identity(part())),
        (b"[" * 60_000, identity(part())),
        (b"\xff", identity(part())),
    ],
)
def test_what_is_taken_is_known_by_the_services_id_or_else_by_ours(body: bytes, name: str) -> None:
    found = handed(WebAnswer(202, "Accepted", body))
    assert (found.state, found.outlet_id, found.key) == (PartState.ACCEPTED, name, name)


def test_where_nobody_calls_back_there_is_no_key_to_wait_for() -> None:
    assert handed(WebAnswer(200, "OK", b'{"id": "a"}'), call_back=False).key == ""


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 451, 499])
def test_4xx_is_for_good(status: int) -> None:
    found = handed(WebAnswer(status, "No", b""))
    assert (found.state, found.why) == (PartState.FAILED, f"HTTP {status} No")


@pytest.mark.parametrize("status", [408, 425, 500, 502, 504, 599])
def test_408_425_and_5xx_are_for_this_errand_later(status: int) -> None:
    found = handed(WebAnswer(status, "Later", b""))
    assert (found.state, found.closed, found.pause_seconds) == (PartState.QUEUED, False, 0)


@pytest.mark.parametrize("status", [429, 503, 302])
def test_429_503_and_redirects_close_the_outlet(status: int) -> None:
    found = handed(WebAnswer(status, "", b"", retry_after="120"))
    assert (found.state, found.closed, found.pause_seconds) == (PartState.QUEUED, True, 120)
    assert found.why == f"HTTP {status}"


def test_a_date_in_retry_after_is_passed_over() -> None:
    found = handed(WebAnswer(503, "", b"", retry_after="Wed, 21 Oct 2026 07:28:00 GMT"))
    assert (found.closed, found.pause_seconds) == (True, 0)


def test_what_was_not_sent_waits_for_the_service() -> None:
    found = handed(NotSent("voice.example:80: refused"))
    assert (found.state, found.closed, found.why) == (PartState.QUEUED, True, "voice.example:80: refused")


def test_without_an_answer_it_is_in_doubt_under_our_id() -> None:
    found = handed(NoAnswer("no answer in time"))
    assert (found.state, found.key) == (PartState.UNCERTAIN, identity(part()))


def test_what_is_no_errand_is_not_sent() -> None:
    service = Service()
    found = Endpoint(HttpChannel(outlet="http", url="http://v.example/"), service).hand(part(body=b"\x00"))
    assert (found.state, service.asked) == (PartState.FAILED, [])
