"""Quiet hours: when a message may go to a phone at the earliest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sms_milter.config.schema import Account, QuietHours
from sms_milter.model import Wish

# Until when a phone is left alone with what an account sends, at a time; None: it may ring.
Quiet = Callable[[str, str, float], float | None]

_DAY = timedelta(days=1)


def undisturbed(wishes: Sequence[Wish], rules: Sequence[QuietHours], now: float) -> tuple[Wish, ...]:
    """The wishes, those put off that would come in quiet hours."""
    return tuple([_undisturbed(wish, rules, now) for wish in wishes])


def _undisturbed(wish: Wish, rules: Sequence[QuietHours], now: float) -> Wish:
    end = _over(rules, wish.destination, now if wish.not_before is None else wish.not_before)
    return wish if end is None else wish._replace(not_before=end)


def rules_of(accounts: Mapping[str, Account]) -> dict[str, Sequence[QuietHours]]:
    """Those of the accounts that have any."""
    return {name: account.quiet_hours for name, account in accounts.items() if account.quiet_hours}


def hours(rules: Mapping[str, Sequence[QuietHours]]) -> Quiet | None:
    """Those of all accounts; None where there are none."""
    return (lambda account, phone, now: _over(rules.get(account, ()), phone, now)) if rules else None


def _over(rules: Sequence[QuietHours], phone: str, at: float) -> float | None:
    rule = next((one for one in rules if phone.startswith(one.to.lstrip("+").rstrip("*"))), None)
    return None if rule is None else over(rule, at)


def over(rule: QuietHours, at: float) -> float | None:
    """When the quiet hours end that it is at that time; None when it is not quiet."""
    moment = datetime.fromtimestamp(at, rule.timezone)
    clock, overnight = moment.time(), rule.begin > rule.until
    begun, ended = clock >= rule.begin, clock >= rule.until
    if not (begun or not ended if overnight else begun and not ended):
        return None
    day = moment.date() + _DAY if overnight and begun else moment.date()
    return datetime.combine(day, rule.until, rule.timezone).timestamp()
