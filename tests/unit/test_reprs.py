"""What stands in a repr may end in a log: no texts, no passwords."""

from typing import Any

import pytest

from sms_milter.dialects.context import Outcome
from sms_milter.mail.parse import parse
from sms_milter.model import (
    Binary,
    Client,
    ComposedPart,
    Envelope,
    Errand,
    LeasedPart,
    PlannedMessage,
    SmsRequest,
    SubmitSm,
    Wish,
)
from sms_milter.sms.form import written
from sms_milter.sms.parts import text_parts
from sms_milter.sms.terms import Terms

WORDS = "quick brown fox"
MAIL = parse([("Subject", WORDS.encode())], WORDS.encode())
WISH = Wish("447973100000", WORDS, fields=(("subject", WORDS),), comment=WORDS)
SUBMIT = SubmitSm(short_message=WORDS.encode(), tlvs=((0x0424, WORDS.encode()),))
PLANNED = PlannedMessage("447973100000", "ACME", WORDS, (SUBMIT,), comment=WORDS)


@pytest.mark.parametrize(
    "value",
    [
        MAIL,
        WISH,
        SmsRequest((WISH,), 10, written=WORDS.encode(), memo=WORDS),
        Outcome(Envelope(Client(), ""), MAIL, None, SmsRequest((WISH,), 10), [PLANNED], 0.0),
        SUBMIT,
        PLANNED,
        PLANNED._replace(parts=(Errand("voice", "447973100000", "", WORDS, (("subject", WORDS),)),)),
        Binary(WORDS.encode()),
        ComposedPart(WORDS.encode()),
        LeasedPart(1, 1, "", "447973100000", 1, 1, WORDS.encode(), 0, 0.0, 0.0),
        written(WORDS, Terms("ACME")),
        text_parts(WORDS, False, Terms("ACME")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_repr_shows_no_text(value: Any) -> None:
    assert "fox" not in repr(value)
    assert repr(value).startswith(f"{type(value).__name__}(")
