"""Where messages may go and by which way: closed groups (HSL §8) and routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sms_milter.config.schema import RouteRule
from sms_milter.credits import thousandths

_USUAL_PRICE = 1000


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
class _Way:
    prefix: str
    smscs: tuple[str, ...]
    languages: tuple[str, ...]
    price: int


class RouteTable:
    """The routes by name; within one route the first rule whose prefix fits counts, as the postmaster wrote
    them.
    """

    def __init__(self, routes: Mapping[str, Sequence[RouteRule]]) -> None:
        self._ways = {
            name: tuple(
                _Way(
                    rule.to.lstrip("+").removesuffix("*"),
                    tuple(rule.via),
                    rule.national_languages,
                    thousandths(rule.credits_per_part),
                )
                for rule in rules
            )
            for name, rules in routes.items()
        }

    def smscs(self, route: str, number: str) -> tuple[str, ...]:
        """Names of the SMSCs for `number` in order of preference; empty without a way."""
        way = self._way(route, number)
        return () if way is None else way.smscs

    def languages(self, route: str, number: str) -> tuple[str, ...]:
        """Languages whose national tables the phone with `number` understands."""
        way = self._way(route, number)
        return () if way is None else way.languages

    def price(self, route: str, number: str) -> int:
        """What an SMS to `number` costs, in thousandths of a credit; a whole one where no rule says it."""
        way = self._way(route, number)
        return _USUAL_PRICE if way is None else way.price

    def _way(self, route: str, number: str) -> _Way | None:
        for way in self._ways.get(route, ()):
            if number.startswith(way.prefix):
                return way
        return None
