"""Files in the place of settings that name them: secrets (NAME_file) and phone numbers (file:PATH)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pydantic import BaseModel

from sms_milter.config.check import options_of
from sms_milter.config.files import Unreadable, text_of
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
from sms_milter.errors import Fault

_GROUP_FILE = "file:"


class Inserting:
    """Adds the files that it reads to `files`, and the faults that it finds to `faults`."""

    def __init__(self, files: dict[Path, None], faults: list[Fault]) -> None:
        self._files, self._faults = files, faults

    def _refuse(self, place: Place, setting: str, problem: str) -> None:
        self._faults.append(Fault(place.file, place.line, setting, problem))

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
            self._refuse(entry.place, here, f"cannot stand beside {name} ({table.entries[name].place})")
            return
        if not isinstance(entry.node, Text) or not entry.node.value:
            self._refuse(entry.place, here, "expected the name of a file")
            return
        lines = self._lines(entry.node, entry.node.value, here)
        if lines is None:
            return
        if not any(lines) or not (many or lines[0]):
            self._refuse(entry.place, here, f"{entry.node.value} has nothing in its first line")
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
            text = text_of(path)
        except Unreadable as why:
            self._refuse(named.place, setting, f"{path} {why}")
            return None
        self._files[path] = None
        return [line.rstrip("\r") for line in text.split("\n")]


def _beside(named: Text, name: str) -> Path:
    return Path(named.place.file).parent / name


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
        if section is Domain and (options := options_of(node, DIALECTS)) is not None:
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
