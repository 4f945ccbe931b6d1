"""Dispatchers that share the rate of an SMSC's contract, on every store."""

from __future__ import annotations

from typing import Any

import pytest

from sms_milter.policy.rates import Share

NOW = 1_700_000_000.0
SECONDS = 2.0  # that a share lasts


def hold(queue: Any, owner: str, at: float, rate: int = 100, smsc: str = "main") -> Share:
    share = queue.hold_rate(smsc, rate, owner, NOW + at, NOW + at + SECONDS)
    assert isinstance(share, Share)
    return Share(share.parts, round(share.since - NOW, 6))


def test_it_tells_whether_the_owner_has_had_a_share_until_a_moment_ago(queue: Any) -> None:
    asked = (0.0, 0.5, 3.4, 6.5)
    shares = [queue.hold_rate("main", 100, "one", NOW + at, NOW + at + SECONDS) for at in asked]
    assert [share.renewed for share in shares] == [False, True, True, False]


def test_who_is_alone_has_it_all_at_once(queue: Any) -> None:
    assert hold(queue, "one", 0.0) == Share(100, 0.0)
    assert hold(queue, "one", 1.0).parts == 100


def test_each_smsc_has_a_rate_of_its_own(queue: Any) -> None:
    hold(queue, "one", 0.0)
    assert hold(queue, "two", 0.0, smsc="backup") == Share(100, 0.0)


def test_a_newcomer_waits_until_others_have_given_up_and_their_second_is_over(queue: Any) -> None:
    hold(queue, "one", 0.0)
    assert hold(queue, "two", 0.2).parts == 0
    assert hold(queue, "one", 0.5).parts == 50
    assert hold(queue, "two", 0.7) == Share(50, 1.5)
    assert hold(queue, "two", 2.0) == Share(50, 2.0)
    assert hold(queue, "one", 2.0).parts == 50


def test_what_ends_returns_to_the_others_a_second_later(queue: Any) -> None:
    hold(queue, "one", 0.0)
    hold(queue, "two", 0.0)
    hold(queue, "one", 0.5)
    hold(queue, "two", 0.6)
    assert hold(queue, "one", 2.5).parts == 50
    assert hold(queue, "one", 2.7) == Share(100, 3.6)  # of `two`, which ended at 2.6
    assert hold(queue, "one", 3.7) == Share(100, 3.7)


@pytest.mark.parametrize(("rate", "shares"), [(5, (2, 2, 1)), (2, (1, 1, 0)), (300, (100, 100, 100))])
def test_shares_are_whole_parts(queue: Any, rate: int, shares: tuple[int, ...]) -> None:
    for turn in range(4):
        found = tuple(hold(queue, owner, turn * 0.4, rate).parts for owner in ("a", "b", "c"))
    assert found == shares


def test_after_a_changed_contract_all_keep_to_the_new_one_together(queue: Any) -> None:
    hold(queue, "one", 0.0)
    hold(queue, "two", 0.1)
    hold(queue, "one", 0.2)
    hold(queue, "two", 0.3)
    assert hold(queue, "one", 0.5, rate=10).parts == 0  # the other has 50
    assert hold(queue, "two", 0.6, rate=10).parts == 5
    assert hold(queue, "one", 0.9, rate=10).parts == 5


def test_shares_never_add_up_to_more_than_the_rate(queue: Any) -> None:
    """Dispatchers come, ask at odd times, and go; whoever has more than before has it later."""
    held: dict[str, tuple[int, float]] = {}  # parts, until
    for turn in range(400):
        at = turn * 0.13
        owner = "abcde"[turn * 7 % 5]
        if (turn // 40 + ord(owner)) % 3 == 0:
            continue  # it has nothing to send for a while
        held[owner] = (hold(queue, owner, at, 17).parts, at + SECONDS)
        assert sum(parts for parts, until in held.values() if until > at) <= 17
