"""Whether an SMSC can be used."""

from __future__ import annotations

from sms_milter.dispatch.health import Health


def failing(now: float, answers: int, faults: int) -> Health:
    health = Health()
    for number in range(answers):
        health.answered(number >= faults, now)
    return health


def test_it_is_unusable_since_the_first_look_without_a_bind() -> None:
    health = Health()
    assert health.unusable_seconds(0.0) is None
    health.watch(False, 10.0)
    health.watch(False, 20.0)
    assert (health.unusable_seconds(25.0), health.why) == (15.0, "not bound")
    health.watch(True, 30.0)
    assert (health.unusable_seconds(31.0), health.why) == (None, "")


def test_half_of_its_answers_make_it_unusable() -> None:
    health = failing(0.0, 30, 15)
    health.watch(True, 1.0)
    assert health.why == "15 of the last 30 submit_sm failed"
    health = failing(0.0, 30, 14)
    health.watch(True, 1.0)
    assert health.why == ""


def test_few_answers_say_nothing() -> None:
    health = failing(0.0, 19, 19)
    health.watch(True, 1.0)
    assert health.why == ""


def test_only_the_last_fifty_count() -> None:
    health = failing(0.0, 50, 50)
    for _ in range(26):
        health.answered(True, 1.0)
    health.watch(True, 2.0)
    assert health.why == ""


def test_without_traffic_it_gets_another_chance() -> None:
    health = failing(0.0, 30, 30)
    health.watch(True, 1.0)
    assert health.unusable_seconds(2.0) == 1.0
    health.watch(True, 301.0)
    assert health.unusable_seconds(302.0) is None
