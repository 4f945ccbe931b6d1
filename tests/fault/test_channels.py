"""kill -9 of the courier while a web service thinks: nothing is lost, and what may come twice is known."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter

import pytest

from support.host import Host
from support.places import wait_until
from support.smtp_dialogue import SmtpDialogue
from support.web_service import Said, WebService

pytestmark = [pytest.mark.mta, pytest.mark.smsc, pytest.mark.slow]

CALLS = 120
KEY = "sha256:" + hashlib.sha256(b"key").hexdigest()
KILLS = 4


def test_a_courier_that_is_killed_loses_nothing_and_doubles_only_what_was_in_doubt() -> None:
    with WebService() as service:
        service.answer = lambda _: Said(202, silent_seconds=0.2)
        settings = {
            "domains": {"sms.example.com": {"dialect": "smscentre"}},
            "accounts": {"alex": {"require": ["password"], "api_keys": [KEY]}},
            "routes": {"default": [{"to": "*", "via": ["primary"]}]},
            "channels": {"voice": {"outlet": "http", "url": service.url}},
        }
        with Host(settings=settings) as host:
            host.start()
            numbers = {f"7916{number:07}" for number in range(CALLS)}
            ask_for_calls(host, numbers)
            for _ in range(KILLS):
                time.sleep(0.6)
                host.service.kill("courier")
            wait_until(lambda: not host.service.backlog(), "an empty backlog", 60)
            asked = [json.loads(one.body) for one in service.asked]
            ids = {(one["destination"], one["id"]) for one in asked}
            assert len(ids) == len({name for name, _ in ids})  # the same id, whatever happened
            times = Counter(one["destination"] for one in asked)
            assert numbers - times.keys() <= host.in_doubt()  # killed twice before it could leave
            twice = {name for name, count in times.items() if count > 1}
            assert twice <= host.in_doubt()
            assert host.in_doubt(), "the kills came when nothing was under way"
            assert max(times.values()) <= 2


def ask_for_calls(host: Host, numbers: set[str]) -> None:
    client = SmtpDialogue(host.port)
    client.greet(as_client="192.0.2.10")
    body = f"\r\n:key:::,9:{','.join(sorted(numbers))}:Wake up\r\n"
    *_, last = client.mail("bob@customer.example", ["send@sms.example.com"], body.encode())
    client.close()
    assert last.startswith("250"), last
