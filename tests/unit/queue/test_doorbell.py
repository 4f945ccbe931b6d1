"""The doorbell between milter workers and the dispatcher."""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sms_milter.queue.sqlite.doorbell import DISPATCH, REPORT, DatagramDoorbell, DoorbellListener


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "queue.db")


@pytest.fixture
def bell(path: str) -> Iterator[DatagramDoorbell]:
    bell = DatagramDoorbell(path)
    yield bell
    bell.close()


def rung(listener: DoorbellListener) -> bool:
    return bool(select.select([listener], [], [], 0)[0])


def listening(path: str, role: str = DISPATCH) -> DoorbellListener:
    """One that has looked for work already."""
    listener = DoorbellListener(path, role)
    assert rung(listener)
    listener.clear()
    return listener


def test_what_was_rung_before_anybody_listened_is_not_lost(path: str, bell: DatagramDoorbell) -> None:
    bell.ring()
    listener = DoorbellListener(path)
    assert rung(listener)
    listener.close()


def test_a_ring_is_heard_until_cleared(path: str, bell: DatagramDoorbell) -> None:
    listener = listening(path)
    assert not rung(listener)
    bell.ring()
    bell.ring()
    assert rung(listener)
    listener.clear()
    assert not rung(listener)
    listener.close()


def test_ringing_never_fails(path: str, bell: DatagramDoorbell) -> None:
    bell.ring()  # nobody has ever been there
    listener = DoorbellListener(path)
    for _ in range(5000):  # nobody listens
        bell.ring()
    assert rung(listener)
    listener.close()
    bell.ring()  # nobody is there any more


def test_a_socket_left_behind_is_taken_over(path: str, bell: DatagramDoorbell) -> None:
    before = listening(path)
    listener = listening(path)
    bell.ring()
    assert (rung(before), rung(listener)) == (False, True)
    before.close()  # must leave its successor's socket alone
    listener.clear()
    bell.ring()
    assert rung(listener)
    listener.close()


def test_an_end_while_a_successor_starts_leaves_that_its_bell(
    path: str, bell: DatagramDoorbell, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, successors, stat_of = listening(path), [], os.stat

    def meanwhile(*arguments: Any, **more: Any) -> os.stat_result:
        found = stat_of(*arguments, **more)
        monkeypatch.undo()
        successors.append(DoorbellListener(path))
        return found

    monkeypatch.setattr(os, "stat", meanwhile)
    before.close()
    monkeypatch.undo()
    listener = successors.pop() if successors else DoorbellListener(path)
    listener.clear()
    bell.ring()
    assert rung(listener)
    listener.close()


def test_only_user_and_group_may_ring(path: str) -> None:
    listener = DoorbellListener(path)
    assert stat.S_IMODE(Path(path + ".bell").stat().st_mode) == 0o660
    listener.close()


def test_each_role_has_its_own(path: str, bell: DatagramDoorbell) -> None:
    dispatch, report = listening(path), listening(path, REPORT)
    bell.ring()
    assert (rung(dispatch), rung(report)) == (True, False)
    dispatch.clear()
    other = DatagramDoorbell(path, REPORT)
    other.ring()
    assert (rung(dispatch), rung(report)) == (False, True)
    for one in (dispatch, report, other):
        one.close()
