"""The XML document of a request, read into elements (ASPSMS §11.1). The one door to expat.

No DOCTYPE, hence no entities of a client's own; depth and number of elements are limited while it is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

from sms_milter.errors import Rejected
from sms_milter.reply import Reply

# Quotes and the case of the encoding do not matter, everything else does.
_DECLARATION = re.compile(rb"""<\?xml version=(["'])1\.0\1 encoding=(["'])(?i:ISO-8859-1)\2\?>""")
_BLANKS = " \t\r\n"
_ROOT = "aspsms"
_DEEPEST = 8
_MOST_ELEMENTS = 5000

# What stands in these, or in what is left of them, is shown to nobody.
_SECRET = re.compile(r"(<(userkey|password)\b\s*>?)(.*?)(?=</\2|\Z)", re.IGNORECASE | re.DOTALL)
_LINE = re.compile(r"[^\r\n]+")
_LONGEST_SOURCE = 80  # characters

_NO_ELEMENT, _MALFORMED = -1072896680, -1072896682
_NO_ELEMENT_TEXT = "XML document must have a top level element."


class ParserError(Rejected):
    """The document cannot be read; says why, and where as the interface does.

    `position` counts octets from 0, `line` and `column` count from 1; `source` is the text of the line.
    """

    def __init__(self, code: int, description: str, position: int, octets: bytes) -> None:
        super().__init__(Reply.permanent("6.0", f"ParserErrorCode {code}: {description}", code=554))
        before = octets[:position]
        start = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
        self.code, self.description, self.position = code, description, position
        self.line = before.replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1
        self.column = position - start + 1
        lines = _without_secrets(octets.decode("latin-1")).replace("\r\n", "\n").replace("\r", "\n")
        self.source = lines.split("\n")[self.line - 1][:_LONGEST_SOURCE]


@dataclass(slots=True)
class Element:
    """One element: its own text, without that of elements in it, and these."""

    name: str
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, *names: str) -> Iterator[Element]:
        """The children by any of these names, in order."""
        return (child for child in self.children if child.name in names)

    def find(self, *names: str) -> Element | None:
        """The first child by any of these names."""
        return next(self.all(*names), None)

    def value(self, *names: str) -> str:
        """The text of that child without blanks around it, "" if there is none."""
        child = self.find(*names)
        return "" if child is None else child.text.strip(_BLANKS)


def read(octets: bytes) -> Element:
    """The root of the document that `octets` are. Raises ParserError."""
    start = len(octets) - len(octets.lstrip())
    if start == len(octets):
        raise ParserError(_NO_ELEMENT, _NO_ELEMENT_TEXT, 0, octets)
    if not _DECLARATION.match(octets, start):
        wanted = '<?xml version="1.0" encoding="ISO-8859-1"?>'
        raise ParserError(_MALFORMED, f"The document must begin with {wanted}", start, octets)
    return _Reader(octets, start).root()


class _Reader:
    """Builds the tree of one document while expat reads it."""

    def __init__(self, octets: bytes, start: int) -> None:
        self._octets, self._start = octets, start
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._elements = 0
        self._root: Element | None = None
        parser = self._parser = expat.ParserCreate("ISO-8859-1")
        parser.buffer_text = True
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._doctype

    def root(self) -> Element:
        try:
            self._parser.Parse(self._octets[self._start :], True)
        except expat.ExpatError as error:
            code, why = _MALFORMED, f"{expat.ErrorString(error.code).capitalize()}."
            if self._root is None and error.code == expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS]:
                code, why = _NO_ELEMENT, _NO_ELEMENT_TEXT
            position = self._start + max(self._parser.ErrorByteIndex, 0)
            raise ParserError(code, why, position, self._octets) from None
        assert self._root is not None  # expat finds fault with a document without elements
        return self._root

    def _begin(self, name: str, _attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > _MOST_ELEMENTS:
            self._fault(f"More than {_MOST_ELEMENTS} elements.")
        if len(self._open) == _DEEPEST:
            self._fault(f"Elements are nested deeper than {_DEEPEST}.")
        element = Element(name)
        if self._open:
            self._open[-1].children.append(element)
        elif name == _ROOT:
            self._root = element
        else:
            self._fault(f"The top level element must be {_ROOT}.")
        self._open.append(element)
        self._texts.append([])

    def _end(self, _name: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())

    def _characters(self, text: str) -> None:
        self._texts[-1].append(text)

    def _doctype(self, *_: object) -> None:
        self._fault("A document type declaration is not allowed.")

    def _fault(self, why: str) -> NoReturn:
        position = self._start + max(self._parser.CurrentByteIndex, 0)
        raise ParserError(_MALFORMED, why, position, self._octets)


def _without_secrets(text: str) -> str:
    """`text` with as many lines, Userkey and Password replaced."""
    return _SECRET.sub(lambda found: found[1] + _LINE.sub("***", found[3]), text)
