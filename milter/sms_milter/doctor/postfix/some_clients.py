"""Clients for whom smtpd_milter_maps names other milters than ours, or none that there can be."""

from __future__ import annotations

from collections.abc import Iterator

from sms_milter.config.schema import Configuration
from sms_milter.doctor.finding import Finding, Severity
from sms_milter.doctor.postfix.facts import PostfixFacts, milters
from sms_milter.doctor.postfix.listeners import is_ours, listeners
from sms_milter.doctor.postfix.tables import clients, unlisted


def not_listed(facts: PostfixFacts, _: Configuration) -> Iterator[Finding]:
    """Tables that cannot be looked through, such as those of a directory service."""
    for table in unlisted(facts):
        yield Finding(
            Severity.UNKNOWN,
            "client-milters",
            table,
            "what this table of smtpd_milter_maps holds cannot be listed: it may take mail from us",
            f"{facts.command('postmap', '-q', 'ADDRESS', table)}, for each client that sends SMS",
        )


def taken_away(facts: PostfixFacts, ours: Configuration) -> Iterator[Finding]:
    """A listener asks us about the mail of the others, but not about theirs. Where a table is what names us,
    whom it does not name is left out on purpose.
    """
    asking = {one.service.label: one for one in listeners(facts, ours.milter.socket) if one.clients is None}
    for service in facts.services:
        at = asking.get(service.label)
        if at is None:
            continue
        for one in clients(facts, service):
            entries = milters(one.result)
            if any(is_ours(facts, service, entry.address, ours.milter.socket)[0] for entry in entries):
                continue
            asked = ", ".join(entry.address for entry in entries) or "nobody"
            chain = ", ".join((*(entry.written for entry in entries), at.ours.written))
            yield Finding(
                Severity.WARNING,
                "client-milters",
                one.table,
                f"{asked} is asked about mail of {one}, not sms-milter: no SMS is taken from there",
                f"in {one.table}, for {one}: {chain}",
            )


def no_milter(facts: PostfixFacts, _: Configuration) -> Iterator[Finding]:
    """A result that names no milter, such as $sms_milter: what a table holds is not expanded."""
    for service in facts.services:
        for one in clients(facts, service):
            for entry in milters(one.result):
                if ":" not in entry.address:
                    yield Finding(
                        Severity.CRITICAL,
                        "client-milters",
                        one.table,
                        f"{entry.address} is no milter, and tables are not expanded: all mail of {one} gets"
                        " 451 4.3.5",
                        f"write inet:HOST:PORT or unix:/PATH instead of {entry.address} into {one.table}",
                    )
