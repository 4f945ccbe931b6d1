"""Debian's packages, downloaded and unpacked into the cache; the system is left as it is."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from support.places import CACHE


@cache
def unpacked(package: str, program: str) -> Path | None:
    """The folder with the package unpacked in it, made at the first use; None: it cannot be had.

    `program` is a file of it.
    """
    root = CACHE / "packages" / package
    if not (root / program).exists():
        root.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-q", package], cwd=root, capture_output=True)
        for file in root.glob("*.deb"):
            subprocess.run(["dpkg", "-x", file, root], check=True, capture_output=True)
            file.unlink()
    return root if (root / program).exists() else None
