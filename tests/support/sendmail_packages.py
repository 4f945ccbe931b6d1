"""Debian's Sendmail, downloaded and unpacked into the cache; the system is left as it is."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from support.places import CACHE

_WANTED = ("sendmail-bin", "sendmail-base", "sendmail-cf", "m4")
_LIBRARY = re.compile(r"\blib[a-z0-9.+-]+")


@cache
def unpacked() -> Path | None:
    """The folder with the packages unpacked in it, made at the first use; None: they cannot be had."""
    root = CACHE / "sendmail" / "root"
    if not _complete(root):
        packages = CACHE / "sendmail" / "packages"
        packages.mkdir(parents=True, exist_ok=True)
        _download(_WANTED, packages)
        for package in packages.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, root], check=True, capture_output=True)
    if not _complete(root):
        return None
    # With the set-group-id bit the loader would ignore our library path.
    program(root).chmod(0o755)
    return root


def program(root: Path) -> Path:
    """The daemon below that folder."""
    return root / "usr/libexec/sendmail/sendmail"


def libraries(root: Path) -> str:
    """The library path of the daemon."""
    return ":".join(sorted({str(path.parent) for path in root.glob("usr/lib/**/*.so.*")}))


def _complete(root: Path) -> bool:
    return program(root).exists() and (root / "usr/bin/m4").exists()


def _download(names: Iterable[str], folder: Path) -> None:
    """These packages, and the libraries that they need and the system lacks."""
    for name in names:
        if list(folder.glob(f"{name}_*.deb")):
            continue
        subprocess.run(["apt-get", "download", "-q", name], cwd=folder, capture_output=True)
        for package in folder.glob(f"{name}_*.deb"):
            needed = subprocess.run(["dpkg", "-f", package, "Depends"], capture_output=True, text=True).stdout
            _download([one for one in _LIBRARY.findall(needed) if not _installed(one)], folder)


def _installed(package: str) -> bool:
    asked = subprocess.run(["dpkg-query", "-Wf", "${Status}", package], capture_output=True, text=True)
    return asked.stdout.endswith(" installed")
