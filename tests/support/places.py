"""Where tests put things: free ports, folders that other users may enter, certificates; and waiting."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
CACHE = ROOT / ".cache"


_range = itertools.cycle(range(12000, 32000))
_port_numbers = itertools.islice(
    _range, os.getpid() * 61 % 19000, None
)  # runs side by side start at different ports


def free_port(address: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on just now, below the range of outgoing connections."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in _port_numbers:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return port
    raise AssertionError("the ports never end")


@contextmanager
def folder(name: str, *, large: bool = False) -> Iterator[Path]:
    """A folder that every user may enter, removed at the end; not in memory if it becomes `large`.

    pytest's own are closed to the MTA's users, and Sendmail trusts no socket below a world-writable folder.
    """
    parent = "/var/tmp" if large else "/run"
    path = Path(
        tempfile.mkdtemp(prefix=f"sms-milter-{name}-", dir=parent if os.access(parent, os.W_OK) else None)
    )
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def wait_until(condition: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    """Return as soon as `condition()` is true; AssertionError naming `what` after `seconds`."""
    end = time.monotonic() + seconds
    pause = 0.002
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s in vain: {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def accepts(port: int, address: str = "127.0.0.1") -> bool:
    """Whether somebody accepts TCP connections there."""
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


def make_certificate(directory: Path, name: str = "localhost") -> tuple[Path, Path]:
    """A self-signed certificate and its key: (certificate, key)."""
    certificate, key = directory / "snakeoil.pem", directory / "snakeoil.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


def runs(pid: int, of: Path | None = None) -> bool:
    """Whether a process holds anything still: a zombie does not.

    Its id may be another's by now. With `of`, a file that its command line names, that other does not count.
    """
    try:
        if of and os.fsencode(of) not in Path(f"/proc/{pid}/cmdline").read_bytes():
            return False
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
