"""With `milter.shadow` the golden mails are judged as without, pass, and leave the queue as it was."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from golden.test_golden import CASES, Taking, chosen, configured, dialogue, merged, prepare, read, seconds
from sms_milter.config.secrets import Passwords
from sms_milter.gate import Gate
from sms_milter.model import Action
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.rehearsal import SilentJournal, rehearse

_OF_EACH_DIALECT = 40
PLAYED = [
    case
    for folder in sorted({case.parent for case in CASES if case.parent.parent == Path(__file__).parent})
    for case in [one for one in CASES if one.parent == folder][:_OF_EACH_DIALECT]
]


class Told(SilentJournal):
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, line: str) -> None:
        self.lines.append(line)


def content_of(path: Path) -> list[str]:
    with sqlite3.connect(path) as db:
        return list(db.iterdump())


@pytest.mark.parametrize("case", PLAYED, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_a_shadow_judges_alike_and_leaves_no_trace(case: Path, tmp_path: Path) -> None:
    content = read(case)
    changes = content.get("config", {})
    path = tmp_path / "queue.db"
    queue = SqliteQueue(str(path))
    try:
        prepare(case, content, configured(case, changes, tmp_path), queue)
        now = seconds(content["now"])
        queue.summary(now)  # by now there is a file
        before, told = content_of(path), Told()
        shadow = configured(case, merged(changes, {"milter": {"shadow": True}}), tmp_path)
        _, verdict = rehearse(
            Gate(shadow, Passwords()),
            Taking(queue, now),
            told,
            mail=case.with_suffix(".eml").read_bytes(),
            now=now,
            chance=chosen,
            **dialogue(content),
        )
        assert verdict.action is Action.PASS
        assert content_of(path) == before
    finally:
        queue.close()
    expected = content["expect"]
    if expected["action"] != "pass":
        assert all("status=would be " in line for line in told.lines)
        word = {"reject": "refused", "defer": "refused"}.get(expected["action"], expected["action"])
        assert any(f"status=would be {word}" in line for line in told.lines), told.lines
