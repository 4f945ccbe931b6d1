"""ENC §9.6 and its vectors 33 and 34."""

import pytest

from sms_milter.errors import ContentFault
from sms_milter.model import Kind
from sms_milter.sms import udh
from sms_milter.sms.parts import binary_parts
from sms_milter.sms.smart import vcalendar, vcard
from sms_milter.sms.terms import Terms

CARD = "BEGIN:VCARD\nVERSION:2.1\nN:Bloggs;Joe\nTEL;PREF:+1234567890\nEND:VCARD"
CALENDAR = (
    "BEGIN:VCALENDAR\nVERSION:1.0\nBEGIN:VTODO\nCATEGORIES:MISCELLANEOUS\nSUMMARY:Meet buyers\n"
    "DTSTART:20030301T133000\nEND:VTODO\nEND:VCALENDAR"
)


def test_a_vcard() -> None:
    card = vcard(CARD)
    assert (udh.compose(card.udh) + card.octets).hex().upper() == (
        "06050423F40000424547494E3A56434152440D0A56455253494F4E3A322E310D0A4E3A426C6F6767733B4A6F650D0A"
        "54454C3B505245463A2B313233343536373839300D0A454E443A56434152440D0A"
    )
    assert (card.kind, len(card.octets)) == (Kind.VCARD, 73)


@pytest.mark.parametrize("ends", ["\r\n", "\r", "\n"])
def test_line_ends_become_those_of_the_format(ends: str) -> None:
    assert vcard("\n" + CARD.replace("\n", ends) + ends) == vcard(CARD)


def test_a_vcalendar_in_two_parts() -> None:
    calendar = vcalendar(CALENDAR)
    assert (calendar.kind, len(calendar.octets)) == (Kind.VCALENDAR, 141)
    parts = [part for part, _ in binary_parts(calendar, Terms("447700900000")).parts]
    assert [part[:12].hex().upper() for part in parts] == [f"0B050423F5000000030002{n:02}" for n in (1, 2)]
    assert [len(part) - 12 for part in parts] == [128, 13]


def test_letters() -> None:
    assert b"N:M\xfcller\r\n" in vcard(CARD.replace("Bloggs;Joe", "Müller")).octets
    assert "N:Жук\r\n".encode() in vcard(CARD.replace("Bloggs;Joe", "Жук")).octets


@pytest.mark.parametrize(
    "text",
    ["", "BEGIN:VCARD", "BEGIN:VCARD\nEND:VCALENDAR", "x\n" + CARD, CARD + "\nx", "BEGIN:VCARD END:VCARD"],
)
def test_what_is_no_card(text: str) -> None:
    with pytest.raises(ContentFault, match="BEGIN:VCARD and END:VCARD"):
        vcard(text)


def test_names_are_known_in_lower_case() -> None:
    assert vcard("begin:vcard\nend:vcard").octets == b"begin:vcard\r\nend:vcard\r\n"


def test_a_card_is_no_calendar() -> None:
    with pytest.raises(ContentFault, match="BEGIN:VCALENDAR"):
        vcalendar(CARD)
