"""The operator's use case: all that is meant, a thousand at a time, each with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.builders import NOW, mail, message
from contract.fates import accepted, lease, record
from sms_milter.logline import Numbers
from sms_milter.model import Deed, Selection
from sms_milter.operate import Operator
from sms_milter.queue.sqlite import SqliteQueue
from support.gate import Lines


class Bell:
    def __init__(self) -> None:
        self.rung = 0

    def ring(self) -> None:
        self.rung += 1


class Desk:
    def __init__(self, path: Path, *, masked: bool = False) -> None:
        self.queue = SqliteQueue(str(path / "queue.db"))
        self.lines, self.dispatch, self.reports = Lines(), Bell(), Bell()
        self.operator = Operator(
            self.queue,
            self.lines,  # type: ignore[arg-type]  # its methods are made on demand
            Numbers(masked=masked),
            dispatch=self.dispatch,
            reports=self.reports,
        )


def test_more_than_a_transaction_takes_is_changed_too(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.queue.put([mail(*(message(str(44_000 + number)) for number in range(2100)))], NOW)
    heard: list[int] = []
    assert desk.operator.change(Deed.HOLD, Selection(), NOW, heard.append) == (2100, 0)
    assert heard == [1000, 1000, 100]
    assert len(desk.lines.written) == 2100
    assert desk.queue.next_due("main") > NOW + 10**9


def test_a_line_names_mail_part_and_deed_and_masks_the_number(tmp_path: Path) -> None:
    desk = Desk(tmp_path, masked=True)
    desk.queue.put([mail(message(parts=2), mta_queue_id="4QID")], NOW)
    desk.operator.change(Deed.CANCEL, Selection(name="4QID"), NOW)
    assert [line for _, line in desk.lines.written] == [
        "4QID: to=4479******00, queue=1, part=1/2, status=cancelled by the operator",
        "4QID: to=4479******00, queue=1, part=2/2, status=cancelled by the operator",
    ]


@pytest.mark.parametrize(
    ("deed", "dispatch", "reports"),
    [(Deed.HOLD, 0, 0), (Deed.RELEASE, 1, 0), (Deed.CANCEL, 0, 1)],
)
def test_the_role_that_has_work_by_it_is_woken(
    tmp_path: Path, deed: Deed, dispatch: int, reports: int
) -> None:
    desk = Desk(tmp_path)
    desk.queue.put([mail()], NOW)
    if deed is Deed.RELEASE:
        desk.queue.change(Deed.HOLD, Selection(), NOW)
    desk.operator.change(deed, Selection(), NOW)
    assert (desk.dispatch.rung, desk.reports.rung) == (dispatch, reports)


def test_the_dispatcher_is_woken_to_ask_the_smsc(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.queue.put([mail()], NOW)
    record(desk.queue, *(accepted(part.part_id, "k") for part in lease(desk.queue)))
    assert desk.operator.change(Deed.CANCEL, Selection(), NOW) == (0, 1)
    assert (desk.dispatch.rung, desk.reports.rung) == (1, 0)


def test_nobody_is_woken_for_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.operator.change(Deed.RETRY, Selection(), NOW) == (0, 0)
    assert (desk.dispatch.rung, desk.reports.rung, desk.lines.written) == (0, 0, [])
