"""Every case in golden/reports/: what is known of a message's end, and the notification that comes of it.

A case is NAME.yaml, beginning with one sentence in a comment, and NAME.eml (line ends as LF). What it does
not say is as in delivered.yaml. `python tests/golden/test_reports.py` writes the mails anew: review, then
commit.
"""

from __future__ import annotations

from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from pathlib import Path
from typing import Any

import pytest
import yaml

from sms_milter.model import DeliveryReport, PartState
from sms_milter.report.dsn import compose
from sms_milter.report.letter import Frame

HERE = Path(__file__).parent / "reports"
CASES = sorted(HERE.glob("*.yaml"))
SENT_AT = datetime.fromisoformat("2024-11-21T12:01:05+00:00").timestamp()


def report_of(case: Path) -> tuple[DeliveryReport, str]:
    """The report, and the Message-ID of the mail that it is about."""
    known: dict[str, Any] = yaml.safe_load((HERE / "delivered.yaml").read_text())["report"]
    known |= yaml.safe_load(case.read_text())["report"]
    known["state"] = PartState(known["state"])
    for moment in ("at", "arrived_at"):
        known[moment] = known[moment].timestamp()
    known["header"] = known["header"].encode()
    about = known.pop("mail_message_id")
    return DeliveryReport(**({"command_status": 0} | known)), about


def composed(report: DeliveryReport, about: str) -> bytes:
    author, message_id = "postmaster@sms.haysystems.com", "<20241121120105.1@gw.example>"
    frame = Frame(author, report.sender, message_id, SENT_AT, about)
    return compose(report, frame, reporting_mta="gw.example", boundary="=_20241121120105.1")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_end_becomes_what_the_case_says(case: Path) -> None:
    octets = composed(*report_of(case))
    assert octets.count(b"\n") == octets.count(b"\r\n")
    assert octets.replace(b"\r\n", b"\n") == case.with_suffix(".eml").read_bytes()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_others_read_it_as_a_report(case: Path) -> None:
    mail = message_from_bytes(composed(*report_of(case)), policy=compat32)
    assert (mail.get_content_type(), mail.get_param("report-type")) == ("multipart/report", "delivery-status")
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["Bcc"] is None
    words, status, header = parts_of(mail)
    assert words.get_content_type() == "text/plain"
    assert status.get_content_type() == "message/delivery-status"
    per_message, per_recipient = parts_of(status)
    assert per_message["Reporting-MTA"] == "dns; gw.example"
    assert len(per_recipient.get_all("Action", [])) == len(per_recipient.get_all("Status", [])) == 1
    assert per_recipient["Final-Recipient"] == "rfc822; 447973100000@sms.haysystems.com"
    assert header.get_content_type() == "text/rfc822-headers"


def parts_of(entity: Message) -> list[Any]:
    payload = entity.get_payload()
    assert isinstance(payload, list)
    return payload


def test_every_case_is_complete() -> None:
    assert {path.stem for path in HERE.glob("*.eml")} == {case.stem for case in CASES}
    assert all(case.read_text().startswith("# ") for case in CASES)


if __name__ == "__main__":
    for one in CASES:
        one.with_suffix(".eml").write_bytes(composed(*report_of(one)).replace(b"\r\n", b"\n"))
