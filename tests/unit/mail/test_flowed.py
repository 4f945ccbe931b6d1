from __future__ import annotations

import pytest

from sms_milter.mail.flowed import unflow


@pytest.mark.parametrize(
    ("flowed", "text"),
    [
        ("one \ntwo", "one two"),
        ("one\ntwo", "one\ntwo"),
        ("one \ntwo \nthree\nfour", "one two three\nfour"),
        ("one \n\ntwo", "one \ntwo"),
        (" stuffed \n from", "stuffed from"),
        ("a \n-- \nBob", "a \n-- \nBob"),
        ("> one \n> two\nthree", "> one two\nthree"),
        (">> one \n> two", ">> one \n> two"),
        ("> one \ntwo", "> one \ntwo"),
        ("one ", "one "),
        ("one \n", "one "),
        ("", ""),
    ],
)
def test_soft_breaks_are_joined(flowed: str, text: str) -> None:
    assert unflow(flowed) == text


def test_delsp_takes_the_space_of_a_soft_break_away() -> None:
    assert unflow("日本 \n語", delsp=True) == "日本語"
    assert unflow("one  \ntwo", delsp=True) == "one two"
