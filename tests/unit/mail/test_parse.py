from __future__ import annotations

from contextlib import suppress

import pytest

from sms_milter.errors import Rejected
from sms_milter.mail.parse import Limits, Mail, Part, authors, parse
from sms_milter.reply import TOO_COMPLEX


def mail_of(*fields: tuple[str, bytes], body: bytes = b"", limits: Limits | None = None) -> Mail:
    return parse(fields, body, limits or Limits())


def only_part(content_type: bytes | None, body: bytes, encoding: bytes | None = None) -> Part:
    fields = [("Content-Type", content_type), ("Content-Transfer-Encoding", encoding)]
    (part,) = parse([(name, value) for name, value in fields if value is not None], body).parts
    return part


def multipart(subtype: str, *entities: bytes, boundary: str = "sep") -> tuple[tuple[str, bytes], bytes]:
    mark = boundary.encode()
    body = (
        b"".join(b"--" + mark + b"\r\n" + entity + b"\r\n" for entity in entities) + b"--" + mark + b"--\r\n"
    )
    return ("Content-Type", f'multipart/{subtype}; boundary="{boundary}"'.encode()), body


PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\nHello"
HTML = b"Content-Type: text/html\r\n\r\n<p>Hello"


def test_fields_are_found_by_name_whatever_its_case() -> None:
    mail = mail_of(("Subject", b"one"), ("X-A", b""), ("SUBJECT", b"two"))
    assert mail.first("subject") == b"one"
    assert mail.all("Subject") == [b"one", b"two"]
    assert mail.has("x-a")
    assert not mail.has("x-b")
    assert mail.first("X-B") is None
    assert mail.all("x-b") == []


def test_the_size_counts_names_values_line_ends_and_body() -> None:
    assert mail_of(("Subject", b"Hi"), body=b"Hello\r\n").size == len(b"Subject: Hi\r\n") + len(b"Hello\r\n")


def test_a_mail_without_content_type_is_plain_text() -> None:
    assert only_part(None, b"Hello\r\n") == Part("text/plain", b"Hello\r\n")


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (b"text/plain; charset=utf-8", Part("text/plain", b"x", "utf-8")),
        (b'TEXT/Plain;\n\tcharset="KOI8-R"', Part("text/plain", b"x", "KOI8-R")),
        (b"text/plain; charset*=us-ascii'en'utf-8", Part("text/plain", b"x", "utf-8")),
        (b"text/plain; format=Flowed; DelSp=Yes", Part("text/plain", b"x", flowed=True, delsp=True)),
        (b'text/html; name="a.html"', Part("text/html", b"x", filename="a.html")),
        (b"text", Part("text/plain", b"x")),
        (b"message/rfc822", Part("message/rfc822", b"x")),
        (b"text/plain; charset=" + b"x" * 300, Part("text/plain", b"x", "x" * 300)),
    ],
)
def test_content_types(content_type: bytes, expected: Part) -> None:
    assert only_part(content_type, b"x") == expected


@pytest.mark.parametrize(
    ("encoding", "body", "octets"),
    [
        (b"7bit", b"a=3D", b"a=3D"),
        (b"8BIT", b"\xe9", b"\xe9"),
        (b"binary", b"a\x00", b"a\x00"),
        (b"base64", b"RG9vciBvcGVu", b"Door open"),
        (b"Base64 (comment)", b"RG9v\r\nciBvcGVu\r\n", b"Door open"),
        (b"quoted-printable", b"a=3Db=\r\nc =  \r\nd\t\r\n", b"a=bc d\n"),
        (b"quoted-printable", b"=ZZ=E9", b"=ZZ\xe9"),
    ],
)
def test_transfer_encodings_are_undone(encoding: bytes, body: bytes, octets: bytes) -> None:
    part = only_part(None, body, encoding)
    assert (part.octets, part.fault) == (octets, None)


@pytest.mark.parametrize("body", [b"RG9v*ciBvcGVu", b"RG9vciBvcGV", b"RG9vciBvcGU=\r\n-- \r\nfooter", b"="])
def test_broken_base64_is_told(body: bytes) -> None:
    part = only_part(None, body, b"base64")
    assert (part.octets, part.fault) == (b"", "broken base64")


def test_an_unknown_transfer_encoding_is_told() -> None:
    assert only_part(None, b"x", b"x-uuencode").fault == "unknown transfer encoding"


def test_a_single_attachment_says_so() -> None:
    fields = [("Content-Disposition", b'attachment; filename="a.txt"')]
    assert parse(fields, b"x").parts == (Part("text/plain", b"x", attachment=True, filename="a.txt"),)


def test_leaves_stand_in_order() -> None:
    attached = (
        b"Content-Type: text/plain; charset=us-ascii\r\n"
        b'Content-Disposition: attachment;\r\n filename="b.txt"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\nbGluZTI=\r\n"
    )
    field, body = multipart("mixed", PLAIN, attached, b"Content-Type: image/png\r\n\r\n\x89PNG")
    assert mail_of(field, body=body).parts == (
        Part("text/plain", b"Hello", "utf-8"),
        Part("text/plain", b"line2", "us-ascii", attachment=True, filename="b.txt"),
        Part("image/png", b"\x89PNG"),
    )


def test_a_part_keeps_8_bit_octets_and_line_ends() -> None:
    field, body = multipart(
        "mixed", b"Content-Type: text/plain; charset=iso-8859-1\r\n\r\nCaf\xe9\r\n\r\nbar"
    )
    assert mail_of(field, body=body).parts[0].octets == b"Caf\xe9\r\n\r\nbar"


def test_parts_know_their_alternative() -> None:
    alternative, inner = multipart("alternative", PLAIN, HTML, boundary="inner")
    nested = b"Content-Type: " + alternative[1] + b"\r\n\r\n" + inner
    field, body = multipart("mixed", nested, PLAIN, nested)
    groups = [(part.content_type, part.alternative) for part in mail_of(field, body=body).parts]
    assert groups == [
        ("text/plain", 0),
        ("text/html", 0),
        ("text/plain", None),
        ("text/plain", 1),
        ("text/html", 1),
    ]


def test_a_forwarded_mail_is_one_leaf() -> None:
    field, body = multipart("mixed", b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nHello", PLAIN)
    assert [part.content_type for part in mail_of(field, body=body).parts] == ["message/rfc822", "text/plain"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (b"multipart/mixed", b"--sep\r\n\r\nHello\r\n"),
        (b"multipart/mixed; boundary=sep", b"no parts here\r\n"),
    ],
)
def test_a_multipart_without_its_parts_is_told(content_type: bytes, body: bytes) -> None:
    assert only_part(content_type, body).fault == "multipart without its parts"


def test_a_multipart_without_its_end_is_read() -> None:
    part = only_part(b"multipart/mixed;\n boundary=sep", b"--sep\r\n\r\nHello\r\n")
    assert part == Part("text/plain", b"Hello")


def test_too_many_fields() -> None:
    limits = Limits(fields=3)
    mail_of(*[("A", b"")] * 3, limits=limits)
    with pytest.raises(Rejected) as refused:
        mail_of(*[("A", b"")] * 4, limits=limits)
    assert refused.value.reply is TOO_COMPLEX


def test_too_long_fields() -> None:
    limits = Limits(field_octets=10)
    mail_of(("Subj", b"123456"), limits=limits)
    with pytest.raises(Rejected) as refused:
        mail_of(("Subj", b"1234567"), limits=limits)
    assert refused.value.reply is TOO_COMPLEX


def test_too_many_parts() -> None:
    limits = Limits(parts=4)
    field, body = multipart("mixed", *[PLAIN] * 3)
    assert len(mail_of(field, body=body, limits=limits).parts) == 3
    field, body = multipart("mixed", *[PLAIN] * 4)
    with pytest.raises(Rejected) as refused:
        mail_of(field, body=body, limits=limits)
    assert refused.value.reply is TOO_COMPLEX


def test_too_deep() -> None:
    def nested(depth: int) -> tuple[tuple[str, bytes], bytes]:
        field, body = multipart("mixed", PLAIN, boundary="b0")
        for level in range(1, depth):
            field, body = multipart(
                "mixed", b"Content-Type: " + field[1] + b"\r\n\r\n" + body, boundary=f"b{level}"
            )
        return field, body

    field, body = nested(10)
    assert [part.content_type for part in mail_of(field, body=body).parts] == ["text/plain"]
    for depth in (11, 400):
        field, body = nested(depth)
        with pytest.raises(Rejected) as refused:
            mail_of(field, body=body)
        assert refused.value.reply is TOO_COMPLEX


@pytest.mark.parametrize(
    "content_type",
    [
        b"text/plain; charset*=ut\x00f-8'en'%FF",
        b"text/plain; charset*=idna'en'%FF",
        b"; ;*=;==''",
        b"text/plain; charset*0*=x'",
    ],
)
def test_malformed_parameters_do_no_harm(content_type: bytes) -> None:
    with suppress(Rejected):
        assert only_part(content_type, b"x").octets == b"x"


def test_too_long_parameter_lists() -> None:
    quoted = b'text/plain; x="' + b";" * 1_000_000
    field, body = multipart("mixed", b"Content-Type: " + quoted + b"\r\n\r\nHello")
    for fields in ([field], [("Content-Type", quoted[:3000])], [("Content-Disposition", quoted[:3000])]):
        with pytest.raises(Rejected) as refused:
            parse(fields, body)
        assert refused.value.reply is TOO_COMPLEX


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ([], []),
        ([b"ann@client.example"], ["ann@client.example"]),
        ([b'"Ann, of Client" <Ann@client.example> (home)'], ["Ann@client.example"]),
        ([b"ann@client.example, bob@client.example"], ["ann@client.example", "bob@client.example"]),
        ([b"ann@client.example", b"bob@client.example"], ["ann@client.example", "bob@client.example"]),
        ([b"undisclosed:;"], []),
        ([b"(" * 2000], []),
        ([b"a" * 2100 + b"@client.example"], []),
        ([b"\xff\x00<>"], []),
    ],
)
def test_authors_are_all_that_stands_in_from(fields: list[bytes], found: list[str]) -> None:
    assert authors(parse([("From", value) for value in fields], b"")) == found


@pytest.mark.parametrize("field", [b"bob@client.example <ann@client.example>", b"ann@client.example, eve"])
def test_an_author_beside_something_else_is_not_the_only_one(field: bytes) -> None:
    assert len(authors(parse([("From", field)], b""))) != 1


def test_a_reading_is_made_once_for_each_mail() -> None:
    mails: list[Mail] = []
    one, other = parse([], b"A"), parse([], b"A")

    def octets(mail: Mail) -> bytes:
        mails.append(mail)
        return mail.parts[0].octets

    assert [one.once(octets), one.once(octets), other.once(octets)] == [b"A"] * 3
    assert mails[0] is one
    assert mails[1] is other
    assert len(mails) == 2
