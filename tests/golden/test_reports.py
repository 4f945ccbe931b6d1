"""Every case in golden/reports/: what is known of a message's end, and the notification that comes of it.

A case is NAME.yaml, beginning with one sentence in a comment, and NAME.eml (line ends as LF). What it does
not say is as in delivered.yaml. `python tests/golden/test_reports.py` writes the mails anew: review, then
commit.
"""

from __future__ import annotations

import re
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from pathlib import Path
from typing import Any

import pytest
import yaml
from flufl.bounce import all_failures

from sms_milter.model import DeliveryReport, Notify, PartState
from sms_milter.report.dsn import compose
from sms_milter.report.letter import Frame
from sms_milter.report.texts import LANGUAGES

HERE = Path(__file__).parent / "reports"
CASES = sorted(HERE.glob("*.yaml"))
SENT_AT = datetime.fromisoformat("2024-11-21T12:01:05+00:00").timestamp()


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content


def report_of(known: dict[str, Any]) -> DeliveryReport:
    known["state"] = PartState(known["state"])
    known["on_the_way"] = Notify[known.get("on_the_way", "never").upper()]
    for moment in ("at", "arrived_at"):
        known[moment] = known[moment].timestamp()
    known["header"] = known["header"].encode()
    return DeliveryReport(**({"command_status": 0} | known))


def composed(case: Path) -> bytes:
    """What `report`, laid over that of delivered.yaml, becomes; `others`, laid over it, make it a digest."""
    content = read(case)
    known = read(HERE / "delivered.yaml")["report"] | content["report"]
    about = known.pop("mail_message_id")
    reports = [report_of(known | other) for other in ({}, *content.get("others", ()))]
    texts = LANGUAGES[content.get("language", "en")]
    author, message_id = "postmaster@sms.haysystems.com", "<20241121120105.1@gw.example>"
    frame = Frame(author, reports[0].sender, message_id, SENT_AT, about, texts["author"])
    return compose(reports, frame, texts, reporting_mta="gw.example", boundary="=_20241121120105.1")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_end_becomes_what_the_case_says(case: Path) -> None:
    octets = composed(case)
    assert octets.count(b"\n") == octets.count(b"\r\n")
    assert octets.replace(b"\r\n", b"\n") == case.with_suffix(".eml").read_bytes()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_others_read_it_as_a_report(case: Path) -> None:
    mail = message_from_bytes(composed(case), policy=compat32)
    assert (mail.get_content_type(), mail.get_param("report-type")) == ("multipart/report", "delivery-status")
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["Bcc"] is None
    words, status, *header = parts_of(mail)
    assert words.get_content_type() == "text/plain"
    assert status.get_content_type() == "message/delivery-status"
    per_message, *per_recipient = parts_of(status)
    assert per_message["Reporting-MTA"] == "dns; gw.example"
    assert len(per_recipient) == 1 + len(read(case).get("others", ()))
    for number, block in enumerate(per_recipient):
        assert len(block.get_all("Action", [])) == len(block.get_all("Status", [])) == 1
        assert block["Final-Recipient"] == f"rfc822; 44797310000{number}@sms.haysystems.com"
    assert [one.get_content_type() for one in header] in ([], ["text/rfc822-headers"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_mailing_list_reads_whom_it_failed_to_reach(case: Path) -> None:
    """flufl.bounce knows failures and delays by their Original-Recipient, or else their Final-Recipient."""
    mail = message_from_bytes(composed(case), policy=compat32)
    _, *blocks = parts_of(parts_of(mail)[1])
    told: dict[str, set[bytes]] = {"failed": set(), "delayed": set(), "delivered": set()}
    for block in blocks:
        told[block["Action"]].add(block["Original-Recipient"].partition("; ")[2].encode())
    delayed, failed = all_failures(mail)
    assert (set(failed), set(delayed)) == (told["failed"], told["delayed"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_no_encoded_word_is_too_long(case: Path) -> None:
    """RFC 2047 §2: at most 75 characters."""
    assert all(len(word) <= 75 for word in re.findall(rb"=\?[^?\s]+\?[qbQB]\?[^?\s]*\?=", composed(case)))


def parts_of(entity: Message) -> list[Any]:
    payload = entity.get_payload()
    assert isinstance(payload, list)
    return payload


def test_every_case_is_complete() -> None:
    assert {path.stem for path in HERE.glob("*.eml")} == {case.stem for case in CASES}
    assert all(case.read_text().startswith("# ") for case in CASES)


if __name__ == "__main__":
    for one in CASES:
        one.with_suffix(".eml").write_bytes(composed(one).replace(b"\r\n", b"\n"))
