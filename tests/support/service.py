"""The real service: `sms-milter run` with a configuration of the tests."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from support.places import ROOT, accepts, free_port, runs, wait_until
from support.secrecy import RUN, SMSC_PASSWORD

BASE = ROOT / "tests" / "integration" / "config" / "base.yaml"
# An unprivileged user, unless Python, its packages or our own files lie in somebody's closed home folder.
_PLACES = (Path(os.__file__), Path(sys.prefix), ROOT)
USER = "nobody" if all(p.stat().st_mode & 0o001 for place in _PLACES for p in place.resolve().parents) else ""
_STARTED = re.compile(r"started role=(\S+) pid=(\d+)")
_RELOADED = re.compile(r": reloaded, |reload refused")
_UPGRADED = re.compile(r": upgraded, |upgrade refused")


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`; sections are merged, everything else is replaced."""
    result = dict(deepcopy(below))
    for name, value in above.items():
        both = isinstance(value, Mapping) and isinstance(result.get(name), Mapping)
        result[name] = merged(result[name], value) if both else deepcopy(value)
    return result


@dataclass
class Service:
    """`settings` are laid over `base`, by default tests/integration/config/base.yaml.

    `smsc_port` is where all of its SMSCs listen.

    `unix` makes the milter listen on a socket file. `directory` must be one that other users may enter; the
    queue stands in its folder `queue`, unless `queue` is the URL of another. Only `roles` run, if any are
    named. `host` makes it believe to be on a host of its own with that name (a UTS namespace; as root).
    """

    directory: Path
    smsc_port: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    base: Mapping[str, Any] | None = None
    unix: bool = False
    port: int = 0
    queue: str = ""
    roles: Sequence[str] = ()
    host: str = ""

    def __post_init__(self) -> None:
        self.port = 0 if self.unix else self.port or free_port()
        self.queue_directory = self.directory / "queue"
        self.queue_directory.mkdir(exist_ok=True)
        if USER:
            shutil.chown(self.queue_directory, USER)
        socket = f"unix:{self._socket}" if self.unix else f"inet:{self.port}@127.0.0.1"
        places = {
            "milter": {"socket": socket, **({"socket_mode": "0666"} if self.unix else {})},
            "queue": self.queue or f"sqlite:{self.queue_directory}/queue.db",
            "user": USER,
            "log": {"to": "stderr"},
        }
        wanted = merged(self.base or yaml.safe_load(BASE.read_text()), self.settings)
        here = {"host": "127.0.0.1", "port": self.smsc_port, "password": SMSC_PASSWORD}
        self.configuration = merged(wanted, places | {"smscs": dict.fromkeys(wanted["smscs"], here)})
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Service:
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Run it; returns when the MTA can reach it."""
        self.file.write_text(yaml.safe_dump(self.configuration))
        RUN.logs[str(self._log_file)] = False
        roles = [word for role in self.roles for word in ("--role", role)]
        elsewhere = ["unshare", "--uts", "sh", "-c", f'hostname {self.host} && exec "$@"', "sh"]
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [*(elsewhere if self.host else ()), *_COMMAND, "run", "--config", str(self.file), *roles],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        already = self.log.count(": ready, ")
        wait_until(
            lambda: self.log.count(": ready, ") > already or self._ended, "the service to be ready", 20
        )
        if self._ended:
            self._read_log()
        assert not self._ended, f"the service does not start:\n{self.log}"
        if not self.unix and (not self.roles or "milter" in self.roles):
            wait_until(lambda: accepts(self.port), "the milter to accept")

    def stop(self) -> None:
        """SIGTERM, as an operator would; returns when all its processes have ended."""
        if self._process is not None and not self._ended:
            self._process.terminate()
            self._process.wait(60)
        if self._process is not None:
            self._read_log()
        self._process = None

    def _read_log(self) -> None:
        RUN.logs[str(self._log_file)] = True
        RUN.saw("log", self.log)

    def reload(self) -> None:
        """SIGHUP; returns when the configuration has been read again, or refused."""
        assert self._process is not None
        before = len(_RELOADED.findall(self.log))
        self._process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(_RELOADED.findall(self.log)) > before, "the service to reload", 20)

    def upgrade(self) -> None:
        """SIGUSR2; returns when the program has taken its own place, or refused to."""
        assert self._process is not None
        before = len(_UPGRADED.findall(self.log))
        self._process.send_signal(signal.SIGUSR2)
        wait_until(lambda: len(_UPGRADED.findall(self.log)) > before, "the service to upgrade", 30)

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Lay more settings over those in force and write the file; `reload` or `start` reads it."""
        self.configuration = merged(self.configuration, settings)
        self.file.write_text(yaml.safe_dump(self.configuration))

    def kill(self, role: str) -> None:
        """kill -9 of a role that runs (`milter`: all workers) or the `supervisor`; dead when it returns."""
        assert self._process is not None
        if role == "supervisor":
            self._process.kill()
            self._process.wait()
            return

        def pids() -> list[int]:
            return [pid for name, pid in self.pids().items() if name.partition("/")[0] == role]

        wait_until(pids, f"{role} to run")
        killed = pids()
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(map(runs, killed)), f"{role} to be dead")

    def kill_host(self) -> None:
        """kill -9 of all its processes at once, as if its host had lost its power."""
        assert self._process is not None
        children = self.pids().values()
        for pid in (self._process.pid, *children):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        wait_until(lambda: not self.pids(), "the processes of a dead host to end")

    def pids(self) -> dict[str, int]:
        """Role to process id, of those that run now."""
        latest = {name: int(pid) for name, pid in _STARTED.findall(self.log)}
        return {name: pid for name, pid in latest.items() if runs(pid, self.file)}

    def command(self, *arguments: str) -> str:
        """What another `sms-milter` command prints with this configuration."""
        done = subprocess.run(
            [*_COMMAND, *arguments, "--config", str(self.file)], capture_output=True, text=True, check=True
        )
        RUN.saw(f"sms-milter {arguments[0]}", done.stdout + done.stderr)
        return done.stdout

    def backlog(self) -> list[dict[str, Any]]:
        """The parts that wait, or whose outcome is not known yet."""
        states = [word for state in ("queued", "submitting") for word in ("--state", state)]
        parts: list[dict[str, Any]] = json.loads(self.command("queue", "list", *states, "--json"))
        return parts

    @property
    def for_postfix(self) -> str:
        """The milter socket as Postfix writes it."""
        return f"unix:{self._socket}" if self.unix else f"inet:127.0.0.1:{self.port}"

    @property
    def for_sendmail(self) -> str:
        """The milter socket as Sendmail writes it."""
        return f"unix:{self._socket}" if self.unix else f"inet:{self.port}@127.0.0.1"

    @property
    def log(self) -> str:
        """All that it has logged so far."""
        return self._log_file.read_text(errors="replace") if self._log_file.exists() else ""

    @property
    def _socket(self) -> Path:
        return self.directory / "milter.sock"

    @property
    def file(self) -> Path:
        """The configuration that it reads."""
        return self.directory / "sms-milter.yaml"

    @property
    def _log_file(self) -> Path:
        return self.directory / "service.log"

    @property
    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None


_COMMAND = (str(Path(sys.executable).parent / "sms-milter"),)
