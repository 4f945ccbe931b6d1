"""ASPSMS §3 to §10; its worked examples are golden files."""

from __future__ import annotations

from typing import Any

import pytest

from sms_milter import reply
from sms_milter.config.schema import Account
from sms_milter.dialects import DIALECTS
from sms_milter.dialects.aspsms import (
    AspsmsOptions,
    answer,
    credentials,
    denied,
    names_account,
    parse,
    recipient,
    worded,
)
from sms_milter.dialects.context import Context, Targets
from sms_milter.errors import Rejected
from sms_milter.mail.parse import Mail
from sms_milter.mail.parse import parse as parse_mail
from sms_milter.model import Client, Envelope, Notify, Recipient, SmsRequest, Wish
from sms_milter.reply import Denial
from support.gate import Desk

ANN = "ann@client.example"
KEYS = "U=ABCD12345678,P=MyPass,R=0041795555555"
EVERYTHING = Notify.LOST | Notify.FAILURE | Notify.SUCCESS


def address_of(local: str, **parameters: str) -> Recipient:
    return Recipient(f"<{local}@sms.example>", local, "sms.example", parameters)


TEXTSMS, NUMBER = address_of("textsms"), address_of("0041790000000")


def mail_of(subject: str | None = KEYS, body: bytes = b"Hello", **fields: str) -> Mail:
    given = [] if subject is None else [("Subject", subject.encode("latin-1"))]
    return parse_mail(
        given + [(name.replace("_", "-"), value.encode()) for name, value in fields.items()], body
    )


def targets_of(to: tuple[Recipient, ...], options: AspsmsOptions) -> Targets:
    return tuple((one, recipient(one, options)) for one in to)


def request_of(
    mail: Mail,
    *to: Recipient,
    sender: str = ANN,
    account: Account | None = None,
    reports: bool = True,
    **options: Any,
) -> SmsRequest:
    settings = AspsmsOptions(**options)
    to = to or (TEXTSMS,)
    envelope = Envelope(Client("192.0.2.10"), sender, to)
    context = Context(envelope, targets_of(to, settings), account or Account(), settings, 0.0, reports)
    return parse(mail, context)


def wish_of(mail: Mail, *to: Recipient, **more: Any) -> Wish:
    (wish,) = request_of(mail, *to, **more).wishes
    return wish


def refusal_of(mail: Mail, *to: Recipient, **more: Any) -> str:
    with pytest.raises(Rejected) as refused:
        request_of(mail, *to, **more)
    return str(refused.value.reply)


def test_the_dialect_is_registered() -> None:
    dialect = DIALECTS["aspsms"]
    assert (dialect.name, dialect.options) == ("aspsms", AspsmsOptions)
    assert (dialect.recipient, dialect.parse, dialect.answer) == (recipient, parse, answer)
    assert (dialect.denied, dialect.worded) == (denied, worded)
    assert dialect.login is not None
    assert (dialect.login.needed, dialect.login.read) == (names_account, credentials)


# --- addresses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("local", "number"),
    [
        ("textsms", None),
        ("TextSMS", None),
        ("0041790000000", "41790000000"),
        ("001234567", "1234567"),
        ("00123456789012345", "123456789012345"),
    ],
)
def test_an_address_names_a_number_or_leaves_it_to_the_subject(local: str, number: str | None) -> None:
    assert recipient(address_of(local), AspsmsOptions()) == number


@pytest.mark.parametrize(
    ("local", "why"),
    [
        ("+41790000000", '550 5.1.3 Number must start with 00, "+" is not accepted'),
        ("+", "550 5.1.1 Unknown SMS address"),
        ("41790000000", "550 5.1.3 Bad recipient number"),
        ("00123456", "550 5.1.3 Bad recipient number"),
        ("001234567890123456", "550 5.1.3 Bad recipient number"),
        ("000790000000", "550 5.1.3 Bad recipient number"),
        ("0041 790000000", "550 5.1.1 Unknown SMS address"),
        ("٠٠41790000000", "550 5.1.1 Unknown SMS address"),
        ("textsms+x", "550 5.1.1 Unknown SMS address"),
        ("xml+x", "550 5.1.1 Unknown SMS address"),
    ],
)
def test_other_addresses_are_told_why_not(local: str, why: str) -> None:
    with pytest.raises(Rejected) as refused:
        recipient(address_of(local), AspsmsOptions())
    assert str(refused.value.reply) == why


# --- credentials --------------------------------------------------------------------------------------------


def test_userkey_and_password_stand_in_the_subject() -> None:
    found = credentials(mail_of("u = Key ,PASSWORD= a=b ,r=1"), ((TEXTSMS, None),), AspsmsOptions())
    assert (found.names, found.passwords, found.api_key) == ({"userkey": "Key"}, ("a=b",), "")


@pytest.mark.parametrize(
    "subject", [None, "", " \t", "P=MyPass", "U=Key", "U=,P=MyPass", f"U=K,P={'x' * 65}"]
)
def test_without_both_nobody_is_authorised(subject: str | None) -> None:
    with pytest.raises(Rejected) as refused:
        credentials(mail_of(subject), ((TEXTSMS, None),), AspsmsOptions())
    assert str(refused.value.reply) == "550 5.7.1 Authorization failed"


def test_the_format_of_the_mail_comes_before_its_credentials() -> None:
    with pytest.raises(Rejected) as refused:
        credentials(mail_of("Hello", Content_Type="text/html"), ((TEXTSMS, None),), AspsmsOptions())
    assert str(refused.value.reply) == "554 5.6.1 Only plain text is accepted"


def test_every_fault_of_a_login_reads_the_same() -> None:
    faults = (
        Denial.UNKNOWN_LOGIN,
        Denial.WRONG_PASSWORD,
        Denial.WRONG_NAME,
        Denial.NOT_FROM_HERE,
        Denial.NOT_BY_SENDER,
    )
    assert {str(denied(fault)) for fault in faults} == {"550 5.7.1 Authorization failed"}
    assert denied(Denial.OTHER_ACCOUNT) is reply.OTHER_ACCOUNT


def test_refusals_of_all_dialects_in_the_documented_words() -> None:
    assert str(worded(reply.NOT_AUTHORISED, None)) == "550 5.7.1 Sender address not authorized"
    assert str(worded(reply.TOO_COMPLEX, None)) == "554 5.6.0 Malformed message"
    assert worded(reply.QUEUE_FULL, None) is reply.QUEUE_FULL


# --- the Subject --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subject",
    ["Hello", f"{KEYS},", f",{KEYS}", f"{KEYS},,", "U=a,,P=b", f"{KEYS},u=a", f"{KEYS},X=1", "=a", ","],
)
def test_what_is_no_list_of_parameters(subject: str) -> None:
    if subject == f"{KEYS},":  # one comma may end it
        assert wish_of(mail_of(subject)).destination == "41795555555"
    else:
        assert refusal_of(mail_of(subject)) == "554 5.6.0 Bad subject parameters"


@pytest.mark.parametrize("subject", [f"{KEYS},X=1", f"X=1,{KEYS},X=2"])
def test_unknown_parameters_may_be_ignored(subject: str) -> None:
    assert wish_of(mail_of(subject), unknown_params="ignore").destination == "41795555555"


@pytest.mark.parametrize("subject", [f"{KEYS},X", f"{KEYS},=1"])
def test_ignored_parameters_must_be_parameters(subject: str) -> None:
    assert refusal_of(mail_of(subject), unknown_params="ignore") == "554 5.6.0 Bad subject parameters"


@pytest.mark.parametrize("number", ["", "41795555555", "+41795555555", "00 41795555555", "0041795555555x"])
def test_a_recipient_begins_with_00_and_has_no_blanks(number: str) -> None:
    assert refusal_of(mail_of(f"U=a,P=b,R={number}")) == "550 5.1.3 Bad recipient number"


@pytest.mark.parametrize(
    "subject",
    [
        "Alarm, Originator=VPN",
        "Originator",
        "Originator=VPN,O=VPN",
        "Originator=VPN,X=1",
        "=?utf-8?B?4oKs?= Originator=VPN",
    ],
)
def test_to_a_number_any_other_subject_says_nothing(subject: str) -> None:
    assert wish_of(mail_of(subject), NUMBER).originator is None


@pytest.mark.parametrize("subject", ["Originator=12", "O=VPN,N=SOMETIMES"])
def test_to_a_number_what_is_said_must_be_right(subject: str) -> None:
    assert refusal_of(mail_of(subject), NUMBER).startswith("554 5.6.0 Invalid ")


def test_the_faults_come_in_order() -> None:
    subject = "U=a,P=b,R=1,O=12,N=x"
    for fault, right, why in (
        ("R=1,", "R=0041795555555,", "550 5.1.3 Bad recipient number"),
        ("O=12,", "O=ACME,", "554 5.6.0 Invalid originator"),
        ("N=x", "N=", "554 5.6.0 Invalid Notify value"),
    ):
        assert refusal_of(mail_of(subject, b"")) == why
        subject = subject.replace(fault, right)
    assert refusal_of(mail_of(subject, b"")) == "554 5.6.0 Empty message"


# --- originators --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "originator"),
    [
        ("", None),
        ("ACME", "ACME"),
        ("AC ME!", "AC ME!"),
        ("A=B", "A=B"),
        ("+41760000000", "+41760000000"),
        ("0041760000000", "+41760000000"),
        ("41760000000", "41760000000"),
        ("333", "333"),
        ("+333", "+333"),
        ("0012", "0012"),
        ("MYORIGINATOR", "MYORIGINATO"),
        ("TEN LETTER X", "TEN LETTER"),
    ],
)
def test_an_originator_is_a_number_or_a_name(given: str, originator: str | None) -> None:
    assert wish_of(mail_of(f"{KEYS},O={given}")).originator == originator


@pytest.mark.parametrize(
    "given", ["12", "+1234567890123456", "1234567890123456", "12345678901X", "Grüezi", "a\tb"]
)
def test_what_is_neither(given: str) -> None:
    assert refusal_of(mail_of(f"{KEYS},O={given}")) == "554 5.6.0 Invalid originator"


@pytest.mark.parametrize(
    ("settings", "by_subject", "by_number"),
    [
        ({}, "SMS", "SMS"),
        ({"default_originator": "ACME"}, "ACME", "ACME"),
        ({"sender_originators": {ANN: "VPN"}}, "SMS", "VPN"),
        ({"default_originator": "ACME", "sender_originators": {ANN: "VPN"}}, "ACME", "VPN"),
    ],
)
def test_a_mail_that_names_none(settings: dict[str, Any], by_subject: str, by_number: str) -> None:
    account = Account(**settings)
    found = [wish_of(mail_of(), to, account=account, sender=ANN.upper()) for to in (TEXTSMS, NUMBER)]
    assert [wish.default_originator for wish in found] == [by_subject, by_number]


@pytest.mark.parametrize(
    ("wanted", "settings", "source"),
    [
        ("Originator=ACME", {"numeric_originators": ["+41760000000"]}, "ACME"),
        ("Originator=0041760000000", {"numeric_originators": ["+41760000000"]}, "41760000000"),
        ("Originator=41760000000", {"numeric_originators": ["+41760000000"]}, "41760000000"),
        ("Originator=+41760000001", {"numeric_originators": ["+41760000000"]}, None),
        ("Originator=41760000001", {"numeric_originators": ["+41760000000"]}, None),
        ("Originator=+41760000001", {}, "41760000001"),
        ("Originator=OTHER", {"originators": ["ACME"]}, None),
        ("Originator=[{}]^~|abcd", {}, None),
        ("", {"originators": ["ACME"]}, "SMS"),
    ],
)
def test_what_the_account_may_show(wanted: str, settings: dict[str, Any], source: str | None) -> None:
    account = {"require": ["sender"], "senders": [ANN], **settings}
    desk = Desk(domains={"sms.example": {"dialect": "aspsms"}}, accounts={"client": account})
    transaction = desk.transaction(sender=f"<{ANN}>")
    transaction.recipient(NUMBER.raw, {})
    transaction.header("Subject", wanted.encode())
    transaction.body(b"Hello")
    verdict = transaction.decide()
    found = [
        part.source_addr for mail in desk.intake.mails for one in mail.messages for part in one.plan.parts
    ]
    assert found == ([] if source is None else [source])
    assert (verdict.reply is None) == (source is not None)


@pytest.mark.parametrize("domains", [[], ["sms.example"], ["sms.haysystems.com"]])
def test_the_log_shows_a_part_only_of_addresses_that_prove_who_sends(domains: list[str]) -> None:
    account = {"require": ["sender"], "senders": [ANN, "@other.example"], "domains": domains}
    desk = Desk(domains={"sms.example": {"dialect": "aspsms"}}, accounts={"client": account})
    for sender in (ANN, "eve@other.example"):
        transaction = desk.transaction(sender=f"<{sender.upper()}>")
        for to in (NUMBER.raw, "<0790000000@sms.example>"):
            transaction.recipient(to, {})
        transaction.body(b"Hello")
        transaction.decide()
    shown = ANN.upper() if domains == ["sms.haysystems.com"] else "ANN***@CLIENT.EXAMPLE"
    assert f"from=<{shown}>" in desk.lines.text
    assert (ANN.upper() in desk.lines.text) == (shown == ANN.upper())
    assert "from=<EVE@OTHER.EXAMPLE>" in desk.lines.text


# --- who is told --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("notify", "told", "receipt", "progress"),
    [
        ("", EVERYTHING, True, False),
        (",N=", EVERYTHING, True, False),
        (",Notify=always", EVERYTHING | Notify.PENDING, True, True),
        (",Notify=FAILED", Notify.LOST | Notify.FAILURE, True, False),
        (",N=None", Notify.NEVER, False, False),
    ],
)
def test_what_the_sender_is_told(notify: str, told: Notify, receipt: bool, progress: bool) -> None:
    wish = wish_of(mail_of(KEYS + notify))
    assert (wish.notify, wish.notice, wish.receipt, wish.progress) == (Notify.NEVER, told, receipt, progress)


@pytest.mark.parametrize(
    ("subject", "told", "receipt"),
    [
        (None, Notify.LOST, False),
        ("N=ALWAYS", EVERYTHING | Notify.PENDING, True),
        ("N=NONE", Notify.NEVER, False),
    ],
)
def test_to_a_number_nobody_is_told_of_deliveries_unasked(
    subject: str | None, told: Notify, receipt: bool
) -> None:
    wish = wish_of(mail_of(subject), NUMBER)
    assert (wish.notify, wish.notice, wish.receipt) == (Notify.NEVER, told, receipt)


@pytest.mark.parametrize(
    ("subject", "parameter", "notify", "notice"),
    [
        (KEYS, "NEVER", Notify.NEVER, Notify.NEVER),
        (f"{KEYS},N=ALWAYS", "never", Notify.NEVER, Notify.NEVER),
        (f"{KEYS},N=FAILED", "SUCCESS", Notify.NEVER, Notify.LOST | Notify.FAILURE),
        (KEYS, "SUCCESS", Notify.LOST | Notify.SUCCESS, Notify.NEVER),
    ],
)
def test_notify_at_rcpt(subject: str, parameter: str, notify: Notify, notice: Notify) -> None:
    wish = wish_of(mail_of(subject), address_of("textsms", NOTIFY=parameter))
    assert (wish.notify, wish.notice) == (notify, notice)


def test_the_account_may_tell_senders_to_numbers_more() -> None:
    wish = wish_of(mail_of(None), NUMBER, account=Account(notify="always"))
    assert (wish.notice, wish.receipt) == (EVERYTHING, True)


def test_nobody_is_told_where_nothing_is_mailed() -> None:
    wish = wish_of(mail_of(), reports=False)
    assert (wish.notify, wish.notice, wish.receipt) == (Notify.NEVER, Notify.NEVER, True)
    wish = wish_of(mail_of(), sender="")
    assert (wish.notify, wish.notice, wish.receipt) == (Notify.NEVER, Notify.NEVER, False)


# --- several recipients -------------------------------------------------------------------------------------


def test_reports_name_the_number_of_the_subject() -> None:
    wish = wish_of(mail_of(), address_of("textsms", ORCPT="rfc822;a@b"))
    assert wish.recipient == "0041795555555@sms.example"
    assert wish.original_recipient == "rfc822;a@b"


def test_a_number_in_both_places_is_one_sms_with_the_notices_of_the_subject() -> None:
    same = address_of("0041795555555")
    for order in ((same, TEXTSMS), (TEXTSMS, same)):
        assert wish_of(mail_of(), *order).notice == EVERYTHING


# --- the text -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"\r\n \r\n\t\r\n  Hello\r\n\r\nyou \t\r\n", "  Hello\n\nyou"),
        (b"a\rb", "a\nb"),
        (b"a\tb\x07\x0c\x7fc", "a bc"),
        (b"\x93quoted\x94 \x80 \x81", "“quoted” €"),
        (b"a\xa0b", "a b"),
    ],
)
def test_a_text_is_normalised(body: bytes, text: str) -> None:
    assert wish_of(mail_of(body=body)).text == text


@pytest.mark.parametrize("body", [b"", b"\r\n \r\n", b"\xa0", b"\x07"])
def test_a_text_may_be_empty_after_that(body: bytes) -> None:
    assert refusal_of(mail_of(body=body)) == "554 5.6.0 Empty message"


LATIN1_NAMES = [
    "us-ascii",
    "ASCII",
    "ansi_x3.4-1968",
    "latin1",
    "L1",
    "iso_8859-1",
    "iso8859-1",
    "cp819",
    "IBM819",
]


@pytest.mark.parametrize("name", LATIN1_NAMES)
def test_names_of_the_accepted_charsets(name: str) -> None:
    mail = mail_of(body=b"\xfc", Content_Type=f'text/plain; charset="{name}"')
    assert wish_of(mail, charset_rule="declared").text == "ü"


@pytest.mark.parametrize(
    ("name", "body", "taken"),
    [
        ("utf-8", b"Hello", True),
        ("windows-1252", b"Hello", True),
        ("utf-8", b"\xef\xbb\xbfHello", False),
        ("windows-1252", b"\xfc", False),
        ("utf-16", b"Hello!", False),
        ("utf-16", b"Hello", False),
        ("iso-2022-jp", b'\x1b$B$"\x1b(B', False),
        ("hz-gb-2312", b"~{<:Ky2;NpJ)~}", False),
        ("utf-7", b"Hello", False),
        ("x-nothing", b"Hello", False),
    ],
)
def test_another_charset_is_taken_for_ascii_only(name: str, body: bytes, taken: bool) -> None:
    mail = mail_of(body=body, Content_Type=f"text/plain; charset={name}")
    if taken:
        assert wish_of(mail).text == body.decode()
    else:
        assert refusal_of(mail) == "554 5.6.1 Only ISO-8859-1 is accepted"
    assert refusal_of(mail, charset_rule="declared") == "554 5.6.1 Only ISO-8859-1 is accepted"


@pytest.mark.parametrize(
    ("fields", "options", "why"),
    [
        ({"Content_Disposition": "attachment"}, {}, "554 5.6.1 Only plain text is accepted"),
        ({"Content_Type": "application/xml"}, {}, "554 5.6.1 Only plain text is accepted"),
        (
            {"Content_Transfer_Encoding": "BASE64"},
            {"strict_cte": True},
            "554 5.6.1 Only plain text is accepted",
        ),
        ({"Content_Transfer_Encoding": "base64"}, {}, "554 5.6.0 Malformed message"),
    ],
)
def test_what_is_not_plain_text(fields: dict[str, str], options: dict[str, Any], why: str) -> None:
    assert refusal_of(mail_of(body=b"Hello", **fields), **options) == why


def test_validity() -> None:
    assert wish_of(mail_of(), validity_minutes=15).validity_seconds == 900
    assert wish_of(mail_of()).validity_seconds is None
