"""Opening, migrating, and what goes wrong with files."""

from __future__ import annotations

import os
import resource
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.builders import NOW, mail, message
from contract.fates import accepted, lease, receipt, record, settle
from sms_milter.config.values import QueueUrl
from sms_milter.errors import QueueError, QueueUnavailable
from sms_milter.model import Answer, ReportOutcome
from sms_milter.queue import open_queue
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.queue.sqlite.file import SqliteFile
from sms_milter.queue.statements import migrations, statements


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue.db"


def test_the_configurations_url_opens_it(path: Path) -> None:
    queue = open_queue(QueueUrl("sqlite", path=str(path)))
    assert not path.exists()
    queue.put([mail()], NOW)
    queue.close()
    assert path.exists()


def test_commits_are_synced_and_logged_ahead(path: Path) -> None:
    file = SqliteFile(str(path))
    with file.reading() as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    file.close()


def test_others_cannot_read_the_files(path: Path) -> None:
    queue = SqliteQueue(str(path))
    queue.put([mail()], NOW)
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    queue.close()
    assert {f"queue.db{suffix}" for suffix in ("", "-wal", "-shm", ".lock")} <= set(modes)
    assert {name: mode for name, mode in modes.items() if mode & 0o007} == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_belongs_to_the_services_user(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    queue = SqliteQueue(str(home / "queue.db"))
    queue.put([mail()], NOW)
    owners = {one.name: one.stat().st_uid for one in home.iterdir()}
    queue.close()
    assert owners == dict.fromkeys(owners, 65534)
    assert len(owners) == 4  # the database, its log and shared memory, the lock


# --- migrations ---------------------------------------------------------------------------------------------

NEXT = "ALTER TABLE mail ADD COLUMN note TEXT; CREATE INDEX mail_note ON mail (note) WHERE note IS NOT NULL;"


def test_a_version_1_file_is_brought_up_to_date_with_its_mails(path: Path) -> None:
    with sqlite3.connect(path) as old:
        old.executescript(migrations("sqlite")[0])
        old.execute("PRAGMA user_version = 1")
        old.execute("INSERT INTO mail VALUES (1, 0, 1, '4OLD', 'acme', 'hsl', 'a@b', '', '', NULL)")
        old.execute(
            "INSERT INTO message VALUES"
            " (1, 1, 1, 0, 1, NULL, NULL, 'sms', 'text', 'default', '', 'ACME', '447', NULL, NULL, '')"
        )
        old.execute("UPDATE counter SET last_id = 1")
    old.close()
    queue = SqliteQueue(str(path))
    queue.put([mail()], NOW)
    assert queue.due_reports(NOW, 1) == []
    queue.close()
    file = SqliteFile(str(path), scripts=[*migrations("sqlite"), NEXT])
    with file.reading() as db:
        assert db.execute("SELECT mta_queue_id, note FROM mail").fetchall() == [
            ("4OLD", None),
            ("4ABC", None),
        ]
        assert db.execute("SELECT notify FROM message").fetchall() == [(0,), (0,)]
        assert db.execute("PRAGMA user_version").fetchone() == (len(migrations("sqlite")) + 1,)
    file.close()


def test_a_migration_that_fails_leaves_the_version_before(path: Path) -> None:
    broken = SqliteFile(
        str(path), scripts=[migrations("sqlite")[0], "CREATE TABLE fine (a); CREATE TABLE mail (a);"]
    )
    with pytest.raises(QueueUnavailable, match="mail already exists"), broken.reading():
        pass
    file = SqliteFile(str(path), scripts=[migrations("sqlite")[0], NEXT])
    with file.reading() as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
        assert not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'fine'").fetchall()
    file.close()


def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    newer = SqliteFile(str(path), scripts=[*migrations("sqlite"), "CREATE TABLE later (a)"])
    with newer.reading():
        pass
    newer.close()
    with pytest.raises(QueueUnavailable, match="newer version"):
        SqliteQueue(str(path)).put([mail()], NOW)


# --- faults -------------------------------------------------------------------------------------------------


def test_a_missing_directory_is_named_and_may_come_later(path: Path) -> None:
    queue = SqliteQueue(str(path.parent / "later" / "queue.db"))
    with pytest.raises(QueueUnavailable, match="directory missing"):
        queue.put([mail()], NOW)
    (path.parent / "later").mkdir()
    assert queue.put([mail()], NOW)[0]
    queue.close()


def test_a_file_that_is_no_database_is_named(path: Path) -> None:
    path.write_bytes(b"MZ" * 4096)
    with pytest.raises(QueueUnavailable, match="not a queue database"):
        SqliteQueue(str(path)).put([mail()], NOW)
    assert path.read_bytes() == b"MZ" * 4096


def test_a_damaged_database_is_named(path: Path) -> None:
    queue = SqliteQueue(str(path))
    queue.put([mail() for _ in range(500)], NOW)
    queue.close()
    octets = bytearray(path.read_bytes())
    octets[4096:] = b"\x55" * (len(octets) - 4096)
    path.write_bytes(octets)
    with pytest.raises(QueueUnavailable, match="damaged"):
        queue.put([mail()], NOW)


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Files of this process may not grow beyond 1 MB: the same to SQLite as a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_fills_up_refuses_whole_mails_and_heals(path: Path, full_disk: None) -> None:
    queue = SqliteQueue(str(path))
    stored = 0

    def put(mails: int) -> None:
        nonlocal stored
        for _ in range(mails):
            queue.put([mail(message(parts=20))], NOW)
            stored += 1

    with pytest.raises(QueueUnavailable, match=r"disk full|input/output"):
        put(1000)
    assert stored
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    put(1)
    assert len(queue.list_parts(limit=10_000)) == 20 * stored
    queue.close()


def test_a_foreign_writer_makes_it_unavailable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sms_milter.queue.sqlite.file._FOREIGN_LOCK_MILLISECONDS", 20)
    queue = SqliteQueue(str(path))
    queue.put([mail()], NOW)
    foreign = sqlite3.connect(path, isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    with pytest.raises(QueueUnavailable, match="locked by another program"):
        queue.put([mail()], NOW)
    foreign.execute("ROLLBACK")
    foreign.close()
    assert queue.put([mail()], NOW)
    queue.close()


def test_a_writer_waits_for_another_and_readers_do_not(path: Path) -> None:
    one, two = SqliteQueue(str(path)), SqliteQueue(str(path))
    two.put([mail()], NOW)
    order: list[str] = []
    with one.transaction():
        waiting = threading.Thread(
            target=lambda: two.put_waiting(lambda: order.append("two") or [mail()], NOW)
        )
        waiting.start()
        time.sleep(0.05)
        assert len(SqliteQueue(str(path)).list_parts()) == 1
        order.append("one")
    waiting.join(10)
    assert order == ["one", "two"]
    assert len(two.list_parts()) == 2
    one.close()
    two.close()


def test_a_file_put_in_its_place_is_used_from_then_on(path: Path) -> None:
    queue = SqliteQueue(str(path))
    queue.put([mail()], NOW)
    queue.close()
    queue.put([mail()], NOW)
    path.rename(path.with_name("away.db"))
    queue.put([mail()], NOW)
    assert len(queue.list_parts()) == 1
    queue.close()


def test_a_queue_opened_before_fork_is_refused_in_the_child(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = SqliteQueue(str(path))
    queue.put([mail()], NOW)
    with monkeypatch.context() as child:
        child.setattr("sms_milter.queue.sqlite.file.os.getpid", lambda: -1)
        with pytest.raises(QueueError, match="before fork"):
            queue.put([mail()], NOW)
    assert len(queue.list_parts()) == 1
    queue.close()


def test_a_mail_without_messages_is_our_fault(path: Path) -> None:
    queue = SqliteQueue(str(path))
    empty = mail(message(parts=0))
    with pytest.raises(ValueError, match="without parts"):
        queue.put([mail(), empty], NOW)
    assert queue.list_parts() == []
    queue.close()


def test_a_number_costs_no_sync_and_what_follows_is_synced_again(path: Path) -> None:
    file = SqliteFile(str(path))
    with file.transaction(synced=False) as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (1,)
        db.execute("INSERT INTO number VALUES ('acme', 2147483646)")
    with file.transaction() as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    with pytest.raises(ZeroDivisionError), file.transaction(synced=False) as db:
        db.execute(f"INSERT INTO number VALUES ('other', {1 // 0})")
    with file.transaction() as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    file.close()


def test_numbers_begin_again_after_the_last_of_32_bits(path: Path) -> None:
    queue = SqliteQueue(str(path))
    queue.next_number("acme")
    with sqlite3.connect(path) as db:
        db.execute("UPDATE number SET last = 2147483646")
    db.close()
    assert [queue.next_number("acme") for _ in range(2)] == [2147483647, 1]
    queue.close()


# --- cost ---------------------------------------------------------------------------------------------------


def _plan(path: Path, sql: str, values: Any) -> str:
    with sqlite3.connect(path) as db:
        rows = db.execute("EXPLAIN QUERY PLAN " + sql, values).fetchall()
    db.close()
    return "\n".join(row[3] for row in rows)


NEWS = {
    **dict.fromkeys(("message", "event", "told", "state", "command_status"), 1),
    **dict.fromkeys(("smsc", "stat", "error"), ""),
    **dict.fromkeys(("now", "at"), NOW),
}


def test_hot_statements_search_by_index_and_never_sort(path: Path) -> None:
    queue = SqliteQueue(str(path))
    queue.put([mail()], NOW)
    (part,) = lease(queue)
    record(queue, accepted(part.part_id, "k"))
    settle(queue, receipt("k"))
    queue.close()
    sql = statements("sqlite")
    hot = [
        ("next_account", ("main", 1, "")),
        ("next_accounts", {"smsc": "main", "after": "", "most": 10}),
        ("due_parts", ("main", 1, "acme", NOW, 10, 0)),
        ("promised", ("main", NOW, 10)),
        ("next_ready_smsc", ("",)),
        ("next_waiting_smsc", ("",)),
        ("find_uncertain", ("main", "447973100000", NOW)),
        ("doubtful", ("main", NOW, NOW)),
        ("ripen", ("main", NOW, 10)),
        ("ready_since", ("main", 1)),
        ("next_waiting", ("main",)),
        ("expired_parts", (NOW, 10)),
        ("finished_mails", (NOW, 0.0, 0, 10)),
        ("finished_partless", (NOW, 10)),
        ("report_loss", {"id": 1, "at": NOW}),
        ("report_news", NEWS),
        ("reports", ("[1]",)),
        ("delete_counted", (1,)),
        ("parked_receipts", ("[1]",)),
        ("parked_since", (NOW,)),
        ("find_fingerprint", (b"f", NOW)),
        ("last_number", ("acme",)),
        ("delete_left_out", (1,)),
        ("delete_comments", (1, 2)),
        ("find_record", ("acme", "code", "1")),
        ("forget_records", (NOW,)),
        ("newest_message", ("acme", "1")),
        ("find_fates", {"message": 1}),
        ("first_usage", ("a", "b", NOW)),
        ("find_requests", ("a", b"i", NOW, 2)),
        ("find_run", ("a", "b")),
        ("find_suppressed", ("a", "1")),
        ("forget_requests", (NOW,)),
        ("forget_runs", (NOW,)),
        ("find_balance", ("a",)),
        ("give_back", ("[1]",)),
        ("find_returned", (1,)),
        ("forget_charges", (1, 2)),
        ("forget_bookings", (NOW,)),
        ("find_public", ("a" * 32,)),
        ("message_mail", (1,)),
        ("count_ready", ("main", 1, "acme", NOW, NOW)),
        ("count_waiting", ("main", NOW, NOW)),
        ("found_public", ("a" * 32, 10)),
        ("next_referrer", ("acme",)),
        ("found_reference", ("acme", "order 17", 10)),
        ("found_key", ("k", 10)),
        ("found_former_key", ("k", 10)),
        ("flow", (1, 2)),
        ("forget_flow", (1,)),
    ]
    for name, values in hot:
        plan = _plan(path, sql[name], values)
        assert "SCAN part" not in plan, name
        assert "SCAN mail" not in plan, name
        assert "SCAN receipt" not in plan, name
        assert "SCAN record" not in plan, name
        assert "SCAN message" not in plan, name
        assert "SCAN request" not in plan, name
        assert "SCAN run" not in plan, name
        assert "SCAN suppressed" not in plan, name
        assert "SCAN left_out" not in plan, name
        assert "SCAN counted" not in plan, name
        assert "SCAN listener" not in plan, name
        assert "SCAN comment" not in plan, name
        assert "SCAN number" not in plan, name
        assert "SCAN charge" not in plan, name
        assert "SCAN booking" not in plan, name
        if "DISTINCT" not in sql[name] and name != "next_accounts":  # it sorts a few names
            assert "TEMP B-TREE" not in plan, name


def test_a_mail_without_parts_is_forgotten_once_its_answer_is_sent(path: Path) -> None:
    queue = SqliteQueue(str(path))
    told = mail()._replace(messages=(), answers=(Answer("bob@acme.example", "Status", "Refused.\n"),))
    (sent, waits) = queue.put([told, told], NOW)
    due = queue.due_reports(NOW, 10)
    queue.record_reports([ReportOutcome(due[0].report_id, NOW)])
    queue.purge(NOW + 1)
    assert queue.show_mail(str(sent.queue_id)) is None
    assert queue.show_mail(str(waits.queue_id)) is not None
    queue.close()


def test_what_is_closed_holds_no_file_open(tmp_path: Path) -> None:
    def held() -> list[str]:
        links = [Path("/proc/self/fd", number) for number in os.listdir("/proc/self/fd")]
        # The one of the listing itself has gone.
        targets = [str(link.readlink()) for link in links if link.is_symlink()]
        return [target for target in targets if target.startswith(str(tmp_path))]

    queue = SqliteQueue(f"{tmp_path}/queue.db")
    queue.put([mail(message())], NOW)
    assert held() != []
    queue.close()
    assert held() == []
    queue.put([mail(message())], NOW)
    queue.close()
