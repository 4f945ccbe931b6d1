"""podman and podman-compose, with images, containers and networks in a folder of their own, and no daemon."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support.requirements import program

PROJECT = "smsmilter"  # what podman-compose puts before the names of ours


@dataclass(frozen=True)
class Podman:
    """Everything that it keeps is in `folder`."""

    folder: Path
    compose_file: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Limits that this host's own are not above: to raise them takes a capability that not every root has.
        limits = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
        most = {name: min(resource.getrlimit(limit)[1] % 2**32, 4096) for name, limit in limits.items()}
        ulimits = ", ".join(f'"{name}={limit}:{limit}"' for name, limit in most.items())
        (self.folder / "containers.conf").write_text(
            f"[containers]\ndefault_ulimits = [{ulimits}]\n"
            '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
            f'[network]\nnetwork_config_dir = "{self.folder}/networks"\n'
        )
        (self.folder / "storage.conf").write_text(
            '[storage]\ndriver = "overlay"\n'
            f'graphroot = "{self.folder}/storage"\nrunroot = "{self.folder}/run"\n'
        )

    def load(self, root: Path, name: str) -> None:
        """Make an image of the folder `root`."""
        with subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE) as packed:
            subprocess.run(
                [program("podman"), "import", "--quiet", "-", name],
                stdin=packed.stdout, env=self._environment, check=True, capture_output=True,
            )  # fmt: skip

    def copy(self, image: str, source: str, target: Path) -> None:
        """Copy files out of an image."""
        container = self.podman("create", image, "true").strip()
        self.podman("cp", f"{container}:{source}", str(target))
        self.podman("rm", container)

    def podman(self, *arguments: str, check: bool = True) -> str:
        """What podman prints, on either way."""
        return self._done([program("podman"), *arguments], check=check)

    def compose(self, *arguments: str) -> str:
        """The same of podman-compose."""
        command = [program("podman-compose"), "--project-name", PROJECT, "--file", str(self.compose_file)]
        return self._done([*command, *arguments])

    def within(self, service: str, *command: str, check: bool = True) -> str:
        """What `command` prints in the container of that service."""
        return self.podman("exec", _container(service), *command, check=check)

    def log(self, service: str) -> str:
        """All that the container of that service has printed."""
        return self.podman("logs", _container(service))

    def signal(self, service: str, name: str) -> None:
        """Signal the container's first process."""
        self.podman("kill", "--signal", name, _container(service))

    def clear(self) -> None:
        """Nothing runs any more, and nothing is left but the folder."""
        self.podman("rm", "--all", "--force", "--time", "2", "--volumes", check=False)
        self.podman("network", "rm", f"{PROJECT}_default", check=False)

    @property
    def _environment(self) -> dict[str, str]:
        ours = {
            "CONTAINERS_CONF": f"{self.folder}/containers.conf",
            "CONTAINERS_STORAGE_CONF": f"{self.folder}/storage.conf",
        }
        inherited = {name: os.environ[name] for name in ("HOME", "PATH", "LANG") if name in os.environ}
        return {**inherited, **ours, **self.variables}

    def _done(self, command: list[str], *, check: bool = True) -> str:
        done = subprocess.run(
            command, env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, (
            f"{' '.join(command)}: exit {done.returncode}\n{done.stdout[-4000:]}"
        )
        return done.stdout


def _container(service: str) -> str:
    return f"{PROJECT}_{service}_1"
