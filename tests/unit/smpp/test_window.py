"""The places of a window: taken by what waits, kept by what waited in vain, for twice the time at most."""

from __future__ import annotations

from sms_milter.smpp.window import Window


def waiting(*submits: tuple[str, float], size: int = 3) -> Window:
    """A window of ten seconds with these submits; sequence numbers from 1 on."""
    window = Window(size, 10.0)
    window.open.update(enumerate(submits, 1))
    return window


def test_each_submit_takes_a_place() -> None:
    window = waiting(("a", 0.0), ("b", 1.0))
    assert (window.free, window.due_at()) == (1, 10.0)
    del window.open[1]
    assert (window.free, window.due_at()) == (2, 11.0)
    del window.open[2]
    assert (window.free, window.due_at()) == (3, None)


def test_what_is_given_up_keeps_its_place_until_its_response_comes() -> None:
    window = waiting(("a", 0.0), ("b", 5.0))
    assert window.give_up(9.9) == []
    assert window.give_up(10.0) == ["a"]
    assert (window.free, window.is_late(1), window.is_late(2)) == (1, True, False)
    assert window.take_late(1) == "a"
    assert (window.free, window.is_late(1)) == (2, False)


def test_a_place_is_given_up_after_as_much_time_again() -> None:
    window = waiting(("a", 0.0))
    window.give_up(10.0)
    assert window.due_at() == 20.0
    window.answered_at = 15.0  # another one: the SMSC answers, but not this
    assert not window.give_up_places(19.9)
    assert window.free == 2
    assert not window.give_up_places(20.0)
    assert (window.free, window.due_at()) == (3, None)
    assert window.take_late(1) == "a"  # its response is still of use


def test_an_smsc_that_answers_nothing_is_told_from_one_that_forgets() -> None:
    window = waiting(("a", 0.0))
    window.give_up(10.0)
    assert window.give_up_places(20.0)


def test_late_responses_are_awaited_for_so_many_submits_only() -> None:
    window = waiting(*((str(number), 0.0) for number in range(10_001)), size=10_001)
    assert len(window.give_up(10.0)) == 10_001
    assert not window.is_late(1)
    assert window.is_late(10_001)


def test_without_the_connection_nothing_is_left() -> None:
    window = waiting(("a", 0.0), ("b", 5.0))
    window.give_up(10.0)
    assert window.clear() == ["b"]
    assert (window.free, window.due_at(), window.is_late(1)) == (3, None, False)
