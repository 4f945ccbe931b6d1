"""However libmilter cuts the body of a mail into chunks, the same becomes of it, whatever its dialect."""

from __future__ import annotations

import tempfile
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sms_milter.config.load import load
from sms_milter.config.secrets import Passwords
from sms_milter.gate import Gate
from sms_milter.intake import Transaction
from sms_milter.mail.address import esmtp_parameters
from sms_milter.model import Client
from sms_milter.preview import describe
from sms_milter.rehearsal import Rehearsal, SilentJournal, split_message
from support.memory_queue import MemoryQueue

GOLDEN = Path(__file__).parent.parent / "golden"
NOW = 1_732_190_400.0


def plain_cases(dialect: str) -> list[Path]:
    """The cases that need nothing but the dialect's own configuration."""
    cases = sorted((GOLDEN / dialect).glob("[0-9]*.yaml"))
    return [case for case in cases if not {"config", "before"} & yaml.safe_load(case.read_text()).keys()]


@cache
def gate_of(dialect: str) -> Gate:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sms-milter.yaml"
        path.write_text((GOLDEN / dialect / "base.yaml").read_text())
        return Gate(load(path).configuration, Passwords())


def judged(case: Path, cuts: list[int]) -> dict[str, Any]:
    """What becomes of the mail of a case whose body comes cut at these places."""
    how = yaml.safe_load(case.read_text())
    transaction = Transaction(
        gate_of(case.parent.name),
        Rehearsal(MemoryQueue(), NOW),
        SilentJournal(),
        Client(how["client"]),
        how["sender"],
        {},
        clock=lambda: NOW,
        chance=lambda _: 0,
    )
    for recipient in how["recipients"]:
        transaction.recipient(recipient, esmtp_parameters(how.get("recipient_parameters", ())))
    fields, body = split_message(case.with_suffix(".eml").read_bytes())
    for name, value in fields:
        transaction.header(name, value)
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        transaction.body(body[start:end])
    return describe(transaction, transaction.decide())


@pytest.mark.parametrize("dialect", ["hsl", "aspsms", "clickatell", "smscentre"])
def test_how_a_body_is_cut_does_not_matter(dialect: str) -> None:
    cases = plain_cases(dialect)
    assert len(cases) > 20

    @settings(max_examples=60)
    @given(st.sampled_from(cases), st.lists(st.integers(0, 100_000), max_size=20))
    def alike(case: Path, cuts: list[int]) -> None:
        assert judged(case, cuts) == judged(case, [])

    alike()


@pytest.mark.parametrize("dialect", ["hsl", "aspsms", "clickatell", "smscentre"])
def test_octet_by_octet_is_like_at_once(dialect: str) -> None:
    case = plain_cases(dialect)[0]
    assert judged(case, list(range(100_000))) == judged(case, [])
    assert judged(case, [])["messages"]
