"""How fast an SMSC may be sent to."""

from __future__ import annotations

import pytest

from sms_milter.dispatch.pace import Pace
from sms_milter.policy.rates import Share


def alone(pace: Pace, now: float) -> Pace:
    """It has the whole rate, from now on."""
    if pace.wants_portion(now):
        pace.portion.hold(Share(pace.rate, now), now)
    return pace


def sent(pace: Pace, start: float, seconds: float, *, every: float = 0.01, most: int = 1000) -> int:
    """How many parts go within a time, when one looks every so often."""
    total = 0
    for turn in range(round(seconds / every)):
        now = start + turn * every
        parts = int(min(alone(pace, now).allowance(now), most))
        if parts:
            pace.took(parts, now)
            total += parts
    return total


def test_without_a_rate_everything_may_go() -> None:
    assert Pace().allowance(0.0) == float("inf")
    assert Pace().opens_at(5.0) == 5.0


@pytest.mark.parametrize("rate", [1, 5, 30, 250, 10_000])
def test_the_rate_is_reached_and_never_exceeded_in_any_second(rate: int) -> None:
    pace = Pace(rate)
    counts = [sent(pace, float(second), 1.0) for second in range(10)]
    assert sum(counts) >= 0.95 * rate * 10
    assert max(counts) <= rate


def test_what_was_not_used_is_lost() -> None:
    pace = Pace(10)
    alone(pace, 0.0).allowance(0.0)
    assert alone(pace, 3600.0).allowance(3600.0) == 1


def test_it_says_when_the_next_may_go() -> None:
    pace = alone(Pace(4), 0.0)
    pace.took(int(pace.allowance(0.0)), 0.0)
    assert pace.allowance(0.0) == 0
    assert pace.opens_at(0.0) == pytest.approx(0.26, abs=0.001)
    assert pace.allowance(0.27) == 1


def test_a_clock_that_was_set_back_does_no_harm() -> None:
    pace = alone(Pace(4), 1000.0)
    pace.took(int(pace.allowance(1000.0)), 1000.0)
    assert alone(pace, 10.0).allowance(10.0) == 0
    assert alone(pace, 11.0).allowance(11.0) == 0
    assert pace.allowance(11.27) == 1


def test_a_complaint_stops_everything_for_a_second_and_halves_the_rate() -> None:
    pace = Pace(100)
    assert pace.throttled(50.0) == 51.0
    assert (pace.allowance(50.9), pace.opens_at(50.9)) == (0, 51.0)
    assert pace.present(51.0) == 50.0
    assert pace.slowed
    assert sent(pace, 51.0, 1.0) == pytest.approx(48, abs=2)


def test_complaints_about_what_was_on_the_wire_count_once() -> None:
    pace = Pace(100)
    for now in (50.0, 50.01, 50.5):
        assert pace.throttled(now) == 51.0
    assert pace.present(51.0) == 50.0


def test_the_stop_doubles_while_nothing_is_taken() -> None:
    pace, now, stops = Pace(100), 0.0, []
    for _ in range(7):
        until = pace.throttled(now)
        stops.append(until - now)
        now = until
    assert stops == [1, 2, 4, 8, 16, 30, 30]
    pace.accepted()
    assert pace.throttled(now) == now + 1


def test_it_never_goes_below_one_a_second() -> None:
    pace, now = Pace(3), 0.0
    for _ in range(5):
        now = pace.throttled(now)
    assert pace.present(now) == 1.0


def test_after_ten_seconds_without_complaint_the_rate_grows_up_to_the_contract() -> None:
    pace = Pace(100)
    pace.throttled(0.0)
    assert pace.present(11.0) == 50.0
    assert pace.present(12.0) == pytest.approx(55.0)
    assert pace.present(20.9) < 100.0
    assert pace.present(21.1) == 100.0
    assert not pace.slowed


def test_a_few_complaints_are_over_in_half_a_minute_however_fast_the_smsc_is() -> None:
    pace = Pace()
    pace.took(3000, 10.0)
    for second in range(5):
        pace.accepted()
        pace.throttled(10.5 + 2 * second)
    assert pace.present(19.6) == 3000 / 2**5
    assert pace.present(49.6) == 0.0  # unlimited again


def test_without_a_contract_it_is_half_of_what_was_sent() -> None:
    pace = Pace()
    pace.took(40, 10.0)
    pace.took(40, 10.5)
    pace.throttled(10.9)
    assert pace.present(11.9) == 40.0
    assert pace.present(11.9 + 19.0) < 80.0
    assert pace.present(11.9 + 20.1) == 0.0


# --- our portion --------------------------------------------------------------------------------------------


def test_nothing_of_a_contract_may_be_used_before_a_share_is_held() -> None:
    pace = Pace(100)
    assert pace.wants_portion(0.0)
    assert pace.allowance(0.0) == 0
    assert alone(pace, 0.0).allowance(0.0) == 4
    assert not pace.wants_portion(0.4)
    assert pace.wants_portion(0.5)


def test_a_share_that_is_not_renewed_ends() -> None:
    pace = alone(Pace(100), 0.0)
    assert pace.allowance(1.99) == 4
    assert pace.allowance(2.0) == 0


def test_less_counts_at_once_and_more_from_its_time_on() -> None:
    pace = alone(Pace(100), 0.0)
    pace.portion.hold(Share(25, 0.5), 0.5)
    assert (pace.allowance(0.5), pace.present(0.5)) == (1, 25)
    pace.portion.hold(Share(100, 2.0), 1.0)
    assert (pace.portion.parts(1.9), pace.portion.parts(2.0)) == (25, 100)


def test_without_a_share_it_opens_when_there_may_be_one() -> None:
    pace = Pace(100)
    pace.portion.hold(Share(0, 10.0), 10.0)
    assert (pace.allowance(10.1), pace.opens_at(10.1)) == (0, 10.5)
    pace.portion.hold(Share(50, 11.7), 10.6)
    assert pace.opens_at(10.6) == pytest.approx(11.1)  # to ask again
    assert pace.opens_at(11.1) == 11.1
    pace.portion.hold(Share(50, 11.7), 11.3)
    assert pace.opens_at(11.3) == 11.7


def test_the_second_of_the_process_before_us_must_be_over() -> None:
    pace = Pace(100)
    pace.portion.hold(Share(100, 10.0, renewed=True), 10.0)
    pace.portion.hold(Share(100, 10.5, renewed=True), 10.5)
    assert (pace.allowance(10.9), pace.allowance(11.0)) == (0, 4)


def test_complaints_halve_our_portion() -> None:
    pace = Pace(100)
    pace.portion.hold(Share(50, 10.0), 10.0)
    pace.throttled(10.0)
    pace.portion.hold(Share(50, 11.0), 11.0)
    assert pace.present(11.0) == 25.0
    assert pace.slowed
