"""Several hosts on one queue, under load: nothing is lost, and doubled only what the log calls in doubt."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from support.dispatchers import Hosts, TimedSimulator, most_in_a_second
from support.places import folder, wait_until

pytestmark = pytest.mark.slow

RATE = 60


def numbers(count: int) -> list[str]:
    return [f"4479734{number:05}" for number in range(count)]


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    with folder("hosts") as place, Hosts(place) as hosts:
        yield hosts


Start = Callable[..., TimedSimulator]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts an SMSC with these options."""
    with ExitStack() as stack:

        def started(**options: Any) -> TimedSimulator:
            smsc = TimedSimulator(**options)
            stack.callback(smsc.stop)
            return smsc

        yield started


def took(hosts: Hosts, name: str) -> int:
    """How many parts of a host were accepted."""
    return hosts.log(name).count(" status=accepted")


def check(hosts: Hosts, everybody: list[str], *smscs: TimedSimulator) -> None:
    """Everybody has got it, twice only what was in doubt."""
    arrived: Counter[str] = sum((one.arrived for one in smscs), Counter())
    assert set(everybody) <= arrived.keys() | hosts.in_doubt
    assert {number for number, times in arrived.items() if times > 1} <= hosts.in_doubt


def test_two_hosts_share_binds_and_rate_until_one_dies(hosts: Hosts, start: Start) -> None:
    """Each has one of the two binds that the SMSC grants, and half of the rate; then one has all."""
    smsc = start(binds=2, rate=RATE, response_delay="40ms")
    hosts.configure({"main": {"port": smsc.port, "binds": 2, "rate": RATE}}, ["main"])
    everybody = numbers(RATE * 14)
    hosts.put(everybody, "main")
    hosts.start("one")
    wait_until(lambda: took(hosts, "one"), "the first host to send")
    hosts.start("two")
    wait_until(lambda: took(hosts, "two") > RATE, "the second host to have its share", 20)
    began, before = len(smsc.came), (took(hosts, "one"), took(hosts, "two"))
    wait_until(lambda: len(smsc.came) >= began + 2 * RATE, "both to go on")
    shares = took(hosts, "one") - before[0], took(hosts, "two") - before[1]
    assert min(shares) >= 0.8 * max(shares)
    hosts.die("one")
    wait_until(lambda: hosts.waiting == 0, "the other to send what is left", 40)
    assert smsc.tally.most_bound == 2
    assert "bind refused" not in hosts.log("one") + hosts.log("two")
    assert smsc.tally.refused == 0, "it would have complained of too many in a second"
    # What leaves in one second may be seen in the next; test_speed.py is exact about it.
    assert most_in_a_second(smsc.times) <= 1.05 * RATE
    assert len([at for at in smsc.times if at > smsc.times[-1] - 1.0]) >= 0.9 * RATE, "the rate of the dead"
    assert 0 < len(hosts.in_doubt) <= 10, "what one window held"
    check(hosts, everybody, smsc)


def test_messages_go_on_by_an_smsc_that_another_host_is_bound_to(hosts: Hosts, start: Start) -> None:
    main, backup = start(binds=1, response_delay="40ms"), start(binds=1)
    hosts.configure(
        {"main": {"port": main.port}, "backup": {"port": backup.port}},
        ["main", "backup"],
        escalate_after="3s",
    )
    everybody = numbers(400)
    hosts.put(everybody, "main", promise=3.0)
    hosts.queue.hold_binds("backup", 1, "two", time.time(), time.time() + 10)
    hosts.start("one")
    hosts.start("two")
    wait_until(lambda: len(main.came) > 100, "the load to begin")
    main.stop()
    wait_until(lambda: hosts.waiting == 0, "the other SMSC to get them", 30)
    assert len(backup.came) > 100
    assert "bound to" in hosts.log("one")
    assert f"bound to 127.0.0.1:{backup.port}" not in hosts.log("one")
    assert f"bound to 127.0.0.1:{main.port}" not in hosts.log("two")
    check(hosts, everybody, main, backup)


def test_a_reload_may_add_move_and_remove_smscs(hosts: Hosts, start: Start) -> None:
    moving, moved, leaving, coming = (start(response_delay="20ms") for _ in range(4))
    hosts.configure(
        {"moving": {"port": moving.port, "rate": 200}, "leaving": {"port": leaving.port, "rate": 200}},
        ["moving", "leaving"],
    )
    everybody = numbers(1400)
    hosts.put(everybody[:600], "moving")
    hosts.put(everybody[600:1200], "leaving")
    hosts.start("one")
    wait_until(lambda: len(moving.came) > 100 and len(leaving.came) > 100, "the load to begin")
    hosts.configure(
        {"moving": {"port": moved.port, "rate": 300}, "coming": {"port": coming.port}}, ["moving", "coming"]
    )
    hosts.reload("one")
    hosts.put(everybody[1200:], "coming")
    wait_until(lambda: len(moved.came) > 200, "the SMSC to be reached where it is now", 20)
    hosts.configure(
        {"moving": {"port": moved.port, "rate": 0}, "coming": {"port": coming.port}}, ["moving", "coming"]
    )
    hosts.reload("one")
    wait_until(lambda: hosts.waiting == 0, "the rest to be sent", 20)
    assert (len(moving.came) < 600, len(leaving.came) < 600, len(coming.came)) == (True, True, 200)
    assert most_in_a_second(moving.times) <= 1.05 * 200
    assert hosts.in_doubt == set()
    assert sum((one.arrived for one in (moving, moved, leaving, coming)), Counter()) == Counter(everybody)
