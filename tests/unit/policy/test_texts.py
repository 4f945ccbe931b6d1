"""Texts that an account may not send."""

from __future__ import annotations

import pytest

from sms_milter.policy.texts import DeniedTexts

DENIED = DeniedTexts(["free money", "www.bad.example", "Straße", "(.*"])


@pytest.mark.parametrize(
    "text", ["Get FREE\n Money now", "http://WWW.bad.example/x", "STRASSE 7", "why (.* not"]
)
def test_words_and_phrases_are_found_whatever_they_look_like(text: str) -> None:
    assert DENIED.are_in(text)


@pytest.mark.parametrize("text", ["", "free of money", "wwwxbad.example", "money free", "(x"])
def test_other_texts_pass(text: str) -> None:
    assert not DENIED.are_in(text)


def test_blank_phrases_deny_nothing() -> None:
    assert not DeniedTexts([]).are_in("anything")
    assert not DeniedTexts([" ", ""]).are_in("anything")
