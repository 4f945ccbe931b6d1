"""What must fit together in a configuration: names that stand elsewhere, settings that need each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec

from sms_milter.config.schema import (
    CHOICE,
    Account,
    Configuration,
    EmailChannel,
    HttpChannel,
    SmppChannel,
)
from sms_milter.config.sentences import fault, unknown_name
from sms_milter.config.tree import Path, Place, Table, follow
from sms_milter.errors import Fault
from sms_milter.policy.logins import KEY_DIGEST, LOGIN_NAMES, OF_MD5, login_key, login_names
from sms_milter.smpp.status import Class, classify

_NO_HASH = "found something else (not shown), expected what `sms-milter hash-password` prints"


def misfits(root: Table, configuration: Configuration) -> Iterator[Fault]:
    """Everything that does not."""
    if configuration.queue.kind == "postgresql" and find_spec("psycopg") is None:
        yield fault(root, ("queue",), "postgresql needs Python's psycopg; expected it installed")
    if root.names("domains") and not root.names("smscs"):
        yield fault(
            root, ("domains",), "there is no SMSC to send through; at least one is needed under smscs"
        )
    for name, smsc in configuration.smscs.items():
        yield from _check_statuses(root, ("smscs", name, "statuses"), smsc.statuses)
    yield from _check_routes(root, configuration)
    for name, account in configuration.accounts.items():
        yield from _check_account(root, ("accounts", name), account)
    yield from _check_logins(root, configuration)
    yield from _check_default_route(root, configuration)
    yield from _check_channels(root, configuration)
    yield from _check_status_page(root, configuration)


def _check_status_page(root: Table, configuration: Configuration) -> Iterator[Fault]:
    page = configuration.web
    if page is None:
        return
    if not page.password_hash:
        yield fault(root, ("web",), "there is no password_hash; nobody could open the page")
    elif not page.password_hash.startswith("$argon2"):
        yield fault(root, ("web", "password_hash"), _NO_HASH)
    if page.socket_group and not page.listen.startswith("unix:"):
        yield fault(root, ("web", "socket_group"), "only a unix socket can be given to a group")


def _check_channels(root: Table, configuration: Configuration) -> Iterator[Fault]:
    callbacks = configuration.callbacks
    if callbacks is not None and callbacks.listen and not callbacks.token:
        yield fault(root, ("callbacks",), "there is no token; anybody who connects could settle messages")
    for name, channel in configuration.channels.items():
        path: Path = ("channels", name)
        match channel:
            case EmailChannel() if name != "email":
                yield fault(
                    root, (*path, CHOICE), "'email' is for the channel email only; expected http or smpp"
                )
            case EmailChannel() if not (channel.submit_to or configuration.reports.submit_to):
                yield fault(root, path, "submit_to is missing, and reports.submit_to too; expected HOST:PORT")
            case HttpChannel() if channel.call_back and (callbacks is None or not callbacks.listen):
                yield fault(root, (*path, "call_back"), "callbacks.listen is empty; nobody would hear")
            case SmppChannel() if name in ("email", "telegram"):
                problem = "'smpp' reaches phone numbers only, and this channel has none"
                yield fault(root, (*path, CHOICE), problem)
            case SmppChannel() if channel.route and channel.route not in root.names("routes"):
                yield unknown_name(root, (*path, "route"), "route", channel.route, root.names("routes"))


def _check_statuses(root: Table, path: Path, statuses: Mapping[int, str]) -> Iterator[Fault]:
    for value in statuses:
        verdict = classify(value)
        if verdict.kind in (Class.LINK, Class.ACCEPTED):
            problem = f"{verdict} is about the bind, not about a message; it cannot mean anything else"
            if verdict.kind is Class.ACCEPTED:
                problem = f"{verdict} cannot mean anything else"
            yield fault(root, path, problem)


def _check_routes(root: Table, configuration: Configuration) -> Iterator[Fault]:
    smscs = root.names("smscs")
    for name, rules in configuration.routes.items():
        first: dict[str, Place] = {}
        if not rules:
            yield fault(root, ("routes", name), "there are no rules in this route")
        for number, rule in enumerate(rules):
            path: Path = ("routes", name, number)
            place, _ = follow(root, path)
            if rule.to in first:
                yield fault(root, (*path, "to"), f"'{rule.to}' has a rule already at {first[rule.to]}")
            first.setdefault(rule.to, place)
            for order, smsc in enumerate(rule.via):
                if smsc not in smscs:
                    yield unknown_name(root, (*path, "via", order), "SMSC", smsc, smscs)
                elif smsc in rule.via[:order]:
                    yield fault(root, (*path, "via", order), f"SMSC '{smsc}' is named twice")


def _check_account(root: Table, path: Path, account: Account) -> Iterator[Fault]:
    domains = root.names("domains")
    for order, domain in enumerate(account.domains):
        if domain not in domains:
            yield unknown_name(root, (*path, "domains", order), "domain", domain, domains)
    for order, channel in enumerate(account.channels or ()):
        if channel not in root.names("channels"):
            known = root.names("channels")
            yield unknown_name(root, (*path, "channels", order), "channel", channel, known)
    if "route" in account.model_fields_set and account.route not in root.names("routes"):
        yield unknown_name(root, (*path, "route"), "route", account.route, root.names("routes"))
    yield from _check_proofs(root, path, account)
    # Not so for sender_originators: what the postmaster gives to one sender, the others need not be allowed
    # to show.
    allowed = {originator.removeprefix("+") for originator in account.originators}
    own = account.default_originator
    if own and allowed and own.removeprefix("+") not in allowed:
        listed = ", ".join(account.originators)
        yield fault(root, (*path, "default_originator"), f"'{own}' is not among `originators`: {listed}")


def _check_proofs(root: Table, path: Path, account: Account) -> Iterator[Fault]:
    """Whether a mail can prove at all that it is the account's. What is wrong is never shown."""
    by_name = account.password_hash and any(login_names(account.logins, kind) for kind in LOGIN_NAMES)
    if "password" in account.require and not (by_name or account.api_keys):
        problem = "password needs `logins` with `password_hash`, or `api_keys`; nobody could send"
        yield fault(root, (*path, "require"), problem)
    if "tls" in account.require and not (account.tls_fingerprints or account.tls_certificates):
        problem = "tls needs `tls_fingerprints` or `tls_certificates`; nobody could send"
        yield fault(root, (*path, "require"), problem)
    if not set(account.require) - ({"spf"} if account.dkim_domains else {"spf", "dkim"}):
        problem = "everybody can prove a domain of his own; expected a check beside it, such as sender"
        yield fault(root, (*path, "require"), problem)
    if account.password_hash and not account.password_hash.removeprefix(OF_MD5).startswith("$argon2"):
        yield fault(root, (*path, "password_hash"), _NO_HASH)
    for order, key in enumerate(account.api_keys):
        if not key.startswith(KEY_DIGEST):
            problem = "found something else (not shown), expected sha256: and the digest in hexadecimal"
            yield fault(root, (*path, "api_keys", order), problem)


def _check_logins(root: Table, configuration: Configuration) -> Iterator[Fault]:
    """No two accounts by one name or one key."""
    first: dict[tuple[str, str], str] = {}
    for name, account in configuration.accounts.items():
        path: Path = ("accounts", name)
        given: list[tuple[Path, tuple[str, str]]] = [
            ((*path, "logins", kind), login_key(kind, login))
            for kind in LOGIN_NAMES
            for login in login_names(account.logins, kind)
        ]
        given += [
            ((*path, "api_keys", order), ("api_keys", key.lower()))
            for order, key in enumerate(account.api_keys)
        ]
        for place, known_by in given:
            owner = first.setdefault(known_by, name)
            if owner != name:
                yield fault(root, place, f"account '{owner}' has the same; a mail could not tell them apart")


def _check_default_route(root: Table, configuration: Configuration) -> Iterator[Fault]:
    """One fault for all accounts that name no route."""
    silent = [n for n, account in configuration.accounts.items() if "route" not in account.model_fields_set]
    if silent and "default" not in root.names("routes"):
        more = f" and {len(silent) - 3} more" if len(silent) > 3 else ""
        users = ", ".join(silent[:3]) + more
        problem = f"there is no route 'default', which accounts without `route` use: {users}"
        yield fault(root, ("routes",), problem)
