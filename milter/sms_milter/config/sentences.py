"""What is wrong with a setting, as a fault with its place and a sentence for the postmaster. A secret's value
never stands in one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any, Literal, get_args

from pydantic import BaseModel

from sms_milter.config.schema import (
    CHOICE,
    Setting,
    bare,
    declared,
    expected,
    inside,
    section_of,
    variants,
)
from sms_milter.config.tree import Node, Path, Table, Text, follow, key_place, written
from sms_milter.errors import Fault

_FEW = 20  # settings of a section that a sentence may list
_SHOWN = 60  # characters of a wrong value
_KEY = "[key]"  # pydantic's word for the name of an entry


def fault(root: Table, path: Path, problem: str) -> Fault:
    """A fault of what stands at `path`."""
    place, _ = follow(root, path)
    return Fault(place.file, place.line, written(path), problem)


def as_fault(root: Table, above: Path, model: type[BaseModel], error: Any, also: Iterable[str] = ()) -> Fault:
    """One of pydantic's errors below `above`, in our words. `also` are further names that are known there."""
    below: Path = error["loc"]
    path = above + _as_written(model, below)
    if error["type"].startswith("union_tag"):
        return _no_choice(root, path, model, below)
    if error["type"] == "extra_forbidden":
        place = key_place(root, path)
        known = [*_names(_declaration(model, below[:-1])[1]), *also]
        return Fault(place.file, place.line, written(path), _unknown_setting(str(path[-1]), known))
    if error["type"] == "missing":
        setting, annotation = _declaration(model, below)
        return fault(root, path, f"is missing; expected {expected(annotation, setting)}")
    if path and path[-1] == _KEY:
        _, annotation = _declaration(model, below[:-2])
        place = key_place(root, path[:-1])
        problem = f"found '{shown(str(path[-2]))}', expected {expected(get_args(bare(annotation))[0])}"
        return Fault(place.file, place.line, written(path[:-1]), problem)
    _, node = follow(root, path)
    setting, annotation = _declaration(model, below)
    if error["type"] == "too_short":
        return fault(root, path, "the list is empty; expected at least one entry")
    own_words = str(error.get("ctx", {}).get("error", ""))
    found = _found(node, annotation, secret=setting is not None and setting.secret)
    return fault(root, path, own_words or f"{found}, expected {expected(annotation, setting)}")


def _as_written(model: type[BaseModel], path: Path) -> Path:
    """`path` without pydantic's words for which section was chosen; these stand in no file."""
    return tuple(
        [
            step
            for depth, step in enumerate(path)
            if step not in variants(_declaration(model, path[:depth])[1])
        ]
    )


def _no_choice(root: Table, path: Path, model: type[BaseModel], below: Path) -> Fault:
    """A section of which there are several kinds does not say which it is."""
    words = expected(Literal[tuple(variants(_declaration(model, below)[1]))])
    path = (*path, CHOICE)
    _, node = follow(root, path)
    problem = "is missing" if node is None else _found(node, str, secret=False)
    return fault(root, path, f"{problem}{';' if node is None else ','} expected {words}")


def _declaration(model: type[BaseModel], path: Path) -> tuple[Setting | None, Any]:
    """The declaration that `path` below `model` names: the setting itself (None for an item of it) and its
    type.
    """
    annotation: Any = model
    setting: Setting | None = None
    for step in path:
        section = section_of(annotation)
        if section is None:
            annotation, setting = variants(annotation).get(str(step)) or inside(annotation), None
        else:
            setting = declared(section).get(str(step))
            annotation = setting.annotation if setting is not None else None
    return setting, annotation


def _names(annotation: Any) -> list[str]:
    section = section_of(annotation)
    settings = declared(section).values() if section is not None else ()
    return [one.name for one in settings] + [f"{one.name}_file" for one in settings if one.secret]


def _unknown_setting(name: str, known: list[str]) -> str:
    few = f"settings here: {', '.join(known)}" if len(known) <= _FEW else ""
    help_ = nearest(name, known) or few
    return f"there is no such setting; {help_}" if help_ else "there is no such setting here"


def nearest(name: str, known: Iterable[str]) -> str:
    """What may have been meant; "" if nothing is like it."""
    near = difflib.get_close_matches(name.lower().replace("-", "_"), list(known), n=1)
    return f"did you mean '{near[0]}'?" if near else ""


def _found(node: Node | None, annotation: Any, *, secret: bool) -> str:
    if not isinstance(node, Text):
        return "found a mapping" if isinstance(node, Table) else "found a list"
    if node.value is None:
        return "found nothing"
    if secret:
        return "found something else (not shown)"
    if inside(annotation) is not None or section_of(annotation) is not None:
        return "found text"
    return f"found '{shown(node.value)}'"


def shown(text: str) -> str:
    """A wrong value as far as it may be seen."""
    # A URL may hold a password.
    text = re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:***@", text)
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def unknown_name(root: Table, path: Path, kind: str, name: str, known: list[str]) -> Fault:
    """A name that stands for nothing; `kind` is what it should stand for."""
    help_ = nearest(name, known) or (f"known: {', '.join(known[:10])}" if known else "none is configured")
    return fault(root, path, f"there is no {kind} '{name}'; {help_}")
