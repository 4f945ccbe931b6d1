from __future__ import annotations

import pytest

from sms_milter.errors import Rejected
from sms_milter.mail.address import domain_of, esmtp_parameters, parse_path, sender_of
from sms_milter.reply import BAD_ADDRESS_FORM


@pytest.mark.parametrize(
    ("raw", "local", "domain"),
    [
        ("<447973100000@sms.example>", "447973100000", "sms.example"),
        ("447973100000@sms.example", "447973100000", "sms.example"),
        ("<+447973100000@sms.example>", "+447973100000", "sms.example"),
        ("<Smpp@SMS.Example>", "Smpp", "sms.example"),
        ("<447973100000@sms.example.>", "447973100000", "sms.example"),
        ("447973100000@sms.example.", "447973100000", "sms.example"),
        ('<"447973100000"@sms.example>', "447973100000", "sms.example"),
        (r'<"a \"b\" @ c"@sms.example>', 'a "b" @ c', "sms.example"),
        ("< 447973100000 @ sms.example >", "447973100000", "sms.example"),
        ("<4479 73100000@sms.example>", "4479 73100000", "sms.example"),
        ("<447973100000+ext@sms.example>", "447973100000+ext", "sms.example"),
        ("<447973100000%other@sms.example>", "447973100000%other", "sms.example"),
        ("<(0797)3100000@sms.example>", "(0797)3100000", "sms.example"),
        ("<447973100000@sms.example (phone)>", "447973100000", "sms.example"),
        ("<bob@[192.0.2.1]>", "bob", "[192.0.2.1]"),
        ("<bob@bücher.example>", "bob", "bücher.example"),
        ("<b\udce9b@sms.example>", "b\udce9b", "sms.example"),
    ],
)
def test_a_path_names_a_mailbox(raw: str, local: str, domain: str) -> None:
    assert parse_path(raw) == (local, domain)
    assert domain_of(raw) == domain


@pytest.mark.parametrize(
    ("raw", "domain"),
    [
        ("<@relay1,@relay2:447973100000@sms.example>", "sms.example"),
        ("<@relay1:447973100000@SMS.example.>", "sms.example"),
        ('<"Tel"<447973100000@sms.example>>', "sms.example"),
        ("Tel <447973100000@sms.example>", "sms.example"),
        ("<<447973100000@sms.example>>", "sms.example"),
        ('<"447"973100000@sms.example>', "sms.example"),
        ("<447973100000@other@sms.example>", "sms.example"),
        ("<447973100000;447973100001@sms.example>", "sms.example"),
        ("<447\t973100000@sms.example>", "sms.example"),
        ('<"a@sms.example>', "sms.example"),
        ("<@sms.example>", "sms.example"),
        ('<""@sms.example>', "sms.example"),
        ("<447973100000@>", ""),
        ("<postmaster>", ""),
        ("<>", ""),
        ("", ""),
    ],
)
def test_forms_that_cannot_be_removed_again_are_refused_but_their_domain_is_known(
    raw: str, domain: str
) -> None:
    assert domain_of(raw) == domain
    with pytest.raises(Rejected) as refused:
        parse_path(raw)
    assert refused.value.reply is BAD_ADDRESS_FORM


@pytest.mark.parametrize(
    ("raw", "sender"),
    [
        ("<bob@customer.example>", "bob@customer.example"),
        ("bob@customer.example", "bob@customer.example"),
        ("<>", ""),
        ("", ""),
        ("< >", ""),
        ("<@relay.example:bob@customer.example>", "bob@customer.example"),
        ("<Bob@Customer.example>", "Bob@Customer.example"),
    ],
)
def test_the_sender_is_freed_of_brackets_and_route(raw: str, sender: str) -> None:
    assert sender_of(raw) == sender


def test_esmtp_parameters_have_upper_case_names() -> None:
    assert esmtp_parameters(["size=123", "NOTIFY=SUCCESS,FAILURE", "SMTPUTF8", "ENVID=a=b"]) == {
        "SIZE": "123",
        "NOTIFY": "SUCCESS,FAILURE",
        "SMTPUTF8": "",
        "ENVID": "a=b",
    }
    assert esmtp_parameters([]) == {}
