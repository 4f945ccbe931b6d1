from __future__ import annotations

from typing import Any

import pytest

from sms_milter import reply
from sms_milter.config.schema import Account
from sms_milter.dialects import DIALECTS, encapsulation
from sms_milter.dialects.context import Context
from sms_milter.dialects.hsl import HslOptions, answer, parse, recipient
from sms_milter.errors import Rejected
from sms_milter.mail.parse import parse as parse_mail
from sms_milter.model import Binary, Client, Envelope, Notify, Recipient, SmsRequest, Wish
from sms_milter.reply import Reply

BOB = "bob@customer.example"


def address_of(local: str, **parameters: str) -> Recipient:
    return Recipient(f"<{local}@sms.example>", local, "sms.example", parameters)


def request_of(
    *fields: tuple[str, bytes],
    body: bytes = b"",
    to: tuple[Recipient, ...] = (address_of("447973100000"),),
    sender: str = BOB,
    account: Account | None = None,
    reports: bool = False,
    **options: Any,
) -> SmsRequest:
    settings = HslOptions(**options)
    targets = tuple((one, recipient(one, settings)) for one in to)
    envelope = Envelope(Client("192.0.2.10"), sender, to)
    context = Context(envelope, targets, account or Account(), settings, 0.0, reports)
    return parse(parse_mail(fields, body), context)


def text_of(*fields: tuple[str, bytes], body: bytes = b"", **more: Any) -> str:
    (wish,) = request_of(*fields, body=body, **more).wishes
    return wish.text


def refusal_of(*fields: tuple[str, bytes], body: bytes = b"", **more: Any) -> Reply:
    with pytest.raises(Rejected) as refused:
        request_of(*fields, body=body, **more)
    return refused.value.reply


def multipart(subtype: str, *entities: bytes) -> dict[str, Any]:
    body = b"".join(b"--sep\r\n" + entity + b"\r\n" for entity in entities) + b"--sep--\r\n"
    return {"field": ("Content-Type", f"multipart/{subtype}; boundary=sep".encode()), "body": body}


SUBJECT = ("Subject", b"Alert")
PLAIN = b"Content-Type: text/plain\r\n\r\nHello"
HTML = b"Content-Type: text/html\r\n\r\n<p>Hello"


def test_the_dialect_is_registered() -> None:
    dialect = DIALECTS["hsl"]
    assert (dialect.name, dialect.options) == ("hsl", HslOptions)
    assert (dialect.recipient, dialect.parse, dialect.answer) == (recipient, parse, answer)


def test_nothing_is_answered_by_mail() -> None:
    assert answer(request_of(SUBJECT)) == ()
    assert answer(Rejected(reply.EMPTY_MESSAGE)) == ()


# --- addresses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("local", "number"),
    [
        ("447973100000", "447973100000"),
        ("+447973100000", "447973100000"),
        ("00447973100000", "447973100000"),
        ("1234567", "1234567"),
        ("123456789012345", "123456789012345"),
        ("00123456789012345", "123456789012345"),
        ("smpp", None),
        ("SMS", None),
    ],
)
def test_numbers_and_generic_words(local: str, number: str | None) -> None:
    assert recipient(address_of(local), HslOptions()) == number


@pytest.mark.parametrize(
    ("local", "why"),
    [
        ("07973100000", reply.BAD_NUMBER),
        ("000447973100000", reply.BAD_NUMBER),
        ("+00447973100000", reply.BAD_NUMBER),
        ("+0447973100000", reply.BAD_NUMBER),
        ("123456", reply.BAD_NUMBER),
        ("1234567890123456", reply.BAD_NUMBER),
        ("44-7973-100000", reply.BAD_NUMBER),
        ("+44 (7973) 100000", reply.BAD_NUMBER),
        ("44.7973.100000", reply.BAD_NUMBER),
        ("[44]7973100000", reply.BAD_NUMBER),
        ("0", reply.BAD_NUMBER),
        ("help", reply.NO_SUCH_ADDRESS),
        ("night-shift", reply.NO_SUCH_ADDRESS),
        ("447973100000x", reply.NO_SUCH_ADDRESS),
        ("447973100000+ext", reply.NO_SUCH_ADDRESS),
        ("++447973100000", reply.NO_SUCH_ADDRESS),
        ("+", reply.NO_SUCH_ADDRESS),
        ("-", reply.NO_SUCH_ADDRESS),
        ("", reply.NO_SUCH_ADDRESS),
        ("٤٤٧٩٧٣١٠٠٠٠٠", reply.NO_SUCH_ADDRESS),
        ("447973100000\n", reply.NO_SUCH_ADDRESS),
        ("1" * 2000 + "x", reply.NO_SUCH_ADDRESS),
    ],
)
def test_other_local_parts_are_refused(local: str, why: Reply) -> None:
    with pytest.raises(Rejected) as refused:
        recipient(address_of(local), HslOptions())
    assert refused.value.reply is why


def test_00_stays_when_it_is_not_the_prefix_here() -> None:
    with pytest.raises(Rejected) as refused:
        recipient(address_of("00447973100000"), HslOptions(strip_00=False))
    assert refused.value.reply is reply.BAD_NUMBER


def test_generic_words_can_be_others() -> None:
    options = HslOptions(generic_words=("GateWay",))
    assert recipient(address_of("gateway"), options) is None
    with pytest.raises(Rejected):
        recipient(address_of("smpp"), options)


# --- who gets it --------------------------------------------------------------------------------------------


def test_every_number_gets_the_message_once() -> None:
    to = tuple(map(address_of, ("447973100001", "447973100000", "+447973100001", "00447973100000")))
    wishes = request_of(SUBJECT, to=to).wishes
    assert [(wish.destination, wish.recipient) for wish in wishes] == [
        ("447973100001", "447973100001@sms.example"),
        ("447973100000", "447973100000@sms.example"),
    ]


def test_a_generic_word_without_destination_is_refused() -> None:
    assert refusal_of(SUBJECT, to=(address_of("smpp"),)) is reply.NO_DESTINATION
    assert refusal_of(SUBJECT, to=(address_of("447973100000"), address_of("sms"))) is reply.NO_DESTINATION


@pytest.mark.parametrize("name", [*encapsulation.FIELDS, "X-SMPP-Short-Message"])
def test_any_field_of_encapsulation_chooses_it(name: str) -> None:
    assert refusal_of(SUBJECT, (name, b"x")).enhanced == "5.6.0"


def test_other_x_smpp_fields_mean_nothing() -> None:
    assert text_of(SUBJECT, ("x-smpp-source-addr", b"1")) == "Alert"


@pytest.mark.parametrize("name", ["Disposition-Notification-To", "RETURN-RECEIPT-TO", "X-Confirm-Reading-To"])
def test_a_receipt_is_asked_for_by_a_field(name: str) -> None:
    assert [wish.receipt for wish in request_of(SUBJECT, (name, b"x@other.example")).wishes] == [True]
    assert [wish.receipt for wish in request_of(SUBJECT, (name, b" \n ")).wishes] == [False]
    assert [wish.receipt for wish in request_of(SUBJECT, (name, b"x@y"), sender="").wishes] == [False]


@pytest.mark.parametrize(
    ("notify", "receipt"),
    [
        ("NEVER", False),
        ("SUCCESS", True),
        ("failure", True),
        ("SUCCESS,FAILURE,DELAY", True),
        ("DELAY", True),
    ],
)
def test_notify_comes_before_the_field(notify: str, receipt: bool) -> None:
    for fields in ((SUBJECT,), (SUBJECT, ("Return-Receipt-To", b"x@other.example"))):
        (wish,) = request_of(*fields, to=(address_of("447973100000", NOTIFY=notify),)).wishes
        assert wish.receipt is receipt


def test_notify_counts_for_its_recipient_only() -> None:
    to = (address_of("447973100000", NOTIFY="NEVER"), address_of("447973100001"))
    request = request_of(SUBJECT, ("Return-Receipt-To", b"bob@customer.example"), to=to)
    assert [wish.receipt for wish in request.wishes] == [False, True]


def test_each_recipient_is_told_what_it_asks_for() -> None:
    to = (
        address_of("447973100000", NOTIFY="NEVER"),
        address_of("447973100001", NOTIFY="SUCCESS", ORCPT="rfc822;x@y"),
        address_of("447973100002"),
    )
    request = request_of(SUBJECT, ("Return-Receipt-To", b"bob@customer.example"), to=to, reports=True)
    everything = Notify.LOST | Notify.FAILURE | Notify.SUCCESS
    told = [Notify.NEVER, Notify.LOST | Notify.SUCCESS, everything]
    assert [wish.notify for wish in request.wishes] == told
    assert [wish.original_recipient for wish in request.wishes] == ["", "rfc822;x@y", ""]


def test_the_account_may_have_everything_told() -> None:
    (wish,) = request_of(SUBJECT, account=Account(notify="always"), reports=True).wishes
    assert wish.notify == Notify.LOST | Notify.FAILURE | Notify.SUCCESS
    assert wish.receipt


@pytest.mark.parametrize(
    ("field", "more"),
    [
        (("Auto-Submitted", b"auto-generated"), {"reports": True}),
        (("X", b""), {"reports": True, "sender": ""}),
        (("X", b""), {"reports": False}),
    ],
    ids=["robot", "null-sender", "no-reports-here"],
)
def test_nobody_is_told_anything(field: tuple[str, bytes], more: dict[str, Any]) -> None:
    (wish,) = request_of(SUBJECT, field, ("Return-Receipt-To", b"x@y"), **more).wishes
    assert wish.notify == Notify.NEVER
    assert wish.receipt is bool(more.get("sender", BOB))


def test_validity_parts_and_punctuation_come_from_the_options() -> None:
    request = request_of(SUBJECT, validity_minutes=90, max_parts=3, transliterate=False)
    assert (request.wishes[0].validity_seconds, request.max_parts, request.punctuation) == (5400, 3, False)
    request = request_of(SUBJECT)
    assert (request.wishes[0].validity_seconds, request.max_parts, request.punctuation) == (None, 10, True)


# --- what it says -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "text"), [("subject+body", "(Alert) Hello"), ("subject", "Alert"), ("body", "Hello")]
)
def test_the_account_says_what_counts(content: Any, text: str) -> None:
    assert text_of(SUBJECT, body=b"Hello\r\n", account=Account(content=content)) == text


def test_what_does_not_count_is_not_read() -> None:
    broken = (SUBJECT, ("Content-Transfer-Encoding", b"base64"))
    assert text_of(*broken, body=b"!", account=Account(content="subject")) == "Alert"
    foreign = ("Subject", b"=?koi8-r?B?8A==?=")
    assert text_of(foreign, body=b"Hello", account=Account(content="body"), strict_charset=True) == "Hello"


def test_empty_mails_are_refused() -> None:
    html = ("Content-Type", b"text/html")
    assert refusal_of(body=b" \r\n\r\n") is reply.EMPTY_MESSAGE
    assert refusal_of(("Subject", b" \n "), body=b"") is reply.EMPTY_MESSAGE
    assert refusal_of(body=b"Hello", account=Account(content="subject")) is reply.EMPTY_MESSAGE
    assert refusal_of(SUBJECT, account=Account(content="body")) is reply.EMPTY_MESSAGE
    assert refusal_of(html, body=b"<p>Hello") is reply.NO_PLAIN_TEXT
    assert refusal_of(SUBJECT, html, account=Account(content="body")) is reply.NO_PLAIN_TEXT


def test_the_first_subject_counts() -> None:
    assert text_of(("Subject", b"one"), ("Subject", b"two")) == "one"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"Re: Fwd: Alert", "Re: Fwd: Alert"),
        (b" a\n b\r\n\tc  d ", "a b c d"),
        (b"a\x07\x00b\x7fc", "a b c"),
        (b"=?utf-8?Q?a=0D=0Ab=C2=85c?=", "a b c"),
        (b"Gr\xfc\xdfe", "Grüße"),
        (b"=?x-klingon?Q?a?=", "=?x-klingon?Q?a?="),
    ],
)
def test_subjects_become_one_line(value: bytes, text: str) -> None:
    assert text_of(("Subject", value)) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"\r\n \t\r\n  one \r\n\r\n\ttwo\t\r\nthree\r\n \r\n", "  one\n\n\ttwo\nthree"),
        (b"one\ntwo\rthree\r\n", "one\ntwo\nthree"),
        (b"50% off %s %%", "50% off %s %%"),
        (b"a\x00b\x07c\x0cd", "a b c\x0cd"),
    ],
)
def test_bodies_keep_their_inner_lines(body: bytes, text: str) -> None:
    assert text_of(body=body) == text


def test_flowed_text_is_unflowed_before_it_is_trimmed() -> None:
    kind = ("Content-Type", b"text/plain; format=flowed")
    assert text_of(kind, body=b"one \r\ntwo\r\nthree \r\n") == "one two\nthree"


def test_all_plain_parts_are_joined() -> None:
    attached = b"Content-Disposition: attachment\r\n\r\nline2\r\n"
    mail = multipart("mixed", PLAIN, b"\r\n \r\n", HTML, attached)
    assert text_of(mail["field"], body=mail["body"]) == "Hello\nline2"


def test_only_the_first_plain_alternative_counts() -> None:
    mail = multipart("alternative", PLAIN, b"Content-Type: text/plain\r\n\r\nOther", HTML)
    assert text_of(mail["field"], body=mail["body"]) == "Hello"


def test_forwarded_mails_and_binary_charsets_are_ignored() -> None:
    forwarded = b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nInner"
    binary = b"Content-Type: text/plain; charset=binary\r\n\r\n\xff"
    mail = multipart("mixed", forwarded, binary, PLAIN)
    assert text_of(mail["field"], body=mail["body"]) == "Hello"


@pytest.mark.parametrize(
    "fields",
    [
        [("Content-Transfer-Encoding", b"base64")],
        [("Content-Transfer-Encoding", b"x-uuencode")],
        [("Content-Type", b"text/plain; charset=x-klingon")],
        [("Content-Type", b"text/plain; charset=utf-8")],
        [("Content-Type", b"multipart/mixed")],
    ],
)
def test_what_cannot_be_decoded_is_refused(fields: list[tuple[str, bytes]]) -> None:
    assert refusal_of(SUBJECT, *fields, body=b"\xff!") is reply.UNDECODABLE


def test_what_is_broken_but_ignored_does_no_harm() -> None:
    image = b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n!"
    mail = multipart("mixed", image, PLAIN)
    assert text_of(mail["field"], body=mail["body"]) == "Hello"


def test_strict_charset_takes_ascii_and_latin1_only() -> None:
    for declared in (b"us-ascii", b"ISO-8859-1", b"latin1"):
        kind = ("Content-Type", b"text/plain; charset=" + declared)
        assert text_of(kind, body=b"Hello", strict_charset=True) == "Hello"
    assert text_of(body=b"Caf\xe9", strict_charset=True) == "Café"
    kind = ("Content-Type", b"text/plain; charset=utf-8")
    assert refusal_of(kind, body=b"Hello", strict_charset=True) is reply.CHARSET_REFUSED
    assert text_of(("Subject", b"=?iso-8859-1?Q?Caf=E9?="), strict_charset=True) == "Café"
    assert refusal_of(("Subject", b"=?utf-8?Q?Hello?="), strict_charset=True) is reply.CHARSET_REFUSED


def test_a_mail_may_be_as_large_as_the_option_says() -> None:
    limit = 2048
    fits = limit - len(b"Subject: Alert\r\n")
    assert text_of(SUBJECT, body=b"\n" * fits, max_mail=limit) == "Alert"
    assert refusal_of(SUBJECT, body=b"\n" * (fits + 1), max_mail=limit) == reply.mail_too_large(limit)


# --- encapsulation ------------------------------------------------------------------------------------------

HEX = ("x-smpp-short-message", b"4869")
GENERIC = (address_of("smpp"),)


def to_header(number: str) -> tuple[str, bytes]:
    return "x-smpp-destination-addr", number.encode()


def test_an_encapsulated_message_is_passed_as_given() -> None:
    request = request_of(SUBJECT, HEX, body=b"junk", validity_minutes=5, max_parts=1)
    assert request.wishes == (
        Wish(
            "447973100000",
            binary=Binary(b"Hi", data_coding=0, whole=True),
            recipient="447973100000@sms.example",
        ),
    )
    assert not request.append_text


def test_every_number_of_the_envelope_gets_it() -> None:
    to = (address_of("447973100000"), address_of("447973100001"), address_of("+447973100000"))
    wishes = request_of(HEX, ("Return-Receipt-To", b"x@y"), to=to).wishes
    assert [(wish.destination, wish.receipt) for wish in wishes] == [
        ("447973100000", True),
        ("447973100001", True),
    ]
    assert wishes[0].binary is wishes[1].binary


@pytest.mark.parametrize("number", ["447973100000", "+447973100000", "00447973100000", " 447973100000 "])
def test_the_number_may_stand_in_the_header(number: str) -> None:
    (wish,) = request_of(HEX, to_header(number), to=GENERIC).wishes
    assert (wish.destination, wish.recipient) == ("447973100000", "447973100000@sms.example")
    assert request_of(HEX, to_header(number)).wishes == (wish,)


def test_the_generic_recipient_speaks_for_its_number() -> None:
    fields = (HEX, to_header("447973100000"), ("Return-Receipt-To", b"x@y"))
    assert [w.receipt for w in request_of(*fields, to=GENERIC).wishes] == [True]
    never = (address_of("smpp", NOTIFY="NEVER"),)
    assert [w.receipt for w in request_of(*fields, to=never).wishes] == [False]


@pytest.mark.parametrize(
    ("number", "strip_00", "why"),
    [
        (None, True, reply.NO_DESTINATION),
        ("", True, reply.BAD_NUMBER),
        ("07973100000", True, reply.BAD_NUMBER),
        ("447973-100000", True, reply.BAD_NUMBER),
        ("447973100000, 447973100001", True, reply.BAD_NUMBER),
        ("00447973100000", False, reply.BAD_NUMBER),
        ("+00447973100000", True, reply.BAD_NUMBER),
    ],
)
def test_a_generic_recipient_needs_a_number(number: str | None, strip_00: bool, why: Reply) -> None:
    fields = (HEX,) if number is None else (HEX, to_header(number))
    assert refusal_of(*fields, to=GENERIC, strip_00=strip_00) is why


@pytest.mark.parametrize(
    "to",
    [("smpp", "447973100000"), ("447973100000", "sms"), ("smpp", "sms")],
)
def test_a_generic_recipient_stands_alone(to: tuple[str, ...]) -> None:
    assert (
        refusal_of(HEX, to_header("447973100000"), to=tuple(map(address_of, to)))
        is reply.GENERIC_AMONG_OTHERS
    )


def test_the_generic_recipient_twice_is_one() -> None:
    to = (address_of("smpp"), address_of("SMPP"))
    assert len(request_of(HEX, to_header("447973100000"), to=to).wishes) == 1


@pytest.mark.parametrize("number", ["447973100001", "", "47", "447973100000;"])
def test_header_and_envelope_must_not_differ(number: str) -> None:
    assert refusal_of(HEX, to_header(number)) is reply.DESTINATION_CONFLICT


def test_one_number_in_the_header_is_not_two_in_the_envelope() -> None:
    to = (address_of("447973100000"), address_of("447973100001"))
    assert refusal_of(HEX, to_header("447973100000"), to=to) is reply.DESTINATION_CONFLICT
