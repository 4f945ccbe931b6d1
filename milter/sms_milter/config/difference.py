"""What a new configuration changes of the old one, for the log.

Shows numbers and words of a choice. Of texts, addresses, phone numbers and secrets it says only that they
have changed, of lists how many entries came and went: the file is the postmaster's, the log is read by more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from sms_milter.config.schema import Configuration, Domain, Setting, bare, declared
from sms_milter.config.tree import Path, written


def changes(before: Configuration, after: Configuration) -> list[str]:
    """One sentence for each setting that differs, such as `milter.workers: 2 -> 4`, in the file's order."""
    return list(_of_sections((), before, after))


def _of_sections(path: Path, before: BaseModel, after: BaseModel) -> Iterator[str]:
    for setting in declared(type(before)).values():
        old, new = getattr(before, setting.attribute), getattr(after, setting.attribute)
        if old != new:
            yield from _of_values((*path, setting.name), setting, old, new)
    if isinstance(before, Domain) and isinstance(after, Domain) and before.dialect == after.dialect:
        # The dialect's options stand beside `dialect` in the file.
        yield from _of_sections(path, before.options, after.options)


def _of_values(path: Path, setting: Setting, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, BaseModel) and type(new) is type(old):
        yield from _of_sections(path, old, new)
    elif isinstance(old, dict) and isinstance(new, dict) and _holds_sections(old, new):
        yield from _of_names(path, setting, old, new)
    elif isinstance(old, tuple | dict) and type(new) is type(old):
        yield f"{written(path)}: {_counted(old, new)}"
    else:
        yield f"{written(path)}: {_turned(setting, old, new)}"


def _of_names(path: Path, setting: Setting, old: Mapping[Any, Any], new: Mapping[Any, Any]) -> Iterator[str]:
    for name in dict.fromkeys((*old, *new)):
        here = (*path, name)
        if name not in new:
            yield f"{written(here)}: removed"
        elif name not in old:
            yield f"{written(here)}: added"
        elif old[name] != new[name]:
            yield from _of_values(here, setting, old[name], new[name])


def _holds_sections(*tables: Mapping[Any, Any]) -> bool:
    """Whether the keys are names that the postmaster gave, not addresses or texts."""
    values = [value for table in tables for value in table.values()]
    return any(
        _is_section(value) or (isinstance(value, tuple) and any(map(_is_section, value))) for value in values
    )


def _is_section(value: object) -> bool:
    return isinstance(value, BaseModel)


def _counted(old: Sequence[Any] | Mapping[Any, Any], new: Sequence[Any] | Mapping[Any, Any]) -> str:
    """Of lists: how many entries came and went; of tables, a changed value is both."""
    before, after = (list(one.items()) if isinstance(one, Mapping) else list(one) for one in (old, new))
    added, removed = (len(_without(*pair)) for pair in ((after, before), (before, after)))
    return f"{added} added, {removed} removed" if added or removed else "in another order"


def _without(some: list[Any], others: list[Any]) -> list[Any]:
    try:
        gone = set(others)
    except TypeError:  # few and nested
        return [one for one in some if one not in others]
    return [one for one in some if one not in gone]


def _turned(setting: Setting, old: Any, new: Any) -> str:
    if old is None and _is_section(new):
        return "added"
    if new is None and _is_section(old):
        return "removed"
    shown = [_shown(setting, value) for value in (old, new)]
    return " -> ".join(shown) if all(shown) else "changed"


def _shown(setting: Setting, value: Any) -> str:
    """The value as the file has it, durations in seconds; "" for what is not shown."""
    if setting.secret:
        return ""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    return str(value) if value in _choices(setting.annotation) else ""


def _choices(annotation: Any) -> tuple[Any, ...]:
    """The words that the declaration names: of `int | Literal["auto"]`, auto."""
    plain = bare(annotation)
    if get_origin(plain) is Literal:
        return get_args(plain)
    return tuple(word for one in get_args(plain) if get_origin(one) is Literal for word in get_args(one))
