"""What several tests here are made with, each made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.containers import Podman
from support.machine import Debian
from support.places import DEPLOY, ROOT, folder, free_port


@pytest.fixture(scope="session")
def bare_debian() -> Iterator[Debian]:
    """The smallest Debian; not to be changed."""
    with folder("debian", large=True) as place:
        yield Debian.bootstrapped(place / "root")


@pytest.fixture(scope="session")
def podman(bare_debian: Debian) -> Iterator[Podman]:
    """With that Debian in the place of the one that deploy/container wants from a registry."""
    with folder("podman", large=True) as place:
        fresh = Podman(place, DEPLOY / "container" / "compose.yaml", {"SMTP_PORT": str(free_port())})
        try:
            fresh.load(bare_debian.root, "docker.io/library/debian:bookworm-slim")
            yield fresh
        finally:
            fresh.clear()


@pytest.fixture(scope="session")
def packages(podman: Podman) -> Iterator[Path]:
    """The folder of what deploy/build-package makes on a Debian that has nothing for it yet."""
    recipe = DEPLOY / "container" / "Containerfile"
    podman.podman("build", "--file", str(recipe), "--target", "package", "--tag", "package", str(ROOT))
    with folder("packages") as place:
        podman.copy("package", "/packages/.", place)
        yield place
