"""Judges what the files say: a `Configuration`, or every fault with its place and a sentence for the
postmaster.

Knows neither YAML nor files. `sentences` words the faults; `fitting` looks at what must fit together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from sms_milter.config.fitting import misfits
from sms_milter.config.schema import Configuration, declared, inside
from sms_milter.config.sentences import as_fault, fault, nearest, shown
from sms_milter.config.tree import Path, Table, Text, data, follow
from sms_milter.errors import Fault

S = TypeVar("S", bound=BaseModel)


class DialectDeclaration(Protocol):
    """What is needed of a dialect: the model of its options."""

    @property
    def options(self) -> type[BaseModel]:
        """Declared with `setting`, frozen, unknown names refused."""


Dialects = Mapping[str, DialectDeclaration]


def judge(root: Table, dialects: Dialects) -> tuple[Configuration, list[Fault]]:
    """The configuration, without the sections that are wrong, and everything that is wrong."""
    raw = data(root)
    faults = list(_settle_domains(root, raw, dialects))
    try:
        configuration = Configuration.model_validate(raw)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        faults += [as_fault(root, (), Configuration, one) for one in wrong]
        for one in wrong:
            _leave_out(raw, one["loc"])
        configuration = Configuration.model_validate(raw)
    faults += misfits(root, configuration)
    return configuration, faults


def section(root: Table, model: type[S]) -> tuple[S | None, list[Fault]]:
    """A file of its own that is one section: its values, or everything that is wrong."""
    try:
        return model.model_validate(data(root)), []
    except ValidationError as error:
        return None, [
            as_fault(root, (), model, one) for one in error.errors(include_url=False, include_input=False)
        ]


# --- domains and their dialects -----------------------------------------------------------------------------


def options_of(table: Table, dialects: Dialects) -> type[BaseModel] | None:
    """The model of the options beside `dialect:` in a domain, when that names a dialect."""
    _, node = follow(table, ("dialect",))
    known = dialects.get(node.value or "") if isinstance(node, Text) else None
    return known.options if known is not None else None


def _settle_domains(root: Table, raw: dict[str, Any], dialects: Dialects) -> Iterator[Fault]:
    """Puts the checked options of each domain into `raw`, and takes domains that are wrong out of it."""
    for name, table in root.tables("domains"):
        path: Path = ("domains", name)
        options = dict(raw["domains"][name])
        dialect = options.pop("dialect", None)
        model = options_of(table, dialects)
        if model is None:
            if isinstance(dialect, str):
                yield _unknown_dialect(root, (*path, "dialect"), dialect, dialects)
                del raw["domains"][name]
            else:
                raw["domains"][name] = {"dialect": dialect} if "dialect" in table.entries else {}
            continue
        try:
            raw["domains"][name] = {"dialect": dialect, "options": model.model_validate(options)}
        except ValidationError as error:
            for one in error.errors(include_url=False, include_input=False):
                yield as_fault(root, path, model, one, also=("dialect",))
            del raw["domains"][name]


def _unknown_dialect(root: Table, path: Path, dialect: str, dialects: Dialects) -> Fault:
    available = f"available: {', '.join(sorted(dialects))}"
    return fault(
        root, path, f"there is no dialect '{shown(dialect)}'; {nearest(dialect, dialects) or available}"
    )


def _leave_out(raw: dict[str, Any], path: Path) -> None:
    """Takes out of `raw` the section that `path` stands in: a whole account or SMSC, a whole heading
    otherwise.
    """
    name = str(path[0])
    setting, heading = declared(Configuration).get(name), raw.get(name)
    if setting is not None and inside(setting.annotation) and isinstance(heading, dict) and len(path) > 1:
        heading.pop(path[1], None)
    else:
        raw.pop(name, None)
