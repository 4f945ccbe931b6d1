"""Password hashes."""

from __future__ import annotations

from sms_milter.config.secrets import hash_password, verify


def test_the_password_is_recognised_and_no_other() -> None:
    hashed = hash_password("pässword")
    assert hashed.startswith("$argon2id$")
    assert verify(hashed, "pässword")
    assert not verify(hashed, "Pässword")
    assert not verify(hashed, "")


def test_two_hashes_differ() -> None:
    assert hash_password("x") != hash_password("x")


def test_what_is_no_hash_fits_no_password() -> None:
    assert not verify("", "")
    assert not verify("plain", "plain")
    assert not verify("$argon2id$…", "x")
