"""Which parts go next: by priority, the accounts by turns, each account's parts in its
order.
"""

from __future__ import annotations

from typing import Any

from sms_milter.model import Priority
from sms_milter.queue.database import Database

_RIPE_AT_ONCE = 1000


def next_parts(db: Database, smsc: str, count: int, now: float, after: str) -> list[Any]:
    """Up to `count` parts that may go now, their form last; accounts behind `after` have their turn first."""
    db.execute("ripen", (smsc, now, _RIPE_AT_ONCE))
    rows: list[Any] = []
    for priority in Priority:
        if len(rows) == count:
            break
        rows += _of_priority(db, (smsc, int(priority)), count - len(rows), now, after)
    return rows


def _of_priority(db: Database, lane: tuple[str, int], count: int, now: float, after: str) -> list[Any]:
    accounts = _accounts(db, lane, count, after)
    rows: list[Any] = []
    taken = dict.fromkeys(accounts, 0)
    while accounts and len(rows) < count:
        share, more = divmod(count - len(rows), len(accounts))
        hungry = []
        for number, account in enumerate(accounts):
            wanted = share + (number < more)
            found = db.execute("due_parts", (*lane, account, now, wanted, taken[account])).fetchall()
            rows += found
            taken[account] += len(found)
            if wanted and len(found) == wanted:
                hungry.append(account)
        accounts = hungry
    return rows


def _accounts(db: Database, lane: tuple[str, int], count: int, after: str) -> list[str]:
    """The next accounts with parts that may go, at most `count`, each once; from behind `after`, around."""
    accounts: list[str] = []
    last, around = after, not after
    while len(accounts) < count:
        row = db.execute("next_account", (*lane, last)).fetchone()
        if row is None:
            if around:
                break
            last, around = "", True
        elif accounts and row[0] == accounts[0]:
            break
        else:
            last = row[0]
            accounts.append(last)
    return accounts
