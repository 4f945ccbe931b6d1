"""A machine of its own: files of this one, changed in copies only; its own network, host name, processes.

An administrator's commands run in it as they are printed, with the ports and folders that they name.
Needs root and namespaces; without them `unavailable` says so.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from support.places import ROOT, wait_until

HOST = "mail.example.com"
_NAMESPACES = ("--mount", "--net", "--uts", "--pid")
_COMMAND_SECONDS = 120.0
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET, setns(2)
# Changes go to memory. What is mounted elsewhere than / is shown, and cannot be changed.
_BOOT = """
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount --rbind /dev "$1/root/dev"
mount -t proc proc "$1/root/proc"
mount -t tmpfs tmpfs "$1/root/run"
mount -t tmpfs -o mode=1777 tmpfs "$1/root/tmp"
hostname "$2"
for shown in "${@:3}"; do mount --rbind -o ro "$shown" "$1/root$shown"; done
chroot "$1/root" "$0" -c 'import fcntl, socket, struct
with socket.socket() as any:
    fcntl.ioctl(any, 0x8914, struct.pack("16sh14x", b"lo", 0x41))  # SIOCSIFFLAGS: up, running'
exec chroot "$1/root" sleep infinity
"""

T = TypeVar("T")


def unavailable() -> str:
    """Why there can be no such machine here, "" when there can."""
    if os.geteuid() != 0:
        return "a machine of its own must be started as root"
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(
            ["unshare", *_NAMESPACES, "--fork", "sh", "-c",
             f"mount -t tmpfs tmpfs {place} && mkdir {place}/u {place}/w {place}/r && "
             f"mount -t overlay overlay -o lowerdir=/,upperdir={place}/u,workdir={place}/w {place}/r"],
            capture_output=True, check=False,
        )  # fmt: skip
    return "this system gives no namespaces or overlays" if done.returncode else ""


@dataclass
class Machine:
    """Runs while it is entered; `environment` is that of all commands."""

    environment: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Machine:
        self._started: list[subprocess.Popen[bytes]] = []
        self._place = tempfile.TemporaryDirectory(prefix="sms-milter-machine-")
        elsewhere = [
            str(one) for one in (ROOT, Path(sys.prefix)) if one.stat().st_dev != Path("/").stat().st_dev
        ]
        self._process = subprocess.Popen(
            [
                *("unshare", *_NAMESPACES, "--fork", "--kill-child", "bash", "-c", _BOOT, sys.executable),
                *(self._place.name, HOST, *elsewhere),
            ]
        )
        wait_until(lambda: self._pid, "the machine to run")
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.kill()
        for process in (self._process, *self._started):
            process.wait()
        self._place.cleanup()

    def run(
        self, script: str, *, check: bool = True, online: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """What an administrator types, as root in the folder of the project; `online`: on our own network."""
        entered = [one for one in self._entered if one != "--net"] if online else self._entered
        done = subprocess.run(
            [*entered, "bash", "-e", "-c", f"cd {ROOT}\n{script}"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, env=self._environment, check=False,
            timeout=_COMMAND_SECONDS,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done

    def start(self, script: str, output: str) -> None:
        """The same in the background, for as long as the machine runs; `output` is a file in it."""
        with self.path(output).open("wb") as out:
            process = subprocess.Popen(
                [*self._entered, "bash", "-c", f"cd {ROOT} && {script}"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=self._environment,
            )  # fmt: skip
        self._started.append(process)

    def path(self, name: str) -> Path:
        """Where a file of the machine can be read from here."""
        return Path(f"/proc/{self._pid}/root") / name.lstrip("/")

    def text(self, name: str) -> str:
        """What a file of the machine holds; nothing when it is not there."""
        path = self.path(name)
        return path.read_text(errors="replace") if path.exists() else ""

    def inside(self, act: Callable[[], T]) -> T:
        """What `act` returns on the machine's network; sockets that it makes stay there."""
        result: list[T] = []

        def enter() -> None:
            # A network belongs to the thread.
            with open(f"/proc/{self._pid}/ns/net") as network:
                assert ctypes.CDLL(None, use_errno=True).setns(network.fileno(), _NEW_NETWORK) == 0
            result.append(act())

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        assert result, "it failed, see above"
        return result[0]

    @property
    def _environment(self) -> dict[str, str]:
        path = f"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:{sys.base_prefix}/bin"
        pip = {name: value for name, value in os.environ.items() if name.lower().startswith(("pip_", "http"))}
        return {**pip, "PATH": path, "HOME": "/root", **self.environment}

    @property
    def _entered(self) -> list[str]:
        return ["nsenter", "--target", str(self._pid), *_NAMESPACES, "--root", "--wd"]

    @property
    def _pid(self) -> int:
        """The machine's process 1; 0 before it has booted."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        booted = children and Path(f"/proc/{children[0]}/comm").read_text().strip() == "sleep"
        return int(children[0]) if booted else 0
