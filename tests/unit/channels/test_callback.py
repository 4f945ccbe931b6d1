"""Call-backs: read as receipts, stored before they are answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sms_milter.callbacks import Callbacks
from sms_milter.channels import callback
from sms_milter.errors import QueueUnavailable
from sms_milter.logline import Numbers
from sms_milter.model import PartState, ReceiptNews
from support.gate import Lines
from support.memory_queue import MemoryQueue

NOW = 1_700_000_000.0


def posted(**said: Any) -> bytes:
    return json.dumps(said).encode()


@pytest.mark.parametrize(
    ("status", "state", "stat"),
    [
        ("delivered", PartState.DELIVERED, "DELIVRD"),
        ("failed", PartState.FAILED, "UNDELIV"),
        ("expired", PartState.EXPIRED, "EXPIRED"),
        ("pending", None, "ENROUTE"),
    ],
)
def test_a_status_is_read_as_a_receipt(status: str, state: PartState | None, stat: str) -> None:
    octets = posted(id="call-1", status=status, error=240, at="2023-11-14T22:13:20+00:00")
    assert callback.read(octets, "voice", NOW) == ReceiptNews(
        "channel:voice", "call-1", "call-1", "", stat, "240", state, NOW, NOW
    )


def test_ids_may_be_numbers_and_the_rest_may_be_missing() -> None:
    news = callback.read(posted(id=4711, status="delivered"), "voice", NOW)
    assert (news.smsc_key, news.error, news.done_at) == ("4711", "", None)


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"", "a JSON object"),
        (b"id=1", "a JSON object"),
        (b"[]", "a JSON object"),
        (b"[" * 60_000, "a JSON object"),
        (posted(status="delivered"), "`id`"),
        (posted(id="", status="delivered"), "`id`"),
        (posted(id={}, status="delivered"), "`id`"),
        (posted(id="a"), "`status`: delivered, failed, expired, pending"),
        (posted(id="a", status="DELIVERED"), "`status`"),
        (posted(id="a", status=["delivered"]), "`status`"),
        (posted(id="a", status="failed", at="yesterday"), "`at`"),
        (posted(id="a", status="failed", at="2023-11-14T22:13:20"), "`at`"),
        (posted(id="a", status="failed", at="0001-01-01T00:00:00+14:00"), "`at`"),
    ],
)
def test_what_is_wrong_is_said(octets: bytes, expected: str) -> None:
    with pytest.raises(ValueError, match=rf"^expected {expected}"):
        callback.read(octets, "voice", NOW)


class Bell:
    def __init__(self) -> None:
        self.rung = 0

    def ring(self) -> None:
        self.rung += 1


def callbacks(queue: Any, lines: Lines) -> Callbacks:
    return Callbacks(
        queue,
        ["voice"],
        lines,  # type: ignore[arg-type]  # its methods are made on demand
        Numbers(masked=False),
        reports=Bell(),
        clock=lambda: NOW,
    )


def test_what_no_part_is_known_for_yet_is_kept() -> None:
    queue, lines = MemoryQueue(), Lines()
    assert callbacks(queue, lines).hear("/channels/voice", posted(id="a", status="delivered")) == (204, "")
    assert queue.summary(NOW)["parked_receipts"] == 1
    assert "id=a, status=call-back for nothing known yet" in lines.text


@pytest.mark.parametrize("place", ["/", "/channels/", "/channels/viber", "/channels/voice/", "voice"])
def test_other_places_are_not_found(place: str) -> None:
    assert callbacks(MemoryQueue(), Lines()).hear(place, posted(id="a", status="delivered"))[0] == 404


def test_what_is_wrong_is_answered_and_logged_without_its_content() -> None:
    lines = Lines()
    status, why = callbacks(MemoryQueue(), lines).hear("/channels/voice", b'{"text": "s3cret"}')
    assert (status, why[:15]) == (400, "expected `id`: ")
    assert "s3cret" not in lines.text


def test_what_cannot_be_stored_is_not_taken() -> None:
    class Away(MemoryQueue):
        def transaction(self) -> Any:
            raise QueueUnavailable("disk full")

    lines = Lines()
    answer = callbacks(Away(), lines).hear("/channels/voice", posted(id="a", status="delivered"))
    assert answer == (503, "try again later")
    assert lines.written[0][0] == "error"
