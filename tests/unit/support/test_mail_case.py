"""Case files are read as their description says (tests/support/mail_case.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.mail_case import Case, Step, read_case, replied


def case_of(tmp_path: Path, text: str) -> Case:
    path = tmp_path / "01-test.case"
    path.write_text(text)
    return read_case(path)


def test_header_dialogue_and_expectations(tmp_path: Path) -> None:
    case = case_of(
        tmp_path,
        "# What is shown.\n# More of it.\nmta: postfix\nclient: 192.0.2.10\n\n"
        "C: MAIL FROM:<a@b>\nS: 250\nS postfix: 250 2.1.0 Ok\nVANISH\n\n"
        "sms: 4479 from ACME: {A*3}\nno-log: secret\n",
    )
    assert (case.title, case.mta, case.client, case.config) == (
        "What is shown.",
        ("postfix",),
        "192.0.2.10",
        "base",
    )
    assert case.steps == [
        Step("say", octets=b"MAIL FROM:<a@b>\r\n"),
        Step("hear", "250"),
        Step("hear", "250 2.1.0 Ok", mta="postfix"),
        Step("VANISH"),
    ]
    assert case.expected["sms"] == ["4479 from ACME: AAA"]
    assert case.expected["no-log"] == ["secret"]


def test_lines_on_end_are_said_in_one_piece_and_dots_are_doubled(tmp_path: Path) -> None:
    case = case_of(tmp_path, "C: DATA\n| Subject: x\n|\n| .\n| \\xE9\\x00é\nC: .\nS: 250\n")
    assert case.steps[0].octets == b"DATA\r\nSubject: x\r\n\r\n..\r\n\xe9\x00\xc3\xa9\r\n.\r\n"


def test_the_sendmail_command_takes_the_mail_that_follows(tmp_path: Path) -> None:
    case = case_of(tmp_path, "SENDMAIL -f a@b c@d\n| Subject: x\n\nsms: none\n")
    assert case.steps == [Step("SENDMAIL", "-f a@b c@d", b"Subject: x\r\n")]


@pytest.mark.parametrize("line", ["SMS: x", "S windows: 250", "JUMP", "c: MAIL"])
def test_a_line_without_sense_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError, match=r"01-test\.case:2"):
        case_of(tmp_path, f"# x\n{line}\n")


@pytest.mark.parametrize(
    ("expected", "reply", "same"),
    [
        ("250", "250 2.1.0 Ok", True),
        ("250", "2500 2.1.0 Ok", False),
        ("550 5.1.1 not a number", "550 5.1.1 <a@b>... this is not a number", True),
        ("550 5.1.1", "550 5.1.10 no", False),
        ("550 5.1.1 not a number", "550 5.1.1 no", False),
        ("250", "250-mx\n250 HELP", True),
        ("closed", "closed", True),
        ("250", "closed", False),
    ],
)
def test_replies_are_compared_by_codes_and_words(expected: str, reply: str, same: bool) -> None:
    assert replied(expected, reply) is same
