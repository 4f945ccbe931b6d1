"""Whatever octets a mail holds: a value or Rejected, and nothing else."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sms_milter.config.schema import Account
from sms_milter.dialects import hsl
from sms_milter.dialects.context import Context
from sms_milter.errors import Rejected
from sms_milter.mail import charset, words
from sms_milter.mail.address import domain_of, parse_path, sender_of
from sms_milter.mail.flowed import unflow
from sms_milter.mail.parse import Limits, parse
from sms_milter.mail.settled import settled
from sms_milter.model import Client, Envelope, Recipient

# Octets that mean something to a parser, beside arbitrary ones.
_TOKENS = [
    b"--a", b"--a--", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b";", b"=", b'"', b"(", b"'", b"%FF",
    b"\x00", b"\xe9", b"Content-Type: ", b"Content-Transfer-Encoding: base64", b"message/rfc822",
    b"multipart/mixed; boundary=a", b"multipart/alternative; boundary=\"a\"", b"message/delivery-status",
    b"message/partial", b"text/plain; charset=", b"charset*=idna''x", b"charset*=a\x00b'en'%FF",
    b"filename*0*=utf-8''%", b"boundary*=x'y'z", b"boundary*=a\x00'y'%E9", b"boundary=a", b"base64", b"?=",
    b"=?utf-8?B?", b"=?utf-8?Q?=C3?=", b"=?iso-2022-jp?B?GyRC?=",
    b"Content-Disposition: attachment; filename*=idna''x",
]  # fmt: skip
octets = st.lists(st.one_of(st.sampled_from(_TOKENS), st.binary(max_size=8)), max_size=25).map(b"".join)
names = st.sampled_from(
    ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Subject", "X-A"]
)
fields = st.lists(st.tuples(names, octets), max_size=5)


@settings(max_examples=400)
@given(fields, octets)
def test_any_mail_is_a_value_or_refused(fields: list[tuple[str, bytes]], body: bytes) -> None:
    with suppress(Rejected):
        mail = parse(fields, body)
        assert len(mail.parts) <= Limits().parts
        for part in mail.parts:
            with suppress(Rejected):
                charset.decode(part.octets, part.charset).encode()


@settings(max_examples=200)
@given(octets, octets)
def test_any_multipart_is_a_value_or_refused(parameters: bytes, body: bytes) -> None:
    with suppress(Rejected):
        parse(
            [("Content-Type", b"multipart/mixed; boundary=a" + parameters)],
            b"--a\r\n" + body,
            Limits(parts=20),
        )


@settings(max_examples=200)
@given(
    octets, st.sampled_from(["text/html", "multipart/mixed; boundary=a", "multipart/alternative; boundary=a"])
)
def test_any_html_is_settled_or_refused(body: bytes, content_type: str) -> None:
    html = b"--a\r\nContent-Type: text/html\r\n\r\n<p>&amp;" + body
    with suppress(Rejected):
        mail = settled(parse([("Content-Type", content_type.encode())], html), "convert")
        assert all(part.content_type != "text/html" for part in mail.parts)
        for part in mail.parts:
            charset.decode(part.octets, part.charset).encode()


@given(fields, octets, st.sampled_from(["subject+body", "subject", "body"]), st.booleans())
def test_any_mail_is_a_text_or_refused_by_hsl(
    fields: list[tuple[str, bytes]], body: bytes, content: Any, strict: bool
) -> None:
    to = Recipient("<447973100000@sms.example>", "447973100000", "sms.example")
    envelope = Envelope(Client(), "bob@customer.example", (to,))
    options = hsl.HslOptions(strict_charset=strict)
    context = Context(envelope, ((to, "447973100000"),), Account(content=content), options, 0.0)
    with suppress(Rejected):
        (wish,) = hsl.parse(parse(fields, body), context).wishes
        assert wish.text.strip()
        assert "\r" not in wish.text
        wish.text.encode()


@given(octets)
def test_any_header_value_is_text(value: bytes) -> None:
    words.decode(value).encode()
    words.charsets(value)


@given(st.binary(), st.one_of(st.sampled_from(sorted(charset._NAMES)), st.text(max_size=12)))
def test_any_octets_in_any_charset_are_text_or_refused(value: bytes, declared: str) -> None:
    with suppress(Rejected):
        charset.decode(value, declared).encode()


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"])).filter(
        lambda text: not text.startswith("\ufeff")
    )
)
def test_words_give_back_what_was_encoded(text: str) -> None:
    raw = text.encode()
    # Cut anywhere, also inside a character.
    pieces = [raw[at : at + 7] for at in range(0, len(raw), 7)]
    value = b"\n ".join(
        b"=?utf-8?Q?" + b"".join(b"=%02X" % octet for octet in piece) + b"?=" for piece in pieces
    )
    assert words.decode(value) == text


@given(st.text())
def test_any_path_is_an_address_or_refused(raw: str) -> None:
    sender_of(raw)
    domain = domain_of(raw)
    with suppress(Rejected):
        assert parse_path(raw)[1] == domain


@given(st.lists(st.text(alphabet="ab> -"), min_size=1), st.booleans())
def test_unflowing_keeps_every_letter(lines: list[str], delsp: bool) -> None:
    text = "\n".join(lines)
    kept = [c for c in unflow(text, delsp=delsp) if c in "ab"]
    assert kept == [c for c in text if c in "ab"]
