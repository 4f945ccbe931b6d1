"""The national language tables in oFono, the telephony of phones and cars: read from its program as it is."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from support.places import CACHE

_SMALL_LETTERS = struct.pack("<26H", *range(ord("a"), ord("z") + 1))  # at 61 of every locking-shift table
_COMMON = struct.pack("<6H", 0x00, 0x0040, 0x01, 0x00A3, 0x02, 0x0024)  # the single-shift tables of India


@cache
def locking_tables() -> list[list[int]]:
    """The code points of 128 codes each, whatever language they are for; 0020 where there is none."""
    octets = _program()
    places = [place - 2 * ord("a") for place in _places(octets, _SMALL_LETTERS)]
    return [list(struct.unpack_from("<128H", octets, place)) for place in places if place >= 0]


@cache
def single_tables_of_india() -> list[list[int]]:
    """The same for these single-shift tables, which list what they have."""
    octets = _program()
    listed = [dict(_pairs(octets, place)) for place in _places(octets, _COMMON)]
    return [[table.get(code, 0x20) for code in range(128)] for table in listed]


def _pairs(octets: bytes, place: int) -> Iterator[tuple[int, int]]:
    before = -1
    while True:
        code, point = struct.unpack_from("<2H", octets, place)
        if not before < code < 0x80:
            return
        yield code, point
        before = code
        place += 4


def _places(octets: bytes, run: bytes) -> Iterator[int]:
    place = octets.find(run)
    while place >= 0:
        yield place
        place = octets.find(run, place + 1)


def _program() -> bytes:
    """Debian's ofonod, downloaded and unpacked into the cache, not installed; AssertionError without it."""
    folder = CACHE / "ofono"
    program = folder / "root" / "usr/sbin/ofonod"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-q", "ofono"], cwd=folder, capture_output=True, timeout=120)
        packages = sorted(folder.glob("ofono_*.deb"))
        assert packages, "Debian's package ofono cannot be downloaded; apt-get update may help"
        subprocess.run(["dpkg", "-x", packages[-1], folder / "root"], check=True, capture_output=True)
    return Path(program).read_bytes()
