"""HSL §2: which account a transaction belongs to."""

from __future__ import annotations

from typing import Any

import pytest

from sms_milter.config.schema import Account
from sms_milter.model import Caller, Certificate
from sms_milter.policy.accounts import AccountBook


def book(**accounts: dict[str, Any]) -> AccountBook:
    base = {"clients": ["192.0.2.0/24", "2001:db8::/32"]}
    return AccountBook({name: Account.model_validate(base | fields) for name, fields in accounts.items()})


def found(book: AccountBook, sender: str, client: str = "192.0.2.10", **more: Any) -> str | None:
    domain = more.pop("domain", "sms.example.com")
    member = book.find(Caller(client, **more), sender=sender, domain=domain)
    return member.name if member else None


def test_client_and_sender_must_both_hold() -> None:
    accounts = book(acme={"senders": ["@customer.example"]})
    assert found(accounts, "bob@customer.example") == "acme"
    assert found(accounts, "bob@customer.example", client="198.51.100.7") is None
    assert found(accounts, "bob@other.example") is None


def test_ipv6_clients() -> None:
    accounts = book(acme={"senders": ["*"]})
    assert found(accounts, "a@b.example", client="2001:db8::7") == "acme"
    assert found(accounts, "a@b.example", client="2001:db9::7") is None
    assert found(accounts, "a@b.example", client="") is None
    assert found(accounts, "a@b.example", client="not an address") is None


def test_an_account_without_clients_matches_nobody() -> None:
    accounts = book(acme={"senders": ["*"], "clients": []})
    assert found(accounts, "a@b.example") is None


def test_senders_compare_without_regard_to_case() -> None:
    accounts = book(acme={"senders": ["Alerts@Acme.example"]}, other={"senders": ["@Acme.example"]})
    assert found(accounts, "ALERTS@ACME.EXAMPLE") == "acme"
    assert found(accounts, "someone@ACME.example") == "other"


def test_the_most_specific_sender_wins_then_the_order() -> None:
    accounts = book(
        everyone={"senders": ["*"]},
        domain={"senders": ["@acme.example"]},
        late={"senders": ["alerts@acme.example"]},
        later={"senders": ["alerts@acme.example"]},
    )
    assert found(accounts, "alerts@acme.example") == "late"
    assert found(accounts, "x@acme.example") == "domain"
    assert found(accounts, "x@y.example") == "everyone"


def test_a_domain_pattern_does_not_cover_its_subdomains() -> None:
    assert found(book(acme={"senders": ["@acme.example"]}), "x@ops.acme.example") is None


def test_the_null_sender_needs_star_and_permission() -> None:
    assert found(book(acme={"senders": ["*", "@customer.example"]}), "") is None
    assert found(book(acme={"senders": ["@customer.example"], "allow_null_sender": True}), "") is None
    assert found(book(acme={"senders": ["*"], "allow_null_sender": True}), "") == "acme"


def test_an_account_may_be_limited_to_some_domains() -> None:
    accounts = book(acme={"senders": ["*"], "domains": ["sms.example.net"]})
    assert found(accounts, "a@b.example") is None
    assert found(accounts, "a@b.example", domain="sms.example.net") == "acme"


def test_a_sasl_user_in_place_of_the_client() -> None:
    accounts = book(acme={"senders": ["*"], "clients": [], "sasl_users": ["acme"], "require": ["sasl"]})
    assert found(accounts, "a@b.example", sasl_user="acme") == "acme"
    assert found(accounts, "a@b.example", sasl_user="other") is None
    assert found(accounts, "a@b.example") is None


CERTIFICATES = {
    "require": ["tls"],
    "senders": [],
    "tls_certificates": [{"subject": "monitor", "issuer": "Acme CA"}, {"subject": "pump"}],
    "tls_fingerprints": [":".join(["AB"] * 32)],
}


@pytest.mark.parametrize(
    ("shown", "holds"),
    [
        (("monitor", "Acme CA", ""), True),
        (("monitor", "Other CA", ""), False),
        (("monitor", "", ""), False),
        (("pump", "Other CA", ""), True),
        (("Pump", "Other CA", ""), False),
        (("", "Acme CA", ""), False),
        (("", "", ""), False),
        (("other", "Other CA", "ab" * 32), True),
        (("other", "Other CA", "ab" * 31 + "ac"), False),
    ],
)
def test_a_certificate_by_its_names_or_its_fingerprint(shown: tuple[str, str, str], holds: bool) -> None:
    who = found(book(acme=CERTIFICATES), "a@b.example", "198.51.100.7", certificate=Certificate(*shown))
    assert (who == "acme") is holds


def test_no_certificate_is_nobodys() -> None:
    assert found(book(acme=CERTIFICATES | {"tls_certificates": []}), "a@b.example") is None


def test_which_accounts_there_were_and_why_each_was_not_the_one() -> None:
    accounts = book(
        wide={"senders": ["*"]},
        ops={"senders": ["@customer.example"], "require": ["client", "sender", "sasl"]},
        bob={"senders": ["bob@customer.example"], "clients": ["198.51.100.7"]},
        late={"senders": ["*"]},
        away={"senders": ["@customer.example"], "domains": ["other.example"]},
        others={"senders": ["@other.example"]},
        keyed={"senders": ["@customer.example"], "require": ["password", "sender"], "logins": {"user": "k"}},
        far={"senders": ["@other.example"], "clients": ["198.51.100.7"]},
    )
    candidates = list(
        accounts.explained(Caller("192.0.2.10"), sender="Bob@customer.example", domain="sms.example.com")
    )
    assert candidates == [
        ("bob", "bob@customer.example", "clients"),
        ("ops", "@customer.example", "sasl_users"),
        ("away", "@customer.example", "domains"),
        ("wide", "*", None),
        ("late", "*", None),
        ("others", "", "senders"),
        ("keyed", "", "password"),
    ]
    assert found(accounts, "Bob@customer.example") == "wide"


@pytest.mark.parametrize("others", [[], ["client"], ["client", "sender"]])
def test_an_account_that_requires_a_password_is_never_found(others: list[str]) -> None:
    accounts = book(acme={"senders": ["*"], "require": ["password", *others], "logins": {"user": "a"}})
    assert found(accounts, "a@b.example") is None


def admitted(fields: dict[str, Any], **given: str) -> bool:
    accounts = book(acme={"logins": {"user": "a"}} | fields)
    sender = given.pop("sender", "a@b.example")
    caller = Caller(given.pop("client", "192.0.2.10"), **given)
    return accounts.admits(accounts["acme"], caller, sender=sender, domain="sms.example.com")


def test_a_named_account_is_held_against_the_checks_that_it_requires() -> None:
    assert admitted({"require": ["password"]}, client="198.51.100.7")
    assert admitted({"require": ["password", "client"]})
    assert not admitted({"require": ["password", "client"]}, client="198.51.100.7")
    assert not admitted({"require": ["client"]}, client="198.51.100.7")
    sasl = {"require": ["password", "sasl"], "sasl_users": ["acme"]}
    assert admitted(sasl, sasl_user="acme")
    assert not admitted(sasl, sasl_user="other")
    assert not admitted(sasl)
    assert not admitted({"require": ["password"], "domains": ["other.example"]})


@pytest.mark.parametrize(
    ("senders", "sender", "holds"),
    [
        (["a@b.example"], "A@B.example", True),
        (["@b.example"], "a@b.example", True),
        (["*"], "a@b.example", True),
        (["@c.example"], "a@b.example", False),
        ([], "a@b.example", False),
        (["*"], "", False),
    ],
)
def test_a_named_account_may_require_senders(senders: list[str], sender: str, holds: bool) -> None:
    assert admitted({"require": ["password", "sender"], "senders": senders}, sender=sender) is holds


def test_the_null_sender_is_no_matter_unless_senders_are() -> None:
    assert admitted({"require": ["password"]}, sender="")
    permitted = {"require": ["password", "sender"], "senders": ["*"], "allow_null_sender": True}
    assert admitted(permitted, sender="")
