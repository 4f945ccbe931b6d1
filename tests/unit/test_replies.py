"""What phones send becomes mail, over a real queue and the report role's own way out."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from contract.builders import NOW, mail, message
from contract.fates import accepted, lease, record
from sms_milter.errors import QueueUnavailable
from sms_milter.logline import Numbers
from sms_milter.model import MobilePart
from sms_milter.notify import Notifier
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.replies import Replies
from sms_milter.report.texts import ENGLISH, GERMAN
from support.gate import Lines

PHONE, OURS = "447973100000", "4477001"


class Mta:
    """An outbox that keeps what it takes."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Any]] = []

    def submit(self, recipient: str, octets: bytes) -> str:
        self.taken.append((recipient, message_from_bytes(octets.replace(b"\r\n", b"\n"), policy=default)))
        return "250 2.0.0 Ok"

    def close(self) -> None:
        pass


class Desk:
    """A queue and the report role."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.queue = SqliteQueue(str(path / "queue.db"))
        self.mta, self.lines = Mta(), Lines()
        numbers = Numbers(masked=False)
        settings: dict[str, Any] = {"mailbox": "", "texts": {"": ENGLISH, "german": GERMAN}} | options
        self.replies = Replies(
            self.queue,
            self.lines,
            numbers,
            domain="sms.example",
            may_mail=lambda address: not address.endswith("@sms.example"),
            **settings,
        )
        self.notifier = Notifier(self.queue, self.mta, self.lines, numbers, host_name="gw.example")

    def wrote(
        self, originator: str = OURS, sender: str = "bob@acme.example", account: str = "acme", **plan: Any
    ) -> None:
        """Somebody's mail reached the phone."""
        number = len(self.queue.list_parts()) + 1
        told = message(PHONE, originator=originator, recipient=f"{PHONE}@sms.example", **plan)
        stored = mail(told, sender=sender, account=account, mta_queue_id=f"4Q{number}")
        one = stored._replace(mail_message_id=f"<{number}@acme.example>")
        self.queue.put([one], NOW)
        (part,) = lease(self.queue)
        record(self.queue, accepted(part.part_id, f"k{part.part_id}"))

    def phone(self, text: bytes = b"Yes, I do!", **fields: Any) -> None:
        """The phone writes."""
        who = {"smsc": "main", "source": PHONE, "destination": OURS, "alphabet": "gsm7", "at": NOW}
        with self.queue.transaction() as work:
            work.listen([MobilePart(**(who | {"content": text} | fields))])

    def step(self) -> list[tuple[str, Any]]:
        """Both turns of the report role; what the MTA has now."""
        self.replies.step(NOW)
        self.notifier.step(NOW)
        return self.mta.taken


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, mailbox="box@acme.example")
    yield desk
    desk.queue.close()


def test_an_answer_goes_to_the_sender_in_the_thread_of_his_mail(desk: Desk) -> None:
    desk.wrote()
    desk.phone()
    ((recipient, got),) = desk.step()
    assert recipient == "bob@acme.example"
    assert got["From"] == f"+{PHONE} <{PHONE}@sms.example>"
    assert got["To"] == "bob@acme.example"
    assert got["Subject"] == f"SMS from +{PHONE}"
    assert (got["In-Reply-To"], got["References"]) == ("<1@acme.example>", "<1@acme.example>")
    assert got["Auto-Submitted"] == "auto-replied"
    assert got.get_content() == "Yes, I do!\n"
    assert (
        "4Q1: mobile=1, from=447973100000, to=4477001, answers=1, status=becomes a mail to <bob@acme.example>"
        in (desk.lines.text)
    )
    assert "Yes" not in desk.lines.text
    assert len(desk.step()) == 1


def test_the_last_mail_through_that_number_counts(desk: Desk) -> None:
    desk.wrote(sender="first@acme.example")
    desk.wrote(sender="second@acme.example", originator="+4477001")
    desk.wrote(sender="other@acme.example", originator="4477002")
    desk.wrote(sender="name@acme.example", originator="ACME")
    desk.wrote(sender="nobody@acme.example", originator="")
    desk.phone()
    assert [recipient for recipient, _ in desk.step()] == ["second@acme.example"]


def test_a_code_in_the_answer_tells_which_mail_is_meant(desk: Desk) -> None:
    desk.wrote(sender="first@acme.example", reference="A7")
    desk.wrote(sender="second@acme.example", reference="B8")
    desk.phone(b"yes #A7, thanks")
    desk.phone(b"no #C9")
    assert [recipient for recipient, _ in desk.step()] == ["first@acme.example", "second@acme.example"]


def test_the_smsc_may_have_chosen_the_number(desk: Desk) -> None:
    desk.wrote(originator="")
    desk.phone(destination="4477999")
    assert [recipient for recipient, _ in desk.step()] == ["bob@acme.example"]


@pytest.mark.parametrize("sender", ["", "447973100001@sms.example"])
def test_who_may_not_be_mailed_is_not(desk: Desk, sender: str) -> None:
    desk.wrote(sender=sender)
    desk.phone()
    ((recipient, got),) = desk.step()
    assert recipient == "box@acme.example"
    assert got["In-Reply-To"] == "<1@acme.example>"


def test_what_answers_nobody_goes_to_the_mailbox(desk: Desk) -> None:
    desk.phone("Grüße ☺".encode("utf-16-be"), alphabet="utf-16-be")
    ((recipient, got),) = desk.step()
    assert recipient == "box@acme.example"
    assert got["From"].addresses[0].addr_spec == f"{PHONE}@sms.example"
    assert got["In-Reply-To"] is None
    assert got.get_content() == "Grüße ☺\n"


def test_without_a_mailbox_it_is_said_and_kept(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.phone()
    assert desk.step() == []
    severity, text = desk.lines.written[0]
    assert severity == "warning"
    assert text.endswith("status=nobody to tell (reports.mailbox is empty)")
    assert [one["state"] for one in desk.queue.list_mobile()] == ["told"]
    desk.queue.close()


def test_what_is_no_text_is_shown_in_hexadecimal(desk: Desk) -> None:
    desk.wrote()
    desk.phone(b"\x01\xff", alphabet="octets")
    ((_, got),) = desk.step()
    assert got.get_content() == "A message that is no text, in hexadecimal:\n01FF\n"


def test_a_name_may_send_too(desk: Desk) -> None:
    desk.phone(source="Bank <x>")
    ((recipient, got),) = desk.step()
    assert recipient == "box@acme.example"
    assert got["Subject"] == "SMS from Bank <x>"


def test_the_account_s_language_is_used(desk: Desk) -> None:
    desk.wrote(account="german")
    desk.phone()
    ((_, got),) = desk.step()
    assert got["Subject"] == f"SMS von +{PHONE}"


def test_what_the_queue_cannot_store_now_is_taken_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.phone()

    def fail(*_: object) -> None:
        raise QueueUnavailable("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(desk.queue, "mobile_told", fail)
        assert desk.step() == []
    assert len(desk.step()) == 1


def test_nothing_is_taken_before_the_process_that_is_replaced_has_ended(tmp_path: Path) -> None:
    desk = Desk(tmp_path, mailbox="box@acme.example", our_turn=lambda: False)
    desk.phone()
    assert desk.step() == []
    desk.queue.close()


# --- enough -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [b"STOP", b" stop.\r\n", b"Stop!", b'"STOP"'])
def test_a_phone_that_answers_stop_gets_nothing_more_and_its_word_is_told(
    tmp_path: Path, text: bytes
) -> None:
    desk = Desk(tmp_path, stop_words=["stop", "ENOUGH"])
    desk.wrote()
    desk.phone(text)
    assert [recipient for recipient, _ in desk.step()] == ["bob@acme.example"]
    (one,) = desk.queue.list_suppressed("acme")
    assert (one["number"], one["at"], one["why"]) == (PHONE, NOW, "asked for it by SMS")
    assert "4Q1: account=acme, number=447973100000, status=gets nothing more" in desk.lines.text
    desk.phone(text)
    desk.step()
    assert desk.lines.text.count("gets nothing more") == 1
    desk.queue.close()


def test_stop_is_for_the_account_that_wrote_through_that_number(tmp_path: Path) -> None:
    desk = Desk(tmp_path, stop_words=["STOP"], mailbox="box@acme.example")
    desk.wrote()
    desk.wrote(account="b", originator="4477002")
    desk.phone(b"STOP", destination="4477002")
    desk.phone(b"STOP", destination="4477009")  # where nobody wrote from
    desk.phone(b"Do not stop")
    desk.step()
    assert [one["number"] for one in desk.queue.list_suppressed("b")] == [PHONE]
    assert desk.queue.list_suppressed("acme") == []
    desk.queue.close()


def test_a_phone_may_take_its_word_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path, stop_words=["STOP"], start_words=["Start"])
    desk.wrote()
    desk.phone(b"START")
    desk.phone(b"STOP")
    desk.step()
    assert desk.queue.suppressed("acme", PHONE)
    desk.phone(b"start!")
    assert [got.get_content() for _, got in desk.step()] == ["START\n", "STOP\n", "start!\n"]
    assert not desk.queue.suppressed("acme", PHONE)
    assert desk.lines.text.count("status=gets messages again") == 1
    desk.queue.close()


def test_without_stop_words_stop_is_an_answer_like_others(desk: Desk) -> None:
    desk.wrote()
    desk.phone(b"STOP")
    assert len(desk.step()) == 1
    assert desk.queue.list_suppressed("acme") == []
