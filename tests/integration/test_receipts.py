"""Receipts of SMSCs written by others find their parts: `sms-milter queue list` shows what became of each."""

from __future__ import annotations

import json
from typing import Literal

import pytest

from support.places import folder, wait_until
from support.postfix import Postfix
from support.requirements import missing
from support.service import Service
from support.smsc import Smsc, node_is_missing
from support.smtp_dialogue import SmtpDialogue

pytestmark = [pytest.mark.mta, pytest.mark.smsc]

MAIL = b"Disposition-Notification-To: bob@customer.example\r\n\r\n" + b"A" * 161 + b"\r\n"
# What the SMSC makes of each number is written in support.smsc; 03 is the expired one, 11 the refused one.
STATES = {"447973100000": "delivered", "447973100003": "expired", "447973100011": "failed"}


@pytest.mark.parametrize("library", ["smpp34", "node"])
def test_receipts_settle_their_parts(library: Literal["smpp34", "node"]) -> None:
    if why := missing("postfix") or (node_is_missing() if library == "node" else ""):
        pytest.skip(why)
    with folder("receipts") as place, Smsc(library) as smsc, Service(place, smsc.port) as service:
        (place / "mta").mkdir()
        with Postfix(place / "mta", {"sms": service.for_postfix}) as postfix:
            client = SmtpDialogue(postfix.ports["sms"])
            client.greet(as_client="192.0.2.10")
            recipients = [f"{number}@sms.example.com" for number in STATES]
            replies = client.mail("bob@customer.example", recipients, MAIL)
            client.close()
            assert all(reply.startswith("2") for reply in replies), replies

        def states() -> set[tuple[str, str]]:
            parts = json.loads(service.command("queue", "list", "--json"))
            return {(part["destination"], part["state"]) for part in parts}

        wait_until(lambda: states() == set(STATES.items()), "every part to be settled")
