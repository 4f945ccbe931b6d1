"""What receipts do to the parts that they are of; those that find none are parked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sms_milter.model import PartState, ReceiptNews, Settled
from sms_milter.queue.database import Database
from sms_milter.queue.notify import RECEIPT_TOLD, News, Reports
from sms_milter.queue.states import NUMBER_OF, STATES
from sms_milter.smpp.receipt import other_forms

PARKED_SECONDS = 7 * 86400.0
_FORGET_PARKED_AT_ONCE = 100
_DELIVERED = NUMBER_OF[PartState.DELIVERED]


class Settling:
    """The receipts of one transaction. `moved` is told that a part has gone from a state to another (numbers
    of `states`), and when.
    """

    __slots__ = ("_db", "_learned", "_moved", "_reports")

    def __init__(self, db: Database, reports: Reports, moved: Callable[[int, int, float], None]) -> None:
        self._db, self._reports, self._moved = db, reports, moved
        self._learned: set[str] = set()  # ids that receipts have told, in this transaction

    def settle(self, receipts: Sequence[ReceiptNews]) -> list[Settled]:
        """Store receipts; those without a part are parked."""
        parts, settled = self._settle(receipts)
        rows = [_receipt_row(receipt, part_id) for receipt, part_id in zip(receipts, parts, strict=True)]
        self._db.insert("insert_receipt", rows)
        if len(settled) < len(receipts):
            oldest = min(receipt.at for receipt in receipts) - PARKED_SECONDS
            self._db.execute("forget_parked", (oldest, _FORGET_PARKED_AT_ONCE))
        return settled

    def settle_parked(self, since: float) -> list[Settled]:
        """See `ports.Work.settle_parked`."""
        return self._match(self._db.execute("parked_since", (since,)).fetchall())

    def settle_for(self, part_ids: Sequence[int]) -> list[Settled]:
        """Receipts that were parked, and are of parts whose id the SMSC has told now."""
        return self._match(self._db.execute("parked_receipts", (self._db.listed(part_ids),)).fetchall())

    def _settle(self, receipts: Sequence[ReceiptNews]) -> tuple[list[int | None], list[Settled]]:
        """Let receipts have their effect, in their order: the part of each, None for none; those that have
        one.
        """
        phones = [_digits(receipt.source) for receipt in receipts]
        asked = zip(receipts, phones, strict=True)
        rows = self._db.each("find_by_key", [(one.smsc_key, one.smsc, phone) for one, phone in asked])
        effect = _Effect()
        parts: list[int | None] = []
        settled: list[Settled] = []
        for receipt, phone, row in zip(receipts, phones, rows, strict=True):
            found, former = row, False
            if row is None:
                self._store(effect)  # which part it means depends on what became of others
                found, former = self._elsewhere(receipt, phone)
            parts.append(None if found is None else found[0])
            if found is not None:
                settled.append(effect.of(receipt, found, former=former))
        self._store(effect)
        if effect.ended:
            self._reports.heard(effect.ended)
        if effect.pending:
            self._reports.pending(effect.pending)
        return parts, settled

    def _store(self, effect: _Effect) -> None:
        if effect.interim:
            self._db.many("settle_interim", [(stat, part_id) for part_id, stat in effect.interim.items()])
        if effect.final:
            self._db.many("settle_final", effect.final)
        for move in effect.moves:
            self._moved(*move)
        effect.interim, effect.final, effect.moves = {}, [], []

    def _elsewhere(self, receipt: ReceiptNews, phone: str) -> tuple[Any, bool]:
        """The part of a receipt whose id was no part's, as the columns of `find_by_key`, or None; whether it
        has gone another way since.
        """
        if not receipt.smsc_key:
            return None, False
        if receipt.smsc_key in self._learned:
            return self._db.each("find_by_key", [(receipt.smsc_key, receipt.smsc, phone)])[0], False
        row = self._db.execute("find_former", (receipt.smsc_key, receipt.smsc)).fetchone()
        if row is not None:
            return row, True
        return self._by_other_form(receipt, phone) or self._only_uncertain(receipt, phone), False

    def _by_other_form(self, receipt: ReceiptNews, phone: str) -> Any:
        """The only part for this phone whose response had the id in another form (SMPP §7.4)."""
        forms = [(form, receipt.smsc, phone) for form in other_forms(receipt.smsc_message_id)]
        found = {row[0]: row for row in self._db.each("find_by_key", forms) if row and row[5] == phone}
        return next(iter(found.values())) if len(found) == 1 else None

    def _only_uncertain(self, receipt: ReceiptNews, phone: str) -> Any:
        """The part in doubt that a receipt with a strange id must mean, as the columns of `find_by_key`."""
        found = self._db.execute("find_uncertain", (receipt.smsc, phone, receipt.at)).fetchall()
        if len(found) != 1:
            return None
        *row, text = found[0]
        quoted = receipt.text.rstrip(".").strip()
        if quoted and quoted.isascii() and row[6] == 1 and not text.strip().startswith(quoted):
            return None
        self._db.execute("learn_id", (receipt.smsc_message_id, receipt.smsc_key, row[0]))
        self._learned.add(receipt.smsc_key)
        return row

    def _match(self, rows: list[Any]) -> list[Settled]:
        """Parked receipts, the columns of `parked_receipts`, that may have a part now."""
        parts, settled = self._settle([_receipt(fields) for _, *fields in rows])
        for part_id, (receipt_id, *_) in zip(parts, rows, strict=True):
            if part_id is not None:
                self._db.execute("attach_receipt", (part_id, receipt_id))
        return settled


class _Effect:
    """What receipts change, one after the other."""

    __slots__ = ("_now", "ended", "final", "interim", "moves", "pending")

    def __init__(self) -> None:
        self._now: dict[int, tuple[int, str]] = {}  # state and stat of the parts that have changed
        self.interim: dict[int, str] = {}
        self.final: list[tuple[int, str, float, int]] = []
        self.moves: list[tuple[int, int, float]] = []
        self.ended: list[News] = []
        self.pending: list[News] = []

    def of(self, receipt: ReceiptNews, row: Sequence[Any], *, former: bool) -> Settled:
        """One receipt and its part, the columns of `find_by_key`."""
        part_id, before, stat, queue_id, mta_queue_id, destination, number, total, asked = row
        before, stat = self._now.get(part_id, (before, stat))
        if former and receipt.state is not PartState.DELIVERED:
            before = _DELIVERED  # another SMSC has it in hand now; whatever this one says, it is not the end
        message_id, told = part_id - number + 1, asked >= RECEIPT_TOLD
        changed = before < _DELIVERED and (receipt.state is not None or stat != receipt.stat)
        if changed and receipt.state is not None:
            after = NUMBER_OF[receipt.state]
            self.final.append((after, receipt.stat, receipt.at, part_id))
            self.moves.append((before, after, receipt.at))
            self._now[part_id] = after, receipt.stat
            if told:
                self.ended.append(News(receipt, message_id, total, after))
        elif changed:
            self.interim[part_id] = receipt.stat
            self._now[part_id] = before, receipt.stat
            if told:
                self.pending.append(News(receipt, message_id, total, before))
        return Settled(queue_id, mta_queue_id, destination, number, total, receipt, changed)


def _digits(phone: str) -> str:
    return phone if phone.isdigit() else "".join(filter(str.isdigit, phone))


def _receipt_row(receipt: ReceiptNews, part_id: int | None) -> tuple[Any, ...]:
    return (
        part_id,
        receipt.at,
        receipt.done_at,
        None if receipt.state is None else NUMBER_OF[receipt.state],
        receipt.smsc,
        receipt.smsc_message_id,
        receipt.smsc_key,
        receipt.source,
        receipt.stat,
        receipt.error,
    )


def _receipt(row: Sequence[Any]) -> ReceiptNews:
    smsc, smsc_message_id, smsc_key, source, stat, error, state, done_at, at = row
    final = None if state is None else STATES[state]
    return ReceiptNews(smsc, smsc_message_id, smsc_key, source, stat, error, final, done_at, at)
