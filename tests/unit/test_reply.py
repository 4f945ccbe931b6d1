"""The catalogue of replies: wording kept by golden files, codes that belong together."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from sms_milter import reply
from sms_milter.reply import Reply

_EIGHT = 1_795_334_399.5  # 2026-11-22T08:00:00Z, half a second before
GOLDEN = Path(__file__).parents[1] / "golden" / "replies" / "catalogue.txt"


def catalogue() -> dict[str, Reply]:
    fixed = {name: value for name, value in vars(reply).items() if isinstance(value, Reply)}
    made = {
        "bad_field": reply.bad_field("x-smpp-esm-class", "expected a decimal number from 0 to 255"),
        "mail_too_large": reply.mail_too_large(1048576),
        "message_too_long": reply.message_too_long(12, 10, "UCS-2; 800 units, 67 in each"),
        "octets_too_many": reply.octets_too_many(141, 140),
        "quota_exceeded": reply.quota_exceeded(100, 86400, _EIGHT, of_sender=False, defer=False),
        "quota_exceeded (defer)": reply.quota_exceeded(100, 7200, _EIGHT, of_sender=False, defer=True),
        "quota_exceeded (sender)": reply.quota_exceeded(1, 90, _EIGHT, of_sender=True, defer=False),
        "quota_too_small": reply.quota_too_small(3, 2, 604800, of_sender=False),
        "quota_too_small (sender)": reply.quota_too_small(1, 0, 3600, of_sender=True),
        "no_credit": reply.no_credit(Decimal("0.5")),
        "too_dear": reply.too_dear(Decimal("1.6"), Decimal("1.5")),
        "duplicate": reply.duplicate(2, 60, _EIGHT),
        "duplicate (1)": reply.duplicate(1, 60, _EIGHT),
        "flood": reply.flood(50, 120, _EIGHT, per_account=False),
        "flood (account)": reply.flood(50, 120, _EIGHT, per_account=True),
    }
    return fixed | made


def test_the_wording_is_the_golden_files() -> None:
    shown = "".join(f"{name}: {value}\n" for name, value in sorted(catalogue().items()))
    assert shown == GOLDEN.read_text()


@pytest.mark.parametrize("name", catalogue())
def test_reply_code_and_enhanced_status_code_agree(name: str) -> None:
    one = catalogue()[name]
    assert str(one.code)[0] == one.enhanced[0]
    assert one.text.isascii()
    assert one.text.isprintable()
    assert not one.text[0].isdigit()


def test_a_class_cannot_be_mixed() -> None:
    with pytest.raises(ValueError, match="permanent"):
        Reply.permanent("7.1", "x", code=451)
    with pytest.raises(ValueError, match="temporary"):
        Reply.temporary("3.0", "x", code=550)


def test_a_reply_is_one_printable_line() -> None:
    assert Reply.permanent("7.1", "a\r\nb\u00e9").text == "a??b?"
    assert len(Reply.permanent("7.1", "x" * 2000).text) == 480
