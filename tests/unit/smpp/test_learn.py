"""What the log teaches of message ids."""

from __future__ import annotations

import pytest

from sms_milter.dispatch.words import Words
from sms_milter.logline import Numbers
from sms_milter.model import LeasedPart, PartState, ReceiptNews, Settled
from sms_milter.smpp.learn import learn
from support.wire import Wire

PHONES = ["447973100000", "447973100001", "447973100002"]


def response(phone: str, message_id: str, smsc: str = "primary", *, masked: bool = False) -> str:
    part = LeasedPart(1, 1, "4ABC", phone, 1, 1, b"", 0, 0.0, 1.0, sequence=7)
    words = Words(Numbers(masked=masked))
    return words.part(part, Wire(smsc), 1.0, status=f"accepted (message_id={message_id})")


def receipt(
    phone: str, message_id: str, smsc: str = "primary", *, parked: bool = True, masked: bool = False
) -> str:
    words = Words(Numbers(masked=masked))
    news = ReceiptNews(smsc, message_id, message_id, phone, "DELIVRD", "000", PartState.DELIVERED, None, 1.0)
    return (
        words.parked(news) if parked else words.receipt(Settled(1, "4ABC", phone, 1, 1, news, changed=True))
    )


@pytest.mark.parametrize(
    ("rule", "pairs"),
    [
        ("exact", [("5F1A2B", "5F1A2B"), ("7", "7"), ("b-1", "b-1")]),
        ("casefold", [("5F1A2B", "5f1a2b"), ("abc", "ABC"), ("1", "1")]),
        ("strip-zeros", [("87654321", "0087654321"), ("7", "0000000007"), ("AB", "00ab")]),
        ("hex-dec", [("5F1A2B", "6232619"), ("10", "16"), ("ff", "255")]),
        ("dec-hex", [("6232619", "5F1A2B"), ("16", "10"), ("255", "FF")]),
    ],
)
@pytest.mark.parametrize("masked", [False, True])
def test_the_rule_is_found(rule: str, pairs: list[tuple[str, str]], masked: bool) -> None:
    lines = []
    for phone, (given, told) in zip(PHONES, pairs, strict=True):
        lines += [response(phone, given, masked=masked), "Nov 21 10:00:00 mx postfix/smtpd: noise"]
        lines.append(receipt(phone, told, masked=masked))
    (learnt,) = learn(f"Nov 21 10:00:00 mx sms-milter[7]: {line}\n" for line in lines).values()
    assert (learnt.receipts, learnt.best, learnt.explained[learnt.best]) == (3, rule, 3)


def test_receipts_that_found_their_part_teach_too() -> None:
    learnt = learn([response(PHONES[0], "5F1A2B"), receipt(PHONES[0], "6232619", parked=False)])
    assert learnt["primary"].best == "hex-dec"


def test_each_smsc_has_its_own() -> None:
    learnt = learn(
        [
            response(PHONES[0], "10"),
            receipt("+" + PHONES[0], "10"),
            response(PHONES[0], "10", "backup"),
            receipt(PHONES[0], "16", "backup"),
        ]
    )
    assert {smsc: one.best for smsc, one in learnt.items()} == {"primary": "exact", "backup": "hex-dec"}


def test_what_nothing_explains_is_said() -> None:
    learnt = learn([response(PHONES[0], "5F1A2B"), receipt(PHONES[1], "5F1A2B")])
    assert (learnt["primary"].receipts, learnt["primary"].best) == (1, None)


def test_a_log_without_receipts_teaches_nothing() -> None:
    assert learn([response(PHONES[0], "5F1A2B"), ""]) == {}
