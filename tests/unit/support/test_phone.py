"""A phone's view of submit_sm (tests/support/phone.py)."""

from __future__ import annotations

from typing import Any

import pytest

from support.phone import shown
from support.smsc import Submitted


def part(short_message: bytes, **fields: Any) -> Submitted:
    plain = {"source_addr": "ACME", "destination_addr": "4479", "esm_class": 0, "data_coding": 0}
    return Submitted(
        plain | {"registered_delivery": 0, "short_message": short_message.hex()} | fields, message_id="1"
    )


def lines(*parts: Submitted) -> list[str]:
    return [str(one) for one in shown(parts)]


def test_gsm_letters_and_extensions() -> None:
    assert lines(part(b"\x00 \x1b\x65 \x7f\nx")) == ["4479 from ACME: @ € à\\nx"]


def test_ucs2_and_what_is_no_text() -> None:
    assert lines(part("ça".encode("utf-16-be"), data_coding=8)) == ["4479 from ACME (UCS-2): ça"]
    assert lines(part(b"\x01\xff", data_coding=245)) == ["4479 from ACME: [245] 01ff"]


def test_parts_are_joined_in_their_order_and_counted_once() -> None:
    first = part(b"\x05\x00\x03\x07\x02\x01Hel", esm_class=0x40, registered_delivery=1)
    second = part(b"\x05\x00\x03\x07\x02\x02lo", esm_class=0x40, registered_delivery=1)
    assert lines(second, first, second) == ["4479 from ACME (2 parts, receipt): Hello"]
    with pytest.raises(AssertionError, match=r"parts \[2\] of 2"):
        shown([second])
