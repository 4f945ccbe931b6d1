"""What holds of errands and call-backs whatever they hold."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sms_milter.channels import callback, endpoint, errand
from sms_milter.model import Errand, LeasedPart, PartState, ReceiptNews

TEXTS = st.text()
ERRANDS = st.builds(
    Errand,
    TEXTS,
    TEXTS,
    TEXTS,
    TEXTS,
    st.dictionaries(TEXTS, TEXTS).map(lambda fields: tuple(fields.items())),
    st.none() | TEXTS,
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inside: st.lists(inside) | st.dictionaries(TEXTS, inside),
    max_leaves=5,
)
NOW = 1_700_000_000.0


@given(ERRANDS)
def test_an_errand_comes_back_as_it_went(one: Errand) -> None:
    assert errand.read(errand.compose(one).body) == one


@given(st.binary() | TEXTS.map(str.encode) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_octets_are_an_errand_or_refused(octets: bytes) -> None:
    try:
        found = errand.read(octets)
    except ValueError:
        return
    assert isinstance(found, Errand)


@given(ERRANDS, st.floats(0, 4e9), st.integers(1, 2**62))
def test_any_errand_can_be_asked_for(one: Errand, moment: float, part_id: int) -> None:
    part = LeasedPart(part_id, 1, "", one.destination, 1, 1, b"", 0, moment, moment + 60, account="a")
    asked = json.loads(endpoint.request(one, part))
    assert (asked["text"], asked["fields"], asked["id"]) == (
        one.text,
        dict(one.fields),
        errand.identity(part),
    )


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "status", "error", "at"), VALUES)))
def test_any_call_back_is_a_receipt_or_refused(said: dict[str, Any]) -> None:
    check(json.dumps(said).encode())


@given(st.binary())
def test_any_octets_are_a_receipt_or_refused(octets: bytes) -> None:
    check(octets)


@given(
    st.text(min_size=1, max_size=100) | st.integers(),
    st.sampled_from(["delivered", "failed", "expired", "pending"]),
    VALUES,
)
def test_a_call_back_with_an_id_and_a_status_is_a_receipt(name: object, status: str, error: object) -> None:
    news = check(json.dumps({"id": name, "status": status, "error": error}).encode())
    assert news is None or news.smsc_key == str(name)


def check(octets: bytes) -> ReceiptNews | None:
    try:
        news = callback.read(octets, "voice", NOW)
    except ValueError:
        return None
    assert news.smsc == "channel:voice"
    assert news.smsc_key
    assert len(news.error) <= 40
    assert news.state in (None, PartState.DELIVERED, PartState.FAILED, PartState.EXPIRED)
    assert news.done_at is None or 0 <= news.done_at <= NOW + 86400
    return news
