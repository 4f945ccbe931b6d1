"""ENC §10 and its vectors 36 to 40."""

from typing import Any

import pytest

from sms_milter.errors import ContentFault
from sms_milter.model import Kind
from sms_milter.sms import udh
from sms_milter.sms.smart import service_indication, service_load
from support.smart import indication

CAPTURED = (
    "01060B03AE81EAC3958D01A2B48403056A0A20566F6461666F6E650045C60C037761702E6D65696E63616C6C79612E64652F00"
    "0801035A756D206B6F7374656E6C6F73656E20506F7274616C20224D65696E0083000322202D2065696E666163682061756620"
    "64656E20666F6C67656E64656E204C696E6B206B6C69636B656E206F6465722064696520536569746520646972656B74206175"
    "66727566656E2E2049687200830003205465616D000101"
)


def octets(href: str, text: str, **more: Any) -> str:
    return service_indication(href, text, **more).octets.hex().upper()


def fault(href: str = "http://a.example/", text: str = "x", **more: Any) -> str:
    with pytest.raises(ContentFault) as raised:
        service_indication(href, text, **more)
    return str(raised.value)


def test_nothing_in_tokens() -> None:
    push = service_indication("http://www.example.com/x", "Hello", tokens="none")
    assert push.octets.hex().upper() == (
        "010601AE02056A0045C60B03687474703A2F2F7777772E6578616D706C652E636F6D2F7800010348656C6C6F000101"
    )
    assert udh.compose(push.udh).hex().upper() == "0605040B8423F0"
    assert (push.kind, push.data_coding) == (Kind.WAP_PUSH, 4)


def test_the_beginning_in_tokens() -> None:
    assert octets("http://example.com/a", "Example", transaction=0xDC) == (
        "DC0601AE02056A0045C60C036578616D706C652E636F6D2F610001034578616D706C65000101"
    )


def test_all_in_tokens() -> None:
    assert octets("http://www.example.com/x", "Hello", tokens="all", charset_header=True) == (
        "01060403AE81EA02056A0045C60D036578616D706C650085037800010348656C6C6F000101"
    )


def test_dates() -> None:
    assert octets(
        "http://www.xyz.com/email/123/abc.wml",
        "You have 4 new emails",
        created="1999-06-25T15:23:15Z",
        expires="1999-06-30T00:00:00Z",
        tokens="all",
        charset_header=True,
    ) == (
        "01060403AE81EA02056A0045C60D0378797A008503656D61696C2F3132332F6162632E776D6C000AC3071999062515231510C3"
        "04199906300103596F7520686176652034206E657720656D61696C73000101"
    )


def test_everything_a_sender_may_say() -> None:
    push = service_indication(
        "https://shop.example.org/a",
        "New",
        si_id="id1@x",
        created="2024-11-21T12:00:00Z",
        action="signal-high",
        tokens="all",
        charset_header=True,
    )
    assert push.octets.hex().upper() == (
        "01060403AE81EA02056A0045C60E0373686F702E6578616D706C65008803610011036964314078000AC30520241121120801034E"
        "6577000101"
    )
    read = indication(push.octets)
    assert read.attributes == {
        "href": "https://shop.example.org/a",
        "si-id": "id1@x",
        "created": "2024112112",
        "action": "signal-high",
    }


def test_a_push_from_a_network_reads_as_it_should() -> None:
    push = indication(bytes.fromhex(CAPTURED))
    assert push.attributes == {"href": "http://wap.meincallya.de/", "action": "signal-high"}
    assert push.text == (
        'Zum kostenlosen Portal "Mein Vodafone" - einfach auf den folgenden Link klicken oder die Seite '
        "direkt aufrufen. Ihr Vodafone Team"
    )
    assert push.header.hex().upper() == "03AE81EAC3958D01A2B484"


@pytest.mark.parametrize(
    ("href", "tokens", "written"),
    [
        ("https://www.a.example/", "prefix", "0F03612E6578616D706C652F00"),
        ("http://www", "prefix", "0C0377777700"),
        ("http://", "prefix", "0C"),
        ("ftp://a.com/", "prefix", "0B036674703A2F2F612E636F6D2F00"),
        ("http://a.net/b.edu/", "all", "0C036100870362" + "0086"),
        ("HTTP://a", "prefix", "0B03485454503A2F2F6100"),
    ],
)
def test_links(href: str, tokens: Any, written: str) -> None:
    assert octets(href, "x", tokens=tokens) == f"010601AE02056A0045C6{written}01037800" + "0101"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"href": ""}, "without a link"),
        ({"href": "http://a\0"}, "NUL"),
        ({"text": "a\0b"}, "NUL"),
        ({"si_id": "\0"}, "NUL"),
        ({"action": "ring"}, "signal-none, signal-low"),
        ({"action": "delete"}, "needs an si-id"),
        ({"created": "2024-11-21 12:00:00"}, "YYYY-MM-DD"),
        ({"expires": "2024-11-21T12:00Z"}, "YYYY-MM-DD"),
        ({"created": "2024-13-21T12:00:00Z"}, "no such date"),
        ({"expires": "2024-11-21T24:00:01Z"}, "no such date"),
        ({"created": "2024-11-21T12:00:00Z", "expires": "2024-11-21T12:00:00Z"}, "must not expire"),
    ],
)
def test_what_cannot_be_pushed(more: dict[str, Any], words: str) -> None:
    assert words in fault(**more)


def test_a_service_indication_is_deleted_by_its_id() -> None:
    push = service_indication("http://a.example/", "", si_id="7", action="delete")
    assert indication(push.octets).attributes == {
        "href": "http://a.example/",
        "si-id": "7",
        "action": "delete",
    }


def test_service_load() -> None:
    push = service_load("http://www.a.example/", action="execute-high")
    assert push.octets.hex().upper() == "010601B002066A00850A03612E6578616D706C652F000601"
    assert service_load("x", tokens="none", charset_header=True).octets.hex().upper() == (
        "01060403B081EA02066A00850803780001"
    )
    assert push.kind is Kind.WAP_PUSH
    with pytest.raises(ContentFault, match="execute-low, execute-high, cache"):
        service_load("http://a.example/", action="signal-low")
