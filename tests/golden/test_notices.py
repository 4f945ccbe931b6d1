"""Every case in golden/notices/: what became of messages, and the mail in the words of their dialect.

`notice` names dialect, target and news, `mail_message_id` the mail that it is about. Run as a module to write
the .eml files anew: review, then commit.
"""

from __future__ import annotations

from datetime import datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import yaml

from sms_milter.logline import Numbers
from sms_milter.model import DeliveryReport, DueReport, Notice, Notify, PartState
from sms_milter.notify import Notifier
from support.gate import Lines

HERE = Path(__file__).parent / "notices"
CASES = sorted(HERE.glob("*.yaml"))
SENT_AT = datetime.fromisoformat("2024-11-21T12:01:05+00:00").timestamp()


class _Desk:
    """One due report, and the MTA that takes it."""

    def __init__(self, due: DueReport) -> None:
        self._due = [due]
        self.mail = b""
        self.recipient = ""

    def due_reports(self, now: float, limit: int, **_: bool) -> list[DueReport]:
        due, self._due = self._due, []
        return due

    def next_report(self, **_: bool) -> None:
        return None

    def record_reports(self, outcomes: Any) -> None:
        pass

    def submit(self, recipient: str, mail: bytes) -> str:
        self.recipient, self.mail = recipient, mail
        return "250 2.0.0 Ok"

    def close(self) -> None:
        pass


def news_of(known: dict[str, Any]) -> DeliveryReport:
    known = {"sender": "", "smsc": "smsc1", "stat": "", "error": "", "command_status": 0, **known}
    known["state"] = PartState(known["state"])
    known["on_the_way"] = Notify[known.get("on_the_way", "never").upper()]
    for moment in ("at", "arrived_at"):
        known[moment] = known[moment].timestamp()
    return DeliveryReport(**known)


def composed(case: Path) -> bytes:
    """The mail as the report role hands it to the MTA."""
    content = yaml.safe_load(case.read_text())
    told = content["notice"]
    news = tuple(news_of(one) for one in told["news"])
    notice = Notice(told["dialect"], told["target"], news)
    due = DueReport(1, 7, "4ABC", SENT_AT, 0, content["mail_message_id"], notice)
    desk, lines = _Desk(due), Lines()
    Notifier(desk, desk, lines, Numbers(masked=False), host_name="gw.example").step(SENT_AT)
    assert desk.recipient == told["target"], lines.text
    return desk.mail


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_news_become_what_the_case_says(case: Path) -> None:
    octets = composed(case)
    assert octets.count(b"\n") == octets.count(b"\r\n")
    assert octets.replace(b"\r\n", b"\n") == case.with_suffix(".eml").read_bytes()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_robots_leave_it_unanswered_and_it_stands_in_its_thread(case: Path) -> None:
    mail = message_from_bytes(composed(case), policy=default)
    about = yaml.safe_load(case.read_text())["mail_message_id"]
    assert (mail["In-Reply-To"], mail["References"]) == (about, about)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert not mail.defects


if __name__ == "__main__":
    for one in CASES:
        one.with_suffix(".eml").write_bytes(composed(one).replace(b"\r\n", b"\n"))
