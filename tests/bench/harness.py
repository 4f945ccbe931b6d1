"""What both benches need: programs that end with us, their CPU time, the SMSC, our service, the figures."""

from __future__ import annotations

import json
import os
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from support.places import CACHE, accepts, free_port, wait_until

HERE = Path(__file__).parent
DOMAIN = "sms.example.com"
SENDER = "alerts@acme.example"
WINDOW = 100
_TICKS = os.sysconf("SC_CLK_TCK")


class BenchFailure(Exception):
    """The run shows no valid figure: something got lost or did not start."""


# --- programs -----------------------------------------------------------------------------------------------


def compiled(source: str, *libraries: str) -> Path:
    """The program made of tests/bench/SOURCE, compiled when it is not there yet or older."""
    program = CACHE / "bench" / Path(source).stem
    if not program.exists() or program.stat().st_mtime < (HERE / source).stat().st_mtime:
        program.parent.mkdir(parents=True, exist_ok=True)
        flags = ["-O2", "-Wall", "-Wextra", "-o", str(program)]
        subprocess.run(["gcc", *flags, str(HERE / source), *libraries], check=True)
    return program


@contextmanager
def running(*command: str | Path, log: Path) -> Iterator[int]:
    """A program while it runs: its process id. Asked to end, and after 30 s made to."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        yield process.pid
        if process.poll() is not None:
            raise BenchFailure(
                f"{command[0]} has ended, its log says: {log.read_text(errors='replace')[-2000:]}"
            )
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until(condition: Callable[[], object], what: str, *, seconds: float, log: Path | None = None) -> None:
    """Wait for a condition; BenchFailure with the end of the log when it does not come."""
    try:
        wait_until(condition, what, seconds)
    except AssertionError as failure:
        tail = log.read_text(errors="replace")[-2000:] if log else ""
        raise BenchFailure(f"{failure}\n{tail}") from None


# --- CPU ----------------------------------------------------------------------------------------------------


def _family(root: int) -> Iterator[tuple[int, list[str]]]:
    """A process and its descendants, each with its fields of proc(5) `stat` from `state` on."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                found[int(entry)] = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
    family = {root}
    while grown := {pid for pid, fields in found.items() if int(fields[1]) in family} - family:
        family |= grown
    return ((pid, found[pid]) for pid in family if pid in found)


def cpu_seconds(root: int) -> float:
    """CPU time of a process and all its descendants, ended ones included."""
    # utime, stime, cutime, cstime
    return sum(sum(map(int, fields[11:15])) for _, fields in _family(root)) / _TICKS


def peak_megabytes(root: int) -> float:
    """The largest that any single process among it and its descendants has been in memory."""
    peaks = []
    for pid, _ in _family(root):
        status = Path("/proc", str(pid), "status").read_text()
        peaks += [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")]
    return max(peaks)


class CpuMeter:
    """CPU time of named process trees since it was made."""

    def __init__(self, roots: Mapping[str, int]) -> None:
        self._roots = roots
        self._before = {name: cpu_seconds(pid) for name, pid in roots.items()}

    def milliseconds_per(self, count: int) -> dict[str, float]:
        """Spent by each so far, divided by `count`."""
        return {
            name: (cpu_seconds(pid) - self._before[name]) * 1000 / count for name, pid in self._roots.items()
        }


# --- the SMSC -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Smsc:
    """The SMSC of smsc.c while it runs."""

    port: int
    pid: int
    counts: Path

    @property
    def binds(self) -> int:
        return self._seen()[0]

    @property
    def submits(self) -> int:
        return self._seen()[1]

    @property
    def first_submit(self) -> float:
        """When, on the clock of time.monotonic()."""
        return self._seen()[2] / 1e9

    @property
    def last_submit(self) -> float:
        """When, on the clock of time.monotonic()."""
        return self._seen()[3] / 1e9

    @property
    def submits_per_second(self) -> float:
        """Between the first and the last."""
        _, submits, first, last = self._seen()
        return (submits - 1) / ((last - first) / 1e9)

    def wait_for(self, submits: int, seconds: float) -> None:
        """Until so many have come, and no further one; BenchFailure when they do not."""
        with suppress(AssertionError):
            wait_until(lambda: self.submits >= submits, "", seconds)
        time.sleep(0.3)
        if self.submits != submits:
            raise BenchFailure(f"the SMSC got {self.submits} SMS instead of {submits}")

    def _seen(self) -> tuple[int, int, int, int]:
        binds, submits, first, last = struct.unpack("4Q", self.counts.read_bytes())
        return binds, submits, first, last


@contextmanager
def smsc(folder: Path, port: int = 0, receipts: int = 0) -> Iterator[Smsc]:
    """A fresh SMSC on `port`, or on a free one; it tells so many `receipts` a second."""
    port = port or free_port()
    counts = folder / f"smsc-{port}.seen"
    counts.unlink(missing_ok=True)
    with running(compiled("smsc.c"), str(port), counts, str(receipts), log=folder / "smsc.log") as pid:
        wait_until(lambda: accepts(port), "the SMSC to listen")
        yield Smsc(port, pid, counts)


# --- our service --------------------------------------------------------------------------------------------


def configuration(
    folder: Path,
    *,
    smsc_port: int,
    milter_port: int = 8891,
    queue: str = "",
    window: int = WINDOW,
    binds: int = 1,
    name: str = "sms-milter",
    metrics_port: int = 0,
) -> Path:
    """A configuration for one account, one SMSC and a queue in `folder`, unless it is elsewhere."""
    (folder / "smsc.secret").write_text("bench")
    path = folder / f"{name}.yaml"
    path.write_text(f"""
milter: {{socket: "inet:{milter_port}@127.0.0.1"}}
queue: "{queue or f"sqlite:{folder}/queue.db"}"
log: {{to: stderr}}
domains: {{{DOMAIN}: {{dialect: hsl}}}}
accounts:
  bench: {{clients: [127.0.0.0/8], senders: ["@acme.example"], default_originator: ACME, max_parts: 10}}
smscs:
  bench:
    {{host: 127.0.0.1, port: {smsc_port}, system_id: bench, password_file: {folder}/smsc.secret,
      window: {window}, binds: {binds}}}
routes: {{default: [{{to: "*", via: [bench]}}]}}
{f"metrics: {{listen: 127.0.0.1:{metrics_port}}}" if metrics_port else ""}
""")
    return path


@contextmanager
def service(config: Path, role: str, log: Path, host: str = "", more: Sequence[str] = ()) -> Iterator[int]:
    """`sms-milter run` with a role, and `more`: its supervisor's process id. `host` makes it believe to be on
    a host of its own, with that name (a UTS namespace).
    """
    roles = [word for name in (role, *more) for word in ("--role", name)]
    command = [Path(sys.executable).with_name("sms-milter"), "run", "--config", config, *roles]
    alone = ["unshare", "--uts", "sh", "-c", f'hostname {host} && exec "$@"', "sh"] if host else []
    with running(*alone, *command, log=log) as pid:
        yield pid


# --- figures ------------------------------------------------------------------------------------------------


class Figures:
    """Samples by name; medians in the end."""

    def __init__(self) -> None:
        self._samples: dict[str, list[float]] = {}

    def add(self, name: str, value: float) -> None:
        self._samples.setdefault(name, []).append(value)

    def medians(self) -> dict[str, float]:
        return {name: _rounded(statistics.median(samples)) for name, samples in self._samples.items()}

    def table(self) -> str:
        """One line each: median, and how far the samples lie apart."""
        lines = [f"{'':46}{'median':>12}{'lowest':>12}{'highest':>12}"]
        for name, samples in self._samples.items():
            numbers = (statistics.median(samples), min(samples), max(samples))
            lines.append(f"{name:46}" + "".join(f"{_rounded(n):12g}" for n in numbers))
        return "\n".join(lines)


def ratios(figures: Mapping[str, float], pairs: Mapping[str, tuple[str, str]]) -> dict[str, float]:
    """Quotients of medians, by name."""
    return {
        name: _rounded(figures[ours] / figures[theirs])
        for name, (ours, theirs) in pairs.items()
        if ours in figures and figures.get(theirs)
    }


def show(figures: Figures, quotients: Mapping[str, float], *, as_json: bool) -> None:
    """The table, and as the last line the object for programs."""
    print(figures.table())
    for name, value in quotients.items():
        print(f"{name:46}{value:12g}")
    if as_json:
        print(json.dumps({"figures": figures.medians(), "ratios": quotients}))


def tell(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def rotated(names: Sequence[str], turn: int) -> list[str]:
    """The names, each round beginning with another, so that none always runs after the same neighbour."""
    turn %= len(names)
    return [*names[turn:], *names[:turn]]


def guarded(main: Callable[[], None]) -> int:
    """Run a bench; its failure is a sentence and exit code 1."""
    try:
        main()
    except (BenchFailure, AssertionError) as failure:
        print(f"failed: {failure}", file=sys.stderr)
        return 1
    return 0


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
