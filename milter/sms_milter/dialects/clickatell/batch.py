"""Who gets a message, and what differs about it (CLK §4.2, §11): `to` and `csv` lines, columns, fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sms_milter.dialects.clickatell import faults
from sms_milter.dialects.clickatell.parameters import Parameters

# number   = [ "+" ] 1*DIGIT ; 7 to 15 digits in the international form      CLK §4.2
_NUMBER = re.compile(r"\+?([1-9][0-9]{6,14})")
# placeholder = "#field" 1*DIGIT "#"      CLK §11
_PLACE = re.compile(r"#field([0-9]{1,9})#", re.IGNORECASE)
_FIELD = re.compile(r"field([1-9][0-9]{0,8})")
_CELLS = """
    text from climsgid deliv_time scheduled_time validity queue max_credits req_feat escalate concat unicode
    msg_type udh data deliv_ack callback mo
"""
_PARAMETERS = frozenset(_CELLS.split())
_CONTENT = frozenset({"text", "data"})  # of these the white space counts, as it does in fields


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of a mail: its number as written, the fields by their numbers, and the parameters that the
    line gives in place of those of the mail.
    """

    written: str
    fields: Mapping[int, str] = field(default_factory=dict, repr=False)
    cells: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a csv line is read; without `columns` the number comes first, and field1 and so on follow."""

    delimiter: str
    columns: tuple[str, ...] = ()

    @property
    def has_text(self) -> bool:
        """Whether lines may say themselves what is sent."""
        return not _CONTENT.isdisjoint(self.columns)

    def entry(self, line: str) -> Entry:
        """The message that a line asks for."""
        values = line.split(self.delimiter)
        if not self.columns:
            return Entry(values[0].strip(), dict(enumerate(values[1:], start=1)))
        written, fields, cells = "", {}, {}
        for name, value in zip(self.columns, values, strict=False):
            if name == "to":
                written = value.strip()
            elif name in _PARAMETERS:
                cell = value if name in _CONTENT else value.strip()
                if cell:
                    cells[name] = cell
            else:
                fields[int(name.removeprefix("field"))] = value
        return Entry(written, fields, cells)


def layout(said: Parameters) -> Layout:
    """The layout of the csv lines. Raises Rejected."""
    delimiter = _delimiter(said.first("delimiter"))
    given = said.first("csvtemplate")
    if not given:
        return Layout(delimiter)
    columns = tuple([_column(name) for name in given.split(delimiter)])
    if "to" not in columns or len(set(columns)) < len(columns):
        raise faults.PARAMETER.rejected("csvtemplate")
    return Layout(delimiter, columns)


def entries(said: Parameters, how: Layout) -> Iterator[Entry]:
    """The messages that the mail asks for, those of `to` lines first."""
    for line in said.all("to"):
        numbers = [number.strip() for number in line.split(",")]
        if len(numbers) > 1 and not numbers[-1]:
            numbers.pop()
        for number in numbers if line else ():
            yield Entry(number)
    for line in said.all("csv"):
        yield how.entry(line)


def international(written: str, country: str | None) -> str | None:
    """The digits of a number, with its country where it is written nationally; None for what is no number."""
    if country is not None and written.startswith("0") and not written.startswith("00"):
        written = country + written[1:]
    number = _NUMBER.fullmatch(written)
    return None if number is None else number[1]


def filled(template: str, fields: Mapping[int, str]) -> str:
    """The template with the fields in their places; "" where there is none."""

    def value(place: re.Match[str]) -> str:
        at = int(place[1])
        return fields.get(at, "") if at else place[0]

    return _PLACE.sub(value, template)


def _delimiter(given: str) -> str:
    if given.lower() == "tab":
        return "\t"
    if len(given) > 1 or given.isdigit() or given == "#":
        raise faults.PARAMETER.rejected("delimiter")
    return given or ","


def _column(written: str) -> str:
    """A name in lower case, without the # that may stand around it. Raises Rejected for an unknown one."""
    name = written.strip()
    if len(name) > 2 and name[0] == name[-1] == "#":
        name = name[1:-1]
    name = name.lower()
    if name != "to" and name not in _PARAMETERS and not _FIELD.fullmatch(name):
        raise faults.PARAMETER.rejected("csvtemplate")
    return name
