"""Reads a configuration from its files, or reports every fault at once, each with file and line.

`including` puts files together, each of which `composing` understands; `inserting` reads those that settings
name. What the settings mean is `check`'s business.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from sms_milter.config import check
from sms_milter.config.composing import Composer
from sms_milter.config.files import Unreadable, text_of
from sms_milter.config.including import Reading
from sms_milter.config.inserting import Inserting
from sms_milter.config.notes import notes
from sms_milter.config.schema import Configuration
from sms_milter.dialects import DIALECTS
from sms_milter.errors import ConfigError, Fault

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
    reading = Reading()
    root = reading.gather(path)
    if root is None:
        raise ConfigError(reading.faults)
    Inserting(reading.files, reading.faults).fill(root)
    configuration, faults = check.judge(root, DIALECTS)
    order = {str(file): number for number, file in enumerate(reading.files)}
    if reading.faults or faults:
        everything = {str(fault): fault for fault in [*reading.faults, *faults]}.values()
        raise ConfigError(sorted(everything, key=lambda fault: (order.get(fault.file, -1), fault.line)))
    found = sorted(notes(root, configuration), key=lambda note: (order[note[0].file], note[0].line))
    return Loaded(configuration, tuple(f"{place}: {note}" for place, note in found), tuple(reading.files))


def load_section(path: Path, model: type[S]) -> S:
    """A file of its own that is one section, such as a script. Raises ConfigError with all faults."""
    try:
        text = text_of(path)
    except Unreadable as error:
        raise ConfigError([Fault(str(path), 0, "", str(error))]) from None
    composer = Composer(str(path))
    root = composer.compose(text)
    if root is None:
        raise ConfigError(composer.faults)
    value, faults = check.section(root, model)
    if value is None or composer.faults:
        raise ConfigError(sorted([*composer.faults, *faults], key=lambda fault: fault.line))
    return value
