"""What is accepted but does nothing: in this version, or as long as something else is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from sms_milter.config.schema import Configuration, Setting, declared
from sms_milter.config.tree import Path, Place, Table, key_place, written
from sms_milter.policy.logins import OF_MD5

_NOBODY_TO_TELL = "has no effect while reports.submit_to is empty"
_NO_REPLIES = "serves xml@, whose replies nobody gets while reports.submit_to is empty"
_OWN_ADDRESS = (
    "has the account's own address, which others know; who may send by address alone needs a secret one"
)
_NO_MD5 = "has no effect: no account's password_hash was made by `sms-milter hash-password --md5`"
_NO_AUTHOR = "can be used by nobody while no account has mail_from_allowed"
_NOT_IN_FORCE = "is accepted but not in force in this version"


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
