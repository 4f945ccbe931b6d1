"""docs/channels.md shows what is really sent and read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

from sms_milter.channels import callback, endpoint, errand
from sms_milter.config.schema import ChannelName
from unit.channels.parts import part

PAGE = (Path(__file__).parents[3] / "docs" / "channels.md").read_text()


def objects() -> list[dict[str, Any]]:
    return [json.loads(found) for found in re.findall(r"^\{.*?\}$", PAGE, re.MULTILINE | re.DOTALL)]


def test_a_service_gets_what_the_page_shows() -> None:
    shown, _ = objects()
    one = part(
        destination=shown["destination"],
        originator=shown["originator"],
        text=shown["text"],
        fields=tuple(shown["fields"].items()),
        reference=shown["reference"],
    )
    sent = json.loads(endpoint.request(errand.read(one.body), one))
    own = ("id", "account", "received_at", "expires_at")
    assert list(sent) == list(shown)
    assert {**sent, **dict.fromkeys(own)} == {**shown, **dict.fromkeys(own)}


def test_a_call_back_may_be_as_the_page_shows() -> None:
    _, shown = objects()
    octets = json.dumps(shown).encode()
    news = callback.read(octets, "voice", 1.8e9)
    assert (news.smsc_key, news.stat) == ("call-1", "DELIVRD")
    assert f"Content-Length: {len(octets)}" in PAGE


def test_the_page_names_every_channel() -> None:
    assert [name for name in get_args(ChannelName) if f"`{name}`" not in PAGE] == []
