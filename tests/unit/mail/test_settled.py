"""Mail with HTML as an account wants it read."""

from __future__ import annotations

from typing import Any

import pytest

from sms_milter import reply
from sms_milter.errors import Rejected
from sms_milter.mail.parse import Mail, parse
from sms_milter.mail.settled import settled

PLAIN = b"Content-Type: text/plain; charset=utf-8\n\nplain"
HTML = b"Content-Type: text/html; charset=utf-8\n\n<p>Caf\xc3\xa9 &amp; bar</p>"
CYRILLIC = "<b>\u041f\u0440\u0438\u0432\u0435\u0442</b>"
FILE = b"Content-Type: text/html\nContent-Disposition: attachment\n\n<p>file"
IMAGE = b"Content-Type: image/png\n\nx"


def multipart(kind: str, *parts: bytes) -> Mail:
    body = b"".join(b"--b\n" + part + b"\n" for part in parts) + b"--b--\n"
    return parse([("Content-Type", f"Multipart/{kind}; boundary=b".encode())], body)


def single(content_type: str, octets: bytes) -> Mail:
    return parse([("Content-Type", content_type.encode())], octets)


def texts(mail: Mail) -> list[tuple[str, str, str]]:
    return [(part.content_type, part.octets.decode("latin-1"), part.charset) for part in mail.parts]


@pytest.mark.parametrize("wish", ["default", "reject", "text-part", "convert"])
def test_mail_without_html_is_left_alone(wish: Any) -> None:
    for mail in (single("text/plain", b"<p>no markup</p>"), multipart("mixed", PLAIN, IMAGE)):
        assert settled(mail, wish) is mail


def test_by_default_the_dialect_has_its_own_rule() -> None:
    mail = multipart("alternative", PLAIN, HTML)
    assert settled(mail, "default") is mail


@pytest.mark.parametrize(
    "mail",
    [single("text/html", b"<p>"), multipart("alternative", PLAIN, HTML), multipart("mixed", PLAIN, FILE)],
)
def test_any_html_part_is_refused(mail: Mail) -> None:
    with pytest.raises(Rejected) as refused:
        settled(mail, "reject")
    assert refused.value.reply is reply.HTML_REFUSED


@pytest.mark.parametrize("wish", ["text-part", "convert"])
def test_the_plain_alternative_is_the_whole_mail(wish: Any) -> None:
    mail = settled(multipart("alternative", PLAIN, HTML), wish)
    assert texts(mail) == [("text/plain", "plain", "utf-8")]
    assert mail.by_name["content-type"] == b"text/plain"


def test_without_an_alternative_nothing_is_left_or_html_becomes_text() -> None:
    mail = multipart("related", HTML, IMAGE)
    assert [part.content_type for part in settled(mail, "text-part").parts] == ["image/png"]
    assert texts(settled(mail, "convert"))[0] == ("text/plain", "Caf\xe9 & bar", "iso-8859-1")
    assert settled(single("text/html", b"<p>x"), "text-part").parts == ()


def test_a_file_of_html_is_no_text_of_the_mail() -> None:
    assert texts(settled(multipart("mixed", FILE), "convert")) == []


def test_html_is_read_in_its_character_set_or_the_dialects() -> None:
    utf8 = settled(single("text/html; charset=utf-8", CYRILLIC.encode()), "convert")
    koi8 = settled(single("text/html", CYRILLIC.encode("koi8-r")), "convert", "koi8-r")
    for mail in (utf8, koi8):
        (part,) = mail.parts
        assert part.octets.decode(part.charset) == "\u041f\u0440\u0438\u0432\u0435\u0442"


def test_what_nobody_can_read_is_refused_or_stays_broken() -> None:
    with pytest.raises(Rejected) as refused:
        settled(single("text/html; charset=x-nothing", b"<p>"), "convert")
    assert refused.value.reply is reply.UNDECODABLE
    fields = [("Content-Type", b"text/html"), ("Content-Transfer-Encoding", b"base64")]
    assert settled(parse(fields, b"!"), "convert").parts[0].fault


def test_a_report_stays_one() -> None:
    mail = multipart("report", HTML)
    assert settled(mail, "convert").by_name["content-type"].startswith(b"Multipart/report")
