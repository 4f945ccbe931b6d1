"""What reports say to people."""

from __future__ import annotations

import pytest

from sms_milter.report.texts import ENGLISH, LANGUAGES, filled, places


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_says_all_with_the_same_places(language: str) -> None:
    texts = LANGUAGES[language]  # type: ignore[index]
    assert texts.keys() == ENGLISH.keys()
    assert {name: places(text) for name, text in texts.items()} == {
        name: places(text) for name, text in ENGLISH.items()
    }


def test_values_are_filled_in_once_and_nothing_else_is_special() -> None:
    values = {"destination": "{why}", "why": "x"}
    assert filled("{destination} {why} {other} {0} { } % \\1", values) == "{why} x {other} {0} { } % \\1"
