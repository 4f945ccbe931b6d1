"""What the rooms of the queue need from a database: statements by name, and a word with other writers.

The rules stand in the rooms, for every store alike; each store has its own SQL under `sql/`, by the same
names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from sms_milter.model import NewMail

Values = Sequence[Any] | Mapping[str, Any]


class Changed(Protocol):
    """What a statement did. A store far away is only waited for when somebody asks."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""


class Rows(Changed, Protocol):
    """What a statement gave; asked for as `Changed` is."""

    @property
    def description(self) -> Any:
        """The columns; the first item of each is its name."""

    def fetchone(self) -> Any:
        """The next row, None after the last."""

    def fetchall(self) -> list[Any]:
        """All further rows."""

    def __iter__(self) -> Iterator[Any]: ...


class Entry(Protocol):
    """What a batch of mails needs before it can be stored, settled with all other writers."""

    def place(self, number: int, last_id: int, /) -> int:
        """The id after which those of one of its mails begin, by its number in the batch from 0;
        `last_id` was the last one that the mails before it took.
        """

    def known(self, fingerprint: bytes) -> int:
        """The id of the mail with it that is stored within the retry window; 0: none, and nobody else will
        store one until this transaction has ended.
        """

    def reference(self, originator: str, destination: str) -> int:
        """The next concatenation reference between two addresses, 0..65535."""

    def finish(self, stored: Mapping[bytes, int], /) -> None:
        """Only the mails with these fingerprints and ids are stored."""


class Database(Protocol):
    """One transaction of a store, or a look at it."""

    def execute(self, name: str, values: Values = (), /) -> Rows:
        """Run the statement of that name once."""

    def many(self, name: str, rows: Sequence[Values], /) -> Changed:
        """Run it for each of these, that have the same fields."""

    def insert(self, name: str, rows: Sequence[Values], /) -> None:
        """As `many`, for a statement that inserts one row."""

    def each(self, name: str, rows: Sequence[Values], /) -> list[Any]:
        """For each of these the first row that the statement finds for it, or None."""

    def every(self, name: str, rows: Sequence[Values], /) -> list[list[Any]]:
        """For each of these all rows that the statement finds for it."""

    def listed(self, values: Sequence[int], /) -> Any:
        """A list of numbers as one value."""

    def entry(self, mails: Sequence[NewMail], now: float, oldest: float, /) -> Entry:
        """Make way for these mails; whoever sends again a mail from before `oldest` means a new one."""

    def alone(self, chore: str, /) -> bool:
        """Whether nobody else is at a chore, nor will be until this transaction ends."""

    def tidy(self, before: float, /) -> None:
        """Drop what only this store keeps and nobody asks for any more, of mails that came before a time."""

    def lock(self, kind: str, names: Iterable[str], /) -> None:
        """Nobody else who asks for one of these (storable) goes on until this transaction ends.

        "account": what it has used and paid; "smsc": the shares of its rate; "login": who fails. To be asked
        for once in a transaction, for all of a kind, before anything of theirs is read.
        """
