"""Where messages may go and by which way: closed groups (HSL §8) and routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sms_milter.config.schema import RouteRule
from sms_milter.credits import thousandths
from sms_milter.model import Promise

_USUAL_PRICE = 1000
# Of a message that is to go another way in time, where its route does not say in what time (CLK §10).
USUAL_PROMISE = Promise(300.0)


class NumberGroup:
    """Full numbers, and prefixes ending in `*`."""

    def __init__(self, entries: Sequence[str]) -> None:
        bare = [entry.lstrip("+") for entry in entries]
        self._numbers = frozenset(entry for entry in bare if not entry.endswith("*"))
        self._prefixes = tuple(entry[:-1] for entry in bare if entry.endswith("*"))

    def __bool__(self) -> bool:
        return bool(self._numbers or self._prefixes)

    def __contains__(self, number: str) -> bool:
        return number in self._numbers or number.startswith(self._prefixes)


@dataclass(frozen=True, slots=True)
class Way:
    """How numbers that begin with `prefix` go: by the first of `smscs`, by the others as `promise` says."""

    prefix: str
    smscs: tuple[str, ...]
    languages: tuple[str, ...]
    price: int
    network: str = ""  # of these numbers, MCC-MNC
    promise: Promise | None = None  # None: there is nothing to promise with a single SMSC

    @property
    def follows_delivery(self) -> bool:
        """Whether delivery is promised, so that every message needs a receipt."""
        return self.promise is not None and self.promise.delivered


class RouteTable:
    """The routes by name; within one route the rule with the longest prefix that fits counts."""

    def __init__(self, routes: Mapping[str, Sequence[RouteRule]]) -> None:
        self._ways = {
            name: tuple(sorted(map(_way, rules), key=lambda way: len(way.prefix), reverse=True))
            for name, rules in routes.items()
        }

    def way(self, route: str, number: str) -> Way | None:
        """The way of `number`; None without one."""
        for way in self._ways.get(route, ()):
            if number.startswith(way.prefix):
                return way
        return None

    def smscs(self, route: str, number: str) -> tuple[str, ...]:
        """Names of the SMSCs for `number` in order of preference; empty without a way."""
        way = self.way(route, number)
        return () if way is None else way.smscs

    def price(self, route: str, number: str) -> int:
        """What an SMS to `number` costs, in thousandths of a credit; a whole one where no rule says it."""
        way = self.way(route, number)
        return _USUAL_PRICE if way is None else way.price

    @property
    def used(self) -> frozenset[str]:
        """Every SMSC that some rule names."""
        return frozenset(smsc for ways in self._ways.values() for way in ways for smsc in way.smscs)

    @property
    def choices(self) -> bool:
        """Whether any rule names more than one SMSC."""
        return any(len(way.smscs) > 1 for ways in self._ways.values() for way in ways)


def _way(rule: RouteRule) -> Way:
    promise = None
    if rule.escalate_after is not None and len(rule.via) > 1:
        promise = Promise(rule.escalate_after, delivered=rule.escalate_unless == "delivered")
    return Way(
        rule.to.lstrip("+").removesuffix("*"),
        tuple(rule.via),
        rule.national_languages,
        thousandths(rule.credits_per_part),
        rule.network,
        promise,
    )
