"""All that a queue holds goes into another one, of whatever store, and nobody uses either of them meanwhile.

What is durable when, so that the move may be killed at any moment and begun again:

1. The old queue, on which no process works any more, has a name for the move.
2. The new queue, which must be empty, is closed and knows by that name which one it is filled from.
   Then the old one is closed too.
3. The rows come table by table in the order of their keys, in batches. A batch and how far it reaches are
   durable together.
4. The old queue is left for good: it can be deleted, but never used again.
5. The new queue is opened.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from sms_milter.errors import QueueError

# The tables that go, and by what their rows are told apart and ordered; (): by their place in the table.
TABLES: Mapping[str, tuple[str, ...]] = {
    "mail": ("id",),
    "message": ("id",),
    "part": ("id",),
    "original": ("mail_id",),
    "comment": ("message_id",),
    "left_out": (),
    "counted": ("id",),
    "listener": ("id",),
    "receipt": ("id",),
    "report": ("id",),
    "charge": ("part_id",),
    "cancellation": ("part_id",),
    "former_id": ("smsc_key", "smsc", "part_id"),
    "reference": ("source", "destination"),
    "record": ("account", "kind", "name"),
    "number": ("account",),
    "usage": ("account", "sender", "at"),
    "request": (),
    "run": ("account", "destination"),
    "storm": ("account", "destination", "likeness"),
    "balance": ("account",),
    "booking": ("id",),
    "suppressed": ("account", "number"),
    "failed_login": (),
    "login_block": ("who",),
    "mobile": ("id",),
    "mobile_part": ("mobile_id", "number"),
    "trace": ("smsc",),
    "flow": ("minute",),
}
# What dispatchers tell of themselves and share while they work; what is made anew from the rest.
STAYS = frozenset({"link", "smsc_load", "bind_lease", "bind_wish", "rate_share", "counter"})

OCTETS = frozenset({"likeness"})

_BATCH = 1000

Row = Sequence[Any]
Key = list[Any]


class Old(Protocol):
    """The queue that is left. All of it raises QueueUnavailable and QueueError."""

    @property
    def left(self) -> bool:
        """Whether everything has come to the new one already."""

    def name(self) -> str:
        """The name of this move, the same when it is begun again."""

    def close_doors(self) -> None:
        """Nobody else uses it from now on."""

    def columns(self, table: str) -> list[str]:
        """Their names."""

    def count(self, table: str) -> int:
        """How many rows it has."""

    def rows(
        self, table: str, columns: Sequence[str], after: Key | None, limit: int
    ) -> list[tuple[Key, Row]]:
        """These columns of the next rows behind a key, in order, each with its key."""

    def last_id(self) -> int:
        """The last id that was given to a part."""

    def leave(self) -> None:
        """It is never used again."""

    def reopen(self) -> None:
        """The move is given up."""


class New(Protocol):
    """The queue that is filled. All of it raises QueueUnavailable and QueueError."""

    def close_doors(self, name: str) -> None:
        """Nobody else uses it until `open`. Raises QueueError unless it is empty, or this move has begun to
        fill it.
        """

    def filled_by(self, name: str) -> bool:
        """Whether the move of this name has begun to fill it, and not ended."""

    def columns(self, table: str) -> list[str]:
        """Their names; those that the old queue has not got have values all the same."""

    def reached(self, table: str) -> tuple[int, Key | None]:
        """How many rows of a table have come, and the key of the last one."""

    def store(self, table: str, columns: Sequence[str], rows: Sequence[Row], key: Key) -> None:
        """The next rows of a table, up to this key."""

    def open(self, last_id: int) -> None:
        """It is complete; ids of new parts come after that one."""

    def clear(self) -> None:
        """It is empty again, and anybody may use it."""


def written(key: Key) -> str:
    """A key as text."""
    return json.dumps([one.hex() if isinstance(one, bytes) else one for one in key])


def read(text: str | None, kinds: Sequence[str]) -> Key | None:
    """The key that was written so; those of its columns named in OCTETS hold octets."""
    if text is None:
        return None
    return [
        bytes.fromhex(one) if kind in OCTETS else one
        for one, kind in zip(json.loads(text), kinds, strict=True)
    ]


def move(old: Old, new: New, started: Callable[[int], None], came: Callable[[int], None]) -> None:
    """Move everything, or go on where that ended. `started` is told how many rows there are in all, `came`
    again and again how many more have come. Raises QueueError, QueueUnavailable.
    """
    name = old.name()
    if old.left and not new.filled_by(name):
        raise QueueError("everything has moved already")
    new.close_doors(name)
    old.close_doors()
    started(sum(old.count(table) for table in TABLES))
    for table in TABLES:
        columns = [name for name in old.columns(table) if name in new.columns(table)]
        count, key = new.reached(table)
        came(count)
        while rows := old.rows(table, columns, key, _BATCH):
            key = rows[-1][0]
            new.store(table, columns, [row for _, row in rows], key)
            came(len(rows))
        if new.reached(table)[0] != old.count(table):
            raise QueueError(f"not all rows of {table} have come: please tell us")
    old.leave()
    new.open(old.last_id())


def give_up(old: Old, new: New) -> None:
    """Use the old queue again, and forget what has come into the new one. Raises QueueError when the move is
    over.
    """
    if old.left:
        raise QueueError("everything has moved already")
    if new.filled_by(old.name()):
        new.clear()
    old.reopen()
