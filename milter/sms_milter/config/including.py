"""The settings of a file and of all that it includes, put together; every file once."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path

from sms_milter.config.composing import Composer
from sms_milter.config.files import Unreadable, real_path, text_of
from sms_milter.config.tree import Entry, Listing, Node, Place, Table, Text, is_null
from sms_milter.errors import Fault

_INCLUDE_LIMIT = 16  # files that include each other in a row


class Reading:
    """One reading of everything: the files in their order, and the faults found on the way."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.files: dict[Path, None] = {}  # in their order
        self._seen: dict[str, Place | None] = {}  # real path: where it was named

    def gather(self, path: Path) -> Table | None:
        """The merged settings of `path` and its includes; None when `path` itself cannot be used."""
        root = Table(Place(str(path), 1))
        return root if self._add(root, path, None, ()) else None

    def _fault(self, place: Place, path: str, problem: str) -> None:
        self.faults.append(Fault(place.file, place.line, path, problem))

    def _add(self, root: Table, path: Path, named_at: Place | None, trail: tuple[str, ...]) -> bool:
        real = real_path(path)
        if named_at is not None and (problem := self._refusal(real, trail)):
            self._fault(named_at, "include", f"{path} {problem}")
            return False
        self._seen[real] = named_at
        try:
            text = text_of(path)
        except Unreadable as why:
            if named_at:
                self._fault(named_at, "include", f"{path} {why}")
            else:
                self.faults.append(Fault(str(path), 0, "", str(why)))
            return False
        self.files[path] = None
        composer = Composer(str(path))
        table = composer.compose(text)
        self.faults += composer.faults
        if table is None:
            return False
        include = table.entries.pop("include", None)
        self._merge(root, table)
        if include is not None and not is_null(include.node):
            for place, one in self._included(path, include):
                self._add(root, one, place, (*trail, real))
        return True

    def _refusal(self, real: str, trail: tuple[str, ...]) -> str:
        if real in trail:
            return "includes itself"
        if real in self._seen:
            return f"is included already at {self._seen[real]}"
        return f"is more than {_INCLUDE_LIMIT} files deep" if len(trail) >= _INCLUDE_LIMIT else ""

    def _included(self, path: Path, include: Entry) -> Iterator[tuple[Place, Path]]:
        for item in include.node.items if isinstance(include.node, Listing) else [include.node]:
            if not isinstance(item, Text) or not item.value or "\0" in item.value:
                self._fault(item.place, "include", "expected a list of files or patterns")
                continue
            is_pattern = glob.has_magic(item.value)
            names = sorted(glob.glob(item.value, root_dir=path.parent)) if is_pattern else [item.value]
            yield from ((item.place, path.parent / name) for name in names)

    def _merge(self, root: Table, table: Table) -> None:
        """Adds what another file says. Headings come together; the same thing said twice is a fault."""
        for name, entry in table.entries.items():
            node = _lowered(entry.node, self.faults) if name == "domains" else entry.node
            mine = root.entries.get(name)
            if mine is None or is_null(mine.node):
                root.entries[name] = Entry(entry.place, node)
            elif isinstance(mine.node, Table) and isinstance(node, Table):
                for below, other in node.entries.items():
                    if not mine.node.put(below, other):
                        self._twice(other.place, f"{name}.{below}", mine.node.entries[below].place)
            elif not is_null(node):
                self._twice(entry.place, name, mine.place)

    def _twice(self, place: Place, path: str, first: Place) -> None:
        self._fault(place, path, f"stands already at {first}")


def _lowered(node: Node, faults: list[Fault]) -> Node:
    """The table of domains with its names in lower case."""
    if not isinstance(node, Table):
        return node
    lowered = Table(node.place)
    for name, entry in node.entries.items():
        if not lowered.put(name.lower(), entry):
            first = lowered.entries[name.lower()].place
            faults.append(
                Fault(entry.place.file, entry.place.line, f"domains.{name}", f"stands already at {first}")
            )
    return lowered
