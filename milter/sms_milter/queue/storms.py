"""Storms of alike messages: which messages of a mail go, which are held, and which are counted in one that is
held.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sms_milter.errors import Excess, Refusal
from sms_milter.model import LeftOut, NewMail, NewMessage, StormRule
from sms_milter.policy import storms
from sms_milter.queue.database import Database
from sms_milter.queue.statements import storable

_Key = tuple[str, str, bytes]


class _Kept(NamedTuple):
    """A message that is stored: `due_at` is when it goes; `key` None: nothing is alike to it."""

    message: NewMessage
    place: int  # in the whole mail
    key: _Key | None = None
    due_at: float = 0.0
    held: bool = False


class Counted(NamedTuple):
    """A message that is counted in the held one `message_id`, of mail `queue_id` and with so many parts."""

    message: NewMessage
    key: _Key
    due_at: float
    message_id: int
    queue_id: int
    total: int
    alike: int


class Storm:
    """One mail among those alike. `mail` is what is left of it to be stored, `counted` the rest; `record`
    makes it so.
    """

    __slots__ = ("_db", "_kept", "_now", "_rule", "counted", "mail")

    def __init__(
        self,
        db: Database,
        mail: NewMail,
        rule: StormRule,
        now: float,
        written: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`written` is told an id that is about to be looked for."""
        self._db, self._rule, self._now = db, rule, now
        self._kept: list[_Kept] = []
        self.counted: list[Counted] = []
        seen: set[_Key] = set()
        for place, message in enumerate(mail.messages):
            key = (storable(mail.account), storable(message.plan.destination), message.likeness)
            if not message.likeness or key in seen:
                self._kept.append(_Kept(message, place))
                continue
            seen.add(key)
            self._place(message, place, key, mail.received_at, written)
        self.mail = self._left(mail)

    def _place(
        self, message: NewMessage, place: int, key: _Key, now: float, written: Callable[[int], None]
    ) -> None:
        start = now if message.plan.not_before is None else message.plan.not_before
        row = self._db.execute("find_storm", key).fetchone()
        if row is None:
            self._kept.append(_Kept(message, place, key, start))
            return
        due_at, held, alike = row
        if held is not None:
            written(held)
            unsent = self._db.execute("find_unsent", (held,)).fetchone()
            if unsent is not None:
                queue_id, total = unsent
                self.counted.append(Counted(message, key, due_at, held, queue_id, total, alike + 1))
                return
        until = storms.held_until(self._rule, due_at, start)
        if until is None:
            self._kept.append(_Kept(message, place, key, start))
            return
        plan, expires_at = message.plan._replace(not_before=until), message.expires_at + until - start
        message = message._replace(plan=plan, expires_at=expires_at)
        self._kept.append(_Kept(message, place, key, until, held=True))

    def _left(self, mail: NewMail) -> NewMail:
        if not self.counted and not any(one.held for one in self._kept):
            return mail
        left = mail._replace(messages=tuple([one.message for one in self._kept]))
        if all(one.held for one in self._kept):
            left = left._replace(identity=b"")
        note = [LeftOut(one.message.plan.destination, f"counted in {one.queue_id}") for one in self.counted]
        return left._replace(left_out=[*left.left_out, *note])

    def refusal(self, of_rest: Refusal) -> Refusal:
        """How the whole mail is refused if `mail` is refused so."""
        if isinstance(of_rest, Excess):
            return Excess(of_rest.reply, frozenset([self._kept[at].place for at in of_rest.messages]))
        return of_rest

    def record(self, queue_id: int) -> tuple[int, ...]:
        """`mail` is stored by that id; returns the mails that count some of its messages."""
        window, part_id = self._rule.window_seconds, queue_id
        for one in self._kept:
            if one.key is not None:
                held = part_id if one.held else None
                row = (*one.key, one.due_at, held, 1, one.due_at + window)
                self._db.execute("store_storm", row)
            part_id += max(len(one.message.parts), one.message.room)
        for counted in self.counted:
            self._count(counted)
        return tuple(dict.fromkeys([one.queue_id for one in self.counted]))

    def _count(self, one: Counted) -> None:
        until = max(one.due_at, self._now) + self._rule.window_seconds
        row = (*one.key, one.due_at, one.message_id, one.alike, until)
        self._db.execute("store_storm", row)
        text = storable(storms.counting(one.message.plan.text, one.alike))
        self._db.execute("say_instead", (text, one.message_id))
        form = self._db.execute("find_form", (one.message_id,)).fetchone()[0]
        span = (one.message_id, one.message_id + one.total - 1)
        self._db.execute("make_stale", (storms.stale(form), one.message.expires_at, *span))
