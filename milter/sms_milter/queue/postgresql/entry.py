"""What a batch of mails needs that other hosts could want at the same time.

Accounts, ids, fingerprints, references are claimed in this order, and each kind in the order of its names, so
that nobody waits in a circle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sms_milter.model import NewMail
from sms_milter.queue.postgresql.arrays import Bigints, Octets, Texts
from sms_milter.queue.references import first_reference
from sms_milter.queue.statements import storable

if TYPE_CHECKING:
    from sms_milter.queue.postgresql.database import PostgresqlDatabase


class PostgresqlEntry:
    """See `database.Entry`. Each mail has its place among the ids from the beginning: that of one which is
    refused stays empty.
    """

    __slots__ = ("_claimed", "_db", "_known", "_places", "_references")

    def __init__(self, db: PostgresqlDatabase, mails: Sequence[NewMail], now: float, oldest: float) -> None:
        self._db = db
        db.lock("account", [storable(mail.account) for mail in mails if mail.limits or mail.records])
        rooms = [_room(mail) for mail in mails]
        (last,) = db.execute("take_ids", (sum(rooms),)).fetchall()[0]
        self._places: list[int] = []
        for room in rooms:
            self._places.append(last)
            last += room
        self._claimed: dict[bytes, int] = {}
        self._known: dict[bytes, int] = {}
        self._claim(mails, now, oldest)
        self._references = self._take_references(mails, now)

    def place(self, number: int, _last_id: int) -> int:
        """The id before those of a mail."""
        return self._places[number]

    def known(self, fingerprint: bytes) -> int:
        """The mail with it."""
        return self._known.get(fingerprint, 0)

    def reference(self, originator: str, destination: str) -> int:
        """One of those that were taken for this batch."""
        value = (self._references[originator, destination] + 1) % 65536
        self._references[originator, destination] = value
        return value

    def finish(self, stored: Mapping[bytes, int]) -> None:
        """Give up what was claimed for mails that were refused."""
        released = [fingerprint for fingerprint in self._claimed if fingerprint not in stored]
        if released:
            self._db.execute("release_fingerprints", (Octets(released),))
        for fingerprint, mail_id in stored.items():
            if self._claimed[fingerprint] != mail_id:
                self._db.execute("set_fingerprint", (mail_id, fingerprint))

    def _claim(self, mails: Sequence[NewMail], now: float, oldest: float) -> None:
        wanted: dict[bytes, int] = {}
        for mail, before in zip(mails, self._places, strict=True):
            if mail.fingerprint is not None:
                wanted.setdefault(mail.fingerprint, before + 1)
        if not wanted:
            return
        ordered = sorted(wanted)
        row = (Octets(ordered), Bigints([wanted[one] for one in ordered]), now, oldest)
        self._claimed = {one: wanted[one] for (one,) in self._db.execute("claim_fingerprints", row)}
        others = [one for one in ordered if one not in self._claimed]
        if others:
            self._known = dict(self._db.execute("known_fingerprints", (Octets(others),)).fetchall())

    def _take_references(self, mails: Sequence[NewMail], now: float) -> dict[tuple[str, str], int]:
        """The last reference before those that are ours, by the two addresses."""
        wanted = Counter(
            (storable(message.plan.originator), message.plan.destination)
            for mail in mails
            for message in mail.messages
            if message.plan.concatenation is not None
        )
        if not wanted:
            return {}
        pairs = sorted(wanted)
        columns = (
            Texts([source for source, _ in pairs]),
            Texts([destination for _, destination in pairs]),
            Bigints([first_reference() for _ in pairs]),
            Bigints([wanted[pair] for pair in pairs]),
        )
        return {
            (source, destination): value - wanted[source, destination]
            for source, destination, value in self._db.execute("take_references", (*columns, now))
        }


def _room(mail: NewMail) -> int:
    """How many ids it takes; one at least."""
    return max(1, sum([max(len(one.parts), one.room) for one in mail.messages]) + len(mail.failed))
