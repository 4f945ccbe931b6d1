"""Numbers and groups (SMSCentre §6.7)."""

from __future__ import annotations

import pytest

from sms_milter.config.schema import Account
from sms_milter.dialects.smscentre.phones import addresses, chats, numbers


def account(country_code: str | None = "7") -> Account:
    return Account(country_code=country_code, groups={5: ("79160000001", "79160000002")})


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("79161112233", "79161112233"),
        ("8 (916) 111-22-33", "79161112233"),
        ("9161112233", "79161112233"),
        ("00447973100000", "447973100000"),
        ("810447973100000", "447973100000"),
        ("0161112233", "7161112233"),
        ("+89161112233", "89161112233"),
        ("+447973.100.000", "447973100000"),
    ],
)
def test_a_number_is_corrected_unless_it_has_a_plus(written: str, digits: str) -> None:
    assert numbers(written, account()) == ([digits], [])


@pytest.mark.parametrize(
    "written", ["12", "+0791611122", "1234567890123456", "bob@x.example", "G6", "#17", "٧٩١٦"]
)
def test_what_is_no_number_is_told_apart(written: str) -> None:
    assert numbers(f"{written}, 79160000009", account()) == (["79160000009"], [written])


def test_mail_addresses_stand_in_place_of_numbers() -> None:
    written = "ann@customer.example; 79160000001,ann@customer.example,a b@x.example,a@b@c.example,@x.example"
    assert addresses(written) == (
        ["ann@customer.example"],
        ["79160000001", "a b@x.example", "a@b@c.example", "@x.example"],
    )


def test_a_chat_robot_knows_ids_and_nicknames() -> None:
    assert chats("#17; @ann_b,shop,G5,G6,+79161112233,#x,1,ann-b", account()) == (
        ["#17", "@ann_b", "shop", "79160000001", "79160000002", "79161112233"],
        ["G6", "#x", "1", "ann-b"],
    )


def test_only_russian_numbers_are_corrected_the_russian_way() -> None:
    assert numbers("89161112233, 0791112233", account("41")).found == ["89161112233", "41791112233"]


def test_without_country_a_leading_zero_means_nothing() -> None:
    assert numbers("0791112233", account(None)).found == []


def test_a_group_is_its_numbers_and_each_number_comes_once() -> None:
    assert numbers("79160000002;;g5,", account()) == (["79160000002", "79160000001"], [])
