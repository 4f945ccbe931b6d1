"""A storm of alarms on its whole way: judged, held, counted, composed anew and sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from sms_milter.dispatch import Dispatcher
from sms_milter.logline import Numbers
from sms_milter.model import Action, NewMail, Stored
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.smpp.codec import parse_submit_sm
from support.gate import Desk, Remembered, configuration
from support.wire import Wire

NOW = 1_700_000_000.0  # the clock of Desk
WINDOW = 600


class Tower:
    """Mails into a queue, and a dispatcher that empties it."""

    def __init__(self, path: Path, **account: object) -> None:
        self.queue = SqliteQueue(str(path / "queue.db"))
        self.taken: list[Stored] = []
        self.got: list[bytes] = []
        storms = {"window": "10m", "alike": "similar"}
        account = {"storms": storms, **account}
        self.desk = Desk(Remembered(put=self._put), accounts={"acme": account})
        self.wire = Wire("primary")
        configured = configuration(accounts={"acme": account})
        self.dispatcher = Dispatcher(
            self.queue,
            [self.wire],
            configured.smscs,
            configured.routes,
            self.desk.lines,  # type: ignore[arg-type]  # its methods are made on demand
            Numbers(masked=False),
            keep_seconds=86400,
            reports=self,
        )
        self.wire.connect(0.0)

    def ring(self) -> None:
        """The report role's doorbell."""

    def _put(self, mail: NewMail) -> Stored:
        (result,) = self.queue.put([mail], NOW)
        assert isinstance(result, Stored)
        self.taken.append(result)
        return result

    def mail(self, text: str, **parameters: str) -> None:
        transaction = self.desk.transaction()
        assert transaction.recipient("<447973100000@sms.haysystems.com>", parameters) is None
        transaction.body(text.encode() + b"\r\n")
        assert transaction.decide().action is Action.DISCARD

    def sent(self, at: float) -> list[bytes]:
        """What has been submitted by then."""
        self.dispatcher.rung()
        for turn in range(4):
            self.dispatcher.step(NOW + at + turn * 0.05, at + turn * 0.05)
        self.got += [parse_submit_sm(body).short_message for _, body in self.wire.submits]
        self.wire.answer()
        return self.got


def test_a_storm_becomes_its_first_and_its_last_with_their_number(tmp_path: Path) -> None:
    tower = Tower(tmp_path)
    for minute in range(20):
        tower.mail(f"03:{minute:02} Pump {minute} has stopped")
    assert tower.sent(1) == [b"03:00 Pump 0 has stopped"]
    assert tower.sent(WINDOW + 1)[1:] == [b"(19x) 03:19 Pump 19 has stopped"]
    assert {one.counted_in for one in tower.taken} == {(), (2,)}
    assert "queue=20, counted_in=2" in tower.desk.lines.text


@pytest.mark.parametrize("length", [150, 157, 160, 300])
def test_there_is_room_for_the_number(tmp_path: Path, length: int) -> None:
    tower = Tower(tmp_path)
    for number in range(3):
        tower.mail(f"{number}".ljust(length, "x"))
    first = len(tower.sent(1))
    texts = b"".join(
        one.removeprefix(one[:6]) if one.startswith(b"\x05\x00\x03") else one
        for one in tower.sent(WINDOW + 1)[first:]
    )
    assert texts.startswith(b"(2x) 2xxx")
    assert texts.endswith(b"x")
    assert len(texts) == length + 5


def test_what_is_not_alike_goes_at_once(tmp_path: Path) -> None:
    tower = Tower(tmp_path)
    for text in ("Pump 1 has stopped", "Fan 1 has stopped", "Pump 1 runs"):
        tower.mail(text)
    assert len(tower.sent(1)) == 3


def test_of_what_goes_together_the_same_is_told(tmp_path: Path) -> None:
    tower = Tower(tmp_path)
    for notify in ("NEVER", "SUCCESS", "NEVER"):
        tower.mail("Pump 1 has stopped", NOTIFY=notify)
    assert [one.counted_in for one in tower.taken] == [(), (), ()]
    assert len(tower.sent(1)) == 2


def test_without_the_setting_each_goes(tmp_path: Path) -> None:
    tower = Tower(tmp_path, storms=None)
    for _ in range(3):
        tower.mail("Pump 1 has stopped")
    assert len(tower.sent(1)) == 3
