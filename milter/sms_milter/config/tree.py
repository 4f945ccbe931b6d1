"""What a configuration file says, before anybody asks whether it makes sense: text, lists and mappings with
places.

Every scalar stays the text that was written (so "+41" keeps its plus and 0660 its zero); None stands for
null.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

Path: TypeAlias = tuple[str | int, ...]


class Place(NamedTuple):
    """A line of a file; `line` counts from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(slots=True)
class Text:
    """One scalar."""

    place: Place
    value: str | None


@dataclass(slots=True)
class Listing:
    """A list."""

    place: Place
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Entry:
    """One line `name: node` of a mapping; `place` is the name's."""

    place: Place
    node: Node


@dataclass(slots=True)
class Table:
    """A mapping in the order of the file."""

    place: Place
    entries: dict[str, Entry] = field(default_factory=dict)

    def put(self, name: str, entry: Entry) -> bool:
        """Add an entry, unless there is one of that name; whether it was added."""
        return self.entries.setdefault(name, entry) is entry

    def tables(self, name: str) -> Iterator[tuple[str, Table]]:
        """The mappings one level below the entry `name`, with their names."""
        entry = self.entries.get(name)
        if entry is not None and isinstance(entry.node, Table):
            for below, one in entry.node.entries.items():
                if isinstance(one.node, Table):
                    yield below, one.node

    def names(self, name: str) -> list[str]:
        """The names one level below the entry `name`."""
        entry = self.entries.get(name)
        return list(entry.node.entries) if entry is not None and isinstance(entry.node, Table) else []


Node: TypeAlias = Text | Listing | Table


def is_null(node: Node) -> bool:
    """Whether nothing was written, or null."""
    return isinstance(node, Text) and node.value is None


def data(node: Node) -> Any:
    """Plain str, None, list and dict."""
    match node:
        case Text():
            return node.value
        case Listing():
            return [data(item) for item in node.items]
        case Table():
            return {name: data(entry.node) for name, entry in node.entries.items()}


def follow(root: Node, path: Path) -> tuple[Place, Node | None]:
    """The place of what `path` names, or of the nearest thing above it, and the node if it exists.

    A mapping's or list's place in its parent is the line of its name, where a reader looks first.
    """
    place, node = root.place, root
    for step in path:
        if isinstance(node, Table) and isinstance(step, str) and step in node.entries:
            entry = node.entries[step]
            node = entry.node
            place = node.place if isinstance(node, Text) else entry.place
        elif isinstance(node, Listing) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            place = node.place
        else:
            return place, None
    return place, node


def key_place(root: Node, path: Path) -> Place:
    """The place of the last name of `path`."""
    _, above = follow(root, path[:-1])
    if isinstance(above, Table) and path[-1] in above.entries:
        return above.entries[str(path[-1])].place
    return follow(root, path)[0]


def written(path: Path) -> str:
    """A path as faults show it: accounts.acme.clients[1]."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
