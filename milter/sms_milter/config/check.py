"""Judges what the files say: a `Configuration`, or every fault with its place and a sentence for the
postmaster.

Knows neither YAML nor files. A secret's value never stands in a sentence.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any, Literal, Protocol, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from sms_milter.config.schema import (
    CHOICE,
    Account,
    Configuration,
    EmailChannel,
    HttpChannel,
    Setting,
    SmppChannel,
    bare,
    declared,
    expected,
    inside,
    section_of,
    variants,
)
from sms_milter.config.tree import Node, Path, Place, Table, Text, data, follow, key_place, written
from sms_milter.errors import Fault
from sms_milter.policy.logins import KEY_DIGEST, LOGIN_NAMES, OF_MD5, login_key, login_names
from sms_milter.smpp.status import Class, classify

_FEW = 20  # settings of a section that a sentence may list
_SHOWN = 60  # characters of a wrong value
_KEY = "[key]"  # pydantic's word for the name of an entry
_NOBODY_TO_TELL = "has no effect while reports.submit_to is empty"
_NO_REPLIES = "serves xml@, whose replies nobody gets while reports.submit_to is empty"
_OWN_ADDRESS = (
    "has the account's own address, which others know; who may send by address alone needs a secret one"
)
_NO_MD5 = "has no effect: no account's password_hash was made by `sms-milter hash-password --md5`"
_NO_HASH = "found something else (not shown), expected what `sms-milter hash-password` prints"
_NO_AUTHOR = "can be used by nobody while no account has mail_from_allowed"
_NOT_IN_FORCE = "is accepted but not in force in this version"


S = TypeVar("S", bound=BaseModel)


class DialectDeclaration(Protocol):
    """What is needed of a dialect: the model of its options."""

    @property
    def options(self) -> type[BaseModel]:
        """Declared with `setting`, frozen, unknown names refused."""


Dialects = Mapping[str, DialectDeclaration]


def judge(root: Table, dialects: Dialects) -> tuple[Configuration, list[Fault]]:
    """The configuration, without the sections that are wrong, and everything that is wrong."""
    raw = data(root)
    faults = list(_settle_domains(root, raw, dialects))
    try:
        configuration = Configuration.model_validate(raw)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        faults += [_fault(root, (), Configuration, one) for one in wrong]
        for one in wrong:
            _leave_out(raw, one["loc"])
        configuration = Configuration.model_validate(raw)
    faults += _cross_check(root, configuration)
    return configuration, faults


def section(root: Table, model: type[S]) -> tuple[S | None, list[Fault]]:
    """A file of its own that is one section: its values, or everything that is wrong."""
    try:
        return model.model_validate(data(root)), []
    except ValidationError as error:
        return None, [
            _fault(root, (), model, one) for one in error.errors(include_url=False, include_input=False)
        ]


# --- domains and their dialects -----------------------------------------------------------------------------


def options_of(table: Table, dialects: Dialects) -> type[BaseModel] | None:
    """The model of the options beside `dialect:` in a domain, when that names a dialect."""
    _, node = follow(table, ("dialect",))
    known = dialects.get(node.value or "") if isinstance(node, Text) else None
    return known.options if known is not None else None


def _settle_domains(root: Table, raw: dict[str, Any], dialects: Dialects) -> Iterator[Fault]:
    """Puts the checked options of each domain into `raw`, and takes domains that are wrong out of it."""
    for name, table in root.tables("domains"):
        path: Path = ("domains", name)
        options = dict(raw["domains"][name])
        dialect = options.pop("dialect", None)
        model = options_of(table, dialects)
        if model is None:
            if isinstance(dialect, str):
                yield _unknown_dialect(root, (*path, "dialect"), dialect, dialects)
                del raw["domains"][name]
            else:
                raw["domains"][name] = {"dialect": dialect} if "dialect" in table.entries else {}
            continue
        try:
            raw["domains"][name] = {"dialect": dialect, "options": model.model_validate(options)}
        except ValidationError as error:
            for one in error.errors(include_url=False, include_input=False):
                yield _fault(root, path, model, one, also=("dialect",))
            del raw["domains"][name]


def _unknown_dialect(root: Table, path: Path, dialect: str, dialects: Dialects) -> Fault:
    available = f"available: {', '.join(sorted(dialects))}"
    return _at(
        root, path, f"there is no dialect '{_cut(dialect)}'; {_nearest(dialect, dialects) or available}"
    )


# --- what pydantic found ------------------------------------------------------------------------------------


def _at(root: Table, path: Path, problem: str) -> Fault:
    place, _ = follow(root, path)
    return Fault(place.file, place.line, written(path), problem)


def _fault(root: Table, above: Path, model: type[BaseModel], error: Any, also: Iterable[str] = ()) -> Fault:
    """One of pydantic's errors below `above`, in our words. `also` are further names that are known there."""
    below: Path = error["loc"]
    path = above + _as_written(model, below)
    if error["type"].startswith("union_tag"):
        return _no_choice(root, path, model, below)
    if error["type"] == "extra_forbidden":
        place = key_place(root, path)
        known = [*_names(_declaration(model, below[:-1])[1]), *also]
        return Fault(place.file, place.line, written(path), _unknown_setting(str(path[-1]), known))
    if error["type"] == "missing":
        setting, annotation = _declaration(model, below)
        return _at(root, path, f"is missing; expected {expected(annotation, setting)}")
    if path and path[-1] == _KEY:
        _, annotation = _declaration(model, below[:-2])
        place = key_place(root, path[:-1])
        problem = f"found '{_cut(str(path[-2]))}', expected {expected(get_args(bare(annotation))[0])}"
        return Fault(place.file, place.line, written(path[:-1]), problem)
    _, node = follow(root, path)
    setting, annotation = _declaration(model, below)
    if error["type"] == "too_short":
        return _at(root, path, "the list is empty; expected at least one entry")
    own_words = str(error.get("ctx", {}).get("error", ""))
    found = _found(node, annotation, secret=setting is not None and setting.secret)
    return _at(root, path, own_words or f"{found}, expected {expected(annotation, setting)}")


def _as_written(model: type[BaseModel], path: Path) -> Path:
    """`path` without pydantic's words for which section was chosen; these stand in no file."""
    return tuple(
        [
            step
            for depth, step in enumerate(path)
            if step not in variants(_declaration(model, path[:depth])[1])
        ]
    )


def _no_choice(root: Table, path: Path, model: type[BaseModel], below: Path) -> Fault:
    """A section of which there are several kinds does not say which it is."""
    words = expected(Literal[tuple(variants(_declaration(model, below)[1]))])
    path = (*path, CHOICE)
    _, node = follow(root, path)
    problem = "is missing" if node is None else _found(node, str, secret=False)
    return _at(root, path, f"{problem}{';' if node is None else ','} expected {words}")


def _declaration(model: type[BaseModel], path: Path) -> tuple[Setting | None, Any]:
    """The declaration that `path` below `model` names: the setting itself (None for an item of it) and its
    type.
    """
    annotation: Any = model
    setting: Setting | None = None
    for step in path:
        section = section_of(annotation)
        if section is None:
            annotation, setting = variants(annotation).get(str(step)) or inside(annotation), None
        else:
            setting = declared(section).get(str(step))
            annotation = setting.annotation if setting is not None else None
    return setting, annotation


def _names(annotation: Any) -> list[str]:
    section = section_of(annotation)
    settings = declared(section).values() if section is not None else ()
    return [one.name for one in settings] + [f"{one.name}_file" for one in settings if one.secret]


def _unknown_setting(name: str, known: list[str]) -> str:
    few = f"settings here: {', '.join(known)}" if len(known) <= _FEW else ""
    help_ = _nearest(name, known) or few
    return f"there is no such setting; {help_}" if help_ else "there is no such setting here"


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name.lower().replace("-", "_"), list(known), n=1)
    return f"did you mean '{near[0]}'?" if near else ""


def _found(node: Node | None, annotation: Any, *, secret: bool) -> str:
    if not isinstance(node, Text):
        return "found a mapping" if isinstance(node, Table) else "found a list"
    if node.value is None:
        return "found nothing"
    if secret:
        return "found something else (not shown)"
    if inside(annotation) is not None or section_of(annotation) is not None:
        return "found text"
    return f"found '{_cut(node.value)}'"


def _cut(text: str) -> str:
    # A URL may hold a password.
    text = re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:***@", text)
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _leave_out(raw: dict[str, Any], path: Path) -> None:
    """Takes out of `raw` the section that `path` stands in: a whole account or SMSC, a whole heading
    otherwise.
    """
    name = str(path[0])
    setting, heading = declared(Configuration).get(name), raw.get(name)
    if setting is not None and inside(setting.annotation) and isinstance(heading, dict) and len(path) > 1:
        heading.pop(path[1], None)
    else:
        raw.pop(name, None)


# --- what must fit together ---------------------------------------------------------------------------------


def _cross_check(root: Table, configuration: Configuration) -> Iterator[Fault]:
    if configuration.queue.kind == "postgresql" and find_spec("psycopg") is None:
        yield _at(root, ("queue",), "postgresql needs Python's psycopg; expected it installed")
    if root.names("domains") and not root.names("smscs"):
        yield _at(root, ("domains",), "there is no SMSC to send through; at least one is needed under smscs")
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
        yield _at(root, ("web",), "there is no password_hash; nobody could open the page")
    elif not page.password_hash.startswith("$argon2"):
        yield _at(root, ("web", "password_hash"), _NO_HASH)
    if page.socket_group and not page.listen.startswith("unix:"):
        yield _at(root, ("web", "socket_group"), "only a unix socket can be given to a group")


def _check_channels(root: Table, configuration: Configuration) -> Iterator[Fault]:
    callbacks = configuration.callbacks
    if callbacks is not None and callbacks.listen and not callbacks.token:
        yield _at(root, ("callbacks",), "there is no token; anybody who connects could settle messages")
    for name, channel in configuration.channels.items():
        path: Path = ("channels", name)
        match channel:
            case EmailChannel() if name != "email":
                yield _at(
                    root, (*path, CHOICE), "'email' is for the channel email only; expected http or smpp"
                )
            case EmailChannel() if not (channel.submit_to or configuration.reports.submit_to):
                yield _at(root, path, "submit_to is missing, and reports.submit_to too; expected HOST:PORT")
            case HttpChannel() if channel.call_back and (callbacks is None or not callbacks.listen):
                yield _at(root, (*path, "call_back"), "callbacks.listen is empty; nobody would hear")
            case SmppChannel() if name in ("email", "telegram"):
                problem = "'smpp' reaches phone numbers only, and this channel has none"
                yield _at(root, (*path, CHOICE), problem)
            case SmppChannel() if channel.route and channel.route not in root.names("routes"):
                yield _unknown_name(root, (*path, "route"), "route", channel.route, root.names("routes"))


def _check_statuses(root: Table, path: Path, statuses: Mapping[int, str]) -> Iterator[Fault]:
    for value in statuses:
        verdict = classify(value)
        if verdict.kind in (Class.LINK, Class.ACCEPTED):
            problem = f"{verdict} is about the bind, not about a message; it cannot mean anything else"
            if verdict.kind is Class.ACCEPTED:
                problem = f"{verdict} cannot mean anything else"
            yield _at(root, path, problem)


def _check_routes(root: Table, configuration: Configuration) -> Iterator[Fault]:
    smscs = root.names("smscs")
    for name, rules in configuration.routes.items():
        first: dict[str, Place] = {}
        if not rules:
            yield _at(root, ("routes", name), "there are no rules in this route")
        for number, rule in enumerate(rules):
            path: Path = ("routes", name, number)
            place, _ = follow(root, path)
            if rule.to in first:
                yield _at(root, (*path, "to"), f"'{rule.to}' has a rule already at {first[rule.to]}")
            first.setdefault(rule.to, place)
            for order, smsc in enumerate(rule.via):
                if smsc not in smscs:
                    yield _unknown_name(root, (*path, "via", order), "SMSC", smsc, smscs)
                elif smsc in rule.via[:order]:
                    yield _at(root, (*path, "via", order), f"SMSC '{smsc}' is named twice")


def _check_account(root: Table, path: Path, account: Account) -> Iterator[Fault]:
    domains = root.names("domains")
    for order, domain in enumerate(account.domains):
        if domain not in domains:
            yield _unknown_name(root, (*path, "domains", order), "domain", domain, domains)
    for order, channel in enumerate(account.channels or ()):
        if channel not in root.names("channels"):
            known = root.names("channels")
            yield _unknown_name(root, (*path, "channels", order), "channel", channel, known)
    if "route" in account.model_fields_set and account.route not in root.names("routes"):
        yield _unknown_name(root, (*path, "route"), "route", account.route, root.names("routes"))
    yield from _check_proofs(root, path, account)
    # Not so for sender_originators: what the postmaster gives to one sender, the others need not be allowed
    # to show.
    allowed = {originator.removeprefix("+") for originator in account.originators}
    own = account.default_originator
    if own and allowed and own.removeprefix("+") not in allowed:
        listed = ", ".join(account.originators)
        yield _at(root, (*path, "default_originator"), f"'{own}' is not among `originators`: {listed}")


def _check_proofs(root: Table, path: Path, account: Account) -> Iterator[Fault]:
    """Whether a mail can prove at all that it is the account's. What is wrong is never shown."""
    by_name = account.password_hash and any(login_names(account.logins, kind) for kind in LOGIN_NAMES)
    if "password" in account.require and not (by_name or account.api_keys):
        problem = "password needs `logins` with `password_hash`, or `api_keys`; nobody could send"
        yield _at(root, (*path, "require"), problem)
    if "tls" in account.require and not (account.tls_fingerprints or account.tls_certificates):
        problem = "tls needs `tls_fingerprints` or `tls_certificates`; nobody could send"
        yield _at(root, (*path, "require"), problem)
    if not set(account.require) - ({"spf"} if account.dkim_domains else {"spf", "dkim"}):
        problem = "everybody can prove a domain of his own; expected a check beside it, such as sender"
        yield _at(root, (*path, "require"), problem)
    if account.password_hash and not account.password_hash.removeprefix(OF_MD5).startswith("$argon2"):
        yield _at(root, (*path, "password_hash"), _NO_HASH)
    for order, key in enumerate(account.api_keys):
        if not key.startswith(KEY_DIGEST):
            problem = "found something else (not shown), expected sha256: and the digest in hexadecimal"
            yield _at(root, (*path, "api_keys", order), problem)


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
                yield _at(root, place, f"account '{owner}' has the same; a mail could not tell them apart")


def _check_default_route(root: Table, configuration: Configuration) -> Iterator[Fault]:
    """One fault for all accounts that name no route."""
    silent = [n for n, account in configuration.accounts.items() if "route" not in account.model_fields_set]
    if silent and "default" not in root.names("routes"):
        more = f" and {len(silent) - 3} more" if len(silent) > 3 else ""
        users = ", ".join(silent[:3]) + more
        problem = f"there is no route 'default', which accounts without `route` use: {users}"
        yield _at(root, ("routes",), problem)


def _unknown_name(root: Table, path: Path, kind: str, name: str, known: list[str]) -> Fault:
    help_ = _nearest(name, known) or (f"known: {', '.join(known[:10])}" if known else "none is configured")
    return _at(root, path, f"there is no {kind} '{name}'; {help_}")


# --- what is accepted but does nothing yet ------------------------------------------------------------------


def notes(root: Table, configuration: Configuration) -> list[tuple[Place, str]]:
    """Every setting given with another value than its default that has no effect: in this version, or as long
    as nobody takes reports. And senders that are no secret (ASPSMS §7.2).
    """
    found = [
        (path, f"{_which(setting, value)} {_NOT_IN_FORCE}")
        for path, setting, value in _given(configuration, ())
        if not setting.acts(value)
    ]
    if not configuration.reports.submit_to:
        found += [
            (("accounts", name, "notify"), f": {account.notify} {_NOBODY_TO_TELL}")
            for name, account in configuration.accounts.items()
            if account.notify in ("always", "failed")
        ]
        found += [
            (("domains", name), f" {_NO_REPLIES}")
            for name, domain in configuration.domains.items()
            if "xml" in getattr(domain.options, "entry_points", ())
        ]
    found += [
        (("accounts", name, "senders"), f" {_OWN_ADDRESS}")
        for name, account in configuration.accounts.items()
        if account.account_address.lower() in map(str.lower, account.senders)
    ]
    if not any(account.password_hash.startswith(OF_MD5) for account in configuration.accounts.values()):
        found += [
            (("domains", name, "accept_md5"), f" {_NO_MD5}")
            for name, domain in configuration.domains.items()
            if getattr(domain.options, "accept_md5", False)
        ]
    if "email" in configuration.channels and not any(
        account.mail_from_allowed for account in configuration.accounts.values()
    ):
        found.append((("channels", "email"), f" {_NO_AUTHOR}"))
    found += [
        (("routes", name, number, "escalate_after"), " has no effect with a single SMSC in via")
        for name, rules in configuration.routes.items()
        for number, rule in enumerate(rules)
        if rule.escalate_after is not None and len(rule.via) == 1
    ]
    return [(key_place(root, path), written(path) + why) for path, why in found]


def _which(setting: Setting, value: object) -> str:
    return f": {value}" if isinstance(setting.in_force, tuple) else ""


def _given(section: BaseModel, path: Path) -> Iterator[tuple[Path, Setting, Any]]:
    """All settings that stand in the files, from the top down; nothing below one that has no effect."""
    for setting in declared(type(section)).values():
        if setting.attribute in section.model_fields_set:
            value = getattr(section, setting.attribute)
            here = (*path, setting.name)
            yield here, setting, value
            if setting.acts(value):
                yield from _given_below(value, here)
    options = getattr(section, "options", None)
    if isinstance(options, BaseModel):  # beside `dialect` in the file
        yield from _given(options, path)


def _given_below(value: Any, path: Path) -> Iterator[tuple[Path, Setting, Any]]:
    if isinstance(value, BaseModel):
        yield from _given(value, path)
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _given_below(one, (*path, str(name)))
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            yield from _given_below(one, (*path, number))
