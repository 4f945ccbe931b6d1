"""How fast a backlog leaves: ours beside Kannel, into the same fast SMSC, with the same window.

Time runs at the SMSC, from the first submit_sm to the last. Ours reads its backlog from the durable queue,
marks every part there before it leaves and records its outcome; a run only counts when the queue says so of
each. Kannel runs in several ways, because they differ by far more than the rounds do: see KANNELS.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.harness import (
    SENDER,
    WINDOW,
    BenchFailure,
    CpuMeter,
    Figures,
    Smsc,
    configuration,
    guarded,
    peak_megabytes,
    ratios,
    rotated,
    running,
    service,
    show,
    smsc,
    tell,
    until,
)
from bench.queues import KINDS, BenchQueue, Sqlite, queues
from sms_milter.config.values import parse_queue_url
from sms_milter.model import NewMail, NewMessage, PlannedMessage, SubmitSm
from sms_milter.queue import open_queue
from sms_milter.smpp.codec import compose
from support.places import accepts, folder, free_port
from support.smsc import Smsc as Smsc34

_TEXT = "/var on db3 is 91 % full since 04:10 and grows by 2 % per hour. Please look at it now."


@dataclass(frozen=True)
class Variant:
    """A way to run Kannel. `share`: one that is slow gets this fraction of the backlog. `log_level`: None for
    the one that it has when none is set.
    """

    what: str
    spool: bool = True
    log_level: int | None = 4
    database: bool = False
    share: int = 1


# `kannel` is what `apt-get install kannel` gives: /etc/kannel/kannel.conf sets log-file and neither log-level
# (then it is debug) nor a store, and the init script starts `bearerbox -v 4`, which is for standard error.
KANNELS = {
    "kannel": Variant(
        "as Debian ships it: all in memory (a crash loses the backlog), a log of level debug",
        spool=False,
        log_level=None,
    ),
    "kannel_in_memory_quiet": Variant("the same with errors only in its log: its fastest", spool=False),
    "kannel_spool_quiet": Variant("errors only, and a file for each SMS that waits (not synced)"),
    "kannel_recorded": Variant(
        "a file each, and message ids kept in SQLite as ours always does", database=True, share=20
    ),
}
_SLOW_MS, _SLOW_WINDOW, _SLOW_BACKLOG = 40, 10, 2000
_QUEUE_RATIOS = {
    "postgresql_vs_sqlite": ("sms_milter_postgresql_parts_per_second", "sms_milter_parts_per_second"),
    "two_dispatchers_vs_one": ("dispatchers_2_parts_per_second", "dispatchers_1_parts_per_second"),
}
_RATIOS = {f"vs_{name}": ("sms_milter_parts_per_second", f"{name}_parts_per_second") for name in KANNELS}


# --- ours ---------------------------------------------------------------------------------------------------


def fill(queue: BenchQueue, backlog: int) -> None:
    """Keep it with `backlog` mails of one SMS each, as the milter workers leave them."""
    store = open_queue(parse_queue_url(queue.url))
    for first in range(0, backlog, 1000):
        mails = [_mail(number) for number in range(first, min(first + 1000, backlog))]
        store.put(mails, time.time())
    store.close()
    queue.keep()


def _mail(number: int) -> NewMail:
    part = SubmitSm(
        source_addr_ton=5,
        source_addr="ACME",
        destination_addr=_phone(number),
        short_message=_TEXT.encode("ascii"),
    )
    plan = PlannedMessage(part.destination_addr, "ACME", _TEXT, (part,), smsc="bench")
    return NewMail(
        messages=(NewMessage(plan, (compose(part),), time.time() + 86400),),
        received_at=time.time(),
        account="bench",
        dialect="hsl",
        sender=SENDER,
        client="127.0.0.1",
        mta_queue_id=f"{number:X}",
    )


def _phone(number: int) -> str:
    return f"4479731{number:05d}"


def ours(place: Path, name: str, queue: BenchQueue, backlog: int, figures: Figures) -> None:
    """One run of our dispatcher on a copy of the filled queue."""
    queue.restore()
    with smsc(place) as center:
        config = configuration(place, smsc_port=center.port, queue=queue.url)
        started = time.monotonic()
        with service(config, "dispatch", place / "service.log") as pid:
            _measure(name, center, {"sender": pid, **queue.pids()}, backlog, figures)
            figures.add(f"{name}_start_seconds", center.first_submit - started)
            figures.add(f"{name}_peak_megabytes", peak_megabytes(pid))
        _check_outcomes(queue.url, center.submits)


def _check_outcomes(url: str, submits: int) -> None:
    """The queue must know of every submit_sm that it was accepted, and of no other."""
    queue = open_queue(parse_queue_url(url))
    accepted = queue.summary(time.time())["parts"]["accepted"]
    queue.close()
    if accepted != submits:
        raise BenchFailure(f"the SMSC took {submits} SMS, the queue says {accepted}")


def together(place: Path, queue: BenchQueue, hosts: int, figures: Figures) -> None:
    """`hosts` dispatchers of one queue, each with a bind to an SMSC that is slow. Time runs from when all are
    bound.
    """
    queue.restore()
    with Smsc34(delay_ms=_SLOW_MS) as center, ExitStack() as stack:
        for host in range(1, hosts + 1):
            config = configuration(
                place,
                smsc_port=center.port,
                queue=queue.url,
                window=_SLOW_WINDOW,
                binds=host,  # of all together, as this host knows it
                name=f"host{host}",
            )
            log = place / f"host{host}.log"
            stack.enter_context(service(config, "dispatch", log, host=f"host{host}"))
            until(lambda host=host: center.bound == host, f"host {host} to bind", seconds=60, log=log)
        started, before = time.monotonic(), len(center.received)
        until(lambda: len(center.received) >= before + _SLOW_BACKLOG, "the SMS to come", seconds=60)
        rate = (len(center.received) - before) / (time.monotonic() - started)
    if len({one.destination for one in center.received}) != len(center.received):
        raise BenchFailure("two dispatchers have sent the same SMS")
    figures.add(f"dispatchers_{hosts}_parts_per_second", rate)
    tell(f"{hosts} dispatcher(s), slow SMSC: {rate:.0f} parts/s")


# --- Kannel -------------------------------------------------------------------------------------------------

_CORE = """
group = core
admin-port = {admin}
admin-password = bench
smsbox-port = {box}
box-deny-ip = "*.*.*.*"
box-allow-ip = 127.0.0.1
log-file = "{place}/kannel.debug"
{log_level}
{store}

group = smsbox
bearerbox-host = 127.0.0.1

group = sms-service
keyword = default
text = none

group = smsc
smsc = smpp
smsc-id = bench
host = 127.0.0.1
port = {smsc}
smsc-username = bench
smsc-password = bench
system-type = ""
transceiver-mode = true
max-pending-submits = {window}
reconnect-delay = 1
"""
_SPOOL = "store-type = spool\nstore-location = {place}/spool"
_DATABASE = """
group = sqlite3-connection
id = receipts
database = {place}/receipts.db

group = dlr-db
id = receipts
table = receipt
field-smsc = smsc
field-timestamp = at
field-source = source
field-destination = destination
field-service = service
field-url = url
field-mask = mask
field-boxc-id = box
field-status = status
"""
_TABLE = (
    "CREATE TABLE receipt (smsc, at, source, destination, service, url, mask INTEGER, box, status INTEGER)"
)


@dataclass(frozen=True)
class Ports:
    """Where Kannel listens, and where it looks for its SMSC."""

    admin: int
    box: int
    smsc: int


def kannel(place: Path, name: str, backlog: int, figures: Figures) -> None:
    """One run of Kannel's bearerbox: filled while its SMSC is away, then the SMSC comes."""
    home = place / name
    home.mkdir()
    ports = Ports(free_port(), free_port(), free_port())
    config, log = home / "kannel.conf", home / "kannel.log"
    config.write_text(_kannel_configuration(home, KANNELS[name], ports))
    with running("bearerbox", "-v", "4", config, log=log) as pid:
        until(lambda: accepts(ports.box), "Kannel to listen", seconds=20, log=log)
        _fill_kannel(home, ports.box, backlog, receipts=KANNELS[name].database)
        until(lambda: _waiting(ports.admin) == backlog, "Kannel to have its backlog", seconds=60, log=log)
        with smsc(home, ports.smsc) as center:
            _measure(name, center, {"sender": pid}, backlog, figures)
    shutil.rmtree(home)


def _kannel_configuration(home: Path, variant: Variant, ports: Ports) -> str:
    store = _SPOOL.format(place=home) if variant.spool else ""
    database = ""
    (home / "spool").mkdir()
    if variant.database:
        store += "\ndlr-storage = sqlite3"
        database = _DATABASE.format(place=home)
        with sqlite3.connect(home / "receipts.db") as receipts:
            receipts.execute(_TABLE)
    level = "" if variant.log_level is None else f"log-level = {variant.log_level}"
    core = _CORE.format(store=store, log_level=level, place=home, window=WINDOW, **asdict(ports))
    return core + database


def _fill_kannel(home: Path, port: int, backlog: int, *, receipts: bool) -> None:
    (home / "text").write_text(_TEXT)
    (home / "phones").write_text("".join(f"{_phone(number)}\n" for number in range(backlog)))
    command = ["mtbatch", "-v", "4", "-b", "127.0.0.1", "-p", str(port), "-f", "ACME"]
    # 3: delivered and failed; the address is never called, because the SMSC sends no receipts.
    command += ["-D", "3", "-u", "http://127.0.0.1:9/"] if receipts else ["-D", "0"]
    command += [str(home / "text"), str(home / "phones")]
    subprocess.run(command, check=True, timeout=120, capture_output=True)


def _waiting(admin_port: int) -> int:
    """How many SMS wait in Kannel, from its status page."""
    url = f"http://127.0.0.1:{admin_port}/status.txt?password=bench"
    with urllib.request.urlopen(url, timeout=10) as page:
        found = re.search(r"SMS: received .* sent \d+ \((\d+) queued\)", page.read().decode())
    return int(found[1]) if found else -1


# --- the bench ----------------------------------------------------------------------------------------------


def _measure(name: str, center: Smsc, pids: Mapping[str, int], backlog: int, figures: Figures) -> None:
    meter = CpuMeter({**pids, "smsc": center.pid})
    until(lambda: center.submits >= backlog, f"{name} to send {backlog} SMS", seconds=180)
    rate = center.submits_per_second
    figures.add(f"{name}_parts_per_second", rate)
    for process, value in meter.milliseconds_per(backlog).items():
        figures.add(f"{name}_cpu_ms_per_part_{process}", value)
    tell(f"{name}: {rate:.0f} parts/s")


def bench(backlog: int, waiting: int, rounds: int, *, as_json: bool) -> None:
    """Ours and the Kannels by turns."""
    figures = Figures()
    backlogs = {name: max(200, backlog // variant.share) for name, variant in KANNELS.items()}
    with folder("drain") as place:
        queue = Sqlite(place)
        fill(queue, max(backlog, waiting))
        for turn in range(rounds):
            for name in rotated(("sms_milter", *KANNELS), turn):
                if name == "sms_milter":
                    ours(place, name, queue, backlog, figures)
                else:
                    kannel(place, name, backlogs[name], figures)
    _print_head(backlog, waiting, rounds)
    for name, variant in KANNELS.items():
        smaller = f" (backlog of {backlogs[name]})" if variant.share > 1 else ""
        print(f"{name}: {variant.what}{smaller}")
    show(figures, ratios(figures.medians(), _RATIOS), as_json=as_json)


def bench_queues(backlog: int, waiting: int, rounds: int, *, as_json: bool) -> None:
    """Ours with SQLite and with PostgreSQL by turns; then one dispatcher of a PostgreSQL, and two."""
    figures = Figures()
    with folder("drain") as place, queues(place, postgresql=True) as ways:
        for queue in ways.values():
            fill(queue, max(backlog, waiting, 2 * _SLOW_BACKLOG))
        for turn in range(rounds):
            for name in rotated(tuple(ways), turn):
                ours(place, name, ways[name], backlog, figures)
            for hosts in rotated((1, 2), turn):
                together(place, ways["sms_milter_postgresql"], hosts, figures)
    _print_head(backlog, waiting, rounds)
    print(f"dispatchers: an SMSC that takes {_SLOW_MS} ms for each SMS, {_SLOW_WINDOW} at a time on a bind;")
    print("each dispatcher has a bind, all share one PostgreSQL")
    show(figures, ratios(figures.medians(), _QUEUE_RATIOS), as_json=as_json)


def _print_head(backlog: int, waiting: int, rounds: int) -> None:
    print(f"{rounds} rounds, backlog of {backlog} SMS, window {WINDOW}, one bind, the same SMSC (smsc.c)")
    more = f"; {waiting} SMS waiting, the first {backlog} counted" if waiting > backlog else ""
    print(f"sms_milter: durable queue, every part marked before it leaves, its outcome recorded{more}")


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(prog="drain", description=__doc__)
    options.add_argument("--json", action="store_true", help="one JSON object as the last line")
    options.add_argument("--quick", action="store_true", help="within 60 seconds")
    options.add_argument("--backlog", type=int, help="SMS waiting at the start")
    options.add_argument("--waiting", type=int, default=0, help="SMS waiting in our queue, if more")
    options.add_argument("--rounds", type=int, help="runs of each")
    options.add_argument(
        "--queue", choices=KINDS, default=KINDS[0], help="postgresql: beside SQLite instead of Kannel"
    )
    given = options.parse_args()
    backlog = given.backlog or (10_000 if given.quick else 30_000)
    rounds = given.rounds or (2 if given.quick else 5)
    run = bench if given.queue == "sqlite" else bench_queues
    run(backlog, given.waiting, rounds, as_json=given.json)


if __name__ == "__main__":
    sys.exit(guarded(main))
