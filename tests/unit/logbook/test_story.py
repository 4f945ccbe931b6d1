"""What belongs together, from the lines of docs/log.md and those of Postfix and Sendmail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sms_milter.logbook.story import By, Question, Story, digits
from sms_milter.logbook.telling import followed, told

NOW = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
LOG = """\
postfix/smtpd[1]: 4ABC: client=unknown[192.0.2.10]
postfix/smtpd[1]: 4OTHER: client=unknown[192.0.2.11]
postfix/smtpd[1]: NOQUEUE: milter-reject: RCPT from unknown[192.0.2.9]: 550 5.7.1 no; to=<+447973100000@sms.example>
sms-milter/milter[2]: 4ABC: client=[192.0.2.10], from=<a@b>, account=acme, nrcpt=2, queue=7, status=discard (stored)
sms-milter/dispatch[3]: NOQUEUE: from=447973100000, smsc=one, message_id=77, status=receipt parked (stat=X err=0)
sms-milter/dispatch[3]: 4ABC: to=447973100000, queue=7, part=1/1, smsc=one, status=accepted (message_id=77)
sms-milter/dispatch[3]: 4ABC: to=447973100001, queue=7, part=1/1, smsc=one, status=accepted (message_id=78)
sms-milter/dispatch[3]: NOQUEUE: from=447973100001, smsc=one, message_id=78, status=receipt parked (stat=X err=0)
sms-milter/dispatch[3]: NOQUEUE: from=447973109999, smsc=two, message_id=77, status=receipt parked (stat=X err=0)
sms-milter/milter[2]: 4OTHER: client=[192.0.2.11], from=<c@d>, account=ops, nrcpt=1, queue=8, status=discard (stored)
sms-milter/report[4]: 4ABC: to=<a@b>, about=447973100000, queue=7, reply=250 2.0.0 Ok: queued as 4REPORT, status=report sent (failed)
sms-milter/report[4]: 4ABC: to=<a@b>, about=447973100001, queue=7, reply=250 2.0.0 4AM3ab012345 Message accepted for delivery, status=report sent (delivered)
postfix/smtp[5]: 4REPORT: to=<a@b>, status=sent
sendmail[6]: 4AM3ab012345: to=<a@b>, stat=Sent
sms-milter/dispatch[3]: smsc=one bind=one/1: bound to 192.0.2.1:2775 as acme (transceiver)
""".splitlines()  # noqa: E501 -- lines of a log are long
LINES = [f"Nov 22 03:15:{second:02} mx {line}" for second, line in enumerate(LOG)]


def tells(question: Question) -> set[int]:
    return {LINES.index(entry.shown) for entry in told(Story(question), LINES, NOW)}


@pytest.mark.parametrize(
    ("question", "lines"),
    [
        (Question(By.MAIL, "4ABC"), {0, 3, 4, 5, 6, 7, 10, 11, 12, 13}),
        (Question(By.MAIL, "7"), {0, 3, 4, 5, 6, 7, 10, 11, 12, 13}),
        (Question(By.ACCOUNT, "acme"), {0, 3, 4, 5, 6, 7, 10, 11, 12, 13}),
        (Question(By.ACCOUNT, "ops"), {1, 9}),
        (Question(By.NUMBER, "+44 7973 100-000"), {0, 2, 3, 4, 5, 10, 12}),
        (Question(By.NUMBER, "00447973100001"), {0, 3, 6, 7, 11, 13}),
        (Question(By.MESSAGE, "78"), {0, 3, 4, 5, 6, 7, 10, 11, 12, 13}),
        (Question(By.MAIL, "4REPORT"), {12}),
        (Question(By.ACCOUNT, "nobody"), set()),
        (Question(By.EVERYTHING), {3, 4, 5, 6, 7, 8, 9, 10, 11, 14}),
    ],
)
def test_a_story_is_what_belongs_together(question: Question, lines: set[int]) -> None:
    assert tells(question) == lines


def test_a_masked_number_is_found_and_said_to_be_guessed() -> None:
    story = Story(Question(By.NUMBER, "447973100000"))
    masked = [line.replace("447973100000", "4479******00").replace("+4479", "4479") for line in LINES]
    assert sum(1 for _ in told(story, masked, NOW)) == 7
    assert story.guessed
    plain = Story(Question(By.NUMBER, "447973100000"))
    list(told(plain, LINES, NOW))
    assert not plain.guessed


def test_nothing_older_is_told() -> None:
    since = datetime(2026, 11, 22, 3, 15, 5, tzinfo=UTC).timestamp()
    shown = [entry.shown for entry in told(Story(Question(By.MAIL, "4ABC")), LINES, NOW, since)]
    assert shown == [LINES[one] for one in (5, 6, 7, 10, 11, 12, 13)]


def test_what_comes_later_brings_back_what_came_before() -> None:
    shown = [entry.shown for entry in followed(Story(Question(By.ACCOUNT, "acme")), LINES, NOW)]
    assert shown[:2] == [LINES[0], LINES[3]]
    assert sorted(LINES.index(one) for one in shown) == [0, 3, 4, 5, 6, 7, 10, 11, 12, 13]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+447973100000", "447973100000"),
        ("0044 7973/100000", "447973100000"),
        ("<447973100000@sms.example>", "447973100000"),
        ("ACME", ""),
        ("", ""),
    ],
)
def test_numbers_however_they_are_written(written: str, number: str) -> None:
    assert digits(written) == number
