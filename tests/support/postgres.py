"""A private PostgreSQL: own folder, own port, gone afterwards.

Needs Debian's package `postgresql`, but neither its cluster nor its running service. The server refuses
root; as root it runs as `postgres`, the package's own user.
"""

from __future__ import annotations

import itertools
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from support.places import free_port, runs, wait_until

SUPERUSER = "postgres"
_ROOTS_DEPUTY = "postgres"
_CONNECTIONS = 100
_UNSYNCED = {"fsync": "off"}  # commits reach the kernel all the same


def programs() -> Path:
    """Where PostgreSQL's programs are: in POSTGRESQL_PROGRAMS, or the newest of Debian; AssertionError when
    there are none.
    """
    if chosen := os.environ.get("POSTGRESQL_PROGRAMS"):
        return Path(chosen)
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    assert found, "postgresql is not installed; tests/run installs what deploy/packages names"
    return max(found, key=lambda path: float(path.parent.name))


@dataclass
class Postgres:
    """`settings` are laid over those of a small server. Unless it is `synced`, commits survive kill -9 but
    not the end of the machine, and are much faster.

    `tls` is (certificate, key). The superuser needs no password on the socket in `folder`; on the loopback
    port everybody needs one (SCRAM), and with `tls` nobody comes in without that.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    synced: bool = False
    tls: tuple[Path, Path] | None = None
    port: int = 0

    def __enter__(self) -> Postgres:
        self.port = self.port or free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = itertools.count(1)
        self.folder = Path(tempfile.mkdtemp(prefix="sms-milter-postgres-"))
        try:
            self.folder.chmod(0o755)
            self._create()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- the server -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Run it; returns when it answers, after a crash when it has recovered."""
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [programs() / "postgres", "-D", self._data],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **_somebody(),
            )  # fmt: skip
        wait_until(lambda: self._answers() or self._ended, "PostgreSQL to answer", 60)
        assert not self._ended, f"PostgreSQL does not start:\n{self.log}"

    def stop(self) -> None:
        """As an operator would: open transactions are rolled back, everything is written."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)
            self._process = None

    def kill(self) -> None:
        """kill -9 of all its processes at once; nothing of it stays in the system."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGSTOP)  # nothing is forked any more
        pids = self.pids()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        wait_until(lambda: not any(map(runs, pids)), "PostgreSQL's processes to end")
        self._free_shared_memory()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """All its processes stand still: connections stay open, new ones are made, and nobody answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)  # nothing is forked any more
        pids = self.pids()
        try:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in reversed(pids):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def pids(self) -> list[int]:
        """Its processes, the postmaster first."""
        assert self._process is not None
        postmaster = self._process.pid
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
        return [postmaster, *map(int, children.split())]

    @property
    def log(self) -> str:
        """All that it has logged so far."""
        return self._log_file.read_text(errors="replace") if self._log_file.exists() else ""

    # --- databases ------------------------------------------------------------------------------------------

    def url(self, database: str = SUPERUSER, *, user: str = "", password: str = "", options: str = "") -> str:
        """Of a database: for the superuser by the socket, for another `user` by the loopback port."""
        options = options and f"&{options}"
        if not user:
            return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(self.folder))}&port={self.port}{options}"
        who = f"{quote(user)}:{quote(password)}"
        return f"postgresql://{who}@127.0.0.1:{self.port}/{database}?connect_timeout=10{options}"

    @contextmanager
    def connection(self, database: str = SUPERUSER) -> Iterator[psycopg.Connection]:
        """The superuser's, each statement for itself (autocommit)."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            yield connection

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """The name of a fresh database, a copy of `template`; dropped at the end, whoever is connected."""
        name = f"test_{next(self._databases)}"
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, template)))
        with self.connection() as connection:
            connection.execute(copy)
        try:
            yield name
        finally:
            with self.connection() as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    # --- its files ------------------------------------------------------------------------------------------

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _log_file(self) -> Path:
        return self.folder / "postgres.log"

    @property
    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _create(self) -> None:
        _give(self.folder)
        done = subprocess.run(
            [
                *(programs() / "initdb", "--pgdata", self._data, "--username", SUPERUSER, "--no-sync"),
                *("--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C"),
            ],
            capture_output=True, text=True, cwd="/", **_somebody(),
        )  # fmt: skip
        assert not done.returncode, f"initdb: {done.stderr}"
        chosen = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "max_connections": str(_CONNECTIONS),
            "dynamic_shared_memory_type": "mmap",  # in its folder, where kill -9 leaves it to us
            "shared_buffers": "64MB",
            **({} if self.synced else _UNSYNCED),
            **self._tls_settings(),
            **self.settings,
        }
        if self.tls is not None:
            doors = self._data / "pg_hba.conf"
            doors.write_text(re.sub(r"(?m)^host\b", "hostssl", doors.read_text()))
        with (self._data / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in chosen.items())

    def _tls_settings(self) -> dict[str, str]:
        if self.tls is None:
            return {}
        settings = {}
        for name, source in zip(("ssl_cert_file", "ssl_key_file"), self.tls, strict=True):
            copy = self.folder / f"{name}.pem"
            shutil.copyfile(source, copy)
            copy.chmod(0o600)
            _give(copy)
            settings[name] = str(copy)
        return {"ssl": "on", **settings}

    def _free_shared_memory(self) -> None:
        """After kill -9 its small System V segment stays until the server starts again, or for ever."""
        with suppress(FileNotFoundError, IndexError):
            _, segment = (self._data / "postmaster.pid").read_text().splitlines()[6].split()
            subprocess.run(["ipcrm", "-m", segment], capture_output=True)


def _somebody() -> dict[str, Any]:
    """For subprocess: whom root lets run the server."""
    if os.geteuid():
        return {}
    account = pwd.getpwnam(_ROOTS_DEPUTY)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _give(path: Path) -> None:
    """To whoever runs the server."""
    if who := _somebody():
        shutil.chown(path, who["user"], who["group"])
