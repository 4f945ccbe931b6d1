"""Channels other than SMS: SMSCentre requests through a real Postfix to a web service, to the MTA, and to an
SMSC written by others.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from itertools import count
from typing import Any

import pytest

from sms_milter.config.secrets import hash_password
from support.host import Host
from support.places import accepts, free_port, wait_until
from support.requirements import missing
from support.smtp_dialogue import SmtpDialogue
from support.web_service import Asked, Said, WebService

pytestmark = [pytest.mark.mta, pytest.mark.smsc]

NUMBERS = count()


@dataclass
class Rig:
    """A host with a web service beside it."""

    host: Host
    service: WebService
    callbacks: int

    def request(self, options: str, target: str, parameters: str = "") -> str:
        """The last reply of the MTA to a mail with a request in it."""
        client = SmtpDialogue(self.host.port)
        client.greet(as_client="192.0.2.10")
        body = f"Message-ID: <{next(NUMBERS)}@customer.example>\r\n\r\nalex:123:::{options}:{target}\r\n"
        *_, last = client.mail(
            "bob@customer.example", ["send@sms.example.com"], body.encode(), recipient_parameters=parameters
        )
        client.close()
        return last

    def asked(self, count: int) -> list[Asked]:
        """What the web service was asked, as soon as it was so often."""
        wait_until(lambda: len(self.service.asked) >= count, f"{count} requests", 20)
        return self.service.asked

    def call_back(self, token: str = "call-us", place: str = "/channels/voice", **said: Any) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.callbacks, timeout=30)
        connection.request("POST", place, json.dumps(said), {"Authorization": f"Bearer {token}"})
        status = connection.getresponse().status
        connection.close()
        return status

    def states(self) -> dict[str, str]:
        """Of each destination, the state of its newest part."""
        parts = json.loads(self.host.service.command("queue", "list", "--json"))
        return {part["destination"]: part["state"] for part in reversed(parts)}

    def wait_for(self, destination: str, state: str) -> None:
        wait_until(lambda: self.states().get(destination) == state, f"{destination} {state}", 20)


@pytest.fixture
def rig() -> Iterator[Rig]:
    if why := missing("postfix"):
        pytest.skip(why)
    port = free_port()
    with WebService() as service:
        settings = {
            "domains": {"sms.example.com": {"dialect": "smscentre"}},
            "accounts": {
                "alex": {
                    "require": ["password"],
                    "logins": {"login": "alex"},
                    "password_hash": hash_password("123"),
                    "default_originator": "Info",
                    "mail_from_allowed": ["@acme.example"],
                }
            },
            "routes": {"default": [{"to": "*", "via": ["primary"]}]},
            "channels": {
                "voice": {
                    "outlet": "http",
                    "url": f"{service.url}/calls",
                    "token": "it-is-us",
                    "call_back": True,
                    "timeout": "5s",
                },
                "email": {"outlet": "email"},
                "hlr": {
                    "outlet": "smpp",
                    "service_type": "HLR",
                    "protocol_id": 0x7F,
                    "tlvs": {"0x1400": "0102"},
                },
            },
            "callbacks": {"listen": f"127.0.0.1:{port}", "token": "call-us"},
            "reports": {"from": "postmaster@sms.example.com"},
        }
        with Host(settings=settings) as host:
            host.service.configuration["reports"]["submit_to"] = f"127.0.0.1:{host.postfix.ports['report']}"
            host.start()
            yield Rig(host, service, port)


def test_a_call_is_tried_until_it_is_taken_and_settled_by_a_call_back(rig: Rig) -> None:
    rig.service.answers += [Said(503), Said(202, b'{"id": "call-1"}')]
    told = " NOTIFY=SUCCESS,FAILURE"
    assert rig.request(",9", "79161112233:Wake up\r\nvoice:w", told).startswith("250")
    first, second = rig.asked(2)
    assert (first.path, first.headers["Authorization"]) == ("/calls", "Bearer it-is-us")
    assert first.body == second.body
    assert second.at - first.at >= 0.9
    said = json.loads(second.body)
    assert (said["channel"], said["destination"], said["originator"]) == ("voice", "79161112233", "Info")
    assert (said["text"], said["account"], said["fields"]["voice"]) == ("Wake up", "alex", "w")
    rig.wait_for("79161112233", "accepted")

    assert rig.call_back(id="call-1", status="pending") == 204
    assert rig.states()["79161112233"] == "accepted"
    assert rig.call_back(id="call-1", status="delivered", at="2026-01-01T00:00:00Z") == 204
    assert rig.states()["79161112233"] == "delivered"
    (report,) = rig.host.sink.wait_for(1)
    assert report.recipients == ("bob@customer.example",)
    mail = message_from_bytes(report.data, policy=default)
    assert mail["Subject"] == "Delivery Status Notification (Delivered)"
    assert "Action: delivered" in report.data.decode()
    assert "outlet=channel:voice, id=call-1, status=delivered" in rig.host.service.log
    assert "Wake up" not in rig.host.service.log
    assert "it-is-us" not in rig.host.service.log


def test_what_the_service_will_never_take_has_failed_and_is_told(rig: Rig) -> None:
    rig.service.answers.append(Said(422))
    assert rig.request(",9", "79161112233:Wake up").startswith("250")
    rig.wait_for("79161112233", "failed")
    (report,) = rig.host.sink.wait_for(1)
    assert "Action: failed" in report.data.decode()
    assert len(rig.service.asked) == 1


def test_a_call_back_that_fails_is_told_as_a_failure(rig: Rig) -> None:
    assert rig.request("", "79161112233:__CALL__: Wake up", " NOTIFY=FAILURE").startswith("250")
    (asked,) = rig.asked(1)
    rig.wait_for("79161112233", "accepted")
    # The service gave no id of its own.
    assert rig.call_back(id=json.loads(asked.body)["id"], status="failed", error="240") == 204
    assert rig.states()["79161112233"] == "failed"
    (report,) = rig.host.sink.wait_for(1)
    assert "Action: failed" in report.data.decode()


def test_who_has_no_token_settles_nothing(rig: Rig) -> None:
    assert rig.call_back(token="guessed", id="x", status="delivered") == 401
    assert rig.call_back(place="/channels/viber", id="x", status="delivered") == 404
    assert rig.call_back(id="x") == 400


def test_what_was_in_hand_when_the_courier_was_killed_goes_once_more_with_the_same_id(rig: Rig) -> None:
    rig.service.answers.append(Said(silent_seconds=3))
    assert rig.request(",9", "79161112233:Wake up").startswith("250")
    rig.asked(1)
    assert rig.states()["79161112233"] == "submitting"
    rig.host.service.kill("courier")
    first, second = rig.asked(2)
    assert json.loads(first.body)["id"] == json.loads(second.body)["id"]
    rig.wait_for("79161112233", "accepted")
    assert "the courier died before the answer" in rig.host.service.log


def test_a_reload_loses_no_call_back_and_no_errand(rig: Rig) -> None:
    rig.service.answers.append(Said(202, b'{"id": "slow"}', silent_seconds=2))
    assert rig.request(",9", "79161112233:Wake up").startswith("250")
    rig.asked(1)
    rig.host.service.configure({"channels": {"voice": {"concurrency": 2}}})
    rig.host.service.reload()
    assert rig.call_back(id="slow", status="delivered") == 204
    rig.wait_for("79161112233", "delivered")
    assert rig.request(",9", "79161112234:Wake up").startswith("250")
    rig.wait_for("79161112234", "accepted")
    assert len(rig.service.asked) == 2


def test_a_reload_moves_the_place_of_call_backs(rig: Rig) -> None:
    assert rig.call_back(token="guessed", id="x", status="delivered") == 401
    before, rig.callbacks = rig.callbacks, free_port()
    rig.host.service.configure({"callbacks": {"listen": f"127.0.0.1:{rig.callbacks}"}})
    rig.host.service.reload()
    wait_until(lambda: accepts(rig.callbacks) and not accepts(before), "the new place instead of the old")
    assert rig.call_back(id="x", status="delivered") == 204
    rig.host.service.configure({"channels": {"voice": {"call_back": False}}})
    rig.host.service.reload()
    wait_until(lambda: not accepts(rig.callbacks), "nobody to listen where nobody calls")


def test_a_message_by_mail_is_a_mail_from_whom_it_names(rig: Rig) -> None:
    target = "ann@elsewhere.example:Good news\r\nsubj:Hello Ann"
    assert rig.request(",8,info@acme.example", target).startswith("250")
    (sunk,) = rig.host.sink.wait_for(1)
    assert (sunk.sender, sunk.recipients) == ("info@acme.example", ("ann@elsewhere.example",))
    mail = message_from_bytes(sunk.data, policy=default)
    assert (mail["From"], mail["To"]) == ("info@acme.example", "ann@elsewhere.example")
    assert (mail["Subject"], mail.get_content().strip()) == ("Hello Ann", "Good news")
    rig.wait_for("ann@elsewhere.example", "accepted")


def test_nobody_writes_as_others(rig: Rig) -> None:
    target = "ann@elsewhere.example:Good news\r\nsubj:Hello"
    assert rig.request(",8,info@other.example", target).startswith("550 5.7.1 ERROR = 6 ")


def test_a_look_up_is_a_submit_sm_with_marks(rig: Rig) -> None:
    assert rig.request(",3", "79161112233:").startswith("250")
    (submitted,) = rig.host.smsc.wait_for(1)
    assert submitted.destination == "79161112233"
    assert (submitted.fields["service_type"], submitted.fields["protocol_id"]) == ("HLR", 0x7F)
    assert submitted.short_message == b""
    rig.wait_for("79161112233", "delivered")


def test_a_format_without_a_channel_is_refused_as_documented(rig: Rig) -> None:
    for options, text in ((",10", "hi"), (",12", "hi"), (",7", "hi"), ("", "__BOT__: hi")):
        reply = rig.request(options, f"79161112233:{text}")
        assert reply == "554 5.3.3 ERROR = 1 (parameters error)", text
