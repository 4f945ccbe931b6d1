"""How long a link waits before it tries again."""

from __future__ import annotations

from random import Random

import pytest

from sms_milter.smpp.reconnect import Backoff


class Always:
    """A chance that always falls the same way; one half means no jitter."""

    def __init__(self, number: float = 0.5) -> None:
        self.number = number

    def random(self) -> float:
        return self.number


def test_pauses_double_up_to_a_minute() -> None:
    backoff = Backoff(Always())
    assert [backoff.pause(0.0) for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_jitter_stays_near_and_never_beyond_the_longest() -> None:
    backoff, plain = Backoff(Random(1)), Backoff(Always())
    pauses = [(backoff.pause(0.0), plain.pause(0.0)) for _ in range(20)]
    assert all(0.8 * wanted <= pause <= min(1.2 * wanted, 60.0) for pause, wanted in pauses)
    assert len({pause for pause, _ in pauses}) > 8


def test_a_bind_that_lived_long_enough_starts_anew() -> None:
    backoff = Backoff(Always())
    for _ in range(5):
        backoff.pause(0.0)
    backoff.bound(100.0)
    assert backoff.pause(160.0) == 1.0


def test_a_bind_that_died_young_does_not() -> None:
    backoff = Backoff(Always())
    for _ in range(5):
        backoff.pause(0.0)
    backoff.bound(100.0)
    assert backoff.pause(159.9) == 32.0
    assert backoff.pause(1000.0) == 60.0  # that bind is over; its time counts no more


def test_a_bind_that_has_worked_starts_anew_however_young() -> None:
    backoff = Backoff(Always())
    for _ in range(5):
        backoff.pause(0.0)
    backoff.bound(100.0)
    backoff.worked()
    assert [backoff.pause(101.0), backoff.pause(102.0)] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("status", "seconds"), [(0x0D, 300), (0x0E, 300), (0x0F, 300), (0x53, 300), (0x05, 30)]
)
def test_some_refusals_have_their_own_pause(status: int, seconds: float) -> None:
    backoff = Backoff(Always())
    assert [backoff.pause(0.0, status), backoff.pause(0.0, status)] == [seconds, seconds]
    assert backoff.pause(0.0) == 1.0


def test_other_refusals_are_like_a_lost_link() -> None:
    backoff = Backoff(Always())
    assert [backoff.pause(0.0, 0x08), backoff.pause(0.0, 0x08)] == [1.0, 2.0]
