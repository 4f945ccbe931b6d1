"""CLK §4.2, §11: numbers, csv lines, their columns and the fields of a template."""

from __future__ import annotations

import pytest

from sms_milter.dialects.clickatell.batch import Entry, Layout, entries, filled, international, layout
from sms_milter.dialects.clickatell.parameters import Parameters
from sms_milter.errors import Rejected


def said(**lines: str | list[str]) -> Parameters:
    return Parameters({name: [one] if isinstance(one, str) else one for name, one in lines.items()})


def test_without_columns_the_number_comes_first_and_fields_follow() -> None:
    assert Layout(",").entry(" 448311234567 , a b ,c") == Entry("448311234567", {1: " a b ", 2: "c"})


def test_columns_name_what_stands_in_a_line() -> None:
    columns = ("field2", "to", "climsgid", "text")
    assert Layout("|", columns).entry("x| 4483 | id1 |  Hi ") == Entry(
        "4483", {2: "x"}, {"climsgid": "id1", "text": "  Hi "}
    )


def test_cells_may_be_missing_empty_or_too_many() -> None:
    columns = ("to", "from", "field1")
    assert Layout("|", columns).entry("4483") == Entry("4483")
    assert Layout("|", columns).entry("4483| |a|b") == Entry("4483", {1: "a"})


@pytest.mark.parametrize(
    ("given", "columns"),
    [
        ("to", ("to",)),
        (" TO , #Field12# ,cliMsgId", ("to", "field12", "climsgid")),
        ("", ()),
    ],
)
def test_names_of_columns(given: str, columns: tuple[str, ...]) -> None:
    assert layout(said(csvtemplate=given)) == Layout(",", columns)


@pytest.mark.parametrize(
    "given",
    [
        "from",
        "to,to",
        "to,",
        "to,field0",
        "to,field",
        "to,user",
        "to,password",
        "to,api_id",
        "to,reply",
        "to,csv",
        "#",
    ],
)
def test_what_is_no_layout(given: str) -> None:
    with pytest.raises(Rejected, match=r"ERR: 101, .* \(csvtemplate\)"):
        layout(said(csvtemplate=given))


@pytest.mark.parametrize(
    ("given", "delimiter"), [("", ","), ("|", "|"), ("tab", "\t"), ("TAB", "\t"), ("x", "x")]
)
def test_a_delimiter_is_one_character_or_the_word_tab(given: str, delimiter: str) -> None:
    assert layout(said(delimiter=given)).delimiter == delimiter


@pytest.mark.parametrize("given", ["||", "1", "#", "tabs"])
def test_what_is_no_delimiter(given: str) -> None:
    with pytest.raises(Rejected, match=r"ERR: 101, .* \(delimiter\)"):
        layout(said(delimiter=given))


def test_numbers_come_before_lines_each_as_often_as_it_stands_there() -> None:
    mail = said(csv=["3,x", "1"], to=["1, 2,", "", "1,,3"])
    written = [one.written for one in entries(mail, Layout(","))]
    assert written == ["1", "2", "1", "", "3", "3", "1"]


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("448311234567", "448311234567"),
        ("+448311234567", "448311234567"),
        ("1234567", "1234567"),
        ("123456", None),
        ("1234567890123456", None),
        ("07901231234", None),
        ("00448311234567", None),
        ("44 8311234567", None),
        ("448311234567;1", None),
        ("\u0664\u0664831123456", None),
        ("", None),
    ],
)
def test_numbers(written: str, digits: str | None) -> None:
    assert international(written, None) == digits


def test_a_national_number_loses_one_zero() -> None:
    assert international("07901231234", "44") == "447901231234"
    assert international("0044831123456", "44") is None
    assert international("+07901231234", "44") is None
    assert international("7901231234", "44") == "7901231234"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("#field1#-#FIELD2#", "a-#field1#"),
        ("#field3#.", "."),
        ("#field0# #field# #fieldx# #1#", "#field0# #field# #fieldx# #1#"),
        ("#field01#", "a"),
        ("#field1#field2#", "afield2#"),
        ("#field999999999#", ""),
    ],
)
def test_places_are_filled_once(template: str, text: str) -> None:
    assert filled(template, {1: "a", 2: "#field1#"}) == text
