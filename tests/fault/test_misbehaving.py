"""A hundred thousand SMS through an SMSC that misbehaves throughout: none is lost, and twice comes only what
the log calls in doubt.

The SMSC is our simulator with a script; test_peers.py has the same faults by SMSCs of others.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter

import pytest

from sms_milter.model import NewMail, NewMessage, PlannedMessage, SubmitSm
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.simulate import Options, Simulator
from sms_milter.simulate.phone import ReceivedSms
from sms_milter.smpp.codec import compose
from sms_milter.smpp.mobile import text_of
from support.places import folder, wait_until
from support.service import Service

pytestmark = pytest.mark.slow

COUNT = 100_000
_IN_DOUBT = re.compile(r"to=(\d+),.* status=uncertain")

# What breaks or slows a link befalls ten of them each, what does not a share of all.
_ONCE = {"times": 1}
SCRIPT = {
    "fragment": 1400,
    "faults": False,
    "rules": [
        {"to": "*1111", "act": "cut", **_ONCE},
        {"to": "*2222", "act": "stall", **_ONCE},
        {"to": "*3333", "act": "unbind", **_ONCE},
        {"to": "*4444", "act": "close", **_ONCE},
        {"to": "*5555", "act": "take-and-close", **_ONCE},
        {"to": "*6666", "act": "lose", **_ONCE},
        {"to": "*7777", "act": "silence", **_ONCE},
        {"to": "*8888", "act": "nack", "status": "0x08", **_ONCE},
        {"to": "*19999", "act": "refuse", "status": "0x14", **_ONCE},
        {"to": "*59999", "act": "refuse", "status": "0x58", **_ONCE},
        {"share": 1, "act": "refuse", "status": "0x08", **_ONCE},
        {"share": 1, "act": "outbind"},
        {"share": 5, "jitter": "50ms"},
        {"share": 2, "twice": True},
        {"share": 2, "tlvs": "vendor", "receipt": {"tlvs": "vendor"}},
        {"share": 2, "receipt": {"when": "before"}},
        {"share": 2, "receipt": {"place": "message_payload", "times": 2, "dated": "3d"}},
        {"share": 2, "receipt": {"carrier": "data_sm", "tlvs": "no-nul"}},
        {"share": 2, "receipt": {"stat": "UNDELIV", "error": "21b", "esm_class": "0x44"}},
    ],
    "mobile": [{"text": "three parts, the last one first", "parts": 3, "order": [3, 1, 2]}],
}
SETTINGS = {"smscs": {"primary": {"window": 100, "binds": 4, "response_timeout": "2s"}}}


class Phones:
    """What arrived, by number."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.arrived: Counter[str] = Counter()

    def take(self, sms: ReceivedSms) -> None:
        """One SMS."""
        with self._lock:
            self.arrived[sms.destination] += 1


def fill(queue: SqliteQueue) -> set[str]:
    """The queue with one SMS each to as many numbers."""
    numbers = [f"4479{number:08}" for number in range(COUNT)]
    for first in range(0, COUNT, 1000):
        messages = tuple(message(number) for number in numbers[first : first + 1000])
        queue.put([NewMail(messages, time.time(), "acme", "hsl", "a@acme.example", "", "4ABC")], time.time())
    return set(numbers)


def message(number: str) -> NewMessage:
    submit = SubmitSm(
        source_addr="ACME",
        source_addr_ton=5,
        destination_addr=number,
        short_message=b"Hi",
        registered_delivery=1,
    )
    plan = PlannedMessage(number, "ACME", "Hi", (submit,), receipt=True, smsc="primary")
    return NewMessage(plan, (compose(submit),), time.time() + 86400)


def test_nothing_is_lost_by_an_smsc_that_misbehaves_throughout() -> None:
    phones = Phones()
    with (
        folder("misbehaving") as place,
        Simulator(options=Options.model_validate(SCRIPT), on_sms=phones.take) as smsc,
    ):
        service = Service(place, smsc.port, SETTINGS)
        queue = SqliteQueue(str(service.queue_directory / "queue.db"))
        wanted = fill(queue)
        with service:

            def settled() -> bool:
                parts = queue.summary(time.time())["parts"]
                return not any(parts[name] for name in ("queued", "submitting", "accepted"))

            wait_until(settled, "the end of every part", 240)
        parts = queue.summary(time.time())["parts"]
        uncertain = {part["destination"] for part in queue.list_parts(states=["uncertain"], limit=COUNT)}
        in_doubt = set(_IN_DOUBT.findall(service.log))
        mobile = [text_of(one) for one in queue.due_mobile(time.time(), 10)]
        log = service.log
    twice = {number for number, times in phones.arrived.items() if times > 1}
    # Of a part whose answer was lost twice nobody knows; log and state say so, and its sender is told.
    assert wanted - phones.arrived.keys() <= uncertain, "something is lost"
    assert twice <= in_doubt
    assert len(twice) >= 20, "answers were lost, and parts sent again"
    assert parts["delivered"] + parts["failed"] + parts["uncertain"] == COUNT
    assert uncertain <= in_doubt
    assert len(uncertain) <= len(in_doubt) / 10
    assert 0.01 < parts["failed"] / COUNT < 0.03, "the share that the script has undelivered"
    assert mobile == ["three parts, the last one first"]
    assert "Traceback" not in log
