"""The octets of files that settings stand in, or name."""

from __future__ import annotations

import os
from pathlib import Path

_FILE_LIMIT = 64 << 20  # octets


class Unreadable(Exception):
    """A file cannot be used; the message says why."""


def text_of(path: Path) -> str:
    """What it says, in UTF-8, with a byte order mark or not. Raises Unreadable."""
    try:
        if path.exists() and not path.is_file():
            raise Unreadable("is a directory" if path.is_dir() else "is not a regular file")
        octets = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"cannot be read: {(error.strerror or 'input/output error').lower()}") from None
    except ValueError:
        raise Unreadable("is not a file name") from None
    if len(octets) > _FILE_LIMIT:
        raise Unreadable(f"is too large: {len(octets)} octets, at most {_FILE_LIMIT}")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"is not UTF-8 text: octet 0x{octets[error.start]:02x} in line {line}") from None


def real_path(path: Path) -> str:
    """The file that is meant, whatever its name."""
    try:
        return os.path.realpath(path)
    except ValueError:  # no file can have this name
        return str(path)
