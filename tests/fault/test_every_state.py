"""A dispatcher that dies in each state of a part: exactly what the SMSC may have, without our knowing, is in
doubt; the next dispatcher brings all of it to its end.

Death is an exception at the point in question, after which nothing of the dispatcher is used but its queue's
file, and its connections break off. test_kill.py does it with kill -9, wherever it happens to hit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sms_milter.queue.sqlite import SqliteQueue
from support.hasty import Hasty, Simulated
from support.outcomes import PHONES, WINDOW
from support.places import wait_until

_RECEIPTS_LATER = {"rules": [{"receipt": {"delay": "150ms"}}]}


class Killed(Exception):
    """The dispatcher is dead."""


class Mortal:
    """A queue whose user dies, once, right before or right after the commit of what it does."""

    def __init__(self, queue: SqliteQueue) -> None:
        self._queue = queue
        self.fate = ("", "")  # before or after; which method of `ports.Work`

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        when, deed = self.fate
        with self._queue.transaction() as work:
            watched = Watched(work)
            yield watched
            fatal = deed in watched.deeds
            if fatal and when == "before":
                self.fate = ("", "")
                raise Killed
        if fatal:
            self.fate = ("", "")
            raise Killed


class Watched:
    """A transaction's work; `deeds` are the methods that had something to do."""

    def __init__(self, work: Any) -> None:
        self._work = work
        self.deeds: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        thing = getattr(self._work, name)
        if name not in ("lease", "record", "settle"):
            return thing

        def do(*args: Any, **kwargs: Any) -> Any:
            done = thing(*args, **kwargs)
            if done or name == "record":
                self.deeds.add(name)
            return done

        return do


def die(smsc: Hasty, when: str, deed: str) -> None:
    """Let time run until the dispatcher does `deed`, and end it there."""
    smsc.dispatcher_queue.fate = (when, deed)
    with pytest.raises(Killed):
        smsc.until(lambda: False, f"death {when} the commit of {deed}")
    smsc.kill()


def on_the_wire(smsc: Hasty) -> set[str]:
    """Destinations of the parts that the queue calls submitting."""
    return {part["destination"] for part in smsc.queue.list_parts() if part["state"] == "submitting"}


def assert_next_dispatcher_ends_all(smsc: Hasty, phones: list[str], doubtful: set[str]) -> None:
    """What arrived before and is in doubt comes twice, all else once."""
    before = set(smsc.arrived)
    smsc.begin()
    smsc.until_ended()
    assert smsc.in_doubt == doubtful
    assert smsc.states() == ["delivered"] * len(phones)
    assert smsc.arrived == {phone: 1 + (phone in before & doubtful) for phone in phones}
    smsc.until(lambda: smsc.peer.is_idle, "every receipt to be taken")


def test_before_the_mark_is_committed(tmp_path: Path) -> None:
    with Hasty(tmp_path, Simulated({}), through=Mortal) as smsc:
        smsc.put(*PHONES)
        die(smsc, "before", "lease")
        assert on_the_wire(smsc) == set()
        assert_next_dispatcher_ends_all(smsc, PHONES, set())


def test_after_the_mark_and_before_the_octets(tmp_path: Path) -> None:
    with Hasty(tmp_path, Simulated({}), through=Mortal) as smsc:
        smsc.put(*PHONES)
        die(smsc, "after", "lease")
        assert len(on_the_wire(smsc)) == WINDOW
        assert smsc.arrived.total() == 0
        assert_next_dispatcher_ends_all(smsc, PHONES, on_the_wire(smsc))


def test_after_the_octets_and_before_the_response(tmp_path: Path) -> None:
    silent = [{"to": phone, "times": 1, "act": "lose"} for phone in PHONES[:WINDOW]]
    with Hasty(tmp_path, Simulated({"rules": silent}), through=Mortal) as smsc:
        smsc.put(*PHONES)
        smsc.until(lambda: smsc.arrived.total() == WINDOW, "a window of parts at the SMSC")
        smsc.kill()
        assert on_the_wire(smsc) == smsc.arrived.keys()
        assert_next_dispatcher_ends_all(smsc, PHONES, on_the_wire(smsc))


def test_after_the_response_and_before_its_commit(tmp_path: Path) -> None:
    with Hasty(tmp_path, Simulated(_RECEIPTS_LATER), through=Mortal) as smsc:
        smsc.put(*PHONES)
        die(smsc, "before", "record")
        wait_until(lambda: smsc.arrived.keys() == on_the_wire(smsc), "all octets at the SMSC")
        assert_next_dispatcher_ends_all(smsc, PHONES, on_the_wire(smsc))


def test_after_the_commit_of_the_response(tmp_path: Path) -> None:
    phones = PHONES[:WINDOW]  # nothing else is sent in the same transaction
    with Hasty(tmp_path, Simulated(_RECEIPTS_LATER), through=Mortal) as smsc:
        smsc.put(*phones)
        die(smsc, "after", "record")
        known = {part["destination"] for part in smsc.queue.list_parts() if part["state"] == "accepted"}
        assert known
        wait_until(lambda: smsc.arrived.keys() == set(phones), "all octets at the SMSC")
        assert_next_dispatcher_ends_all(smsc, phones, set(phones) - known)


@pytest.mark.parametrize("when", ["before", "after"])
def test_while_receipts_are_settled(tmp_path: Path, when: str) -> None:
    phones = PHONES[:WINDOW]
    with Hasty(tmp_path, Simulated(_RECEIPTS_LATER), through=Mortal) as smsc:
        smsc.put(*phones)
        smsc.until(lambda: smsc.states() == ["accepted"] * WINDOW, "every part at the SMSC")
        die(smsc, when, "settle")
        assert ("delivered" in smsc.states()) is (when == "after")
        # The SMSC has no deliver_sm_resp for any of them yet, and brings them again.
        assert not smsc.peer.is_idle
        assert_next_dispatcher_ends_all(smsc, phones, set())


def test_before_the_next_dispatcher_has_recorded_the_doubt(tmp_path: Path) -> None:
    with Hasty(tmp_path, Simulated({}), through=Mortal) as smsc:
        smsc.put(*PHONES)
        die(smsc, "after", "lease")
        doubtful = on_the_wire(smsc)
        smsc.begin()
        die(smsc, "before", "record")
        assert smsc.in_doubt == set()
        assert on_the_wire(smsc) == doubtful
        assert_next_dispatcher_ends_all(smsc, PHONES, doubtful)
