"""CLK §4: the lines of a body."""

from __future__ import annotations

import pytest

from sms_milter.dialects.clickatell.parameters import Parameters, read, shown
from sms_milter.errors import Rejected
from sms_milter.mail.parse import parse


def said(body: bytes, kind: bytes = b"") -> Parameters:
    return read(parse([("Content-Type", kind)] if kind else [], body))


def test_white_space_around_names_and_values_is_no_part_of_them() -> None:
    mail = said("\tUser\u00a0:\u00a0demo \r\n  TO:\t+448311234567 \n".encode())
    assert (mail.first("user"), mail.first("to")) == ("demo", "+448311234567")


def test_data_and_csv_keep_theirs() -> None:
    mail = said(b"data: a \ncsv : 1, b \n")
    assert (mail.all("data"), mail.all("csv")) == ([" a "], [" 1, b "])


def test_the_first_colon_ends_the_name() -> None:
    assert said(b"text:Time: 10:30\n").first("text") == "Time: 10:30"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_end_in_any_way(end: bytes) -> None:
    assert said(end.join([b"text:a", b"lost", b"text:", b"text:b"])).all("text") == ["a", "", "b"]


@pytest.mark.parametrize(
    "line", ["> user:x", "template:1", "batch_id:2", "us er:x", "1to:2", "user", ":x", "\u200buser:x"]
)
def test_other_lines_are_ignored(line: str) -> None:
    assert said(f"{line}\nto:1\n".encode()).first("user") == ""


@pytest.mark.parametrize("line", [b"--", b"-- "])
def test_nothing_counts_behind_a_signature(line: bytes) -> None:
    assert said(b"to:1\n" + line + b"\nto:2\n").all("to") == ["1"]


@pytest.mark.parametrize("line", [b" --", b"---", b"--x"])
def test_what_is_no_signature(line: bytes) -> None:
    assert said(b"to:1\n" + line + b"\nto:2\n").all("to") == ["1", "2"]


def test_the_first_value_that_is_not_empty_counts() -> None:
    assert said(b"from:\nfrom:A\nfrom:B\n").first("from") == "A"


def test_cells_take_the_place_of_all_values() -> None:
    mail = said(b"text:a\ntext:b\nfrom:A\n").with_cells({"text": "c", "queue": "1"})
    assert (mail.all("text"), mail.first("from"), mail.number("queue", 1, 3, 3)) == (("c",), "A", 1)
    assert "queue" in mail


@pytest.mark.parametrize("given", [b"-1", b"4", b"x", b"1.0", b"0x1", "\u0661".encode(), b"1" * 30])
def test_what_is_no_number(given: bytes) -> None:
    with pytest.raises(Rejected, match=r"ERR: 101, .* \(queue\)"):
        said(b"queue:" + given).number("queue", 1, 3, 3)


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert said(b"\xef\xbb\xbfuser:demo\n").first("user") == "demo"
    assert said(b"\xef\xbb\xbfuser:demo\n", b"text/plain; charset=utf-8").first("user") == "demo"


def test_octets_without_a_character_set() -> None:
    assert said(b"text:\xe9\n").first("text") == "\u00e9"
    assert said("text:\u00e9\n".encode()).first("text") == "\u00e9"
    assert said(b"text:\xe9\n", b"text/plain; charset=us-ascii").first("text") == "\u00e9"


def test_what_cannot_be_decoded() -> None:
    with pytest.raises(Rejected):
        said(b"text:\xff\n", b"text/plain; charset=utf-8")
    with pytest.raises(Rejected):
        said(b"text:a\n", b"text/plain; charset=x-nothing")


def test_soft_breaks_are_joined_before_lines_are_read() -> None:
    assert said(b"text:one \ntwo\n", b"text/plain; format=flowed").first("text") == "one two"
    delsp = b"text/plain; format=flowed; delsp=yes"
    assert said(b"text:one \ntwo\n", delsp).first("text") == "onetwo"


def test_what_no_phone_shows_is_a_blank() -> None:
    assert shown("a\0b\x1bc\r\nd\re\x0cf\u0085g") == "a b c\nd\ne\x0cf g"
