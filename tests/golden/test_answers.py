"""Every case in golden/answers/: what a case of a dialect is answered, whole, as the MTA gets it.

DIALECT-NN-name.eml belongs to golden/DIALECT/NN-name.yaml; of several answers it shows the first. Run as a
module to write them anew: review, then commit.
"""

from __future__ import annotations

import re
import tempfile
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from golden.test_golden import CASES, Taking, chosen, configured, dialogue, prepare, read, seconds
from sms_milter.config.secrets import Passwords
from sms_milter.gate import Gate
from sms_milter.logline import Numbers
from sms_milter.notify import Notifier
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.rehearsal import SilentJournal, rehearse
from support.gate import Lines

HERE = Path(__file__).parent
SHOWN = sorted((HERE / "answers").glob("*.eml"))
# One of those that are answered alike.
ANSWERED = {
    (case.parent.name, str(answers)): case
    for case in CASES
    if (answers := [one["body"] for one in read(case)["expect"]["answers"]])
}.values()


class _Mta:
    """Keeps what it takes."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []

    def submit(self, recipient: str, mail: bytes) -> str:
        self.taken.append((recipient, mail))
        return "250 2.0.0 Ok"

    def close(self) -> None:
        pass


def answered(case: Path, folder: Path) -> list[tuple[str, bytes]]:
    """Play a case and all before it into a queue; the answers that the report role then hands to the MTA."""
    content = read(case)
    configuration = configured(case, content.get("config", {}), folder)
    queue, mta = SqliteQueue(str(folder / "queue.db")), _Mta()
    now = seconds(content["now"])
    try:
        prepare(case, content, configuration, queue)
        notifier = Notifier(queue, mta, Lines(), Numbers(masked=False), host_name="gw.example")
        while (due_at := queue.next_report()) is not None:
            notifier.step(max(due_at, now))
        mta.taken.clear()
        rehearse(
            Gate(configuration, Passwords()),
            Taking(queue, now),
            SilentJournal(),
            mail=case.with_suffix(".eml").read_bytes(),
            now=now,
            chance=chosen,
            **dialogue(content),
        )
        notifier.step(now)
    finally:
        queue.close()
    return [(recipient, mail) for recipient, mail in mta.taken if b"multipart/report" not in mail]


def read_mail(octets: bytes) -> EmailMessage:
    mail: Any = message_from_bytes(octets.replace(b"\r\n", b"\n"), policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def _same_ids(body: str) -> str:
    """Without the numbers that SMSCentre counts up, which preview only shows an example of."""
    return re.sub(r"(?<=, ID - )\d+", "N", body).rstrip("\n")


def case_of(shown: Path) -> Path:
    dialect, _, name = shown.stem.partition("-")
    return HERE / dialect / f"{name}.yaml"


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: shown.stem)
def test_the_answer_is_what_the_file_shows(shown: Path, tmp_path: Path) -> None:
    _, octets = answered(case_of(shown), tmp_path)[0]
    assert octets.count(b"\n") == octets.count(b"\r\n")
    assert octets.replace(b"\r\n", b"\n") == shown.read_bytes()


@pytest.mark.parametrize("case", ANSWERED, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_what_preview_shows_is_mailed_in_the_thread_of_the_request(case: Path, tmp_path: Path) -> None:
    request = read_mail(case.with_suffix(".eml").read_bytes())
    expected = read(case)["expect"]["answers"]
    taken = answered(case, tmp_path)
    assert [recipient for recipient, _ in taken] == [one["to"] for one in expected]
    for one, (_, octets) in zip(expected, taken, strict=True):
        mail = read_mail(octets)
        assert not mail.defects
        assert (mail["To"], mail["Subject"]) == (one["to"], one["subject"])
        assert mail["Auto-Submitted"] == "auto-replied"
        assert mail["In-Reply-To"] == mail["References"] == request["Message-ID"]
        assert mail["From"].addresses[0].addr_spec in dialogue(read(case))["recipients"]
        assert _same_ids(mail.get_content()) == _same_ids(one["body"])


if __name__ == "__main__":
    for one in SHOWN:
        with tempfile.TemporaryDirectory() as folder:
            one.write_bytes(answered(case_of(one), Path(folder))[0][1].replace(b"\r\n", b"\n"))
