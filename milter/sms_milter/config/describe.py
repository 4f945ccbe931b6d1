"""The annotated example and the table of settings, both generated from the declarations.

    python -m sms_milter.config.describe example > deploy/sms-milter.yaml
    python -m sms_milter.config.describe table > docs/settings.md
    python -m sms_milter.config.describe simulator > docs/simulator.md

Every setting stands in both, and those of a simulator's script in the third; a test compares the files with
what is generated.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Iterator
from typing import Any, Literal, get_origin

from pydantic import BaseModel

from sms_milter.config.schema import (
    CHOICE,
    Configuration,
    Domain,
    Setting,
    bare,
    declared,
    expected,
    inside,
    limits_of,
    section_of,
    variants,
)
from sms_milter.config.values import parse_size
from sms_milter.dialects import DIALECTS
from sms_milter.simulate.script import Options

_WIDTH = 100
_EXAMPLE_DIALECT = "hsl"
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9 ./@:+_-]*(?<![ :])|[0-9]+([smhd]|[KMG]B)")
_LOOKS_OTHERWISE = ("null", "true", "false", "yes", "no", "on", "off")

_EXAMPLE_HEAD = """\
# /etc/sms-milter/sms-milter.yaml - every setting with its default or an example.
#
# Sizes take KB, MB, GB (1024-based), durations s, m, h, d. A password or another secret NAME may be given
# as NAME_file: a file whose first line is the secret. `sms-milter check` reads this file and names every
# fault with its line.
"""

_TABLE_HEAD = """\
# Settings

Generated from the declarations by `python -m sms_milter.config.describe table`; do not edit.

Sizes take KB, MB, GB (1024-based), durations s, m, h, d. A setting marked *secret* may be given as NAME_file
instead: a file whose first line is the secret (all lines, where it is a list).
"""


_SIMULATOR_HEAD = """\
# The simulated SMSC

`sms-milter simulate` is an SMSC to try and test against, also for ESMEs that are not ours. It reads PDUs
strictly, joins parts as a phone does, shows each SMS, and sends delivery receipts where they are asked for.
Without a script the last four digits of a destination order a fault (`sms-milter simulate --help`).

`--script FILE` makes it misbehave; [misbehaving.yaml](../contrib/simulator/misbehaving.yaml) has a bit of
everything. A script is YAML with the settings below, generated from the declarations by
`python -m sms_milter.config.describe simulator`; delays take ms, s, m, h, d. What is left to chance hangs on
`seed` alone.
"""


# --- the annotated example ----------------------------------------------------------------------------------


def example() -> str:
    """The annotated example: loads as it stands once its secret files exist."""
    lines = [_EXAMPLE_HEAD]
    for setting in declared(Configuration).values():
        lines += [*_shown(setting), ""]
    return "\n".join(lines).rstrip() + "\n"


def _shown(setting: Setting) -> Iterator[str]:
    """The lines of one setting: its documentation as a comment, then itself and all that belongs below it."""
    doc = meaning(setting, alone=True)
    yield from textwrap.wrap(doc, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
    section, named = section_of(setting.annotation), inside(setting.annotation)
    if section is not None and not isinstance(setting.default, BaseModel):
        yield f"{setting.name}: {_yaml(setting.default)}"
        yield f"# {setting.name}:"
        yield from _indented(_body(section), "#   ")
    elif section is not None:
        yield f"{setting.name}:"
        yield from _indented(_body(section), "  ")
    elif variants(named):
        yield f"{setting.name}: null"
        yield f"# {setting.name}:"
        for choice, section in variants(named).items():
            yield f"#   {setting.example[choice]}:"
            yield from _indented(_body(section), "#     ")
    elif section_of(named) is not None and get_origin(bare(setting.annotation)) is tuple:
        yield f"{setting.name}: {_yaml(setting.default)}"
        yield f"# {setting.name}:"
        yield from _indented(_as_item(_body(section_of(named))), "#   ")
    elif section_of(named) is not None:
        yield f"{setting.name}:"
        yield f"  {setting.example}:"
        yield from _indented(_body(section_of(named)), "    ")
        if section_of(named) is Domain:
            yield from _indented(_other_dialects(), "  # ")
    elif section_of(inside(named)) is not None:
        yield f"{setting.name}:"
        yield f"  {setting.example}:"
        yield from _indented(_as_item(_body(section_of(inside(named)))), "    ")
    elif setting.secret and setting.example:
        yield f"{setting.name}_file: {_yaml(setting.example)}"
    else:
        yield f"{setting.name}: {_yaml(_example_of(setting))}"


def _body(section: type[BaseModel] | None) -> Iterator[str]:
    if section is not None:
        for setting in _settings(section):
            yield from _shown(setting)


def _settings(section: type[BaseModel]) -> Iterator[Setting]:
    yield from declared(section).values()
    if section is Domain:
        yield from declared(DIALECTS[_EXAMPLE_DIALECT].options).values()


def _other_dialects() -> Iterator[str]:
    """One domain for each of the dialects that the example does not use."""
    for name in sorted(DIALECTS.keys() - {_EXAMPLE_DIALECT}):
        yield f"{name}.example.com:"
        yield f"  dialect: {name}"
        for setting in declared(DIALECTS[name].options).values():
            yield from _indented(_shown(setting), "  ")


def _indented(lines: Iterator[str], indent: str) -> Iterator[str]:
    return (f"{indent}{line}" for line in lines)


def _as_item(lines: Iterator[str]) -> Iterator[str]:
    """The settings of one item of a list; its dash stands at the first of them."""
    first = True
    for line in lines:
        starts = first and not line.startswith("#")
        yield f"- {line}" if starts else f"  {line}"
        first = first and not starts


def _example_of(setting: Setting) -> Any:
    return setting.default if setting.example is None else setting.example


def _yaml(value: Any) -> str:
    """A value as YAML on one line."""
    if value is None:
        return "null"
    if isinstance(value, str):
        safe = _PLAIN.fullmatch(value) and value not in _LOOKS_OTHERWISE and ": " not in value
        return value if safe else json.dumps(value)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_yaml(name)}: {_yaml(one)}' for name, one in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_yaml, value))}]"
    return json.dumps(value)


# --- the table ----------------------------------------------------------------------------------------------


def table() -> str:
    """All settings by section, in Markdown."""
    return "\n".join([_TABLE_HEAD, *_tables(Configuration)]).rstrip() + "\n"


def simulator() -> str:
    """The settings of a simulator's script, in Markdown."""
    return "\n".join([_SIMULATOR_HEAD, *_tables(Options)]).rstrip() + "\n"


def sections(
    path: str = "", section: type[BaseModel] = Configuration
) -> Iterator[tuple[str, type[BaseModel]]]:
    """A section and all below it, in order: where each stands, in a postmaster's words ("" for the file
    itself), and its model.
    """
    yield path, section
    for setting in declared(section).values():
        here = f"{path}.{setting.name}" if path else setting.name
        yield from _sections_below(here, setting.annotation)
    if section is Domain:
        for name, dialect in DIALECTS.items():
            yield f"{path}, options of `dialect: {name}`", dialect.options


def _sections_below(path: str, annotation: Any) -> Iterator[tuple[str, type[BaseModel]]]:
    section = section_of(annotation)
    if section is not None:
        yield from sections(path, section)
    elif inside(annotation) is not None:
        step = "NAME" if get_origin(bare(annotation)) is dict else "N"
        yield from _sections_below(f"{path}.{step}", inside(annotation))
    for choice, model in variants(annotation).items():
        yield f"{path} with `{CHOICE}: {choice}`", model


def _tables(section: type[BaseModel]) -> Iterator[str]:
    for path, one in sections(section=section):
        yield f"## {path or 'The file'}\n"
        yield from _rows(one)


def _rows(section: type[BaseModel]) -> Iterator[str]:
    yield "| Name | Type | Default | Limits | Meaning |"
    yield "|---|---|---|---|---|"
    for one in declared(section).values():
        default = "required" if one.required else default_of(one)
        cells = (f"`{one.name}`", type_of(one.annotation), default, limits_of(one), meaning(one))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def default_of(setting: Setting) -> str:
    """The default as one would write it, in backquotes."""
    if isinstance(setting.default, BaseModel):
        return "see below"
    metadata = getattr(setting.annotation, "__metadata__", ())
    if any(getattr(note, "func", None) is parse_size for note in metadata):
        return f"`{_size(setting.checked_default)}`"
    return f"`{_yaml(setting.default)}`"


def _size(octets: int) -> str:
    for unit, factor in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if octets and octets % factor == 0:
            return f"{octets // factor}{unit}"
    return str(octets)


def type_of(annotation: Any) -> str:
    """What a value must look like, and whether there may be several of them."""
    item = inside(annotation)
    if item is None:
        return expected(annotation)
    kind = "by name" if get_origin(bare(annotation)) is dict else "list"
    null = ", or null" if expected(annotation).endswith(", or null") else ""
    return f"{kind}: {type_of(item)}{null}"


def meaning(setting: Setting, *, alone: bool = False) -> str:
    """The documentation, and whether there is an effect yet. `alone`: no columns show choices and limits."""
    words = [setting.doc]
    if alone and get_origin(bare(setting.annotation)) is Literal:
        words.append(f"({expected(setting.annotation)})")
    if alone and limits_of(setting):
        words.append(f"({limits_of(setting)})")
    if setting.secret and not alone:
        words.append("*Secret.*")
    if setting.in_force is False:
        words.append("Accepted, not in force in this version.")
    elif setting.in_force is not True:
        words.append(f"In force in this version: {', '.join(setting.in_force)}.")
    return " ".join(words)


def main(arguments: list[str]) -> int:
    """Prints what is asked for."""
    texts = {"example": example, "table": table, "simulator": simulator}
    if len(arguments) != 1 or arguments[0] not in texts:
        print("usage: python -m sms_milter.config.describe example|table|simulator", file=sys.stderr)
        return 64
    print(texts[arguments[0]](), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
