"""The report role is woken by every transaction of the dispatcher that leaves it something."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from contract.builders import mail, message
from sms_milter.model import ComposedPart, Deed, Listener, Notify, Selection
from sms_milter.queue.sqlite import SqliteQueue
from support.exchange import Exchange
from support.wire import DELIVER, SUBMIT_RESP, pdu

PHONE = "447973100000"
CANCEL, CANCEL_RESP = 0x00000008, 0x80000008
SUBMITTED = b"\0\5\0ACME\0\x01\x01" + PHONE.encode() + b"\0" + b"\0" * 10
ADDRESSES = b"\0\x01\x01" + PHONE.encode() + b"\0\5\0ACME\0"


class Rung(Exchange):
    """Whoever is woken looks at once, by a connection of its own: `seen` is how much was there each time."""

    def __init__(self, path: Path) -> None:
        self.file = path / "queue.db"
        self.other = SqliteQueue(str(self.file))
        self.seen: list[int] = []
        super().__init__(path, primary={"window": 10})

    def ring(self) -> None:
        self.seen.append(self.there())

    def there(self) -> int:
        summary = self.other.summary(self.now)
        return int(summary["reports_waiting"] + summary["mobile_waiting"])

    def store(self, told: Notify) -> None:
        """One message with one part, of which both its sender and a listener are told."""
        one = message(PHONE, smsc="primary", notify=told, notice=told, expires_at=self.now + 86400)
        one = one._replace(parts=(ComposedPart(SUBMITTED),))
        listeners = (Listener("bob@customer.example", told),)
        self.queue.put([mail(one, at=self.now)._replace(listeners=listeners)], self.now)
        self.dispatcher.rung()

    def submitted(self, told: Notify) -> int:
        """The sequence number by which it is on the wire."""
        self.store(told)
        self.step()
        ((sequence, _),) = self.wires["primary"].submits
        return sequence

    def taken(self, told: Notify) -> int:
        """The SMSC has it, by its sequence number in hexadecimal."""
        sequence = self.submitted(told)
        self.wires["primary"].answer()
        self.step()
        return sequence

    def says(self, command_id: int, sequence: int, body: bytes = b"", status: int = 0) -> None:
        self.wires["primary"].say(pdu(command_id, sequence, body, status))
        self.step()

    def receipt(self, key: int, stat: str) -> None:
        dates = "submit date:2411210939 done date:2411211039"
        text = f"id:{key:X} sub:001 dlvrd:001 {dates} stat:{stat} err:000 text:".encode()
        self.says(DELIVER, 77, ADDRESSES + b"\x04" + b"\0" * 8 + bytes((len(text),)) + text)


def refused(one: Rung) -> None:
    one.says(SUBMIT_RESP, one.submitted(Notify.LOST), status=0x0B)


def refused_for_now(one: Rung) -> None:
    one.says(SUBMIT_RESP, one.submitted(Notify.RETRY), status=0x58)


def accepted(one: Rung) -> None:
    one.taken(Notify.SENT)


def pending(one: Rung) -> None:
    one.receipt(one.taken(Notify.PENDING), "ENROUTE")


def delivered(one: Rung) -> None:
    one.receipt(one.taken(Notify.SUCCESS), "DELIVRD")


def undelivered(one: Rung) -> None:
    one.receipt(one.taken(Notify.FAILURE), "UNDELIV")


def delivered_before_the_response(one: Rung) -> None:
    sequence = one.submitted(Notify.SUCCESS)
    one.receipt(sequence, "DELIVRD")
    assert not one.seen
    one.wires["primary"].answer()
    one.step()


def parked_by_another(one: Rung) -> None:
    one.taken(Notify.SUCCESS)
    with closing(sqlite3.connect(one.file)) as file, file:
        file.execute(
            "INSERT INTO receipt (part_id, at, state, smsc, smsc_message_id, smsc_key, source, stat, error)"
            " SELECT NULL, ?, 4, smsc, smsc_message_id, smsc_key, destination, 'DELIVRD', '000' FROM part",
            (one.now,),
        )
    one.step(11)


def from_a_phone(one: Rung) -> None:
    one.says(DELIVER, 5, ADDRESSES + b"\0" * 9 + b"\x05Hello")


def expired(one: Rung) -> None:
    one.wires["primary"].session = None
    one.store(Notify.LOST)
    one.step(86401)
    one.step(11)


def delayed(one: Rung) -> None:
    one.wires["primary"].session = None
    one.store(Notify.DELAYED)
    one.step(4 * 3600 + 1)
    one.step(11)


def overdue(one: Rung) -> None:
    one.taken(Notify.FAILURE)
    one.step(4 * 86400)
    one.step(11)


def cancelled_at_the_smsc(one: Rung) -> None:
    one.taken(Notify.LOST)
    one.queue.change(Deed.CANCEL, Selection(), one.now)
    one.step(11)
    ((sequence, _),) = [(pdu[2], pdu[3]) for pdu in one.wires["primary"].sent if pdu[0] == CANCEL]
    one.says(CANCEL_RESP, sequence)


@pytest.mark.parametrize(
    "path",
    [
        refused,
        refused_for_now,
        accepted,
        pending,
        delivered,
        undelivered,
        delivered_before_the_response,
        parked_by_another,
        from_a_phone,
        expired,
        delayed,
        overdue,
        cancelled_at_the_smsc,
    ],
    ids=lambda path: path.__name__,
)
def test_the_bell_is_rung_after_the_commit(tmp_path: Path, path: Callable[[Rung], None]) -> None:
    one = Rung(tmp_path)
    path(one)
    assert one.there() > 0
    assert one.seen, "nobody was woken"
    assert max(one.seen) == one.there(), "woken before it could be seen"
