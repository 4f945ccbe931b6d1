from __future__ import annotations

import bz2
import gzip
import lzma
import os
from io import BytesIO
from pathlib import Path

import pytest

from sms_milter.logbook.files import Files, Spool, Tail, with_rotated


def write(path: Path, octets: bytes, at: float) -> Path:
    path.write_bytes(octets)
    os.utime(path, (at, at))
    return path


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    write(tmp_path / "mail.log", b"six\r\nseven\xff\n", 600)
    write(tmp_path / "mail.log.1", b"five\n", 500)
    write(tmp_path / "mail.log.2.gz", gzip.compress(b"four\n"), 400)
    write(tmp_path / "mail.log-20261121.xz", lzma.compress(b"three\n"), 300)
    write(tmp_path / "mail.log.3.bz2", bz2.compress(b"two\n"), 200)
    write(tmp_path / "mail.log.save", b"not rotated\n", 550)
    write(tmp_path / "mail.log2", b"another\n", 550)
    return tmp_path


def test_rotated_logs_are_read_the_oldest_first(logs: Path) -> None:
    paths = with_rotated([logs / "mail.log"], None)
    assert list(Files(paths)) == ["two", "three", "four", "five", "six", "seven\ufffd"]
    assert list(Files(paths)) == list(Files(paths))


def test_what_was_last_written_before_is_not_opened(logs: Path) -> None:
    assert [one.name for one in with_rotated([logs / "mail.log"], 450.0)] == ["mail.log.1", "mail.log"]
    assert [one.name for one in with_rotated([logs / "mail.log.1"], 9000.0)] == ["mail.log.1"]


def test_what_python_cannot_read_is_refused_by_name(logs: Path) -> None:
    write(logs / "mail.log.4.zst", b"", 100)
    with pytest.raises(OSError, match=r"mail\.log\.4\.zst: zstd cannot be read here"):
        list(Files(with_rotated([logs / "mail.log"], None)))


def test_standard_input_can_be_read_twice() -> None:
    spool = Spool(BytesIO(b"one\r\ntwo"))
    assert list(spool) == list(spool) == ["one", "two"]


def test_a_file_is_followed_through_rotation(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_bytes(b"old\n")
    tail = Tail([log])
    assert tail.begins == {log: 4}
    assert list(Files([log], tail.begins)) == ["old"]
    with log.open("ab") as out:
        out.write(b"new\nha")
    assert list(Files([log], tail.begins)) == ["old"]
    assert tail.news(log) == ["new"]
    with log.open("ab") as out:
        out.write(b"lf\n")
    log.rename(tmp_path / "mail.log.1")
    assert tail.news(log) == ["half"]
    assert tail.news(log) == []  # between two names
    log.write_bytes(b"fresh\n")
    assert tail.news(log) == ["fresh"]
    log.write_bytes(b"cut\n")  # copytruncate
    assert tail.news(log) == ["cut"]
    tail.close()
