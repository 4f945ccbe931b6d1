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
def statements(store: str) -> Mapping[str, str]:
    """The statements of a store, `queue/sql/STORE`, by name. Raises ValueError if a name comes twice."""
    found: dict[str, str] = {}
    for entry in files(__package__).joinpath("sql", store).iterdir():
        if entry.name.endswith(".sql"):
            _, *pieces = _HEADING.split(entry.read_text("utf-8"))
            for name, text in zip(pieces[::2], pieces[1::2], strict=True):
                if name in found:
                    raise ValueError(f"{entry.name}: a second statement {name}")
                found[name] = _COMMENT.sub("", text).strip()
    return found


@cache
def migrations(store: str, folder: str = "migrations") -> Sequence[str]:
    """The migration scripts of a store in order; number N (from 1) brings a database of version N - 1 to
    version N.
    """
    there = files(__package__).joinpath("sql", store, folder)
    scripts = sorted((entry.name, entry) for entry in there.iterdir() if _MIGRATION.fullmatch(entry.name))
    return tuple(entry.read_text("utf-8") for _, entry in scripts)


def storable(text: str) -> str:
    """Octets that no character set explained (surrogateescape) cannot be stored as text; they become `?`."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
