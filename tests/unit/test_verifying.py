"""The process that verifies passwords: what it answers, how it steps aside, how it ends."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sms_milter.config.secrets import hash_password, verify
from sms_milter.verifying import Aside
from support.places import wait_until


def same(password_hash: str, password: str) -> bool:
    return password_hash == password


@pytest.fixture
def aside() -> Iterator[Aside]:
    made = Aside(same)
    yield made
    made.close()


@pytest.mark.parametrize("password", ["", "x", "pässword", "\udcff\udc80", "\0", "x" * 1_000_000])
def test_it_answers_as_the_function_does(aside: Aside, password: str) -> None:
    assert aside(password, password)
    assert not aside(password, password + "x")
    assert not aside(password + "x", password)


def test_it_knows_real_hashes() -> None:
    aside = Aside(verify)
    hashed = hash_password("pässword")
    assert aside(hashed, "pässword")
    assert not aside(hashed, "password")
    assert not aside("no hash", "\udcff")
    aside.close()


def test_it_says_what_its_work_cost() -> None:
    def burns(_: str, password: str) -> bool:
        until = time.process_time() + 0.05 * len(password)
        while time.process_time() < until:
            pass
        return True

    aside = Aside(burns)
    spent = []
    for password in ("x", "", "xx"):
        before = aside.spent()
        aside("", password)
        spent.append(aside.spent() - before)
    os.kill(aside.pid, signal.SIGKILL)
    before = aside.spent()
    aside("", "x")
    spent.append(aside.spent() - before)
    assert spent == pytest.approx([0.05, 0.0, 0.1, 0.05], abs=0.04)
    aside.close()


def test_it_is_another_process_that_works_when_nobody_else_wants_to(aside: Aside) -> None:
    assert aside("x", "x")
    assert aside.pid != os.getpid()
    assert os.getpriority(os.PRIO_PROCESS, aside.pid) == 19
    assert os.sched_getscheduler(aside.pid) == os.SCHED_IDLE


def test_it_has_nothing_open_but_its_socket(aside: Aside, tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        one = Aside(same)
        assert one("x", "x")
        opened = sorted(int(name) for name in os.listdir(f"/proc/{one.pid}/fd"))
        assert len([number for number in opened if number > 2]) == 1
        one.close()


def test_the_signals_for_a_service_are_not_for_it(aside: Aside) -> None:
    assert aside("x", "x")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(aside.pid, number)
    assert aside("x", "x")


def test_killed_it_is_missed_by_nobody(aside: Aside) -> None:
    os.kill(aside.pid, signal.SIGKILL)
    assert aside("x", "x")
    assert not aside("x", "y")


def test_it_ends_with_the_one_that_made_it() -> None:
    read, write = os.pipe()
    maker = os.fork()
    if not maker:
        os.write(write, str(Aside(same).pid).encode())
        os._exit(0)
    os.waitpid(maker, 0)
    verifying = int(os.read(read, 20))
    for number in (read, write):
        os.close(number)

    def ended() -> bool:
        status = Path(f"/proc/{verifying}/stat")
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"

    wait_until(ended, "the process to end")
