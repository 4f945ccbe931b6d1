"""A gate with the account of HSL §12, an intake that remembers, a journal that can be read."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from sms_milter.config.load import load
from sms_milter.config.schema import Configuration
from sms_milter.config.secrets import Passwords
from sms_milter.errors import Refusal
from sms_milter.gate import Gate
from sms_milter.intake import Transaction
from sms_milter.mail.address import esmtp_parameters
from sms_milter.model import (
    Client,
    CreditRule,
    LoginRule,
    NewMail,
    PartFate,
    QuotaLeft,
    QuotaRule,
    Record,
    Stored,
)

BASE: dict[str, Any] = {
    "domains": {"sms.haysystems.com": {"dialect": "hsl"}},
    "accounts": {
        "acme": {
            "clients": ["192.0.2.10"],
            "senders": ["@customer.example"],
            "originators": ["ACME"],
            "default_originator": "ACME",
        }
    },
    "smscs": {"primary": {"host": "127.0.0.1", "system_id": "acme", "password": "secret"}},
    "routes": {"default": [{"to": "*", "via": ["primary"]}]},
}


def configuration(**sections: dict[str, Any]) -> Configuration:
    """The base with `sections` laid over it, two levels deep."""
    whole = deepcopy(BASE)
    for name, section in sections.items():
        for key, value in section.items():
            place = whole.setdefault(name, {})
            place[key] = place.get(key, {}) | value if isinstance(value, dict) else value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sms-milter.yaml"
        path.write_text(yaml.safe_dump(whole, sort_keys=False))
        return load(path).configuration


class Remembered:
    """An intake that keeps what it is given; `left` is what quotas leave."""

    def __init__(self, left: int = 1000, put: Callable[[NewMail], Stored] | None = None) -> None:
        self.mails: list[NewMail] = []
        self.left = left
        self.refused: Refusal | None = None
        self.refusals = 0
        self.unwilling: set[str] = set()
        self.failed: list[tuple[str, LoginRule]] = []
        self.blocked: set[str] = set()
        self.numbers: dict[str, int] = {}
        self.records: dict[tuple[str, str, str], Record] = {}
        self._put = put

    def put(self, mail: NewMail, progress: Callable[[], None] | None = None) -> Stored:
        if self._put is not None:
            return self._put(mail)
        self.mails.append(mail)
        return Stored(len(self.mails))

    def refusal(self, mail: NewMail) -> Refusal | None:
        return self.refused

    def quota_left(self, account: str, sender: str, rule: QuotaRule) -> QuotaLeft:
        return QuotaLeft(self.left, 1_000_000.0, rule.messages)

    def credit_left(self, account: str, rule: CreditRule) -> int:
        return rule.deposit

    def suppressed(self, account: str, number: str) -> bool:
        return number in self.unwilling

    def find_record(self, account: str, kind: str, name: str) -> Record | None:
        return self.records.get((account, kind, name))

    def fates(self, account: str, references: Sequence[str]) -> dict[str, list[PartFate]]:
        return {}

    def login_failed(self, who: str, rule: LoginRule) -> bool:
        self.failed.append((who, rule))
        if len(self.failed) >= rule.count:
            self.blocked.add(who)
        return who in self.blocked

    def next_number(self, account: str) -> int:
        self.numbers[account] = self.numbers.get(account, 0) + 1
        return self.numbers[account]

    def count_refused(self) -> None:
        self.refusals += 1

    def login_blocked(self, who: str) -> bool:
        return who in self.blocked


class Lines:
    """A journal that can be read: (severity, line)."""

    def __init__(self) -> None:
        self.written: list[tuple[str, str]] = []

    def __getattr__(self, severity: str) -> Callable[[str], None]:
        return lambda line: self.written.append((severity, line))

    @property
    def text(self) -> str:
        return "\n".join(line for _, line in self.written)


class Answers:
    """`SenderProofs` that says what it is told to, or raises it, and remembers what it was asked."""

    def __init__(self, *, spf: bool | Refusal = False, dkim: bool | Refusal = False) -> None:
        self._spf, self._dkim = spf, dkim
        self.asked: list[object] = []

    def spf(self, client: Client, sender: str) -> bool:
        self.asked.append((client.address, client.helo, sender))
        return _said(self._spf)

    def dkim(self, fields: Sequence[tuple[str, bytes]], body: bytes, domains: Collection[str]) -> bool:
        self.asked.append(([name for name, _ in fields], body, set(domains)))
        return _said(self._dkim)


def _said(answer: bool | Refusal) -> bool:
    if isinstance(answer, Refusal):
        raise answer
    return answer


class Desk:
    """Everything a transaction needs, with what it did to be looked at."""

    def __init__(
        self, intake: Remembered | None = None, proofs: Answers | None = None, **sections: dict[str, Any]
    ) -> None:
        self.gate = Gate(configuration(**sections), Passwords(), proofs)
        self.intake = intake or Remembered()
        self.lines = Lines()

    def transaction(
        self,
        sender: str = "<bob@customer.example>",
        client: str = "192.0.2.10",
        parameters: tuple[str, ...] = (),
        helo: str = "",
        **more: Any,
    ) -> Transaction:
        return Transaction(
            self.gate,
            self.intake,
            self.lines,  # type: ignore[arg-type]  # its methods are made on demand
            Client.at(client, helo=helo),
            sender,
            esmtp_parameters(parameters),
            clock=lambda: 1_700_000_000.0,
            **more,
        )
