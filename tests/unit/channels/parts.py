"""Errands as an outlet gets them."""

from __future__ import annotations

from typing import Any

from sms_milter.channels import errand
from sms_milter.model import Errand, LeasedPart

RECEIVED_AT = 1_700_000_000.0


def part(part_id: int = 17, *, body: bytes | None = None, **fields: Any) -> LeasedPart:
    """A leased part; `fields` are those of its errand."""
    one = Errand(**({"channel": "voice", "destination": "447973100000", "originator": "ACME"} | fields))
    octets = errand.compose(one).body if body is None else body
    return LeasedPart(
        part_id,
        part_id,
        "4ABC",
        one.destination,
        1,
        1,
        octets,
        0,
        RECEIVED_AT,
        RECEIVED_AT + 3600,
        account="acme",
    )
