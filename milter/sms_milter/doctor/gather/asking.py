"""Programs that are run and files that are read, as far as that can be done."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

_PROGRAM_SECONDS: Final = 60.0


class CannotLook(Exception):
    """Why facts could not be had."""


def search_path() -> str:
    """Where programs are looked for: also where only root looks."""
    return os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin"


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end. Raises CannotLook where it is not installed or takes too long."""
    found = shutil.which(program, path=search_path())
    if found is None:
        raise CannotLook(f"{program} is not installed")
    try:
        return subprocess.run(  # noqa: S603 -- no shell; the arguments are the MTA's own
            [found, *arguments], capture_output=True, text=True, timeout=_PROGRAM_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotLook(f"{program}: {error}") from None


def text_of(path: Path) -> str:
    """What a file says. Raises CannotLook."""
    try:
        return path.read_text(errors="replace")
    except OSError as error:
        raise CannotLook(f"{path}: {error.strerror}") from None
