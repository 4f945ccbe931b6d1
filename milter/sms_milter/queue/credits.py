"""Prepaid credits: reserved when a mail is stored, given back for what the SMSC never had.

Amounts are thousandths of a credit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sms_milter.model import CreditRule, NewMail
from sms_milter.queue.database import Database
from sms_milter.queue.statements import storable

Row = tuple[Any, ...]


def left(db: Database, account: str, rule: CreditRule) -> int:
    """The balance of an account."""
    return rule.deposit + _booked(db, account)


def reserve(
    db: Database, mail: NewMail, rule: CreditRule, queue_id: int, now: float
) -> tuple[list[Row], list[Row]]:
    """Book what a mail costs that was admitted; its parts are numbered from `queue_id` on. Returns rows of
    its charges and bookings, to be inserted with those of other mails.

    The price stays, however many parts another SMSC may need.
    """
    account, part_id = storable(mail.account), queue_id
    charges: list[Row] = []
    price = mail.fee
    for message in mail.messages:
        for _ in message.parts:
            charges.append((part_id, account, message.price))
            part_id += 1
        price += message.price * len(message.parts)
        part_id += max(0, message.room - len(message.parts))
    if not (charges or mail.fee):
        return [], []
    db.execute("book", (account, rule.deposit, -price))
    note = f"{len(charges)} SMS" if charges else "request"
    return charges, [(account, now, -price, queue_id, note)]


def give_back(db: Database, part_ids: Iterable[int], now: float) -> None:
    """Parts have failed or expired, their siblings perhaps too: what the SMSC never had has cost nothing.

    Where an earlier try is in doubt, or the SMSC had the part, the charge stays.
    """
    if not db.execute("any_charge").fetchone()[0]:
        return
    amounts: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for account, price, queue_id in db.execute("give_back", (db.listed(list(part_ids)),)):
        amounts[account, queue_id].append(price)
    if not amounts:
        return
    accounts: defaultdict[str, int] = defaultdict(int)
    for (account, _), prices in amounts.items():
        accounts[account] += sum(prices)
    db.lock("account", accounts)
    db.many("book_more", [(amount, account) for account, amount in accounts.items()])
    db.insert(
        "insert_booking",
        [
            (account, now, sum(prices), queue_id, f"{len(prices)} SMS not sent")
            for (account, queue_id), prices in amounts.items()
        ],
    )


def pay_again(db: Database, part_id: int, now: float) -> bool:
    """A part of which the charge was given back is to be sent after all; whether the credits allow it."""
    row = db.execute("find_returned", (part_id,)).fetchone()
    if row is None:
        return True
    account, price, balance, queue_id = row
    if price > balance:
        return False
    db.execute("charge_again", (part_id,))
    db.many("book_more", [(-price, account)])
    db.insert("insert_booking", [(account, now, -price, queue_id, "1 SMS sent again")])
    return True


def book(db: Database, account: str, rule: CreditRule, amount: int, note: str, now: float) -> int | None:
    """An operator's booking; the balance after it, or None if it would be less than nothing."""
    db.lock("account", [storable(account)])
    after = left(db, account, rule) + amount
    if after < 0 and amount < 0:
        return None
    account = storable(account)
    db.execute("book", (account, rule.deposit, amount))
    db.insert("insert_booking", [(account, now, amount, None, storable(note))])
    return after


def forget(db: Database, before: float) -> None:
    """What mails have cost before a time; what is booked stays as it is."""
    db.execute("forget_bookings", (before,))


def balances(db: Database) -> dict[str, int]:
    """What is booked, by account; deposits are not in it."""
    return dict(db.execute("list_balances").fetchall())


def bookings(db: Database, account: str, limit: int) -> list[dict[str, Any]]:
    """An account's bookings, newest first."""
    cursor = db.execute("list_bookings", (storable(account), limit))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _booked(db: Database, account: str) -> int:
    row = db.execute("find_balance", (storable(account),)).fetchone()
    return row[0] if row else 0
