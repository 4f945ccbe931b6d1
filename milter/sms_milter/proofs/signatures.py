"""Who has signed a mail (RFC 6376, RFC 8463): the only door to dkimpy and to what it calculates with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

import dkim
from nacl.exceptions import CryptoError

from sms_milter.errors import Deferred
from sms_milter.mail.proofs import covers
from sms_milter.proofs.resolver import Questions

_MOST_SIGNATURES = 5
_FIELD = "dkim-signature"
# Malformed, expired, altered or with a key that is none: dkimpy says it in its own words where it has looked,
# and trips over the rest (base64, octets that are missing, tags and DER that are not what they should be).
_PROVES_NOTHING = (
    dkim.DKIMException,
    CryptoError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AssertionError,
)


def signed(
    questions: Questions, fields: Sequence[tuple[str, bytes]], body: bytes, domains: Collection[str]
) -> bool:
    """See `ports.SenderProofs.dkim`. A signature over a part of the body (l=) or by SHA-1 (RFC 8301) is none.
    Raises Deferred when the DNS keeps back a key that could prove it.
    """
    failure: Deferred | None = None
    count = min(sum(name.lower() == _FIELD for name, _ in fields), _MOST_SIGNATURES)
    for place in range(count):
        try:
            if _verified(questions, place, fields, body, domains):
                return True
        except Deferred as error:
            failure = error
        except _PROVES_NOTHING:
            continue
    if failure is not None:
        raise failure
    return False


def _verified(
    questions: Questions,
    place: int,
    fields: Sequence[tuple[str, bytes]],
    body: bytes,
    domains: Collection[str],
) -> bool:
    check = dkim.DKIM(_octets(fields, body))
    prepared = check.verify_headerprep(place)
    if not prepared:
        return False
    tags, names, _ = prepared
    domain = tags[b"d"].decode("ascii", "replace").lower().rstrip(".")
    weak = b"l" in tags or tags[b"a"] == b"rsa-sha1"
    if weak or domain not in domains or not covers([one.decode("latin-1") for one in names], fields):
        return False
    return bool(check.verify(place, dnsfunc=partial(_key, questions)))


def _key(questions: Questions, name: bytes | str, timeout: float) -> bytes | None:
    del timeout  # the questions know theirs
    plain = name.decode("ascii", "replace") if isinstance(name, bytes) else name
    records = questions.ask(plain.rstrip("."), "TXT")
    return b"".join(records[0].strings) if records else None


def _octets(fields: Sequence[tuple[str, bytes]], body: bytes) -> bytes:
    """The mail as it was signed: the MTA has taken one blank behind each colon, and CR before LF."""
    lines = [
        name.encode("utf-8", "surrogateescape")
        + b": "
        + value.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        for name, value in fields
    ]
    return b"\r\n".join([*lines, b"", body])
