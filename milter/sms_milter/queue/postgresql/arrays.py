"""Columns of rows as PostgreSQL's arrays in their binary form: one statement then works on a whole batch.

PostgreSQL, `src/backend/utils/adt/arrayfuncs.c`, array_recv: dimensions, whether there are NULLs, the type
of the elements, length and lower bound; then each element behind its length, -1 for NULL.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import chain, repeat
from typing import Any, ClassVar

from psycopg.abc import AdaptContext
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEAD = struct.Struct("!iiIii")
_LENGTH = struct.Struct("!i")
_NULL = _LENGTH.pack(-1)


class Array:
    """One column; `data` is what goes to the server."""

    __slots__ = ("data",)

    def __init__(self, values: Sequence[Any]) -> None:
        nulls = None in values
        head = _HEAD.pack(1, nulls, self.element, len(values), 1)
        self.data = head + (self._with_nulls(values) if nulls else self._elements(values))

    element: ClassVar[int]  # the oid of the type of an element

    def _elements(self, values: Sequence[Any]) -> bytes:
        raise NotImplementedError

    def _with_nulls(self, values: Sequence[Any]) -> bytes:
        return b"".join([_NULL if value is None else self._elements((value,)) for value in values])


def _fixed(letter: str, size: int, values: Sequence[Any]) -> bytes:
    """Elements that `struct` writes with a letter, `size` octets each."""
    pairs = chain.from_iterable(zip(repeat(size), values, strict=False))
    return struct.pack("!" + f"i{letter}" * len(values), *pairs)


def _sized(values: Sequence[bytes]) -> bytes:
    pack = _LENGTH.pack
    return b"".join([octets for value in values for octets in (pack(len(value)), value)])


class Bigints(Array):
    """bigint[]"""

    __slots__ = ()
    element = 20

    def _elements(self, values: Sequence[Any]) -> bytes:
        return _fixed("q", 8, values)


class Floats(Array):
    """float8[]"""

    __slots__ = ()
    element = 701

    def _elements(self, values: Sequence[Any]) -> bytes:
        return _fixed("d", 8, values)


class Booleans(Array):
    """boolean[]"""

    __slots__ = ()
    element = 16

    def _elements(self, values: Sequence[Any]) -> bytes:
        return _fixed("?", 1, values)


class Texts(Array):
    """text[]; see `text`."""

    __slots__ = ()
    element = 25

    def _elements(self, values: Sequence[str]) -> bytes:
        return _sized([text(value).encode() for value in values])


class Octets(Array):
    """bytea[]"""

    __slots__ = ()
    element = 17

    def _elements(self, values: Sequence[bytes]) -> bytes:
        return _sized(values)


# By the name of the element's type, as the statements write it.
ARRAYS: dict[str, type[Array]] = {
    "bigint": Bigints,
    "float8": Floats,
    "boolean": Booleans,
    "text": Texts,
    "bytea": Octets,
}
_OIDS = {Bigints: 1016, Floats: 1022, Booleans: 1000, Texts: 1009, Octets: 1001}


def text(value: str) -> str:
    """PostgreSQL's text holds no NUL; its picture (U+2400) takes its place."""
    return value.replace("\0", "\u2400") if "\0" in value else value


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Array) -> bytes:
        return obj.data


def register(context: AdaptContext) -> None:
    """Let a connection take arrays as parameters."""
    for kind, oid in _OIDS.items():
        dumper = type(f"{kind.__name__}Dumper", (_ArrayDumper,), {"oid": oid})
        context.adapters.register_dumper(kind, dumper)
