"""ASPSMS §11.1, and the parser errors of §11.4."""

from __future__ import annotations

import pytest

from sms_milter.dialects.aspsms.document import Element, ParserError, read

HEAD = b'<?xml version="1.0" encoding="ISO-8859-1"?>'


def fault_of(octets: bytes) -> ParserError:
    with pytest.raises(ParserError) as refused:
        read(octets)
    return refused.value


def nested(levels: int) -> bytes:
    return HEAD + b"<aspsms>" + b"<a>" * (levels - 1) + b"</a>" * (levels - 1) + b"</aspsms>"


def test_elements_have_their_own_text_and_children() -> None:
    root = read(HEAD + b"<aspsms> a <b> 1 </b><c/>z<b>2</b></aspsms>")
    assert root.text == " a z"
    assert root.value("b") == "1"
    assert [one.text for one in root.all("b")] == [" 1 ", "2"]
    assert (root.value("c"), root.value("d"), root.find("d")) == ("", "", None)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (b"&#38;&#60;&#62;&#228;&#xE4;&#8364;", "&<>ää€"),
        (b"&amp;&lt;&gt;&quot;&apos;", "&<>\"'"),
        (b"<![CDATA[<a>&b;]]>", "<a>&b;"),
        (b"\xe4\x80", "ä\x80"),
        (b"<!-- x -->a<?pi x?>b", "ab"),
    ],
)
def test_characters_may_be_written_in_many_ways(written: bytes, text: str) -> None:
    assert read(HEAD + b"<aspsms>" + written + b"</aspsms>").text == text


@pytest.mark.parametrize(
    "head",
    [
        b"\r\n \t" + HEAD,
        b"<?xml version='1.0' encoding='iso-8859-1'?>",
        b"<?xml version=\"1.0\" encoding='Iso-8859-1'?>\r\n",
    ],
)
def test_declarations_that_mean_the_same(head: bytes) -> None:
    assert read(head + b"<aspsms/>") == Element("aspsms")


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b'<?xml version="1.0"?>',
        b'<?xml version="1.0" encoding="UTF-8"?>',
        b'<?xml version="1.1" encoding="ISO-8859-1"?>',
        b'<?xml version="1.0" encoding="ISO-8859-1" standalone="yes"?>',
        b'<?XML version="1.0" encoding="ISO-8859-1"?>',
    ],
)
def test_other_declarations_are_parser_errors(head: bytes) -> None:
    fault = fault_of(head + b"<aspsms/>")
    assert (fault.code, fault.position, fault.line, fault.column) == (-1072896682, 0, 1, 1)


@pytest.mark.parametrize("octets", [b"", b" \r\n\t", HEAD, HEAD + b"<!-- x -->"])
def test_a_document_without_elements_has_its_own_code(octets: bytes) -> None:
    fault = fault_of(octets)
    assert (fault.code, fault.description) == (-1072896680, "XML document must have a top level element.")


@pytest.mark.parametrize(
    "body",
    [
        b"<aspsms>",
        b"<aspsms></a>",
        b"<aspsms/><aspsms/>",
        b"<other/>",
        b"<Aspsms/>",
        b"<aspsms>&uuml;</aspsms>",
        b"<aspsms>&#0;</aspsms>",
        b"<aspsms>\x01</aspsms>",
        b"<aspsms a='1' a='2'/>",
        b"<!DOCTYPE aspsms><aspsms/>",
        b"<!DOCTYPE aspsms SYSTEM 'http://a/b'><aspsms/>",
        b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><aspsms>&x;</aspsms>",
    ],
)
def test_what_is_no_document_of_ours(body: bytes) -> None:
    assert fault_of(HEAD + body).code == -1072896682


def test_depth_and_number_of_elements_are_limited() -> None:
    assert read(nested(8)).name == "aspsms"
    assert fault_of(nested(9)).description == "Elements are nested deeper than 8."
    many = HEAD + b"<aspsms>" + b"<a/>" * 4999 + b"</aspsms>"
    assert len(read(many).children) == 4999
    assert fault_of(many.replace(b"</aspsms>", b"<a/></aspsms>")).description == "More than 5000 elements."


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_a_fault_has_its_place(end: bytes) -> None:
    fault = fault_of(b" " + HEAD + end + b"<aspsms>" + end + b"  <a></b>" + end + b"</aspsms>")
    assert (fault.line, fault.source) == (3, "  <a></b>")
    assert fault.column == 8  # expat points behind "</"
    assert fault.position == 1 + len(HEAD) + 8 + 2 * len(end) + 7


@pytest.mark.parametrize(
    "line",
    [
        "<Password>MyPass</Password><a></b>",
        "<Userkey>MyPass</Userkey><a></b>",
        "<UserKey >MyPass</UserKey><a></b>",
        "<PASSWORD>MyPass</a>",
        "<Password><![CDATA[MyPass]]></Password><a></b>",
        "<Password MyPass</Password>",
        "<Password>x\nMyPass</a></b>",
    ],
)
def test_the_line_is_shown_without_secrets(line: str) -> None:
    fault = fault_of(HEAD + b"\n<aspsms>" + line.encode() + b"</aspsms>")
    assert "MyPass" not in fault.source
    assert "***" in fault.source


def test_the_line_is_cut() -> None:
    assert len(fault_of(HEAD + b"<aspsms>" + b"a" * 200 + b"</b>").source) == 80
