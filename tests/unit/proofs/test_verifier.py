"""SPF and DKIM against a name server of our own, with real signatures."""

from __future__ import annotations

import subprocess
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from time import monotonic
from typing import Any

import dkim
import pytest

from sms_milter.config.schema import Authentication, Configuration
from sms_milter.errors import Deferred
from sms_milter.model import Client
from sms_milter.proofs import proofs_of
from sms_milter.proofs.verifier import Proofs
from support.dns_server import FAILING, SILENT, DnsServer, text_record

OWN, OTHER = "customer.example", "evil.example"
FIELDS = (
    ("Received", b"from laptop by mx.customer.example"),
    ("From", b"Bob <bob@customer.example>"),
    ("Subject", b"Pump 3 has\n stopped"),
    ("Content-Type", b"text/plain; charset=utf-8"),
)
BODY = b"It is 3 degrees\xc2\xb0.\r\n"


@cache
def key(bits: int) -> tuple[bytes, str]:
    """A private key, and the TXT record of the public one."""
    private = subprocess.run(
        ["openssl", "genrsa", "-traditional", str(bits)], capture_output=True, check=True
    ).stdout
    public = subprocess.run(
        ["openssl", "rsa", "-pubout", "-outform", "DER"], input=private, capture_output=True, check=True
    ).stdout
    return private, f"v=DKIM1; k=rsa; p={b64encode(public).decode()}"


def signature(
    fields: Any = FIELDS,
    body: bytes = BODY,
    domain: str = OWN,
    bits: int = 2048,
    headers: list[bytes] | None = None,
    **more: Any,
) -> tuple[str, bytes]:
    """The field that signs a mail."""
    mail = b"".join(name.encode() + b": " + value.replace(b"\n", b"\r\n") + b"\r\n" for name, value in fields)
    signed = dkim.sign(
        mail + b"\r\n" + body,
        b"s1",
        domain.encode(),
        key(bits)[0],
        include_headers=headers or [b"from", b"subject", b"content-type"],
        **more,
    )
    name, _, value = signed.partition(b": ")
    return name.decode(), value.removesuffix(b"\r\n").replace(b"\r\n", b"\n")


@pytest.fixture(scope="module")
def server() -> Iterator[DnsServer]:
    record = [text_record(key(2048)[1])]
    zone = {
        (OWN, "TXT"): [
            '"v=spf1 ip4:192.0.2.0/24 a:mx.customer.example mx include:_spf.customer.example -all"'
        ],
        ("mx.customer.example", "A"): ["198.51.100.1"],
        (OWN, "MX"): ["10 mx2.customer.example."],
        ("mx2.customer.example", "A"): ["198.51.100.2"],
        ("mx2.customer.example", "AAAA"): ["2001:db8::2"],
        ("_spf.customer.example", "TXT"): ['"v=spf1 ip6:2001:db8:1::/48 ?all"'],
        ("soft.example", "TXT"): ['"v=spf1 ~all"'],
        ("loop.example", "TXT"): ['"v=spf1 include:loop.example -all"'],
        ("two.example", "TXT"): ['"v=spf1 +all"', '"v=spf1 -all"'],
        ("helo.example", "TXT"): ['"v=spf1 a -all"'],
        ("helo.example", "A"): ["192.0.2.10"],
        ("silent.example", "*"): SILENT,
        ("failing.example", "*"): FAILING,
        ("void.example", "TXT"): ['"v=spf1 a:a.void a:b.void a:c.void ip4:192.0.2.10 -all"'],
        ("include.example", "TXT"): ['"v=spf1 include:silent.example +all"'],
        (f"s1._domainkey.{OWN}", "TXT"): record,
        (f"s1._domainkey.{OTHER}", "TXT"): record,
        ("s1._domainkey.short.example", "TXT"): [text_record(key(1024 - 256)[1])],
        ("s1._domainkey.revoked.example", "TXT"): ['"v=DKIM1; p="'],
        ("s1._domainkey.silent.example", "*"): SILENT,
    }
    with DnsServer(zone) as running:
        yield running


@pytest.fixture
def proofs(server: DnsServer) -> Proofs:
    return Proofs(Authentication(dns=(server.address,), timeout=1.0))


# --- SPF ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "sender", "passes"),
    [
        ("192.0.2.10", "bob@customer.example", True),
        ("192.0.2.10", "bob@CUSTOMER.example", True),
        ("198.51.100.1", "bob@customer.example", True),
        ("198.51.100.2", "bob@customer.example", True),
        ("2001:db8::2", "bob@customer.example", True),
        ("2001:db8:1::9", "bob@customer.example", True),
        ("203.0.113.9", "bob@customer.example", False),
        ("192.0.2.10", "bob@soft.example", False),
        ("192.0.2.10", "bob@loop.example", False),
        ("192.0.2.10", "bob@two.example", False),
        ("192.0.2.10", "bob@void.example", False),
        ("192.0.2.10", "bob@nowhere.example", False),
        ("192.0.2.10", f"bob@{'a' * 64}.example", False),
        ("192.0.2.10", "bob@.example", False),
        ("192.0.2.10", "bob", False),
        ("not an address", "bob@customer.example", False),
        ("", "bob@customer.example", False),
    ],
)
def test_for_whom_a_client_may_send(proofs: Proofs, client: str, sender: str, passes: bool) -> None:
    assert proofs.spf(Client(client, helo="mx.elsewhere.example"), sender) is passes


def test_the_null_sender_is_helos(proofs: Proofs) -> None:
    assert proofs.spf(Client("192.0.2.10", helo="helo.example"), "")
    assert not proofs.spf(Client("192.0.2.11", helo="helo.example"), "")
    assert not proofs.spf(Client("192.0.2.10"), "")
    assert not proofs.spf(Client("192.0.2.10", helo="[192.0.2.10]"), "")


@pytest.mark.parametrize("sender", ["a@silent.example", "a@failing.example", "a@include.example"])
def test_without_an_answer_it_is_tried_again_later(proofs: Proofs, sender: str) -> None:
    started = monotonic()
    with pytest.raises(Deferred) as deferred:
        proofs.spf(Client("192.0.2.10"), sender)
    assert str(deferred.value.reply).startswith("451 4.4.3 ")
    assert monotonic() - started < 2.5


def test_answers_are_remembered(server: DnsServer, proofs: Proofs) -> None:
    assert proofs.spf(Client("192.0.2.10"), "bob@customer.example")
    before = len(server.asked)
    assert proofs.spf(Client("192.0.2.10"), "bob@customer.example")
    assert len(server.asked) == before


def test_with_no_server_there_is_no_answer() -> None:
    with pytest.raises(Deferred):
        Proofs(Authentication(dns=("127.0.0.1:9",), timeout=1.0)).spf(
            Client("192.0.2.10"), "bob@customer.example"
        )


# --- DKIM ---------------------------------------------------------------------------------------------------


def verified(proofs: Proofs, *fields: tuple[str, bytes], body: bytes = BODY, domain: str = OWN) -> bool:
    return proofs.dkim([*fields], body, {domain})


@pytest.mark.parametrize("canonicalisation", [b"simple", b"relaxed"])
def test_a_signature_of_the_domain(proofs: Proofs, canonicalisation: bytes) -> None:
    own = signature(canonicalize=(canonicalisation, canonicalisation))
    assert verified(proofs, own, *FIELDS)
    assert verified(proofs, ("Received", b"later"), own, *FIELDS)


def test_who_else_has_signed_proves_nothing_and_disturbs_nothing(proofs: Proofs) -> None:
    other, own = signature(domain=OTHER), signature()
    assert not verified(proofs, other, *FIELDS)
    assert verified(proofs, other, own, *FIELDS)
    assert verified(proofs, other, other, ("DKIM-Signature", b"v=1; nonsense"), own, *FIELDS)
    assert not verified(proofs, *[other] * 5, own, *FIELDS)  # five are looked at
    assert not verified(proofs, *FIELDS)


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (FIELDS, b"It is 4 degrees.\r\n"),
        (FIELDS, BODY + b"And more.\r\n"),
        ([*FIELDS[:2], ("Subject", b"Pump 4"), FIELDS[3]], BODY),
        ([("Subject", b"Pump 4"), *FIELDS], BODY),
        ([*FIELDS, ("Content-Transfer-Encoding", b"base64")], BODY),
        ([*FIELDS, ("X-SMPP-Data-Coding", b"4")], BODY),
        ([FIELDS[0], ("From", b"Eve <eve@evil.example>"), *FIELDS[2:]], BODY),
        ([*FIELDS, ("From", b"Eve <eve@evil.example>")], BODY),
    ],
)
def test_what_was_altered_or_added_is_not_signed(proofs: Proofs, fields: Any, body: bytes) -> None:
    assert not verified(proofs, signature(), *fields, body=body)


def test_a_signature_that_leaves_something_open_is_none(proofs: Proofs) -> None:
    assert not verified(proofs, signature(headers=[b"from", b"content-type"]), *FIELDS)
    assert not verified(proofs, signature(length=True), *FIELDS)
    assert not verified(proofs, signature(length=True), *FIELDS, body=BODY + b"And more.\r\n")
    assert not verified(proofs, signature(signature_algorithm=b"rsa-sha1"), *FIELDS)


def test_keys_that_are_weak_revoked_or_unknown(proofs: Proofs) -> None:
    assert not verified(proofs, signature(domain="short.example", bits=768), *FIELDS, domain="short.example")
    assert not verified(proofs, signature(domain="revoked.example"), *FIELDS, domain="revoked.example")
    assert not verified(proofs, signature(domain="nowhere.example"), *FIELDS, domain="nowhere.example")


def test_a_key_that_does_not_come_is_waited_for_unless_another_proves_it(proofs: Proofs) -> None:
    silent = signature(domain="silent.example")
    with pytest.raises(Deferred):
        proofs.dkim([silent, *FIELDS], BODY, {"silent.example", OWN})
    assert proofs.dkim([silent, signature(), *FIELDS], BODY, {"silent.example", OWN})


# --- when -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("require", "needed"), [(["client"], False), (["sender", "spf"], True), (["sender", "dkim"], True)]
)
def test_nothing_is_loaded_for_accounts_that_require_nothing_of_it(require: list[str], needed: bool) -> None:
    configured = Configuration.model_validate({"accounts": {"a": {"require": require}}})
    assert (proofs_of(configured) is not None) is needed
