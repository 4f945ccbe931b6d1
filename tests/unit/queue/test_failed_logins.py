"""Failed logins in the file that all workers share."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sms_milter.model import LoginRule
from sms_milter.queue.sqlite import SqliteQueue

NOW = 1_000_000.0
TWICE = LoginRule(count=2, within_seconds=100, block_seconds=50)


def rows(path: Path, table: str) -> int:
    with sqlite3.connect(path) as db:
        found: int = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    db.close()
    return found


def test_workers_count_together(tmp_path: Path) -> None:
    one, other = (SqliteQueue(str(tmp_path / "queue.db")) for _ in range(2))
    assert not one.login_failed("a", TWICE, NOW)
    assert other.login_failed("a", TWICE, NOW)
    assert one.login_blocked("a", NOW)
    one.close()
    other.close()


def test_what_is_over_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    queue = SqliteQueue(str(path))
    for number in range(5):
        queue.login_failed(f"once {number}", TWICE, NOW)
        queue.login_failed(f"twice {number}", TWICE, NOW)
        queue.login_failed(f"twice {number}", TWICE, NOW)
    assert (rows(path, "failed_login"), rows(path, "login_block")) == (5, 5)
    queue.login_failed("late", TWICE, NOW + 99)
    assert (rows(path, "failed_login"), rows(path, "login_block")) == (6, 0)
    queue.login_failed("later", TWICE, NOW + 100)
    assert rows(path, "failed_login") == 2
    queue.close()


def test_a_client_that_is_no_text_can_be_counted(tmp_path: Path) -> None:
    queue = SqliteQueue(str(tmp_path / "queue.db"))
    queue.login_failed("client \udcff", TWICE, NOW)
    assert queue.login_failed("client \udcff", TWICE, NOW)
    assert queue.login_blocked("client \udcff", NOW)
    queue.close()
