"""What every store keeps for the sender's history: numbers of requests, comments, destinations left out."""

from __future__ import annotations

from typing import Any

from contract.builders import NOW, mail, message
from contract.fates import accepted, lease, receipt, record, settle
from sms_milter.model import LeftOut


def test_numbers_count_from_one_for_each_account(queue: Any) -> None:
    assert queue.last_number("acme") == 0
    given = [queue.next_number(account) for account in ("acme", "acme", "other", "\udcff", "acme")]
    assert given == [1, 2, 1, 1, 3]
    assert [queue.last_number(account) for account in ("acme", "\udcff", "nobody")] == [3, 1, 0]


def test_numbers_go_on_after_the_store_was_closed(open_one: Any) -> None:
    queue = open_one()
    queue.next_number("acme")
    queue.close()
    assert queue.next_number("acme") == 2


def test_comments_stay_with_their_messages(queue: Any) -> None:
    queue.put([mail(message(parts=2, comment="order 17 \udcff"), message("447973100001"))], NOW)
    noted, other = queue.show_mail("4ABC")["messages"]
    assert noted["comment"].startswith("order 17")
    assert other["comment"] is None


def test_destinations_left_out_stay_with_their_mail(queue: Any) -> None:
    left_out = [LeftOut("12", "ERROR = 7"), LeftOut("+1 \udcff", "ERROR = 8")]
    queue.put([mail()._replace(left_out=left_out)], NOW)
    queue.put([mail(mta_queue_id="4OTHER")], NOW)
    shown = queue.show_mail("4ABC")["left_out"]
    assert [(one["destination"][:2], one["why"]) for one in shown] == [
        ("12", "ERROR = 7"),
        ("+1", "ERROR = 8"),
    ]
    assert queue.show_mail("4OTHER")["left_out"] == []


def test_what_was_kept_is_forgotten_with_its_mail(queue: Any) -> None:
    queue.put([mail(message(comment="x"))._replace(left_out=[LeftOut("12", "ERROR = 7")])], NOW)
    (part,) = lease(queue)
    record(queue, accepted(part.part_id, "a"))
    settle(queue, receipt("a"))
    assert queue.purge(NOW + 10) == 1
    queue.put([mail()], NOW + 20)
    shown = queue.show_mail("4ABC")
    assert (shown["left_out"], shown["messages"][0]["comment"]) == ([], None)
