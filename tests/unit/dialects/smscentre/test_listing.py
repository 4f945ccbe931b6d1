"""Lists of texts (SMSCentre §9)."""

from __future__ import annotations

import pytest

from sms_milter.dialects.smscentre.listing import entries
from sms_milter.errors import Rejected


def test_the_first_separator_counts() -> None:
    assert entries("1,2:a;b\n\n3;c:d\\ne", multi_line=False) == [("1,2", "a;b"), ("3", "c:d\ne")]


def test_times_in_a_text_begin_no_entry() -> None:
    text = "+79160000001, G5: From\n12:30 lunch\n79160000002;Bye"
    assert entries(text, multi_line=True) == [
        ("+79160000001, G5", "From\n12:30 lunch"),
        ("79160000002", "Bye"),
    ]


@pytest.mark.parametrize("written", ["", "no separator", "\n".join(["1:a"] * 1001)])
def test_what_is_no_list_is_error_1(written: str) -> None:
    with pytest.raises(Rejected, match="ERROR = 1"):
        entries(written, multi_line=False)


def test_a_multi_line_list_begins_with_a_number() -> None:
    with pytest.raises(Rejected, match="ERROR = 1"):
        entries("Hello\n79160000001:x", multi_line=True)
