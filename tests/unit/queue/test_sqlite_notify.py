"""What an operator sees of reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from contract.builders import NOW, mail, message
from contract.fates import failed, lease, record
from sms_milter.model import Notify, ReportOutcome
from sms_milter.queue.sqlite import SqliteQueue


def test_a_mail_shows_what_became_of_its_reports(tmp_path: Path) -> None:
    queue = SqliteQueue(f"{tmp_path}/queue.db")
    queue.put([mail(*(message(number, notify=Notify.LOST) for number in "1234"), mta_queue_id="4QID")], NOW)
    record(queue, *(failed(part.part_id) for part in lease(queue, 3)))
    one, two, _ = queue.due_reports(NOW, 10)
    queue.record_reports([ReportOutcome(one.report_id, NOW), ReportOutcome(two.report_id, NOW, "550 no")])
    shown: Any = queue.show_mail("4QID")
    assert [told["report"] for told in shown["messages"]] == ["sent", "550 no", "waiting", None]
    queue.close()
