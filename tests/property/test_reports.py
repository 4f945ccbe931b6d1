"""Whatever an SMTP client or an SMSC says, a report can be written, and all programs read the same in it."""

from __future__ import annotations

from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sms_milter.mail.head import header_block
from sms_milter.model import Answer, DeliveryReport, Notify, PartState
from sms_milter.report import answer, dsn
from sms_milter.report.letter import Frame
from sms_milter.report.texts import LANGUAGES

ANY_TEXT = st.text(st.characters(), max_size=60)  # lone surrogates too
STORED_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
ADDRESSES = st.one_of(STORED_TEXT, st.from_regex(r'(?s)[a-z."\\ \n<>,;:@]{1,20}@[a-z.\n]{1,10}'))
MOMENTS = st.floats(0, 4_000_000_000)
HEADERS = st.lists(st.tuples(st.text("abcX-", min_size=1), st.binary(max_size=80)), max_size=5)


def parts_of(entity: Message) -> list[Any]:
    payload = entity.get_payload()
    assert isinstance(payload, list)
    return payload


@given(data=st.data())
def test_a_report_is_one_report_with_one_status(data: st.DataObject) -> None:
    draw = data.draw
    sender, mail_message_id = draw(ADDRESSES), draw(STORED_TEXT)
    report = DeliveryReport(
        sender=sender,
        recipient=draw(ADDRESSES),
        destination="447973100000",
        state=draw(st.sampled_from(PartState)),
        smsc=draw(STORED_TEXT),
        stat=draw(STORED_TEXT),
        error=draw(STORED_TEXT),
        command_status=draw(st.integers(0, 2**32 - 1)),
        at=draw(MOMENTS),
        arrived_at=draw(MOMENTS),
        original_recipient=draw(STORED_TEXT),
        envelope_id=draw(STORED_TEXT),
        header=header_block(draw(HEADERS)),
        doubts=draw(st.integers(0, 1)),
        on_the_way=draw(st.sampled_from([Notify.NEVER, Notify.PENDING, Notify.DELAYED])),
    )
    frame = Frame("postmaster@sms.example", sender, "<1@gw.example>", draw(MOMENTS), mail_message_id)
    texts = LANGUAGES[draw(st.sampled_from(sorted(LANGUAGES)))]
    octets = dsn.compose([report], frame, texts, reporting_mta="gw.example", boundary="=_1")
    assert octets.count(b"\n") == octets.count(b"\r\n")
    mail = message_from_bytes(octets, policy=compat32)
    assert set(mail.keys()) <= {
        *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"),
        *("Auto-Submitted", "MIME-Version", "Content-Type"),
    }
    words, status, *header = parts_of(mail)
    assert len(header) <= 1
    said = words.get_payload(decode=True)
    assert isinstance(said, bytes)
    assert said.count(b"+447973100000") == 1
    per_message, per_recipient = parts_of(status)
    assert set(per_message.keys()) <= {"Reporting-MTA", "Original-Envelope-Id", "Arrival-Date"}
    for name in ("Original-Recipient", "Final-Recipient", "Action", "Status", "Last-Attempt-Date"):
        assert len(per_recipient.get_all(name, [])) == 1
    failed = report.state is not PartState.DELIVERED
    if report.on_the_way:
        assert (per_recipient["Action"], per_recipient["Status"][0]) == ("delayed", "4")
        return
    assert per_recipient["Action"] == ("failed" if failed else "delivered")
    assert per_recipient["Status"][0] in ("45" if failed else "2")


@given(subject=ANY_TEXT, body=STORED_TEXT, to=ADDRESSES, author=ADDRESSES, name=ANY_TEXT)
def test_an_answer_can_always_be_written(subject: str, body: str, to: str, author: str, name: str) -> None:
    frame = Frame(author, to, "<1@gw.example>", 0.0, author_name=name)
    octets = answer.compose(Answer(to, subject, body), frame)
    assert octets.count(b"\n") == octets.count(b"\r\n")
    assert message_from_bytes(octets)["Bcc"] is None
