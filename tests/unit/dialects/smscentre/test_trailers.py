"""Trailers and the parameters of calls (SMSCentre §9.2)."""

from __future__ import annotations

import pytest

from sms_milter.dialects.smscentre import replies, trailers
from sms_milter.errors import Rejected


@pytest.mark.parametrize(
    ("text", "before", "found"),
    [
        ("Hi", "Hi", {}),
        ("Hi\nsubj:Theme", "Hi", {"subject": "Theme"}),
        ("Hi\n SUBJ: a: b \n\n", "Hi", {"subject": "a: b"}),
        ("Hi\nvoice: W3", "Hi", {"voice": "w3"}),
        ("Hi\nsubj:T\nvoice:m", "Hi", {"subject": "T", "voice": "m"}),
        ("Hi\nvoice:m\n\nsubj:T", "Hi", {"subject": "T", "voice": "m"}),
        ("Hi\nsubj:first\nsubj:second", "Hi\nsubj:first", {"subject": "second"}),
        ("subj:only", "", {"subject": "only"}),
        ("Hi subj:T", "Hi subj:T", {}),
        ("Hi\nsubj:T\nmore", "Hi\nsubj:T\nmore", {}),
    ],
)
def test_the_last_lines_are_trailers_and_no_others(text: str, before: str, found: dict[str, str]) -> None:
    assert trailers.cut_off(text) == (before, found)


def test_a_mail_of_nothing_but_trailers_takes_no_longer() -> None:
    text, found = trailers.cut_off("subj:x\n" * 14_000)
    assert (text.count("\n"), found) == (13_998, {"subject": "x"})


@pytest.mark.parametrize("voice", ["x", "", "m5", "woman"])
def test_a_voice_has_a_name(voice: str) -> None:
    with pytest.raises(Rejected) as refused:
        trailers.cut_off(f"Hi\nvoice:{voice}")
    assert refused.value.reply == replies.BAD_PARAMETERS


@pytest.mark.parametrize("written", ["10,10,1", "35, 3600 ,9", "param: 010,10,1", "PARAM:20,60,3"])
def test_a_call_waits_repeats_and_gives_up(written: str) -> None:
    given = trailers.of_a_call(written)
    assert list(given) == ["wait_seconds", "interval_seconds", "tries"]
    assert all(value == str(int(value)) for value in given.values())


@pytest.mark.parametrize(
    "written",
    ["9,10,1", "36,10,1", "10,9,1", "10,3601,1", "10,10,0", "10,10", "10;10;1", "order 17", "-10,10,1"],
)
def test_a_call_has_its_limits(written: str) -> None:
    with pytest.raises(Rejected) as refused:
        trailers.of_a_call(written)
    assert refused.value.reply == replies.BAD_PARAMETERS


def test_a_call_needs_no_parameters() -> None:
    assert trailers.of_a_call("") == {}
