"""Every case in golden/<dialect>/: a mail, how it came in, and what `sms-milter preview` says becomes of it.

A case is NN-name.eml (the mail), NN-name.yaml (the rest) and NN-name.md (one sentence why). `config` changes
the dialect's base.yaml; `before` are mails that came earlier, named by their files, perhaps so many `times`
`every` few seconds, perhaps `refused`, perhaps ended by a `receipt`; `numbers_given` counts the ids given to
requests before; `expect` is the whole of preview's JSON, `by_chance` says that something in it comes from
`chosen`. The cases of support/toy/ show the same of a dialect that tests/support/toy_dialect.py adds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.fates import accepted, receipt
from sms_milter.config.load import load
from sms_milter.config.schema import Configuration
from sms_milter.config.secrets import Passwords
from sms_milter.dialects import DIALECTS
from sms_milter.errors import Refusal
from sms_milter.gate import Gate
from sms_milter.model import CreditRule, LoginRule, NewMail, PartFate, QuotaLeft, QuotaRule, Record, Stored
from sms_milter.preview import preview
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.rehearsal import SilentJournal, rehearse
from support.toy_dialect import TOY

HERE = Path(__file__).parent
FOLDERS = sorted({case.parent for case in HERE.glob("*/[0-9]*.yaml")} | {HERE.parent / "support" / "toy"})
CASES = [case for folder in FOLDERS for case in sorted(folder.glob("[0-9]*.yaml"))]


def chosen(limit: int) -> int:
    """What chance has chosen in the cases marked `by_chance`."""
    return 12345678 % limit


_REQUIRED = {"client", "sender", "recipients", "now", "expect"}
_OPTIONAL = {
    "by_chance",
    "by_the_clock",
    "config",
    "before",
    "numbers_given",
    "sasl_user",
    "macros",
    "mail_parameters",
    "recipient_parameters",
}
_DIALOGUE = (
    "client",
    "sender",
    "recipients",
    "sasl_user",
    "macros",
    "mail_parameters",
    "recipient_parameters",
)


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DIALECTS, "toy", TOY)


class Taking:
    """An `Intake` that stores at once, as of `now`."""

    def __init__(self, queue: SqliteQueue, now: float) -> None:
        self._queue, self._now = queue, now

    def put(self, mail: NewMail, progress: object = None) -> Stored:
        (stored,) = self._queue.put([mail], self._now)
        if isinstance(stored, Refusal):
            raise stored
        return stored

    def refusal(self, mail: NewMail) -> Refusal | None:
        return self._queue.refusal(mail, self._now)

    def quota_left(self, account: str, sender: str, rule: QuotaRule) -> QuotaLeft:
        return self._queue.quota_left(account, sender, rule, self._now)

    def credit_left(self, account: str, rule: CreditRule) -> int:
        return self._queue.credit_left(account, rule)

    def suppressed(self, account: str, number: str) -> bool:
        return self._queue.suppressed(account, number)

    def find_record(self, account: str, kind: str, name: str) -> Record | None:
        return self._queue.find_record(account, kind, name, self._now)

    def fates(self, account: str, references: Sequence[str]) -> dict[str, list[PartFate]]:
        return self._queue.fates(account, references)

    def login_failed(self, who: str, rule: LoginRule) -> bool:
        return self._queue.login_failed(who, rule, self._now)

    def next_number(self, account: str) -> int:
        return self._queue.next_number(account)

    def count_refused(self) -> None:
        self._queue.count_refused(1, self._now)

    def login_blocked(self, who: str) -> bool:
        return self._queue.login_blocked(who, self._now)


def read(case: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(case.read_text())
    assert content.keys() >= _REQUIRED, "something is missing"
    assert content.keys() <= _REQUIRED | _OPTIONAL, "something is misspelt"
    return content


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes`; mappings are merged, everything else is replaced."""
    both = dict(base)
    for name, value in changes.items():
        old = both.get(name)
        both[name] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return both


def configured(case: Path, changes: Mapping[str, Any], folder: Path) -> Configuration:
    base = yaml.safe_load((case.parent / "base.yaml").read_text())
    path = folder / "sms-milter.yaml"
    path.write_text(yaml.safe_dump(merged(base, changes)))
    return load(path).configuration


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def dialogue(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: content[name] for name in _DIALOGUE if name in content}


def take(
    configuration: Configuration,
    queue: SqliteQueue,
    now: float,
    mail: Path,
    how: dict[str, Any],
    *,
    refused: bool = False,
) -> None:
    """Play a mail that came earlier; it is stored, or `refused`."""
    taking = Taking(queue, now)
    _, verdict = rehearse(
        Gate(configuration, Passwords()),
        taking,
        SilentJournal(),
        mail=mail.read_bytes(),
        now=now,
        chance=chosen,
        **how,
    )
    assert (verdict.stored is None) is refused, f"{mail.name}: {verdict.action}, {verdict.reply}"


def give_numbers(queue: SqliteQueue, account: str, last: int) -> None:
    """As if so many requests of an account had come without an id of their own."""
    for _ in range(last):
        queue.next_number(account)


def hear(queue: SqliteQueue, stat: str, now: float) -> None:
    """The SMSC takes all that waits, and says what became of it."""
    with queue.transaction() as work:
        parts = work.lease("primary", "b", range(1, 100), now)
        work.record([accepted(part.part_id, str(part.part_id), now) for part in parts])
        work.settle([receipt(str(part.part_id), stat=stat, smsc="primary", at=now + 4) for part in parts])


def prepare(case: Path, content: Mapping[str, Any], configuration: Configuration, queue: SqliteQueue) -> None:
    """What came before."""
    for account, number in content.get("numbers_given", {}).items():
        give_numbers(queue, account, number)
    for earlier in content.get("before", ()):
        how = dialogue(content) | dialogue(earlier)
        for number in range(earlier.get("times", 1)):
            at = seconds(earlier["now"]) + number * earlier.get("every", 0)
            refused = earlier.get("refused", False)
            take(configuration, queue, at, case.parent / earlier["mail"], how, refused=refused)
        if "receipt" in earlier:
            hear(queue, earlier["receipt"], seconds(earlier["now"]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_the_mail_becomes_what_the_case_says(case: Path, tmp_path: Path) -> None:
    content = read(case)
    configuration = configured(case, content.get("config", {}), tmp_path)
    queue = SqliteQueue(str(tmp_path / "queue.db"))
    try:
        prepare(case, content, configuration, queue)
        mail = case.with_suffix(".eml").read_bytes()
        now = seconds(content["now"])
        found = preview(configuration, queue, mail=mail, now=now, chance=chosen, **dialogue(content))
        assert found == content["expect"]
    finally:
        queue.close()


def test_every_case_is_complete() -> None:
    named = [path for folder in FOLDERS for path in folder.glob("[0-9]*")]
    files = {path for path in named if path.suffix in {".eml", ".md", ".yaml"}}
    assert files == {case.with_suffix(suffix) for case in CASES for suffix in (".eml", ".md", ".yaml")}
    for case in CASES:
        assert len(case.with_suffix(".md").read_text().splitlines()) == 1, f"{case.stem}: one sentence why"
