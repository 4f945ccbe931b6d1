from __future__ import annotations

from typing import Any

import pytest

from sms_milter.model import Notify
from sms_milter.policy.reports import may_be_reported_on, wanted

NEVER, LOST = Notify.NEVER, Notify.LOST
FAILURES = Notify.LOST | Notify.FAILURE
SUCCESS = Notify.LOST | Notify.SUCCESS
DELAY = Notify.PENDING | Notify.DELAYED
ALL = Notify.LOST | Notify.FAILURE | Notify.SUCCESS


@pytest.mark.parametrize(
    ("asked", "parameter", "setting", "told", "receipt"),
    [
        (False, "", "default", LOST, False),
        (True, "", "default", ALL, True),
        (True, "NEVER", "default", NEVER, False),
        (True, "never", "always", NEVER, False),
        (False, "SUCCESS", "default", SUCCESS, True),
        (True, "success", "default", SUCCESS, True),
        (True, "FAILURE", "default", FAILURES, True),
        (False, "SUCCESS,FAILURE,DELAY", "default", ALL | DELAY, True),
        (True, "DELAY", "default", LOST | DELAY, True),
        (False, "SUCCESS,NEVER", "default", NEVER, False),
        (False, "", "always", ALL, True),
        (False, "FAILURE", "always", FAILURES, True),
        (False, "", "failed", FAILURES, True),
        (True, "", "failed", FAILURES, True),
        (True, "SUCCESS", "failed", LOST, True),
        (True, "NEVER", "failed", NEVER, False),
        (False, "", "none", NEVER, False),
        (True, "", "none", NEVER, True),
        (True, "SUCCESS,FAILURE", "none", NEVER, True),
    ],
)
def test_who_is_told_what(asked: bool, parameter: str, setting: Any, told: Notify, receipt: bool) -> None:
    assert wanted(asked, parameter, setting) == (told, receipt)


@pytest.mark.parametrize(
    ("field", "value", "may"),
    [
        ("auto-submitted", b"no", True),
        ("auto-submitted", b" NO ; x=y", True),
        ("auto-submitted", b"auto-generated", False),
        ("auto-submitted", b"auto-replied (vacation)", False),
        ("auto-submitted", b"", False),
        ("precedence", b"bulk", False),
        ("precedence", b" List ", False),
        ("precedence", b"junk", False),
        ("precedence", b"first-class", True),
        ("content-type", b"multipart/report; report-type=delivery-status", False),
        ("content-type", b" Multipart/Report", False),
        ("content-type", b"multipart/mixed", True),
        ("subject", b"auto-submitted: auto-generated", True),
    ],
)
def test_robots_are_not_told(field: str, value: bytes, may: bool) -> None:
    assert may_be_reported_on("bob@customer.example", {field: value}) is may


def test_nobody_is_told_about_bounces() -> None:
    assert may_be_reported_on("bob@customer.example", {})
    assert not may_be_reported_on("", {})


@pytest.mark.parametrize(
    ("sender", "may"),
    [
        ("owner-staff@lists.example", False),
        ("staff-request@lists.example", False),
        ("staff-bounces+bob=acme.example@lists.example", False),
        ("MAILER-DAEMON@mx.example", False),
        ("owner@acme.example", True),
        ("bounces@acme.example", True),
        ("requests@acme.example", True),
    ],
)
def test_programs_that_hand_out_mail_are_not_told(sender: str, may: bool) -> None:
    assert may_be_reported_on(sender, {}) is may


def test_mail_of_a_list_is_not_reported_on() -> None:
    assert not may_be_reported_on("bob@customer.example", {"list-id": b"<staff.lists.example>"})
