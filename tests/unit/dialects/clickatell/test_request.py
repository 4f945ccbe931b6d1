"""CLK §3 to §13: what the golden files do not show."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms_milter import reply
from sms_milter.config.schema import Account
from sms_milter.dialects import DIALECTS
from sms_milter.dialects.clickatell import ClickatellOptions, credentials, parse, smart, worded
from sms_milter.dialects.context import Context
from sms_milter.errors import Rejected
from sms_milter.mail.parse import parse as parse_mail
from sms_milter.model import Client, Credentials, Envelope, Notify, Recipient, SmsRequest, Wish

NOW = 1_732_190_400.0
LOGIN = "user:demo\npassword:pw1\napi_id:1234\n"
TO = "to:448311234567\n"


def request_of(
    *lines: str,
    fields: tuple[tuple[str, bytes], ...] = (),
    sender: str = "shop@customer.example",
    account: Account | None = None,
    reports: bool = True,
    rcpt: dict[str, str] | None = None,
    **options: Any,
) -> SmsRequest:
    address = Recipient("<sms@clk.example>", "sms", "clk.example", rcpt or {})
    settings = ClickatellOptions(**options)
    envelope = Envelope(Client("192.0.2.10"), sender, (address,))
    context = Context(envelope, ((address, None),), account or Account(), settings, NOW, reports)
    body = LOGIN + TO + "".join(f"{line}\n" for line in lines)
    return parse(parse_mail(fields, body.encode()), context)


def wish_of(*lines: str, **more: Any) -> Wish:
    (wish,) = request_of(*lines, **more).wishes
    return wish


def refusal_of(*lines: str, **more: Any) -> str:
    """Why the mail is refused, or else the last of its destinations."""
    try:
        request = request_of(*lines, **more)
    except Rejected as refusal:
        return refusal.reply.text
    return request.refused[-1].reply.text


def test_credentials_are_user_first() -> None:
    given = credentials(parse_mail((), LOGIN.encode()), (), ClickatellOptions())
    assert given == Credentials({"user": "demo", "api_id": "1234"}, ("pw1",))
    assert list(given.names) == ["user", "api_id"]


ENDS = Notify.LOST | Notify.FAILURE | Notify.SUCCESS
FAILURES = Notify.LOST | Notify.FAILURE
WAY = Notify.SENT | Notify.RETRY


@pytest.mark.parametrize(
    ("lines", "notice"),
    [
        ((), Notify.NEVER),
        (("deliv_ack:1",), ENDS),
        (("callback:0",), Notify.NEVER),
        (("callback:1",), WAY),
        (("callback:2",), ENDS),
        (("callback:3",), WAY | ENDS),
        (("callback:4",), FAILURES),
        (("callback:4", "deliv_ack:1"), ENDS),
        (("callback:5",), WAY | FAILURES),
        (("callback:6",), ENDS),
        (("callback:7",), WAY | ENDS),
    ],
)
def test_of_what_there_are_status_mails(lines: tuple[str, ...], notice: Notify) -> None:
    wish = wish_of("text:Hi", *lines)
    assert (wish.notice, wish.receipt) == (notice, True)
    assert wish.notify == (Notify.NEVER if Notify.LOST in notice else Notify.LOST)


def test_status_mails_go_to_the_reply_addresses_or_to_the_sender() -> None:
    ack = ("text:Hi", "deliv_ack:1")
    request = request_of(*ack, "reply:a@b.example,c@d.example")
    assert [(one.target, one.told) for one in request.listeners] == [
        ("a@b.example", ENDS),
        ("c@d.example", ENDS),
    ]
    (listener,) = request_of(*ack).listeners
    assert (listener.target, listener.gather_seconds, listener.is_url) == (
        "shop@customer.example",
        60.0,
        False,
    )
    assert request_of("text:Hi", "reply:a@b.example").listeners == ()


def test_the_account_may_restrict_status_mails() -> None:
    for setting, notice in (("failed", FAILURES), ("none", Notify.NEVER), ("always", ENDS)):
        assert wish_of("text:Hi", "callback:2", account=Account(notify=setting)).notice == notice


def test_nobody_is_told_where_nothing_is_mailed_or_of_robots() -> None:
    robot = (("Auto-Submitted", b"auto-generated"),)
    ack = ("text:Hi", "deliv_ack:1", "reply:a@b.example")
    for request in (
        request_of(*ack, reports=False),
        request_of(*ack, sender=""),
        request_of(*ack, fields=robot),
    ):
        wish = request.wishes[0]
        assert (wish.notify, wish.notice, request.reply_to, request.listeners) == (
            Notify.NEVER,
            Notify.NEVER,
            (),
            (),
        )


def test_notify_of_rcpt_comes_first() -> None:
    never = wish_of("text:Hi", "deliv_ack:1", rcpt={"NOTIFY": "NEVER"})
    assert (never.notify, never.notice) == (Notify.NEVER, Notify.NEVER)
    both = wish_of("text:Hi", "deliv_ack:1", rcpt={"NOTIFY": "SUCCESS"})
    assert (both.notify, both.notice) == (Notify.LOST | Notify.SUCCESS, ENDS)
    assert wish_of("text:Hi", rcpt={"ORCPT": "rfc822;x@y.example"}).original_recipient == "rfc822;x@y.example"


def test_reports_name_the_number_as_if_the_envelope_had() -> None:
    assert wish_of("text:Hi").recipient == "448311234567@clk.example"


@pytest.mark.parametrize(
    "number", ["0044123456789", "07901231234", "44 831 1234567", "448311234567;1", "123456"]
)
def test_numbers_that_are_none(number: str) -> None:
    assert refusal_of("text:Hi", f"to:{number}") == f"ERR: 105, Invalid destination address ({number})"


def test_response_mails_are_for_each_address_once() -> None:
    request = request_of("text:Hi", "reply:a@b.example,c@d.example", "reply:a@b.example")
    assert request.reply_to == ("a@b.example", "c@d.example")


def test_ids_of_one_mail_differ() -> None:
    ids = [wish.public_id for wish in request_of("text:Hi", "to:448311234567").wishes]
    assert len(set(ids)) == 2
    assert all(len(one) == 32 and set(one) <= set("0123456789abcdef") for one in ids)


@pytest.mark.parametrize(
    "line",
    ["reply:nobody", "concat:0", "concat:256", "concat:two", "unicode:2", "validity:1441", "cliMsgId:a b",
     "deliv_ack:yes", "max_credits:0", "reply:" + ",".join(f"{n}@a.example" for n in range(11))],
)  # fmt: skip
def test_faulty_parameters_are_named(line: str) -> None:
    text = refusal_of("text:Hi", line)
    assert text.startswith("ERR: 101, Invalid or missing parameters (" + line.partition(":")[0])


@pytest.mark.parametrize("moment", ["2024-02-30T12:00:00Z", "tomorrow", "1733000000", "2024-11-21T12:00:00"])
def test_faulty_moments(moment: str) -> None:
    assert refusal_of("text:Hi", f"scheduled_time:{moment}") == "ERR: 120, Invalid delivery time"


def test_an_empty_value_is_none() -> None:
    assert wish_of("text:Hi", "from:", "queue:", "reply:", "msg_type:").text == "Hi"


def test_mails_with_too_many_messages() -> None:
    with pytest.raises(Rejected) as refused:
        request_of("text:Hi", "to:448311234567", max_messages=1)
    assert str(refused.value.reply) == "554 5.5.3 too many messages in one mail"


def test_control_characters_are_blanks() -> None:
    assert wish_of("text:a\0b\x0bc").text == "a b c"


def test_a_surrogate_without_its_pair() -> None:
    assert refusal_of("unicode:1", "text:D83D") == "ERR: 116, Invalid Unicode data"
    assert wish_of("unicode:1", "text:D83DDE00").text == "\U0001f600"


@pytest.mark.parametrize("defer", [True, False])
def test_a_quota_is_told_in_unix_time(defer: bool) -> None:
    ours = reply.quota_exceeded(9, 60, 1_732_190_399.5, of_sender=False, defer=defer)
    theirs = worded(ours, None)
    assert (theirs.code, theirs.enhanced) == (ours.code, ours.enhanced)
    assert theirs.text == "ERR: 130, Maximum MT limit exceeded until 1732190400"


def test_a_text_that_the_account_may_not_send_has_a_number_too() -> None:
    told = str(worded(reply.TEXT_DENIED, None))
    assert told == "550 5.7.1 ERR: 101, Invalid or missing parameters (text not allowed for this account)"


def test_our_own_trouble_is_temporary() -> None:
    assert str(worded(reply.QUEUE_UNAVAILABLE, None)) == "451 4.3.0 ERR: 901, Internal error, please retry"


@pytest.mark.parametrize(
    ("written", "number"),
    [("07901231234", "447901231234"), ("448311234567", "448311234567"), ("+493012345678", "493012345678")],
)
def test_national_numbers_get_the_country_of_the_account(written: str, number: str) -> None:
    request = request_of("text:Hi", f"to:{written}", account=Account(country_code="44"))
    assert request.wishes[1].destination == number


def test_an_international_prefix_is_no_national_number() -> None:
    assert "105" in refusal_of("text:Hi", "to:00448311234567", account=Account(country_code="44"))


def test_html_is_refused_by_its_number_where_the_account_says_so() -> None:
    assert worded(reply.HTML_REFUSED, None).text == "ERR: 110, Error with email message"


def test_replies_that_have_no_number_stay() -> None:
    assert worded(reply.QUEUE_FULL, None) is reply.QUEUE_FULL
    assert worded(reply.mail_too_large(10), None).text.startswith("mail too large")
    assert DIALECTS["clickatell"].worded is worded


@pytest.mark.parametrize("network", ["26201", "262-1", "262-001", "x"])
def test_a_network_is_written_as_mcc_and_mnc(network: str) -> None:
    with pytest.raises(ValueError, match="expected MCC-MNC such as 262-01"):
        ClickatellOptions(operator_network=network)


@pytest.mark.parametrize(
    "octets", ["", "30", "62F2", "62F21000080801", "0102030405", "00080801AA", "3062F2100A00"]
)
def test_what_is_no_operator_logo(octets: str) -> None:
    text = refusal_of("msg_type:SMS_NOKIA_OLOGO", f"data:{octets}", operator_network="262-01")
    assert text.startswith(("ERR: 101, Invalid", "ERR: 107, Empty"))


def test_fields_are_put_in_as_they_are() -> None:
    request = request_of("text:[#field1#]", "csv: 448311234568 , a b ,c")
    assert [wish.text for wish in request.wishes] == ["[]", "[ a b ]"]
    assert request.wishes[1].destination == "448311234568"


NAMES = """
    to text data urltext reply from concat deliv_time scheduled_time queue unicode msg_type udh binary
    validity deliv_ack callback cliMsgId req_feat csv delimiter
"""
KINDS = ["00", "SMS_FLASH", *smart.HEX, *smart.TEXT]
VALUES = st.text(max_size=12) | st.integers(-1, 20000).map(str) | st.sampled_from(KINDS)
LINES = st.lists(st.tuples(st.sampled_from(NAMES.split()), VALUES).map(":".join), max_size=8)


@given(LINES)
def test_whatever_stands_there_it_is_a_request_or_refused(lines: list[str]) -> None:
    try:
        request = request_of(*[line.encode("utf-8", "replace").decode() for line in lines])
    except Rejected:
        return
    assert request.wishes
