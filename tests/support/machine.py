"""A Debian of its own to install things on: debootstrap makes it, systemd-nspawn runs it and its systemd.

What a run changes is forgotten at its end, unless it was asked to be kept.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from support.places import wait_until
from support.requirements import program

RELEASE = "bookworm"  # what deploy/debian is for
_ENVIRONMENT = {
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "DEBIAN_FRONTEND": "noninteractive",
}
# Package registries may be behind an authority that this host alone knows.
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def why_not() -> str:
    """Why there can be no such machine here, "" when there can."""
    if os.geteuid() != 0:
        return "a machine of its own must be started as root"
    spaces = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--net", "--fork", "true"]
    if subprocess.run(spaces, capture_output=True, check=False).returncode:
        return "a machine of its own needs namespaces, which this system does not give"
    return ""


@dataclass(frozen=True)
class Debian:
    """What is installed in the folder `root`."""

    root: Path

    @classmethod
    def bootstrapped(cls, root: Path) -> Debian:
        """The smallest one that reaches package registries."""
        options = ["--variant=minbase", "--include=ca-certificates"]
        _done([program("debootstrap"), *options, RELEASE, str(root)])
        for archive in (root / "var/cache/apt/archives").glob("*.deb"):
            archive.unlink()
        if Path(_CERTIFICATES).exists():
            shutil.copy(_CERTIFICATES, f"{root}{_CERTIFICATES}")
        return cls(root)

    def copied(self, root: Path) -> Debian:
        """Another one like this."""
        _done(["cp", "--archive", str(self.root), str(root)])
        return Debian(root)

    def run(self, command: str, binds: Mapping[Path, str] | None = None, *, keep: bool = False) -> str:
        """What a shell's `command` prints, not booted, with this host's network; AssertionError if it fails.

        `binds` are folders of this host, and where they are seen.
        """
        environment = [f"--setenv={name}={value}" for name, value in _ENVIRONMENT.items()]
        options = [*environment, "--bind-ro=/etc/hosts", "--resolv-conf=copy-host"]
        return _done([*self._nspawn(binds, keep=keep), *options, "--pipe", "/bin/bash", "-c", command])

    @contextmanager
    def booted(self, binds: Mapping[Path, str] | None = None) -> Iterator[Machine]:
        """Running (it has systemd), with a loopback of its own and no other network; halted at the end."""
        command = [*self._nspawn(binds, keep=False), "--boot", "--private-network"]
        console = self.root.with_name(f"{self.root.name}.console")
        with console.open("wb") as out:
            container = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            wait_until(lambda: _systemd(container.pid), "the machine to start", 20)
            machine = Machine(_systemd(container.pid))
            wait_until(machine.is_up, "the machine to boot", 60)
            yield machine
        finally:
            with suppress(ProcessLookupError):
                container.send_signal(signal.SIGTERM)
            try:
                container.wait(60)
            except subprocess.TimeoutExpired:
                container.kill()
                container.wait()

    def _nspawn(self, binds: Mapping[Path, str] | None, *, keep: bool) -> list[str]:
        volatile = [] if keep else ["--volatile=overlay"]
        seen = [f"--bind={here}:{there}" for here, there in (binds or {}).items()]
        # No host's systemd is asked for anything: it may not run one.
        return [
            *(
                program("systemd-nspawn"),
                "--quiet",
                "--register=no",
                "--keep-unit",
                f"--directory={self.root}",
            ),
            *(f"--machine=sms-{os.getpid()}-{time.monotonic_ns() % 10**6}", *volatile, *seen),
        ]


@dataclass(frozen=True)
class Machine:
    """A running one; `leader` is its first process as this host sees it."""

    leader: int

    def run(self, *command: str, data: str | None = None, check: bool = True) -> str:
        """What `command` prints, with `data` as its input; AssertionError when it fails and must not."""
        return _done([*self._inside, *command], data=data, check=check)

    def shell(self, script: str, *, check: bool = True) -> str:
        """The same of a shell's `script`."""
        return self.run("/bin/bash", "-ec", script, check=check)

    def status(self, *command: str) -> int:
        """The exit status of `command`."""
        return subprocess.run([*self._inside, *command], capture_output=True, check=False).returncode

    def is_up(self) -> bool:
        """Whether it has booted."""
        return self.run("systemctl", "is-system-running", check=False).strip() in ("running", "degraded")

    def unit(self, name: str) -> dict[str, str]:
        """What systemd knows of a unit."""
        shown = self.run("systemctl", "show", name).splitlines()
        return {key: value for key, _, value in (line.partition("=") for line in shown)}

    @property
    def _inside(self) -> list[str]:
        spaces = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd")
        environment = [f"{name}={value}" for name, value in _ENVIRONMENT.items()]
        return ["nsenter", f"--target={self.leader}", *spaces, "env", "-i", *environment]


def _systemd(container: int) -> int:
    """The systemd that systemd-nspawn has started as its child, after others; 0 while there is none."""
    for child in Path(f"/proc/{container}/task/{container}/children").read_text().split():
        with suppress(FileNotFoundError):
            if Path(f"/proc/{child}/comm").read_text() == "systemd\n":
                return int(child)
    return 0


def _done(command: Sequence[str], data: str | None = None, *, check: bool = True) -> str:
    done = subprocess.run(
        command, input=data or "", capture_output=True, text=True, errors="replace", check=False
    )
    shown = f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    assert not check or done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{shown}"
    return done.stdout
