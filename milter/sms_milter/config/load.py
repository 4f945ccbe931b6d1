"""Reads configuration files: YAML (this is its only door), includes, files of secrets and of phone numbers.

Reports every fault at once, each with file and line. What the settings mean is `check`'s business.
"""

from __future__ import annotations

import contextlib
import gc
import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel

from sms_milter.config import check
from sms_milter.config.schema import (
    CHOICE,
    Configuration,
    Domain,
    declared,
    inside,
    section_of,
    variants,
)
from sms_milter.config.tree import Entry, Listing, Node, Place, Table, Text, written
from sms_milter.config.tree import Path as SettingPath
from sms_milter.config.values import GroupEntry
from sms_milter.dialects import DIALECTS
from sms_milter.errors import ConfigError, Fault

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEPTH_LIMIT = 32  # levels of indentation; the settings have 6
_REPEATED_LIMIT = 200_000  # values that aliases may repeat, in all; a "billion laughs" ends here
_INCLUDE_LIMIT = 16  # files that include each other in a row
_FILE_LIMIT = 64 << 20  # octets
_NULLS = ("", "~", "null", "Null", "NULL")
_GROUP_FILE = "file:"


S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration without faults.

    `notes` are sentences about settings that are accepted but not in force; `files` is everything that was
    read.
    """

    configuration: Configuration
    notes: tuple[str, ...]
    files: tuple[Path, ...]


def load(path: Path) -> Loaded:
    """Reads the configuration at `path` and all that it includes. Raises ConfigError with all faults."""
    with _no_collection():
        return _load(path)


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Nothing looks for garbage: there is none among a million things that are made to stay, and looking
    takes longer than making them.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _load(path: Path) -> Loaded:
    reading = _Reading()
    root = reading.gather(path)
    if root is None:
        raise ConfigError(reading.faults)
    reading.fill(root)
    configuration, faults = check.judge(root, DIALECTS)
    order = {str(file): number for number, file in enumerate(reading.files)}
    if reading.faults or faults:
        everything = {str(fault): fault for fault in [*reading.faults, *faults]}.values()
        raise ConfigError(sorted(everything, key=lambda fault: (order.get(fault.file, -1), fault.line)))
    notes = sorted(check.notes(root, configuration), key=lambda note: (order[note[0].file], note[0].line))
    return Loaded(configuration, tuple(f"{place}: {note}" for place, note in notes), tuple(reading.files))


def load_section(path: Path, model: type[S]) -> S:
    """A file of its own that is one section, such as a script. Raises ConfigError with all faults."""
    try:
        text = _text_of(path)
    except _Unreadable as error:
        raise ConfigError([Fault(str(path), 0, "", str(error))]) from None
    composer = _Composer(str(path))
    root = composer.compose(text)
    if root is None:
        raise ConfigError(composer.faults)
    value, faults = check.section(root, model)
    if value is None or composer.faults:
        raise ConfigError(sorted([*composer.faults, *faults], key=lambda fault: fault.line))
    return value


# --- files --------------------------------------------------------------------------------------------------


class _Unreadable(Exception):
    """A file cannot be used; the message says why."""


def _text_of(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise _Unreadable("is a directory" if path.is_dir() else "is not a regular file")
        octets = path.read_bytes()
    except OSError as error:
        raise _Unreadable(f"cannot be read: {(error.strerror or 'input/output error').lower()}") from None
    except ValueError:
        raise _Unreadable("is not a file name") from None
    if len(octets) > _FILE_LIMIT:
        raise _Unreadable(f"is too large: {len(octets)} octets, at most {_FILE_LIMIT}")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise _Unreadable(f"is not UTF-8 text: octet 0x{octets[error.start]:02x} in line {line}") from None


def _real(path: Path) -> str:
    try:
        return os.path.realpath(path)
    except ValueError:  # no file can have this name
        return str(path)


class _Reading:
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
        real = _real(path)
        if named_at is not None and (problem := self._refusal(real, trail)):
            self._fault(named_at, "include", f"{path} {problem}")
            return False
        self._seen[real] = named_at
        try:
            text = _text_of(path)
        except _Unreadable as why:
            if named_at:
                self._fault(named_at, "include", f"{path} {why}")
            else:
                self.faults.append(Fault(str(path), 0, "", str(why)))
            return False
        self.files[path] = None
        composer = _Composer(str(path))
        table = composer.compose(text)
        self.faults += composer.faults
        if table is None:
            return False
        include = table.entries.pop("include", None)
        self._merge(root, table)
        if include is not None and not _is_null(include.node):
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
            if mine is None or _is_null(mine.node):
                root.entries[name] = Entry(entry.place, node)
            elif isinstance(mine.node, Table) and isinstance(node, Table):
                for below, other in node.entries.items():
                    if not _put(mine.node, below, other):
                        self._twice(other.place, f"{name}.{below}", mine.node.entries[below].place)
            elif not _is_null(node):
                self._twice(entry.place, name, mine.place)

    def _twice(self, place: Place, path: str, first: Place) -> None:
        self._fault(place, path, f"stands already at {first}")

    # --- secrets and groups of numbers ----------------------------------------------------------------------

    def fill(self, root: Table) -> None:
        """Puts the content of files in the place of NAME_file settings and of file:PATH entries."""
        for path, table, model in _sections(root, (), Configuration):
            secrets, groups = _from_files(model)
            for name, many in secrets:
                self._fill_secret(table, path, name, many=many)
            for name in groups:
                if name in table.entries:
                    self._fill_group(table.entries[name].node, (*path, name))

    def _fill_secret(self, table: Table, path: SettingPath, name: str, *, many: bool) -> None:
        key = f"{name}_file"
        entry = table.entries.pop(key, None)
        if entry is None:
            return
        here = written((*path, key))
        if name in table.entries:
            self._fault(entry.place, here, f"cannot stand beside {name} ({table.entries[name].place})")
            return
        if not isinstance(entry.node, Text) or not entry.node.value:
            self._fault(entry.place, here, "expected the name of a file")
            return
        lines = self._lines(entry.node, entry.node.value, here)
        if lines is None:
            return
        if not any(lines) or not (many or lines[0]):
            self._fault(entry.place, here, f"{entry.node.value} has nothing in its first line")
            return
        texts: list[Node] = [Text(entry.node.place, line) for line in lines if line]
        table.entries[name] = Entry(entry.place, Listing(entry.place, texts) if many else texts[0])

    def _fill_group(self, node: Node, path: SettingPath) -> None:
        if not isinstance(node, Listing):
            return
        items: list[Node] = []
        for number, item in enumerate(node.items):
            if not (isinstance(item, Text) and item.value and item.value.startswith(_GROUP_FILE)):
                items.append(item)
                continue
            name = item.value.removeprefix(_GROUP_FILE)
            lines = self._lines(item, name, written((*path, number))) or []
            place = str(_beside(item, name))
            for count, line in enumerate(lines, 1):
                if entry := line.partition("#")[0].strip():
                    items.append(Text(Place(place, count), entry))
        node.items = items

    def _lines(self, named: Text, name: str, setting: str) -> list[str] | None:
        path = _beside(named, name)
        try:
            text = _text_of(path)
        except _Unreadable as why:
            self._fault(named.place, setting, f"{path} {why}")
            return None
        self.files[path] = None
        return [line.rstrip("\r") for line in text.split("\n")]


def _beside(named: Text, name: str) -> Path:
    return Path(named.place.file).parent / name


def _is_null(node: Node) -> bool:
    return isinstance(node, Text) and node.value is None


def _put(table: Table, name: str, entry: Entry) -> bool:
    return table.entries.setdefault(name, entry) is entry


def _lowered(node: Node, faults: list[Fault]) -> Node:
    """The table of domains with its names in lower case."""
    if not isinstance(node, Table):
        return node
    lowered = Table(node.place)
    for name, entry in node.entries.items():
        if not _put(lowered, name.lower(), entry):
            first = lowered.entries[name.lower()].place
            faults.append(
                Fault(entry.place.file, entry.place.line, f"domains.{name}", f"stands already at {first}")
            )
    return lowered


@cache
def _from_files(model: type[BaseModel]) -> tuple[list[tuple[str, bool]], list[str]]:
    """The settings of a section that may come from files: secrets, each with whether there may be many, and
    groups of numbers.
    """
    settings = declared(model).values()
    secrets = [(one.name, inside(one.annotation) is not None) for one in settings if one.secret]
    return secrets, [one.name for one in settings if inside(one.annotation) == GroupEntry]


def _sections(
    node: Node, path: SettingPath, annotation: object
) -> Iterator[tuple[SettingPath, Table, type[BaseModel]]]:
    """Every mapping that is declared as a section, with its model; a domain once more with its dialect's
    options.
    """
    section = section_of(annotation)
    if section is None and isinstance(node, Table) and (choices := variants(annotation)):
        entry = node.entries.get(CHOICE)
        section = choices.get(str(entry.node.value)) if entry and isinstance(entry.node, Text) else None
    if section is not None and isinstance(node, Table):
        yield path, node, section
        settings = declared(section)
        for name, entry in node.entries.items():
            if name in settings and not isinstance(entry.node, Text):
                yield from _sections(entry.node, (*path, name), settings[name].annotation)
        if section is Domain and (options := check.options_of(node, DIALECTS)) is not None:
            yield from _sections(node, path, options)
    elif isinstance(node, Table):
        below = inside(annotation)
        for name, entry in node.entries.items():
            if not isinstance(entry.node, Text):
                yield from _sections(entry.node, (*path, name), below)
    elif isinstance(node, Listing):
        below = inside(annotation)
        for number, item in enumerate(node.items):
            if not isinstance(item, Text):
                yield from _sections(item, (*path, number), below)


# --- YAML ---------------------------------------------------------------------------------------------------


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


class _Composer:
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
            if self._root is None or _is_null(self._root):
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
        if not _put(table, name, Entry(key.place, node)):
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
                _put(table, name, entry)


_PLAINLY = {
    "mapping values are not allowed": "unexpected colon; text that holds a colon belongs in quotes",
    "cannot start any token": "text that begins with @, % or ` belongs in quotes",
    "did not find expected key": "expected `name: value`; check indentation, quotes, commas here and above",
}


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
