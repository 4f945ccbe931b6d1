"""Where mail for our domains goes that no milter takes: the fail-safe route, and its address class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sms_milter.config.schema import Configuration
from sms_milter.doctor.finding import Finding, Severity
from sms_milter.doctor.postfix.facts import PostfixFacts, items

# Transports that answer at RCPT before the milter is asked, and one that loses mail in silence.
_REFUSING, _LOSING = frozenset({"error", "retry"}), "discard"


def fail_safe_route(facts: PostfixFacts, ours: Configuration) -> Iterator[Finding]:
    """Each of our domains has a transport that keeps what no milter takes."""
    transports = {domain: facts.routes.get(domain, "").partition(":")[0] for domain in ours.domains}
    wrong = {domain: _wrong_route(facts, domain, transport) for domain, transport in transports.items()}
    wrong = {domain: says for domain, says in wrong.items() if says}
    for domain, says in wrong.items():
        yield Finding(Severity.CRITICAL, "fail-safe-route", domain, says, _route_command(facts, wrong))


def _wrong_route(facts: PostfixFacts, domain: str, transport: str) -> str:
    if not transport:
        return (
            f"mail for {domain} that no milter takes would be delivered elsewhere: it has no fail-safe route"
        )
    if transport in _REFUSING:
        return f"transport {transport}: refuses mail for {domain} at RCPT, before the milter is asked"
    if transport == _LOSING:
        return f"transport {transport}: loses mail for {domain} in silence when no milter takes it"
    service = facts.service(transport)
    if service is None:
        return f"mail for {domain} goes to transport {transport}, which is not in master.cf"
    if service.command != "pipe":
        return f"mail for {domain} that no milter takes is delivered by {service.command} ({transport})"
    return ""


def _route_command(facts: PostfixFacts, domains: Iterable[str]) -> str:
    """For all of them at once: each command gives transport_maps a new value."""
    pairs = ", ".join(f"{{ {domain} = sms-unclaimed: }}" for domain in domains)
    entry = f"inline:{{ {pairs} }}"
    before = facts.main.get("transport_maps", "")
    route = facts.change(None, "transport_maps", f"{entry} {before}".strip())
    if facts.service("sms-unclaimed") is not None:
        return route
    line = (
        "sms-unclaimed unix - n n - 2 pipe flags=q user=nobody"
        ' argv=/bin/sh -c {echo "4.3.5 SMS mail that sms-milter has not seen"; exit 75}'
    )
    return f"{facts.command('postconf', '-Me', f'sms-unclaimed/unix={line}')} && {route}"


def domain_class(facts: PostfixFacts, ours: Configuration) -> Iterator[Finding]:
    """None of our domains is of a class that Postfix judges or delivers itself."""
    for domain in ours.domains:
        for name in facts.classes.get(domain, ()):
            relayed = name == "relay_domains"
            says = (
                f"{domain} is in relay_domains: every listener takes mail for it from strangers"
                if relayed
                else f"{domain} is in {name}: Postfix refuses numbers as unknown, or delivers them itself"
            )
            left = " ".join(one for one in items(facts.main.get(name, "")) if one.lower() not in ours.domains)
            mend = (
                facts.change(None, name, left)
                if domain in map(str.lower, items(facts.main.get(name, "")))
                else f"take {domain} out of the tables that {facts.command('postconf', name)} names"
            )
            yield Finding(
                Severity.WARNING if relayed else Severity.CRITICAL, "domain-class", domain, says, mend
            )
