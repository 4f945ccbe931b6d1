"""Which account a mail names by its content."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from sms_milter.config.schema import Account, Logins, declared
from sms_milter.model import Credentials
from sms_milter.policy.accounts import AccountBook
from sms_milter.policy.logins import LOGIN_NAMES, LoginBook, household


def digest(key: str) -> str:
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def books(**accounts: dict[str, Any]) -> tuple[AccountBook, LoginBook]:
    book = AccountBook({name: Account.model_validate(fields) for name, fields in accounts.items()})
    return book, LoginBook(book)


def found(logins: LoginBook, api_key: str = "", **names: str) -> str | None:
    member = logins.find(Credentials(names, api_key=api_key))
    return member.name if member else None


def test_every_login_of_the_settings_is_known_here() -> None:
    assert set(LOGIN_NAMES) == set(declared(Logins))


@pytest.mark.parametrize(
    ("kind", "other_case"), [("userkey", None), ("login", "acme"), ("user", "acme"), ("api_id", None)]
)
def test_a_name_is_found_in_its_own_kind(kind: str, other_case: str | None) -> None:
    _, logins = books(acme={"logins": {kind: "Abc1"}}, other={"logins": {kind: "Abc2"}})
    assert found(logins, **{kind: "Abc1"}) == "acme"
    assert found(logins, **{kind: "Abc3"}) is None
    assert found(logins, **{kind: "aBC1"}) == other_case
    for another in set(LOGIN_NAMES) - {kind}:
        assert found(logins, **{another: "Abc1"}) is None


def test_an_empty_name_is_nobodys() -> None:
    _, logins = books(acme={"logins": {"user": "a"}})
    assert found(logins, login="") is None
    assert found(logins) is None


def test_the_first_name_finds_and_the_others_must_be_the_same_accounts() -> None:
    book, logins = books(
        acme={"logins": {"user": "a", "api_id": "1"}}, other={"logins": {"user": "b", "api_id": "2"}}
    )
    assert found(logins, user="a", api_id="2") == "acme"
    assert logins.owns(book["acme"], {"user": "a", "api_id": "1"})
    assert not logins.owns(book["acme"], {"user": "a", "api_id": "2"})
    assert not logins.owns(book["acme"], {"user": "a", "api_id": "9"})
    assert logins.owns(book["acme"], {"user": "a"})


def test_an_api_key_is_found_by_its_digest() -> None:
    _, logins = books(
        acme={"api_keys": [digest("KEY1"), digest("KEY2").upper().replace("SHA256", "sha256")]},
        other={"api_keys": [digest("KEY3")], "logins": {"login": "other"}},
    )
    assert [found(logins, f"KEY{n}") for n in (1, 2, 3, 4)] == ["acme", "acme", "other", None]
    assert found(logins, digest("KEY1")) is None
    assert found(logins, "key1") is None
    assert found(logins, "KEY4", login="other") is None


def test_credentials_never_show_what_is_secret() -> None:
    shown = repr(Credentials({"user": "a"}, ("Rainbow7",), "KEY1"))
    assert "Rainbow7" not in shown
    assert "KEY1" not in shown


def test_an_account_may_have_several_names_of_a_kind() -> None:
    _, logins = books(
        acme={"logins": {"user": "acme", "api_id": ["1", "2"]}}, other={"logins": {"user": "o"}}
    )
    assert [found(logins, api_id=name) for name in "123"] == ["acme", "acme", None]


def test_names_for_other_interfaces_are_known_of_their_account_only() -> None:
    accounts, logins = books(acme={"other_api_ids": ["9"]}, other={})
    assert logins.for_another_interface(accounts["acme"], {"user": "acme", "api_id": "9"})
    assert not logins.for_another_interface(accounts["other"], {"user": "other", "api_id": "9"})
    assert not logins.for_another_interface(accounts["acme"], {"userkey": "acme"})


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("192.0.2.10", "192.0.2.10"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:DB8:0:0:ffff::", "2001:db8::/64"),
        ("", ""),
        ("unix:here", "unix:here"),
    ],
)
def test_whose_an_address_is(address: str, whose: str) -> None:
    assert household(address) == whose
