"""Rules about Postfix: what milter.md §8 and the promise (DESIGN §3, §4) ask of it.

`facts` is what its postconf prints, `tables` what smtpd_milter_maps holds; `listeners` are the services that
ask us. Each of the other rooms looks at one thing: `routes` at where unclaimed mail goes, `instance` at
main.cf as a whole, `our_entry` at our place among a listener's milters, `some_clients` at those for whom a
table names others, `services` at the smtpd and cleanup that a mail passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sms_milter.config.schema import Configuration
from sms_milter.doctor.finding import Finding
from sms_milter.doctor.postfix import instance, our_entry, routes, services, some_clients
from sms_milter.doctor.postfix.facts import PostfixFacts
from sms_milter.doctor.postfix.listeners import Listener, listeners

_OF_ALL: tuple[Callable[[PostfixFacts, Configuration], Iterator[Finding]], ...] = (
    routes.fail_safe_route,
    routes.domain_class,
    instance.original_recipient,
    instance.soft_bounce,
    instance.copies,
    instance.reports_listener,
    our_entry.not_asked,
    some_clients.not_listed,
    some_clients.no_milter,
    some_clients.taken_away,
)
_OF_LISTENER: tuple[Callable[[PostfixFacts, Configuration, Listener], Iterator[Finding]], ...] = (
    our_entry.order,
    services.cleanup_exists,
    services.flow_delay,
    services.chroot,
    our_entry.default_action,
    our_entry.timeouts,
    our_entry.protocol,
    services.size_limit,
    services.content_withheld,
)


def findings(facts: PostfixFacts, ours: Configuration) -> list[Finding]:
    """All that is wrong with this Postfix."""
    found = [one for rule in _OF_ALL for one in rule(facts, ours)]
    for listener in listeners(facts, ours.milter.socket):
        found += [one for rule in _OF_LISTENER for one in rule(facts, ours, listener)]
    return list(dict.fromkeys(found))
