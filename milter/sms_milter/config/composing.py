"""A file's YAML as a tree, with the place of everything. The only module that knows YAML.

No recursion, no tags, few levels, and aliases that cannot explode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from sms_milter.config.tree import Entry, Listing, Node, Place, Table, Text, is_null
from sms_milter.errors import Fault

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEPTH_LIMIT = 32  # levels of indentation; the settings have 6
_REPEATED_LIMIT = 200_000  # values that aliases may repeat, in all; a "billion laughs" ends here
_NULLS = ("", "~", "null", "Null", "NULL")
_PLAINLY = {
    "mapping values are not allowed": "unexpected colon; text that holds a colon belongs in quotes",
    "cannot start any token": "text that begins with @, % or ` belongs in quotes",
    "did not find expected key": "expected `name: value`; check indentation, quotes, commas here and above",
}


class _Unusable(Exception):
    """The text is not a configuration; carries the one fault that says why."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read."""

    node: Listing | Table
    anchor: str | None
    size: int = 1  # values in it, repeated ones included
    key: Text | None = None  # of a mapping: the name that waits for its value


class Composer:
    """From YAML's events to a `Table`: no recursion, no tags, few levels, and aliases that cannot explode."""

    def __init__(self, file: str) -> None:
        self.faults: list[Fault] = []
        self._file = file
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._repeated = 0
        self._root: Node | None = None

    def compose(self, text: str) -> Table | None:
        """What the file says; None when it cannot be used at all."""
        try:
            for event in yaml.parse(text, Loader=_Loader):
                self._take(event)
            if self._root is None or is_null(self._root):
                raise _Unusable(0, "is empty: there are no settings in it")
            if not isinstance(self._root, Table):
                raise _Unusable(self._root.place.line, "expected settings of the form `name: value`")
        except _Unusable as why:
            self.faults.append(Fault(self._file, why.line, "", why.problem))
        except yaml.YAMLError as error:
            self.faults.append(_syntax_fault(self._file, text, error))
        else:
            return self._root
        return None

    def _take(self, event: yaml.Event) -> None:
        line = _line(event.start_mark)
        match event:
            case yaml.DocumentStartEvent() if self._root is not None:
                raise _Unusable(line, "a second document begins here; a file holds one")
            case yaml.AliasEvent():
                self._repeat(str(event.anchor), line)
            case yaml.ScalarEvent():
                self._refuse_tag(event.tag, line)
                null = event.implicit[0] and event.value in _NULLS
                self._add(Text(Place(self._file, line), None if null else event.value), 1, event.anchor)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._refuse_tag(event.tag, line)
                self._open(event, line)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                closed = self._stack.pop()
                if isinstance(closed.node, Table):
                    self._merge_keys(closed.node)
                self._add(closed.node, closed.size, closed.anchor)

    def _open(self, event: yaml.CollectionStartEvent, line: int) -> None:
        if len(self._stack) >= _DEPTH_LIMIT:
            raise _Unusable(line, f"more than {_DEPTH_LIMIT} levels below each other")
        place = Place(self._file, line)
        node = Listing(place) if isinstance(event, yaml.SequenceStartEvent) else Table(place)
        self._stack.append(_Open(node, event.anchor))

    def _refuse_tag(self, tag: str | None, line: int) -> None:
        if tag is not None:
            raise _Unusable(line, "tags (words that begin with !) have no meaning here; put text in quotes")

    def _repeat(self, anchor: str, line: int) -> None:
        if anchor not in self._anchors:
            raise _Unusable(line, f"the alias *{anchor} names nothing that stands complete above it")
        node, size = self._anchors[anchor]
        self._repeated += size
        if self._repeated > _REPEATED_LIMIT:
            raise _Unusable(line, f"aliases repeat more than {_REPEATED_LIMIT} values")
        self._add(node, size, None)

    def _add(self, node: Node, size: int, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = (node, size)
        if not self._stack:
            self._root = node
            return
        above = self._stack[-1]
        above.size += size
        if isinstance(above.node, Listing):
            above.node.items.append(node)
        elif above.key is None:
            if not isinstance(node, Text) or node.value is None:
                raise _Unusable(node.place.line, "expected the name of a setting before the colon")
            above.key = node
        else:
            self._put(above.node, above.key, node)
            above.key = None

    def _put(self, table: Table, key: Text, node: Node) -> None:
        name = key.value or ""
        if not table.put(name, Entry(key.place, node)):
            names = [level.key.value for level in self._stack[:-1] if level.key is not None]
            path = ".".join(word for word in [*names, name] if word)
            first = table.entries[name].place.line
            self.faults.append(Fault(self._file, key.place.line, path, f"stands already in line {first}"))

    def _merge_keys(self, table: Table) -> None:
        """`<<: *name`: what another mapping says, unless it is said here."""
        merged = table.entries.pop("<<", None)
        if merged is None:
            return
        for node in merged.node.items if isinstance(merged.node, Listing) else [merged.node]:
            if not isinstance(node, Table):
                raise _Unusable(merged.place.line, "expected an alias of a mapping after <<")
            for name, entry in node.entries.items():
                table.put(name, entry)


def _line(mark: Any) -> int:
    return int(mark.line) + 1 if mark is not None else 0


def _syntax_fault(file: str, text: str, error: yaml.YAMLError) -> Fault:
    if not isinstance(error, yaml.MarkedYAMLError):
        # The reader refuses control characters and names a position only.
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        return Fault(file, line, "", "not a text file: there is a control character in it")
    line = _line(error.problem_mark or error.context_mark)
    lines = text.split("\n")
    if 0 < line <= len(lines) and lines[line - 1].lstrip(" ").startswith("\t"):
        return Fault(file, line, "", "indented with a tab; only spaces may indent")
    begun = error.context_mark
    where = f" ({error.context} that begins in line {_line(begun)})" if begun is not None else ""
    plainly = next((words for jargon, words in _PLAINLY.items() if jargon in str(error.problem)), "")
    return Fault(file, line, "", plainly or f"not valid YAML: {error.problem}{where}")
