"""The URLs by which clients are told, over a real queue; only the web and the clock are the test's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from contract.builders import NOW, mail, message
from contract.fates import accepted, failed, lease, receipt, record, settle
from sms_milter.calls import Caller
from sms_milter.errors import NoAnswer, NotSent, QueueUnavailable, WebError
from sms_milter.logline import Numbers
from sms_milter.model import Listener, Notify, PartState, WebAnswer
from sms_milter.queue.sqlite import SqliteQueue
from support.gate import Lines

OK = WebAnswer(200, "OK", b"", "")
DONE = Listener("http://acme.example/done?ID=", Notify.SUCCESS, is_url=True)
FAILED = Listener("http://acme.example/failed?ID=", Notify.LOST | Notify.FAILURE, is_url=True)
BUFFERED = Listener("http://acme.example/later?ID=", Notify.PENDING, is_url=True)


class Desk:
    """A queue, the caller, and the web, which says what it is told to say, then OK."""

    def __init__(self, path: Path) -> None:
        self.queue = SqliteQueue(str(path / "queue.db"))
        self.asked: list[str] = []
        self.says: list[WebAnswer | WebError] = []
        self.lines = Lines()
        self.caller = Caller(self.queue, self.ask, self.lines, Numbers(masked=True))

    def ask(self, urls: Sequence[str]) -> list[WebAnswer | WebError]:
        self.asked += urls
        return [self.says.pop(0) if self.says else OK for _ in urls]

    def put(self, *listeners: Listener, reference: str | None = "1234", count: int = 1) -> list[int]:
        told = message("41790000000", notice=~Notify.NEVER, reference=reference)
        one = mail(*[told] * count)._replace(dialect="aspsms", listeners=listeners)
        self.queue.put([one], NOW)
        return [part.part_id for part in lease(self.queue, count)]

    def fail(self, **fields: str) -> None:
        """A message that the SMSC refuses."""
        (part,) = self.put(FAILED, **fields)
        record(self.queue, failed(part))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.queue.close()


def test_each_event_has_a_url_of_its_own(desk: Desk) -> None:
    first, second = desk.put(DONE, FAILED, BUFFERED, count=2)
    record(desk.queue, accepted(first, "a"), accepted(second, "b"))
    assert desk.caller.step(NOW) == 5.0
    assert desk.asked == []
    settle(desk.queue, receipt("a", None, stat="ENROUTE"))
    desk.caller.step(NOW)
    settle(desk.queue, receipt("a"), receipt("b", PartState.FAILED, stat="UNDELIV"))
    desk.caller.step(NOW)
    assert desk.asked == [f"http://acme.example/{word}?ID=1234" for word in ("later", "done", "failed")]
    desk.caller.step(NOW + 9999)
    assert len(desk.asked) == 3


def test_placeholders_are_filled_in_and_nothing_is_appended(desk: Desk) -> None:
    url = "https://acme.example/<TRN>?to=<RCPNT>&s=<SCTS>&d=<DSCTS>&r=<RSN>&st=<DST>&x=%3CTRN%3E"
    (part,) = desk.put(replace(FAILED, target=url), reference="a b/ü")
    record(desk.queue, accepted(part, "k"))
    settle(desk.queue, receipt("k", PartState.FAILED, stat="REJECTD", at=NOW + 65))
    desk.caller.step(NOW + 65)
    assert desk.asked == [
        "https://acme.example/a%20b%2F%C3%BC?to=41790000000&s=12011970144640&d=12011970144745&r=104&st=2&x=%3CTRN%3E"
    ]


def test_without_a_reference_nothing_is_appended(desk: Desk) -> None:
    (part,) = desk.put(DONE, reference=None)
    record(desk.queue, accepted(part, "k"))
    settle(desk.queue, receipt("k"))
    desk.caller.step(NOW)
    assert desk.asked == ["http://acme.example/done?ID="]


@pytest.mark.parametrize(
    ("came", "said"),
    [
        (WebAnswer(500, "Oops", b"", ""), "500 Oops"),
        (WebAnswer(302, "Found", b"", ""), "302 Found"),
        (NotSent("10.0.0.1 is not in the public internet"), "10.0.0.1 is not in the public internet"),
        (NoAnswer("no answer in time"), "no answer in time"),
    ],
)
def test_three_tries_are_made(desk: Desk, came: WebAnswer | WebError, said: str) -> None:
    desk.fail(reference="9")
    desk.says = [came, came, came]
    assert desk.caller.step(NOW) == 5.0
    desk.caller.step(NOW + 59)
    assert len(desk.asked) == 1
    desk.caller.step(NOW + 60)
    desk.caller.step(NOW + 659)
    assert len(desk.asked) == 2
    desk.caller.step(NOW + 660)
    desk.caller.step(NOW + 99999)
    assert desk.asked == ["http://acme.example/failed?ID=9"] * 3
    assert [text.rpartition("status=")[2] for _, text in desk.lines.written] == [
        f"URL deferred for 60 s ({said})",
        f"URL deferred for 600 s ({said})",
        f"URL given up ({said})",
    ]
    assert "?ID=" not in desk.lines.text


def test_the_log_names_host_and_number_only(desk: Desk) -> None:
    (part,) = desk.put(DONE)
    record(desk.queue, accepted(part, "k"))
    settle(desk.queue, receipt("k"))
    desk.caller.step(NOW)
    assert desk.lines.text.strip().endswith(
        "to=acme.example, about=4179*****00, queue=1, status=URL requested (200 OK)"
    )


def test_what_the_queue_could_not_store_is_stored_before_anything_else_is_asked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.fail()

    def fail(_: object) -> None:
        raise QueueUnavailable("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(desk.queue, "record_reports", fail)
        assert [desk.caller.step(NOW), desk.caller.step(NOW + 1)] == [1.0, 1.0]
    desk.caller.step(NOW + 2)
    assert desk.asked == ["http://acme.example/failed?ID=1234"]
    assert desk.queue.next_report(urls=True) is None


def test_nothing_is_asked_before_the_process_that_is_replaced_has_ended(desk: Desk) -> None:
    desk.fail()
    caller = Caller(desk.queue, desk.ask, desk.lines, Numbers(masked=False), our_turn=lambda: False)
    assert caller.step(NOW) == 0.1
    assert desk.asked == []
