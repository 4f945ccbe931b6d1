"""Limits in the file that all workers share: nothing stays that counts no more."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from contract.builders import NOW, mail, message
from sms_milter.model import DuplicateRule, FloodRule, Limits, QuotaRule
from sms_milter.queue.sqlite import SqliteQueue

LIMITS = Limits(duplicates=DuplicateRule(2, 60), flood=FloodRule(50, 120, per_account=False))


def rows(path: Path) -> tuple[int, int]:
    with sqlite3.connect(path) as db:
        found: tuple[int, int] = db.execute(
            "SELECT (SELECT count(*) FROM request), (SELECT count(*) FROM run)"
        ).fetchone()
    db.close()
    return found


def test_what_counts_no_more_is_forgotten_as_new_mail_comes(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    queue = SqliteQueue(str(path))

    def put(number: int, at: float) -> None:
        one = mail(message(f"4479731{number:05}"), limits=LIMITS, identity=str(number).encode())
        queue.put([one], NOW + at)

    for number in range(200):
        put(number, 0)
    assert rows(path) == (200, 200)
    for number in range(10):
        put(1000 + number, 121)
    assert rows(path) == (10, 10)
    queue.close()


def test_what_has_left_a_quotas_window_is_forgotten_as_parts_are_sent(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    queue = SqliteQueue(str(path))
    limits = Limits(quota=QuotaRule(1000, None, 3600.0, defer=False))

    def put(count: int, at: float) -> int:
        for number in range(count):
            queue.put([mail(limits=limits)], NOW + at + number)
        with sqlite3.connect(path) as db:
            found: tuple[int] = db.execute("SELECT count(*) FROM usage").fetchone()
        db.close()
        return found[0]

    assert put(60, 0) == 60
    assert put(40, 7200) == 40
    queue.close()


def test_an_account_without_limits_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    queue = SqliteQueue(str(path))
    queue.put([mail()], NOW)
    assert rows(path) == (0, 0)
    queue.close()
