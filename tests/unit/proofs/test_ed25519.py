"""RFC 8463: Ed25519 beside RSA, with the example of its appendix A."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sms_milter.config.schema import Authentication
from sms_milter.errors import Deferred
from sms_milter.proofs.verifier import Proofs
from support.dns_server import SILENT, DnsServer, text_record
from support.rfc8463 import BODY, DOMAIN, ED25519, ED25519_KEY, ED25519_NAME, FIELDS, RSA, RSA_KEY, RSA_NAME

ALTERED_ED25519 = ED25519.replace(b"b=/gCr", b"b=/gCs")
ALTERED_RSA = RSA.replace(b"b=F45d", b"b=F45e")
SHORT = ED25519.replace(b" Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==", b" ")


@pytest.fixture
def server() -> Iterator[DnsServer]:
    zone = {(ED25519_NAME, "TXT"): [text_record(ED25519_KEY)], (RSA_NAME, "TXT"): [text_record(RSA_KEY)]}
    with DnsServer(zone) as running:
        yield running


def verified(server: DnsServer, *signatures: bytes, body: bytes = BODY) -> bool:
    proofs = Proofs(Authentication(dns=(server.address,), timeout=1.0))
    fields = [("DKIM-Signature", value) for value in signatures]
    return proofs.dkim([*fields, *FIELDS], body, {DOMAIN})


@pytest.mark.parametrize(
    "signatures", [(ED25519, RSA), (ED25519,), (RSA,)], ids=["both", "ed25519 alone", "rsa alone"]
)
def test_the_example(server: DnsServer, signatures: tuple[bytes, ...]) -> None:
    assert verified(server, *signatures)
    assert not verified(server, *signatures, body=BODY.replace(b"lost", b"won"))


@pytest.mark.parametrize("altered", [ALTERED_ED25519, SHORT], ids=["altered", "cut off"])
def test_of_two_one_good_one_is_enough(server: DnsServer, altered: bytes) -> None:
    assert verified(server, altered, RSA)
    assert verified(server, ED25519, ALTERED_RSA)
    assert verified(server, ALTERED_RSA, ED25519)
    assert not verified(server, altered, ALTERED_RSA)
    assert not verified(server, altered)


@pytest.mark.parametrize(
    "record",
    [
        "v=DKIM1; k=ed25519; p=",
        "v=DKIM1; k=ed25519",
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcH",
        "v=DKIM1; k=ed25519; p=nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=",
        "v=DKIM1; k=ed448; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        RSA_KEY,
    ],
    ids=["revoked", "none", "too short", "another", "of another kind", "of the other signature"],
)
def test_a_key_that_is_none_leaves_the_other_signature_its_word(server: DnsServer, record: str) -> None:
    server.zone[ED25519_NAME, "TXT"] = [text_record(record)]
    assert not verified(server, ED25519)
    assert verified(server, ED25519, RSA)


def test_a_key_that_does_not_come_is_waited_for_unless_the_other_is_good(server: DnsServer) -> None:
    del server.zone[ED25519_NAME, "TXT"]
    server.zone[ED25519_NAME, "*"] = SILENT
    with pytest.raises(Deferred):
        verified(server, ED25519, ALTERED_RSA)
    assert verified(server, ED25519, RSA)
