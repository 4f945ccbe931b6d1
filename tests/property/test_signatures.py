"""Whatever stands in a DKIM-Signature field or in the record of its key: it proves something or nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sms_milter.proofs.signatures import signed
from support.rfc8463 import BODY, DOMAIN, ED25519, ED25519_KEY, FIELDS, RSA, RSA_KEY

_TOKENS = [
    b"", b"=", b";", b"; ", b":", b" ", b"\n ", b"\x00", b"\xe9", b"b=", b"bh=", b"l=9; ", b"x=1; ",
    b"h=from; ", b"t=99999999999999999999", b"i=a; ", b"d=" + DOMAIN.encode() + b"; ", b"a=rsa-sha256; ",
    b"k=rsa; ", b"p=AAAA",
]  # fmt: skip


@dataclass(frozen=True)
class Record:
    strings: tuple[bytes, ...]


@dataclass(frozen=True)
class Questions:
    """Answers every question with this record."""

    record: bytes

    def ask(self, name: str, kind: str) -> list[Any]:
        return [Record((self.record,))]


def altered(original: bytes) -> st.SearchStrategy[bytes]:
    """With up to three places replaced, cut out or added to; folded as fields are that an MTA gives us."""
    place = st.integers(0, len(original))
    what = st.one_of(st.sampled_from(_TOKENS), st.binary(max_size=4))
    changes = st.lists(st.tuples(place, st.integers(0, 40), what), min_size=1, max_size=3)

    def applied(changes: list[tuple[int, int, bytes]]) -> bytes:
        value = original
        for at, length, new in changes:
            value = value[:at] + new + value[at + length :]
        return re.sub(rb"\n(?![ \t])", b"\n ", value)

    return changes.map(applied)


@settings(max_examples=600)
@given(st.sampled_from([ED25519, RSA]).flatmap(altered), st.sampled_from([ED25519_KEY, RSA_KEY]))
def test_any_field_proves_something_or_nothing(value: bytes, key: str) -> None:
    field, good = ("DKIM-Signature", value), ("DKIM-Signature", ED25519)
    assert signed(Questions(key.encode()), [field, *FIELDS], BODY, {DOMAIN}) in {True, False}
    assert signed(Questions(ED25519_KEY.encode()), [field, good, *FIELDS], BODY, {DOMAIN})


@settings(max_examples=600)
@given(st.sampled_from([ED25519_KEY, RSA_KEY]).flatmap(lambda key: altered(key.encode())))
def test_any_key_proves_something_or_nothing(record: bytes) -> None:
    for value in (ED25519, RSA):
        fields = [("DKIM-Signature", value), *FIELDS]
        assert signed(Questions(record), fields, BODY, {DOMAIN}) in {True, False}
