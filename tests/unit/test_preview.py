"""What a preview shows is what would leave."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sms_milter.preview import preview
from support.gate import configuration
from support.memory_queue import MemoryQueue

NOON = datetime(2024, 11, 21, 12, tzinfo=UTC).timestamp()


def previewed(time_format: str) -> Any:
    return preview(
        configuration(
            domains={"sms.haysystems.com": {"dialect": "hsl", "validity_minutes": 120}},
            smscs={"primary": {"time_format": time_format}},
        ),
        MemoryQueue(),
        now=NOON,
        client="192.0.2.10",
        sender="bob@customer.example",
        recipients=["447973100000@sms.haysystems.com"],
        mail=b"Subject: x\r\n\r\nHi\r\n",
    )


@pytest.mark.parametrize(
    ("time_format", "validity"), [("relative", "000000020000000R"), ("absolute", "241121140000000+")]
)
def test_times_are_shown_as_the_smsc_takes_them(time_format: str, validity: str) -> None:
    (message,) = previewed(time_format)["messages"]
    assert [part["validity_period"] for part in message["parts"]] == [validity]
    assert message["validity"] == 7200
