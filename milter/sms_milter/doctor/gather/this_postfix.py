"""One Postfix, as its own postconf(1) and postmap(1) tell of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from sms_milter.doctor.gather.asking import CannotLook, run, search_path, text_of
from sms_milter.doctor.postfix import tables
from sms_milter.doctor.postfix.facts import PostfixFacts, items, parse

_CLASSES: Final = ("mydestination", "relay_domains", "virtual_alias_domains", "virtual_mailbox_domains")
# Such tables have no shorter keys, and postmap lists none of them.
_PATTERNS: Final = ("regexp", "pcre", "cidr")
_NUMBER: Final = "447973100000"  # stands for any in look-ups


def has_postfix() -> bool:
    """Whether there is one."""
    return shutil.which("postconf", path=search_path()) is not None


def postfix_facts(directory: str, domains: Iterable[str]) -> PostfixFacts:
    """What the Postfix of that configuration directory does with those domains. Raises CannotLook."""
    where = ("-c", str(Path(directory).resolve())) if directory else ()
    main, services, settings = (_postconf(*where, option) for option in ("-x", "-M", "-Px"))
    facts = parse("", main, services, settings)
    facts = replace(
        facts, directory=where[1] if where else facts.main.get("config_directory", "/etc/postfix")
    )
    return replace(
        facts,
        routes={domain: _route(facts, where, domain) for domain in domains},
        classes={domain: _classes(facts, where, domain) for domain in domains},
        client_tables={
            table: _rows(where, table)
            for service in facts.services
            for table in tables.consulted(facts, service)
        },
    )


def _postconf(*arguments: str) -> str:
    done = run("postconf", *arguments)
    if done.returncode:
        raise CannotLook(done.stderr.strip() or "postconf failed")
    return done.stdout


def _route(facts: PostfixFacts, where: Sequence[str], domain: str) -> str:
    """What transport_maps says of a number in the domain, by the keys of transport(5) in their order."""
    labels = domain.split(".")
    parents = ["." + ".".join(labels[at:]) for at in range(1, len(labels))]
    whole = f"{_NUMBER}@{domain}"
    tables = items(facts.value(facts.service("rewrite"), "transport_maps"))
    for key in (whole, domain, *parents, "*"):
        for table in tables:
            if key == whole or table.partition(":")[0] not in _PATTERNS:
                found = _look_up(where, table, key)
                if found:
                    return found
    return ""


def _classes(facts: PostfixFacts, where: Sequence[str], domain: str) -> tuple[str, ...]:
    return tuple(name for name in _CLASSES if _holds(where, items(facts.main.get(name, "")), domain))


def _holds(where: Sequence[str], listed: list[str], domain: str) -> bool:
    for one in listed:
        if one.lower() == domain:
            return True
        if one.startswith("/"):
            lines = text_of(Path(one)).lower().split("\n")
            if any(line.split("#")[0].strip() == domain for line in lines):
                return True
        elif ":" in one and _look_up(where, one, domain):
            return True
    return False


def _rows(where: Sequence[str], table: str) -> tuple[tables.Row, ...] | None:
    """What a table of smtpd_milter_maps holds, None where that cannot be listed."""
    kind, _, place = table.removeprefix("proxy:").partition(":")
    if kind == "static":
        return tables.static(place)
    if kind in _PATTERNS:
        try:
            return tables.in_place(place) if place.startswith("{") else tables.in_file(text_of(Path(place)))
        except CannotLook:
            return None
    done = run("postmap", *where, "-s", f"{kind}:{place}")
    return None if done.returncode else tables.from_postmap(done.stdout)


def _look_up(where: Sequence[str], table: str, key: str) -> str:
    done = run("postmap", *where, "-q", key, table)
    # Said of main.cf, not of the table: the later entry counts, as for Postfix itself.
    problems = [line for line in done.stderr.splitlines() if "overriding earlier entry" not in line]
    if done.returncode and problems:
        raise CannotLook("; ".join(problems))
    return done.stdout.strip()
