"""What a reload says of the settings that it changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sms_milter.config.difference import changes
from sms_milter.config.load import load
from sms_milter.config.schema import Configuration

BASE: dict[str, Any] = {
    "milter": {"workers": 2, "claim": "discard", "socket": "inet:8891@127.0.0.1"},
    "domains": {"sms.example.com": {"dialect": "hsl"}},
    "accounts": {
        "acme": {
            "clients": ["192.0.2.1", "192.0.2.2"],
            "senders": ["c4c3f1@acme.example"],
            "append": "Regards",
            "closed_group": ["447973100000"],
            "quota": {"messages": 10},
        }
    },
    "smscs": {"primary": {"host": "smsc.example", "system_id": "acme", "password": "first"}},
    "routes": {"default": [{"to": "*", "via": ["primary"]}]},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """BASE with one value changed; REMOVED takes it away."""
    copy: Any = Configuration.model_validate(BASE).model_dump(by_alias=True, exclude_unset=True)
    *above, last = path.split("/")
    table = copy
    for step in above:
        table = table[int(step)] if isinstance(table, tuple | list) else table[step]
    if value is REMOVED:
        del table[last]
    else:
        table[last] = value
    return dict(copy)


REMOVED = object()
CASES: dict[str, tuple[str, Any, list[str]]] = {
    "a number": ("milter/workers", 4, ["milter.workers: 2 -> 4"]),
    "a number and a word": ("milter/workers", "auto", ["milter.workers: 2 -> auto"]),
    "a word": ("milter/claim", "remove-recipients", ["milter.claim: discard -> remove-recipients"]),
    "a switch": ("milter/shadow", True, ["milter.shadow: false -> true"]),
    "a duration": ("milter/decision_timeout", "1m", ["milter.decision_timeout: 20 -> 60"]),
    "an address is not shown": ("milter/socket", "unix:/run/x", ["milter.socket: changed"]),
    "a text is not shown": ("accounts/acme/append", "Bye", ["accounts.acme.append: changed"]),
    "a secret is not shown": ("smscs/primary/password", "second", ["smscs.primary.password: changed"]),
    "a list is counted": (
        "accounts/acme/clients",
        ["192.0.2.2", "192.0.2.3", "192.0.2.4"],
        ["accounts.acme.clients: 2 added, 1 removed"],
    ),
    "an order": (
        "accounts/acme/clients",
        ["192.0.2.2", "192.0.2.1"],
        ["accounts.acme.clients: in another order"],
    ),
    "senders may be secret": (
        "accounts/acme/senders",
        ["b4b3f1@acme.example"],
        ["accounts.acme.senders: 1 added, 1 removed"],
    ),
    "no such list any more": (
        "accounts/acme/closed_group",
        None,
        ["accounts.acme.closed_group: changed"],
    ),
    "a section goes": ("accounts/acme/quota", None, ["accounts.acme.quota: removed"]),
    "within a section": (
        "accounts/acme/quota",
        {"messages": 10, "period": "1h"},
        ["accounts.acme.quota.period: 86400 -> 3600"],
    ),
    "a table of texts is counted": (
        "accounts/acme/sender_originators",
        {"a@acme.example": "A"},
        ["accounts.acme.sender_originators: 1 added, 0 removed"],
    ),
    "an account comes": ("accounts/beta", {}, ["accounts.beta: added"]),
    "an account goes": ("accounts/acme", REMOVED, ["accounts.acme: removed"]),
    "a rule of a route": (
        "routes/default",
        [{"to": "*", "via": ["primary"]}, {"to": "+44", "via": ["primary"]}],
        ["routes.default: 1 added, 0 removed"],
    ),
    "nothing": ("milter/workers", 2, []),
}


@pytest.mark.parametrize("case", CASES)
def test_each_kind_of_change_is_one_sentence(case: str) -> None:
    path, value, expected = CASES[case]
    after = Configuration.model_validate(changed(path, value))
    assert changes(Configuration.model_validate(BASE), after) == expected


def test_the_options_of_a_dialect_stand_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "sms-milter.yaml"
    read = []
    for strict in ("false", "true"):
        file.write_text(
            f"domains: {{sms.example.com: {{dialect: hsl, strict_charset: {strict}}}}}\n"
            "smscs: {primary: {host: smsc.example, system_id: acme, password: secret}}\n"
            "routes: {default: [{to: '*', via: [primary]}]}\n"
        )
        read.append(load(file).configuration)
    assert changes(*read) == ["domains.sms.example.com.strict_charset: false -> true"]
