"""What SPF and DKIM must prove, and whose Authentication-Results count."""

from __future__ import annotations

import pytest

from sms_milter.config.schema import Account, TrustedResults
from sms_milter.mail.proofs import covers, dkim_holds, signers, spf_holds, vouched
from sms_milter.mail.results import Result

RELAY = TrustedResults.model_validate({"name": "mx.example.com", "clients": ["192.0.2.0/24"]})
OWN = TrustedResults.model_validate({"name": "mx.example.com"})
PASS = b"mx.example.com; spf=pass smtp.mailfrom=customer.example"
FAIL = b"mx.example.com; spf=fail smtp.mailfrom=customer.example"
OTHER = b"mx.evil.example; spf=pass smtp.mailfrom=customer.example"
RECEIVED = ("Received", b"from a by b")
AR = "Authentication-Results"


def spf(fields: list[tuple[str, bytes]], rule: TrustedResults, client: str = "192.0.2.25") -> list[str]:
    return [one.result for one in vouched(fields, [rule], client)]


def test_results_of_the_server_before_ours() -> None:
    assert spf([(AR, PASS), RECEIVED, ("Subject", b"x")], RELAY) == ["pass"]
    assert spf([RECEIVED, (AR, PASS), RECEIVED, ("Subject", b"x")], RELAY) == ["pass"]
    assert spf([("authentication-RESULTS", PASS)], RELAY) == ["pass"]


def test_what_came_with_the_mail_does_not_count() -> None:
    assert spf([RECEIVED, RECEIVED, (AR, PASS)], RELAY) == []
    assert spf([RECEIVED, (AR, PASS)], OWN) == []


def test_nobody_else_is_believed() -> None:
    assert spf([(AR, PASS)], RELAY, "198.51.100.7") == []
    assert spf([(AR, PASS)], RELAY, "") == []
    assert spf([(AR, OTHER)], RELAY) == []
    assert list(vouched([(AR, PASS)], [], "192.0.2.25")) == []


def test_the_topmost_word_on_a_method_counts() -> None:
    dkim = b"mx.example.com; dkim=pass header.d=customer.example"
    found = list(vouched([(AR, FAIL), (AR, PASS), (AR, dkim), ("Subject", b"x")], [OWN], "198.51.100.7"))
    assert [(one.method, one.result) for one in found] == [("spf", "fail"), ("dkim", "pass")]


def test_several_signatures_in_one_field_all_count() -> None:
    value = b"mx.example.com; dkim=fail header.d=a.example; dkim=pass header.d=b.example"
    found = list(vouched([(AR, value)], [OWN], "198.51.100.7"))
    assert dkim_holds(found, frozenset({"b.example"}))
    assert not dkim_holds(found, frozenset({"a.example"}))


@pytest.mark.parametrize(
    ("properties", "holds"),
    [
        ({"smtp.mailfrom": "customer.example"}, True),
        ({"smtp.mailfrom": "bob@Customer.example"}, True),
        ({"smtp.mailfrom": "bob@evil.example"}, False),
        ({"smtp.mailfrom": "customer.example@evil.example"}, False),
        ({"smtp.helo": "customer.example"}, False),
        ({}, False),
    ],
)
def test_spf_is_about_the_domain_of_the_envelope_sender(properties: dict[str, str], holds: bool) -> None:
    assert spf_holds([Result("spf", "pass", properties)], "bob@customer.example") is holds
    assert not spf_holds([Result("spf", "softfail", properties)], "bob@customer.example")
    assert not spf_holds([Result("dkim", "pass", properties)], "bob@customer.example")
    assert not spf_holds([Result("spf", "pass", {"smtp.mailfrom": ""})], "")


def test_who_must_have_signed() -> None:
    assert signers(Account(), "bob@Customer.example") == {"customer.example"}
    assert signers(Account(dkim_domains=("a.example",)), "bob@customer.example") == {"a.example"}
    assert signers(Account(), "") == frozenset()


@pytest.mark.parametrize(
    ("signed", "there", "holds"),
    [
        (["from", "subject"], ["From", "Subject"], True),
        (["from"], ["From"], True),
        (["from", "subject", "subject"], ["From", "Subject"], True),
        (["subject"], ["Subject"], False),
        (["from"], ["From", "Subject"], False),
        (["from", "subject"], ["From", "Subject", "SUBJECT"], False),
        (["from", "subject"], ["From", "Subject", "Content-Transfer-Encoding"], False),
        (["from"], ["From", "X-SMPP-Data-Coding"], False),
        (["from"], ["From", "To", "Date", "Received", "X-Spam"], True),
    ],
)
def test_a_signature_must_cover_all_that_decides_what_is_sent(
    signed: list[str], there: list[str], holds: bool
) -> None:
    assert covers(signed, [(name, b"") for name in there]) is holds
