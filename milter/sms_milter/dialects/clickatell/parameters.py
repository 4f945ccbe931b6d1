"""The lines `name:value` of a Clickatell mail (CLK §4). Knows what the names are, not what they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sms_milter.dialects.clickatell import faults
from sms_milter.dialects.clickatell.faults import Fault
from sms_milter.mail import charset, flowed
from sms_milter.mail.parse import Mail, Part

# line     = parameter / ignored-line
# parameter = *WSP name *WSP ":" *WSP value *WSP
# name     = ALPHA *( ALPHA / DIGIT / "_" )
_PARAMETER = re.compile(r"[ \t\xa0]*([A-Za-z][A-Za-z0-9_]*)[ \t\xa0]*:(.*)")
_NAMES = """
    user password api_id to text urltext data reply from concat deliv_time scheduled_time escalate queue
    max_credits req_feat unicode msg_type udh binary validity deliv_ack callback climsgid mo csv delimiter
    csvtemplate
"""
_KNOWN = frozenset(_NAMES.split())
# Of these the white space counts: long text may be broken anywhere, fields are put in as they are.
_VERBATIM = frozenset({"data", "csv"})
_END = ("--", "-- ")
_BLANKS = " \t\xa0"
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
# A line feed and a form feed are in the GSM alphabet; other control characters show nothing.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")


class Parameters:
    """What the lines of one mail say: every value of each name, names in lower case."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def with_cells(self, cells: Mapping[str, str]) -> Parameters:
        """These, with `cells` in place of what the mail says by the same names."""
        return Parameters({**self._values, **{name: (value,) for name, value in cells.items()}})

    def all(self, name: str) -> Sequence[str]:
        """The values of a repeatable parameter in order, empty ones too."""
        return self._values.get(name, ())

    def first(self, name: str) -> str:
        """The value that counts of all others: the first that is not empty, "" for none."""
        for value in self._values.get(name, ()):
            if value:
                return value
        return ""

    def number(self, name: str, least: int, most: int, default: int, fault: Fault = faults.PARAMETER) -> int:
        """A whole number. Raises Rejected for anything else."""
        given = self.first(name)
        if not given:
            return default
        if not _NUMBER.fullmatch(given) or not least <= int(given) <= most:
            raise fault.rejected(name if fault is faults.PARAMETER else "")
        return int(given)

    def flag(self, name: str) -> bool:
        """0 or 1. Raises Rejected for anything else."""
        return self.number(name, 0, 1, 0) == 1


def read(mail: Mail) -> Parameters:
    """The parameters in the first plain text of the mail. Raises Rejected when there are none."""
    values: dict[str, list[str]] = {}
    for line in _lines(_body(mail)):
        if line in _END:
            break
        parameter = _PARAMETER.fullmatch(line)
        if parameter is None:
            continue
        name = parameter[1].lower()
        if name in _KNOWN:
            value = parameter[2]
            values.setdefault(name, []).append(value if name in _VERBATIM else value.strip(_BLANKS))
    if not values:
        raise faults.MAIL.rejected()
    return Parameters(values)


def _body(mail: Mail) -> Part:
    for part in mail.parts:
        if part.content_type.startswith("multipart/"):
            raise faults.MAIL.rejected()
        if part.content_type == "text/plain" and not part.attachment:
            if part.fault:
                raise faults.MAIL.rejected()
            return part
    raise faults.NO_PLAIN_TEXT.rejected()


def _lines(part: Part) -> Sequence[str]:
    text = shown(charset.decode(part.octets, part.charset))
    if part.flowed:
        text = flowed.unflow(text, delsp=part.delsp)
    return text.split("\n")


def shown(text: str) -> str:
    """`text` with LF for every line end and a blank for what no phone shows."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isprintable() else _CONTROL.sub(" ", text)
