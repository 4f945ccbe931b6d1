"""XML requests, from the octets of the mail to what is asked for and answered (ASPSMS §11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from sms_milter.config.schema import Account
from sms_milter.dialects.aspsms import AspsmsOptions, answer, credentials, parse
from sms_milter.dialects.aspsms.faults import Code, code_of
from sms_milter.dialects.context import Context, Outcome
from sms_milter.errors import Rejected
from sms_milter.mail.parse import Mail
from sms_milter.mail.parse import parse as parse_mail
from sms_milter.model import (
    Answer,
    Client,
    Envelope,
    Notify,
    PartFate,
    PartState,
    Recipient,
    Record,
    SmsRequest,
)

HEAD = '<?xml version="1.0" encoding="ISO-8859-1"?>'
XML = Recipient("<xml@sms.example>", "xml", "sms.example")
NOW = 1_732_190_400.0  # 2024-11-21 12:00:00 UTC
TO = "<Recipient><PhoneNumber>0041795555555</PhoneNumber></Recipient>"
RESTRICTED = Account(numeric_originators=("+41760000000",))


class Book:
    """Records in memory: what a request leaves is there for the next."""

    def __init__(self, fates: Mapping[str, Sequence[PartFate]] | None = None) -> None:
        self.kept: dict[tuple[str, str], Record] = {}
        self.now = NOW
        self._fates = fates or {}

    def find(self, kind: str, name: str) -> Record | None:
        found = self.kept.get((kind, name))
        return found if found and (found.until is None or found.until > self.now) else None

    def fates(self, references: Sequence[str]) -> Mapping[str, Sequence[PartFate]]:
        return {one: self._fates[one] for one in references if one in self._fates}


class Asked(NamedTuple):
    """A request, and the reply to it when nothing is left out."""

    request: SmsRequest
    answers: Sequence[Answer]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.request, name)


def mail_of(inner: str) -> Mail:
    return parse_mail([("Subject", b"x")], f"{HEAD}<aspsms>{inner}</aspsms>".encode("latin-1"))


def asked(
    inner: str,
    action: str,
    *,
    account: Account | None = None,
    book: Book | None = None,
    now: float = NOW,
    chance: int = 0,
    **options: Any,
) -> Asked:
    book = book or Book()
    book.now = now
    context = Context(
        Envelope(Client("192.0.2.10"), "ann@client.example", (XML,)),
        ((XML, None),),
        account or Account(),
        AspsmsOptions(**options),
        now,
        True,
        book,
        lambda limit: chance % limit,
    )
    mail = mail_of(f"{inner}<Action>{action}</Action>")
    request = parse(mail, context)
    book.kept |= {(one.kind, one.name): replace(one, written_by=1) for one in request.records}
    return Asked(request, answer(Outcome(context.envelope, mail, context.options, request, (), now)))


def code_in(request: Asked) -> int:
    (answer,) = request.answers
    return int(answer.body.partition("<ErrorCode>")[2].partition("<")[0])


def fault_of(inner: str, action: str = "SendTextSMS", **more: Any) -> Code | None:
    with pytest.raises(Rejected) as refused:
        asked(inner, action, **more)
    return code_of(refused.value.reply)


def text(inner: str = "", data: str = "Hello") -> str:
    return f"{TO}<MessageData>{data}</MessageData>{inner}"


# --- who sends ----------------------------------------------------------------------------------------------


def test_the_alias_counts_and_the_first_of_two_elements() -> None:
    mail = mail_of("<UserKey>a</UserKey><Userkey>b</Userkey><Password>c</Password><Password>d</Password>")
    found = credentials(mail, ((XML, None),), AspsmsOptions())
    assert (found.names, found.passwords) == ({"userkey": "a"}, ("c",))


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        ("", Code.USERKEY),
        ("<Userkey/><Password>a</Password>", Code.USERKEY),
        ("<Userkey>a</Userkey><Password> </Password>", Code.PASSWORD),
    ],
)
def test_userkey_and_password_must_be_there(inner: str, code: Code) -> None:
    with pytest.raises(Rejected) as refused:
        credentials(mail_of(inner), ((XML, None),), AspsmsOptions())
    assert code_of(refused.value.reply) is code


def test_nobody_else_may_stand_beside_the_request() -> None:
    number = (Recipient("<0041790000000@sms.example>", "0041790000000", "sms.example"), "41790000000")
    with pytest.raises(Rejected, match="must be the only one"):
        credentials(mail_of(""), ((XML, None), number), AspsmsOptions())


# --- recipients ---------------------------------------------------------------------------------------------


def recipients(*numbers: str) -> str:
    named = "".join(f"<Recipient><PhoneNumber>{one}</PhoneNumber></Recipient>" for one in numbers)
    return f"{named}<MessageData>Hello</MessageData>"


def test_numbers_may_begin_with_zeros_a_plus_or_nothing() -> None:
    wishes = asked(recipients("0041795555555", "+41795555555", " 41795555555 "), "SendTextSMS").wishes
    assert [wish.destination for wish in wishes] == ["41795555555"] * 3


@pytest.mark.parametrize("number", ["12", "0041", "0795555555", "abc", "004179555555500000", "٤١٧٩٥٥٥٥٥٥٥"])
def test_a_wrong_number_fails_alone(number: str) -> None:
    written = "".join(f"&#{ord(one)};" for one in number)
    request = asked(recipients(written, "0041795555555"), "SendTextSMS")
    assert [wish.destination for wish in request.wishes] == ["41795555555"]
    assert len(request.unsendable) == 1
    assert request.unsendable[0].destination.isascii()
    assert (code_in(request), request.keep_left_out) == (1, True)


def test_at_most_a_thousand_recipients() -> None:
    assert len(asked(recipients(*["0041795555555"] * 1000), "SendTextSMS").wishes) == 1000
    assert fault_of(recipients(*["0041795555555"] * 1001)) is Code.INVALID_REQUEST


def test_a_recipient_without_number_is_none() -> None:
    assert fault_of(recipients("", " ")) is Code.NO_RECIPIENT


def test_a_reference_is_at_most_64_characters() -> None:
    inner = "<Recipient><PhoneNumber>1</PhoneNumber><TransRefNumber>{}</TransRefNumber></Recipient>"
    assert fault_of(inner.format("a" * 65)) is Code.INVALID_REQUEST
    request = asked(inner.format("a" * 64) + "<MessageData>x</MessageData>", "SendTextSMS")
    assert request.unsendable[0].reference == "a" * 64


def test_urls_may_be_off_and_are_checked_all_the_same() -> None:
    inner = "<URLDeliveryNotification>https://a/</URLDeliveryNotification>"
    request = asked(text(inner), "SendTextSMS", url_notifications=False)
    assert (request.listeners, request.wishes[0].notice) == ((), Notify.NEVER)
    bad = text("<URLDeliveryNotification>x</URLDeliveryNotification>")
    assert fault_of(bad, url_notifications=False) is Code.DELIVERY_URL


# --- receipts and URLs --------------------------------------------------------------------------------------


FAILED = Notify.LOST | Notify.FAILURE


@pytest.mark.parametrize(
    ("event", "receipt", "progress", "told"),
    [
        ("", False, False, Notify.NEVER),
        ("BufferedMessage", True, True, Notify.PENDING),
        ("Delivery", True, False, Notify.SUCCESS),
        ("NonDelivery", True, False, FAILED),
    ],
)
def test_urls_ask_for_receipts(event: str, receipt: bool, progress: bool, told: Notify) -> None:
    inner = f"<URL{event}Notification> https://a/\n</URL{event}Notification>"
    request = asked(text(inner), "SendTextSMS")
    (wish,) = request.wishes
    assert (wish.receipt, wish.progress, wish.notice, wish.notify) == (receipt, progress, told, Notify.NEVER)
    heard = [(one.target, one.told, one.is_url) for one in request.listeners]
    assert heard == ([("https://a/", told, True)] if told else [])


# --- the text -----------------------------------------------------------------------------------------------


def test_blanks_of_a_text_stay_and_line_breaks_around_it_go() -> None:
    (wish,) = asked(text(data="\r\n  a\tb \r\n c  \n"), "SendTextSMS").wishes
    assert wish.text == "  a b \n c  "


def test_flash_counts_when_it_is_one_or_true() -> None:
    flags = ["1", "TRUE", "0", "false", "2"]
    wishes = [asked(text(f"<FlashingSMS>{f}</FlashingSMS>"), "SendTextSMS").wishes[0] for f in flags]
    assert [wish.flash for wish in wishes] == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("a&#60;blink&#62;b&#60;/Blink&#62;c", "a\x01b\x01c"),
        ("&#60;BLINK&#62;b", "\x01b"),
        ("b", "\x01b"),
        ("a" * 69, "\x01" + "a" * 69),
    ],
)
def test_what_blinks_is_marked(data: str, shown: str) -> None:
    (wish,) = asked(text("<BlinkingSMS>1</BlinkingSMS>", data), "SendTextSMS").wishes
    assert (wish.text, wish.flash, wish.ucs2) == (shown, True, True)


@pytest.mark.parametrize("data", ["", "\n", "a" * 70, "&#60;BLINK&#62;", "&#60;BLINK&#62;" * 4 + "a" * 67])
def test_what_cannot_blink(data: str) -> None:
    assert fault_of(text("<BlinkingSMS>1</BlinkingSMS>", data)) is Code.MESSAGE


def test_without_blinking_the_tags_are_text() -> None:
    (wish,) = asked(text("", "&#60;BLINK&#62;"), "SendTextSMS").wishes
    assert wish.text == "<BLINK>"


@pytest.mark.parametrize("value", ["0", "8", "x", "11"])
def test_what_replaces_is_one_to_seven(value: str) -> None:
    assert fault_of(text(f"<ReplaceMessage>{value}</ReplaceMessage>")) is Code.INVALID_REQUEST


# --- octets -------------------------------------------------------------------------------------------------


def octets(xser: str, data: str) -> str:
    return f"{TO}<XSer>{xser}</XSer><MessageData>{data}</MessageData>"


@pytest.mark.parametrize(
    "xser",
    ["", "0", "xx", "01", "0105", "030100", "020108020108", "02020808", "0200", "0106060504158215",
     "010706050415821582" "03", "0103020501", "010101"],
)  # fmt: skip
def test_an_xser_that_cannot_be_read(xser: str) -> None:
    assert fault_of(octets(xser, "00"), "SendBinaryData") is Code.XSER


@pytest.mark.parametrize(
    ("xser", "udh", "coding"),
    [
        ("020108", b"", 8),
        ("010706050415821582", bytes.fromhex("050415821582"), 0xF5),
        ("010706050415821582020104", bytes.fromhex("050415821582"), 4),
        ("010100", b"", 4),
    ],
)
def test_an_xser_names_header_and_coding(xser: str, udh: bytes, coding: int) -> None:
    (wish,) = asked(octets(xser, "0 0\r\n41"), "SendBinaryData").wishes
    assert wish.binary is not None
    assert (wish.binary.octets, wish.binary.udh, wish.binary.data_coding) == (b"\0A", udh, coding)


def test_only_unicode_without_a_header_may_be_long() -> None:
    (wish,) = asked(octets("020108", "0041" * 100), "SendBinaryData").wishes
    assert wish.binary is not None
    assert len(wish.binary.octets) == 200
    assert fault_of(octets("020104", "00" * 141), "SendBinaryData") is Code.BINARY_DATA
    assert fault_of(octets("020108", "00" * 3), "SendBinaryData") is Code.BINARY_DATA


@pytest.mark.parametrize(
    ("action", "inner", "code"),
    [
        ("SendWAPPushSMS", "<WAPPushURL>http://a/</WAPPushURL>", Code.MESSAGE),
        ("SendWAPPushSMS", "<WAPPushDescription>a</WAPPushDescription>", Code.MESSAGE),
        ("SendVCard", "<VCard><VName>a</VName></VCard>", Code.MESSAGE),
        ("SendVCard", "<VCard><VName>a</VName><VPhoneNumber>x</VPhoneNumber></VCard>", Code.MESSAGE),
        ("SendRingtone", "<BinaryFileDataHex>4142</BinaryFileDataHex>", Code.BINARY_FILE),
        ("SendRingtone", "<BinaryFileDataHex>4</BinaryFileDataHex>", Code.BINARY_DATA),
        ("SendGroupLogo", "<BinaryFileDataHex>424D00</BinaryFileDataHex>", Code.BINARY_FILE),
        ("SendGroupLogo", f"<BinaryFileDataHex>02480E01{'00' * 126}</BinaryFileDataHex>", Code.BINARY_FILE),
        ("SendPictureMessage", "<BinaryFileDataHex/>", Code.NO_BINARY_DATA),
        ("SendLogo", "<MCC>228</MCC><MNC>1234</MNC>", Code.MNC),
    ],
)
def test_content_that_cannot_be_made(action: str, inner: str, code: Code) -> None:
    assert fault_of(TO + inner, action) is code


def test_a_card_has_one_line_for_the_name() -> None:
    card = "<VCard><VName>a\r\nTEL:1 b</VName><VPhoneNumber>+41</VPhoneNumber></VCard>"
    (wish,) = asked(TO + card, "SendVCard").wishes
    assert wish.binary is not None
    assert b"\r\nN:a TEL:1 b\r\nTEL:+41\r\n" in wish.binary.octets


# --- the order of checks (ASPSMS §11.9) ---------------------------------------------------------------------


def test_the_first_fault_is_told() -> None:
    broken = (
        "<Originator>MuchTooLongName</Originator><DeferredDeliveryTime>x</DeferredDeliveryTime>"
        "<URLDeliveryNotification>x</URLDeliveryNotification>"
    )
    assert fault_of(broken, "Dance") is Code.INVALID_REQUEST
    assert fault_of(broken) is Code.NO_RECIPIENT
    assert fault_of(TO + broken) is Code.ORIGINATOR
    broken = broken.replace("MuchTooLongName", "ACME")
    assert fault_of(TO + broken) is Code.MESSAGE
    assert fault_of(text(broken)) is Code.TIME
    assert fault_of(text(broken.replace(">x</Def", "></Def"))) is Code.DELIVERY_URL


# --- originators --------------------------------------------------------------------------------------------

NUMBER = "<Originator>0041791112233</Originator>"


def code(inner: str, action: str, book: Book, **more: Any) -> int:
    return code_in(asked(inner, action, account=RESTRICTED, book=book, **more))


def tried(given: str, book: Book, **more: Any) -> int:
    return code(
        f"{NUMBER}<OriginatorUnlockCode>{given}</OriginatorUnlockCode>", "UnlockOriginator", book, **more
    )


def test_a_number_is_unlocked_by_the_code_that_went_there() -> None:
    book = Book()
    assert code(NUMBER, "CheckOriginatorAuthorization", book) == 30
    assert tried("00000042", book) == 30
    sent = asked(NUMBER, "SendOriginatorUnlockCode", account=RESTRICTED, book=book, chance=42)
    assert [(one.destination, one.text[-8:]) for one in sent.wishes] == [("41791112233", "00000042")]
    assert code(NUMBER, "CheckOriginatorAuthorization", book) == 29
    assert fault_of(text(NUMBER), account=RESTRICTED, book=book) is Code.ORIGINATOR_NOT_AUTHORIZED
    assert tried("00000042", book) == 1
    assert code(NUMBER, "CheckOriginatorAuthorization", book) == 31
    assert code(NUMBER, "SendOriginatorUnlockCode", book) == 31
    assert tried("00000042", book) == 31
    (wish,) = asked(text(NUMBER), "SendTextSMS", account=RESTRICTED, book=book).wishes
    assert wish.originator == "+41791112233"


def test_five_wrong_codes_end_it() -> None:
    book = Book()
    code(NUMBER, "SendOriginatorUnlockCode", book, chance=42)
    assert [tried("1", book) for _ in range(4)] == [30] * 4
    assert code(NUMBER, "CheckOriginatorAuthorization", book) == 29
    assert tried("1", book) == 30
    assert code(NUMBER, "CheckOriginatorAuthorization", book) == 30
    assert tried("00000042", book) == 30
    code(NUMBER, "SendOriginatorUnlockCode", book, chance=43)
    assert tried("00000043", book) == 1


def test_a_code_lives_for_a_day() -> None:
    book = Book()
    code(NUMBER, "SendOriginatorUnlockCode", book, chance=42)
    assert tried("00000042", book, now=NOW + 86400) == 30
    assert tried("00000042", book, now=NOW + 86399) == 1


def test_an_account_without_restrictions_needs_no_codes() -> None:
    for action in ("SendOriginatorUnlockCode", "UnlockOriginator", "CheckOriginatorAuthorization"):
        assert code_in(asked(NUMBER, action)) == 28


def test_a_short_code_has_no_phone_to_be_asked() -> None:
    inner = "<Originator>333</Originator>"
    assert fault_of(inner, "SendOriginatorUnlockCode", account=RESTRICTED) is Code.ORIGINATOR


# --- tokens -------------------------------------------------------------------------------------------------


def verified(given: str, book: Book, inner: str = "", **more: Any) -> int:
    wanted = f"{inner or TO}<VerificationCode>{given}</VerificationCode>"
    return code_in(asked(wanted, "VerifyToken", book=book, **more))


def test_a_token_is_verified_once() -> None:
    book = Book()
    (wish,) = asked(TO, "SendTokenSMS", book=book, chance=11).wishes
    assert (wish.destination, wish.text) == ("41795555555", "BBBB")
    assert verified("bbbb", book, "<PhoneNumber>+41795555555</PhoneNumber>") == 1
    assert verified("bbbb", book) == 39


def test_a_token_may_be_particular_about_case() -> None:
    book = Book()
    asked(f"{TO}<TokenCaseSensitive>1</TokenCaseSensitive>", "SendTokenSMS", book=book, chance=11)
    assert [verified("bbbb", book), verified("BBBB", book)] == [36, 1]


def test_five_wrong_tries_end_a_token() -> None:
    book = Book()
    asked(TO, "SendTokenSMS", book=book, chance=11)
    assert [verified("x", book) for _ in range(5)] == [36, 36, 36, 36, 37]
    assert verified("BBBB", book) == 37


def test_a_token_is_valid_for_its_minutes() -> None:
    book = Book()
    asked(f"{TO}<TokenValidity>1</TokenValidity>", "SendTokenSMS", book=book, chance=11)
    assert verified("BBBB", book, now=NOW + 60) == 37
    assert verified("BBBB", book, now=NOW + 59) == 1


def test_each_recipient_and_reference_has_a_token_of_its_own() -> None:
    book = Book()
    two = TO + TO.replace("5555555", "5555556")
    given = f"{two}<TokenReference>a</TokenReference>"
    assert len(asked(given, "SendTokenSMS", book=book).records) == 2
    assert verified("AAAA", book) == 38
    assert verified("0000", book, f"{TO}<TokenReference>a</TokenReference>") == 1


@pytest.mark.parametrize(
    "inner",
    [
        "<TokenValidity>soon</TokenValidity>",
        f"<TokenMask>{'#' * 65}</TokenMask>",
        f"<TokenReference>{'#' * 65}</TokenReference>",
        f"<VerificationCode>{'#' * 65}</VerificationCode>",
    ],
)
def test_a_token_that_cannot_be_made(inner: str) -> None:
    assert fault_of(TO + inner, "SendTokenSMS") is Code.INVALID_REQUEST


# --- what became of messages --------------------------------------------------------------------------------

SENT, TOLD = NOW + 1, NOW + 5
DELIVERED = PartFate(PartState.DELIVERED, SENT, TOLD, "DELIVRD")
BUFFERED = PartFate(PartState.ACCEPTED, SENT, TOLD, "ENROUTE")
ACCEPTED = PartFate(PartState.ACCEPTED, SENT, None)
QUEUED = PartFate(PartState.QUEUED, None, None)
UNDELIVERABLE = PartFate(PartState.FAILED, SENT, TOLD, "UNDELIV", "001")
REFUSED = PartFate(PartState.FAILED, SENT, TOLD, command_status=0x0B)
UNCERTAIN = PartFate(PartState.UNCERTAIN, SENT, None)
EXPIRED = PartFate(PartState.EXPIRED, None, TOLD)
DATES = ("21112024130001", "21112024130005")


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ([DELIVERED], ("0", *DATES, "0")),
        ([DELIVERED, DELIVERED], ("0", *DATES, "0")),
        ([DELIVERED, BUFFERED], ("1", *DATES, "107")),
        ([DELIVERED, ACCEPTED], ("1", DATES[0], DATES[0], "0")),
        ([BUFFERED, UNDELIVERABLE], ("2", *DATES, "101")),
        ([REFUSED], ("2", *DATES, "206")),
        ([ACCEPTED], ("1", DATES[0], DATES[0], "0")),
        ([UNCERTAIN], ("1", DATES[0], DATES[0], "0")),
        ([QUEUED], ("-1", "", "", "")),
        ([QUEUED, DELIVERED], ("1", DATES[0], DATES[0], "0")),
        ([replace(QUEUED, submitted_at=SENT)], ("-1", DATES[0], "", "")),
        ([EXPIRED], ("2", "", DATES[1], "108")),
        ([], ("-1", "", "", "")),
    ],
)
def test_the_status_of_a_message_is_that_of_its_worst_part(
    parts: list[PartFate], told: tuple[str, ...]
) -> None:
    request = asked(
        "<TransRefNumber>7</TransRefNumber>", "InquireDeliveryNotifications", book=Book({"7": parts})
    )
    names = ("DeliveryStatus", "SubmissionDate", "NotificationDate", "ReasonCode")
    body = request.answers[0].body
    found = tuple(body.partition(f"<{name}>")[2].partition("<")[0] for name in names)
    assert found == told


def test_at_most_a_thousand_references() -> None:
    inner = "<TransRefNumber>1</TransRefNumber>"
    assert code_in(asked(inner * 1000, "InquireDeliveryNotifications")) == 1
    assert fault_of(inner * 1001, "InquireDeliveryNotifications") is Code.INVALID_REQUEST
    assert fault_of("<TransRefNumber> </TransRefNumber>", "InquireDeliveryNotifications") is Code.NO_REFERENCE
    long = f"<TransRefNumber>{'a' * 65}</TransRefNumber>"
    assert fault_of(long, "InquireDeliveryNotifications") is Code.INVALID_REQUEST


# --- the reply ----------------------------------------------------------------------------------------------


def test_a_reply_is_ascii_in_one_form() -> None:
    (answer,) = asked(
        "<TransRefNumber>&#228;&lt;&#8364;</TransRefNumber>", "InquireDeliveryNotifications"
    ).answers
    assert answer.body.isascii()
    assert answer.body.startswith('<?xml version="1.0"?>\n<aspsms>\n  <ErrorCode>1</ErrorCode>\n')
    assert "<TransRefNumber>&#228;&lt;&#8364;</TransRefNumber>" in answer.body
    assert (answer.to, answer.subject) == ("ann@client.example", "Re: x")
    assert (answer.author, answer.author_name) == ("xml@sms.example", "SMS gateway")


def test_a_mail_without_subject_is_answered_with_one() -> None:
    envelope = Envelope(Client("192.0.2.10"), "ann@client.example", (XML,))
    context = Context(envelope, ((XML, None),), Account(), AspsmsOptions(), NOW)
    mail = parse_mail([], f"{HEAD}<aspsms><Action>ShowCredits</Action></aspsms>".encode())
    request = parse(mail, context)
    (told,) = answer(Outcome(envelope, mail, AspsmsOptions(), request, (), NOW))
    assert told.subject == "XML reply"
