"""smtpd_milter_maps (Postfix 3.2): for a client's address, what counts in the place of smtpd_milters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from sms_milter.doctor.postfix.facts import PostfixFacts, Service, items

_SINCE = (3, 2)
_NO_MILTERS = "disable"
_BLOCKS = frozenset({"if", "endif"})  # of cidr, regexp and pcre tables
_SHOWN = 3  # clients that are named one by one

Row = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Clients:
    """The clients for which a table has the same result. `keys` are its addresses, networks or patterns, none
    for every client; `result` is written as smtpd_milters is, "" for no milters.
    """

    table: str
    keys: tuple[str, ...]
    result: str

    def include(self, address: str) -> bool:
        """Whether an address or network among them has this address; a pattern is not tried."""
        return not self.keys or any(_has(key, address) for key in self.keys)

    def __str__(self) -> str:
        if not self.keys:
            return "every client"
        more = len(self.keys) - _SHOWN
        return ", ".join(self.keys[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _has(network: str, address: str) -> bool:
    try:
        return ip_address(address) in ip_network(network.strip("[]"), strict=False)
    except ValueError:
        return False


def consulted(facts: PostfixFacts, service: Service) -> list[str]:
    """The tables that a service asks about a client, in their order."""
    if facts.version < _SINCE or service.command != "smtpd":
        return []
    return items(facts.value(service, "smtpd_milter_maps"))


def unlisted(facts: PostfixFacts) -> list[str]:
    """The tables of all services that could not be listed."""
    named = dict.fromkeys(one for service in facts.services for one in consulted(facts, service))
    return [table for table in named if facts.client_tables.get(table) is None]


def clients(facts: PostfixFacts, service: Service) -> Iterator[Clients]:
    """What these tables say, as far as they could be listed."""
    for table in consulted(facts, service):
        together: dict[str, list[str]] = {}
        for key, result in facts.client_tables.get(table) or ():
            together.setdefault("" if result.lower() == _NO_MILTERS else result, []).append(key)
        for result, keys in together.items():
            yield Clients(table, tuple(filter(None, keys)), result)


def in_file(text: str) -> tuple[Row, ...]:
    """The rows of a cidr, regexp or pcre table: a line that begins with white space goes on with the last."""
    lines: list[str] = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace() and lines:
            lines[-1] += line
        else:
            lines.append(line)
    return _rows(lines)


def in_place(value: str) -> tuple[Row, ...]:
    """The rows of one that stands in main.cf (Postfix 3.7): `{ { 192.0.2.0/24 DISABLE }, … }`."""
    return _rows([one[1:-1] for one in items(value.strip()[1:-1]) if one.startswith("{")])


def from_postmap(printed: str) -> tuple[Row, ...]:
    """What `postmap -s` prints of an indexed table."""
    return _rows(printed.splitlines())


def static(value: str) -> tuple[Row, ...]:
    """The result of static:RESULT or static:{ RESULT }, which is that of every client."""
    return (("", value.strip()[1:-1].strip() if value.startswith("{") else value),)


def _rows(lines: list[str]) -> tuple[Row, ...]:
    pairs = (line.split(None, 1) for line in lines)
    return tuple(
        (pair[0], pair[1].strip()) for pair in pairs if len(pair) > 1 and pair[0].lower() not in _BLOCKS
    )
