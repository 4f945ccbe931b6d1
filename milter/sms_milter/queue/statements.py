"""Reads the SQL of a store from its .sql files: a name between dashes, what it is for, the statement."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

_HEADING = re.compile(r"^-- (\w+) --$", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n?", re.MULTILINE)
_MIGRATION = re.compile(r"(\d{4})_\w+\.sql")


@cache
def statements(file: str) -> Mapping[str, str]:
    """The statements of one file under `queue/sql`, by name."""
    _, *pieces = _HEADING.split(files(__package__).joinpath("sql", file).read_text("utf-8"))
    return {
        name: _COMMENT.sub("", text).strip() for name, text in zip(pieces[::2], pieces[1::2], strict=True)
    }


@cache
def migrations() -> Sequence[str]:
    """The migration scripts in order; number N (from 1) brings a database of version N - 1 to version N."""
    folder = files(__package__).joinpath("sql", "migrations")
    scripts = sorted((entry.name, entry) for entry in folder.iterdir() if _MIGRATION.fullmatch(entry.name))
    return tuple(entry.read_text("utf-8") for _, entry in scripts)


def storable(text: str) -> str:
    """Octets that no character set explained (surrogateescape) cannot be stored as text; they become `?`."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
