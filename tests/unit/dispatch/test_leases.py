"""Several dispatchers of one queue: whose bind it is, and what becomes of a dead one's parts."""

from __future__ import annotations

from pathlib import Path

from support.exchange import NOW, Exchange

DIED = "the dispatcher died before the response"


class Pair:
    """Two dispatchers, "one" first; both may have binds to "primary" and to "backup"."""

    def __init__(self, path: Path, binds: int = 1, **rule: object) -> None:
        self.one, self.two = (
            Exchange(path, primary={"binds": binds}, backup={"binds": binds}, name=name, **rule)
            for name in ("one", "two")
        )

    def permitted(self, exchange: Exchange) -> tuple[bool, ...]:
        """Whether bind 1 of each SMSC is its own; what is not loses its session, as a real link does."""
        for wire in exchange.wires.values():
            if not wire.permitted:
                wire.session = None
        return tuple(wire.permitted for wire in exchange.wires.values())


def test_a_bind_is_had_by_one_of_them(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.one.step()
    pair.two.step()
    assert (pair.permitted(pair.one), pair.permitted(pair.two)) == ((True, True), (False, False))


def test_what_another_has_on_the_wire_is_left_to_it(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.one.put()
    pair.one.step()
    pair.two.step()
    assert pair.one.states() == ["submitting"]
    assert DIED not in pair.two.lines.text


def test_what_a_dead_one_had_on_the_wire_is_in_doubt_when_its_bind_is_free(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.one.put()
    pair.one.step()
    pair.two.step()
    pair.permitted(pair.two)
    pair.two.step(19 - (pair.two.now - NOW))
    assert pair.two.states() == ["submitting"]
    pair.two.step(8)
    assert DIED in pair.two.lines.text
    assert pair.permitted(pair.two) == (True, True)
    pair.two.wires["primary"].connect(pair.two.now - NOW)
    pair.two.step(times=3)
    assert pair.two.sent("primary") == 1
    assert pair.two.lines.text.count(DIED) == 1


def test_our_own_parts_are_no_dead_ones(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.one.put()
    pair.one.step()
    pair.one.step(31)
    assert DIED not in pair.one.lines.text
    pair.one.wires["primary"].answer()
    pair.one.step()
    assert pair.one.states() == ["accepted"]


def test_an_smsc_whose_binds_others_have_is_not_taken_for_unusable(tmp_path: Path) -> None:
    pair = Pair(tmp_path, escalate_after="20s")
    pair.one.step()
    pair.two.step()
    pair.permitted(pair.two)
    pair.two.put()
    for _ in range(25):
        pair.two.step(1)
    assert pair.two.smsc_of() == ["primary"]
    pair.one.dispatcher.rung()
    pair.one.step()
    assert pair.one.sent("primary") == 1


def test_a_message_goes_to_the_next_smsc_although_another_dispatcher_has_its_binds(tmp_path: Path) -> None:
    pair = Pair(tmp_path, escalate_after="20s")
    pair.one.queue.hold_binds("backup", 1, "two", NOW, NOW + 90)
    pair.one.step()
    pair.two.step()
    assert (pair.permitted(pair.one), pair.permitted(pair.two)) == ((True, False), (False, True))
    pair.one.wires["primary"].session = None
    pair.one.put()
    for _ in range(25):
        pair.one.step(1)
        pair.two.step(1)
    assert pair.two.smsc_of() == ["backup"]
    pair.two.step(times=2)
    assert pair.two.sent("backup") == 1
