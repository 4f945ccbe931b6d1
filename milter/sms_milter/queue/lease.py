"""Which parts go next: by priority, the accounts by turns, each account's parts in its order."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Any

from sms_milter.queue.database import Database

_RIPE_AT_ONCE = 1000


def next_parts(db: Database, smsc: str, count: int, now: float, after: str) -> list[Any]:
    """Up to `count` parts that may go now, their form last; accounts behind `after` have their turn first."""
    db.execute("ripen", (smsc, now, _RIPE_AT_ONCE))
    accounts = db.execute("next_accounts", {"smsc": smsc, "after": after, "most": count}).fetchall()
    rows: list[Any] = []
    for priority, lane in groupby(accounts, itemgetter(0)):
        if len(rows) == count:
            break
        names = [account for _, account in lane]
        rows += _of_priority(db, (smsc, priority), names, count - len(rows), now)
    return rows


def _of_priority(
    db: Database, lane: tuple[str, int], accounts: list[str], count: int, now: float
) -> list[Any]:
    """The same number of each account; what one has less is for the others."""
    accounts = accounts[:count]
    rows: list[Any] = []
    taken = dict.fromkeys(accounts, 0)
    while accounts and len(rows) < count:
        share, more = divmod(count - len(rows), len(accounts))
        wanted = {account: share + (number < more) for number, account in enumerate(accounts)}
        asked = [(*lane, account, now, parts, taken[account]) for account, parts in wanted.items()]
        hungry = []
        for account, found in zip(accounts, db.every("due_parts", asked), strict=True):
            rows += found
            taken[account] += len(found)
            if wanted[account] and len(found) == wanted[account]:
                hungry.append(account)
        accounts = hungry
    return rows
