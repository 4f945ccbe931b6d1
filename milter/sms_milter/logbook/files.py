"""Where logs are: a file with what rotated out of it, plain or compressed, standard input, or the journal."""

from __future__ import annotations

import bz2
import gzip
import lzma
import math
import os
import re
import shutil
import subprocess
import tempfile
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BufferedIOBase
from pathlib import Path
from typing import IO

USUAL = (Path("/var/log/mail.log"), Path("/var/log/maillog"))  # Debian and the BSDs; Red Hat
STANDARD_INPUT = Path("-")
_LOOK_SECONDS = 0.25

# logrotate's and newsyslog's names: mail.log.1, mail.log.2.gz, mail.log-20261122.xz
_ROTATED = re.compile(r"(?:\.\d+|-\d{8}(?:-\d+)?)(?:\.(?:gz|xz|bz2|zst))?")


def with_rotated(files: Iterable[Path], since: float | None) -> list[Path]:
    """The files and what rotated out of them, the oldest first; none that was last written before `since`."""
    found: dict[Path, float] = {}
    for file in files:
        siblings = sorted(file.parent.glob(f"{_literal(file.name)}[.-]*"))
        rotated = [one for one in siblings if _ROTATED.fullmatch(one.name[len(file.name) :])]
        for one in (*rotated, file):
            found[one] = one.stat().st_mtime
    recent = [one for one, at in found.items() if since is None or at >= since or one in set(files)]
    return sorted(recent, key=found.__getitem__)


def _literal(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)


class Files:
    """Files one after the other, those in `ends` only so many octets. Raises OSError; `.zst`, which Python
    cannot read, too.
    """

    def __init__(self, paths: Sequence[Path], ends: Mapping[Path, int] | None = None) -> None:
        self._paths, self._ends = paths, ends or {}

    def __iter__(self) -> Iterator[str]:
        for path in self._paths:
            left = self._ends.get(path, math.inf)
            with _opened(path) as file:
                for octets in file:
                    left -= len(octets)
                    if left < 0:
                        break
                    yield _text(octets)


def _text(octets: bytes) -> str:
    return octets.rstrip(b"\r\n").decode("utf-8", "replace")


def _opened(path: Path) -> BufferedIOBase:
    if path.suffix == ".zst":
        raise OSError(f"{path}: zstd cannot be read here; give `zstdcat {path}` on standard input (-)")
    match path.suffix:
        case ".gz":
            return gzip.GzipFile(path)
        case ".xz":
            return lzma.LZMAFile(path)
        case ".bz2":
            return bz2.BZ2File(path)
    return path.open("rb")


class Spool:
    """What can be read only once, kept in a temporary file."""

    def __init__(self, source: IO[bytes]) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 -- it lives as long as we do
        weakref.finalize(self, self._file.close)
        shutil.copyfileobj(source, self._file)

    def __iter__(self) -> Iterator[str]:
        self._file.seek(0)
        yield from map(_text, self._file)


def journal(since: float | None, until: float | None = None, *, follow: bool = False) -> IO[bytes]:
    """What the journal has of mail, as JSON, between two moments in whole seconds. Raises OSError where there
    is no journalctl.
    """
    words = ["journalctl", "--output=json", "--no-pager", "--quiet", "SYSLOG_FACILITY=2"]
    words += [] if since is None else [f"--since=@{int(since)}"]
    words += [] if until is None else [f"--until=@{int(until)}"]
    words += ["--follow", "--no-tail"] if follow else []
    started = subprocess.Popen(words, stdout=subprocess.PIPE)  # noqa: S603 -- our own words
    assert started.stdout is not None
    return started.stdout


def decoded(octets: Iterable[bytes]) -> Iterator[str]:
    """Lines without their ends, as they come."""
    return map(_text, octets)


class Tail:
    """What is appended to files from now on, through rotation."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._open: dict[Path, IO[bytes]] = {}
        self._rest: dict[Path, bytes] = {}
        # Where the past ends; so that no line is in both.
        self.begins = {path: self._turn_to(path).seek(0, os.SEEK_END) for path in paths}

    def __iter__(self) -> Iterator[str]:
        try:
            while True:
                fresh = [line for path in self._paths for line in self.news(path)]
                yield from fresh
                if not fresh:
                    time.sleep(_LOOK_SECONDS)
        finally:
            self.close()

    def close(self) -> None:
        """No more."""
        for file in self._open.values():
            file.close()

    def news(self, path: Path) -> list[str]:
        """The lines of one of them that have come since the last time."""
        lines = self._read(path)
        if not lines and self._rotated(path):
            lines = self._read(path)  # what was written before it was moved away
            self._turn_to(path)
            lines += self._read(path)
        return lines

    def _read(self, path: Path) -> list[str]:
        *lines, self._rest[path] = (self._rest[path] + self._open[path].read()).split(b"\n")
        return list(map(_text, lines))

    def _rotated(self, path: Path) -> bool:
        try:
            there = path.stat()
        except FileNotFoundError:
            return False  # between two names
        here = os.fstat(self._open[path].fileno())
        return there.st_ino != here.st_ino or there.st_size < self._open[path].tell()

    def _turn_to(self, path: Path) -> IO[bytes]:
        if path in self._open:
            self._open[path].close()
        self._open[path] = path.open("rb")
        self._rest[path] = b""
        return self._open[path]
