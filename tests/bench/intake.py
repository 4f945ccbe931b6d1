"""How fast mail is taken: ours, do-nothing milters in C and with pymilter, behind the same Postfix.

smtp-source drives one Postfix whose listeners differ in their milter only; the peers take turns. Ours runs
whole: the dispatcher submits to an SMSC meanwhile, and a run only counts when every SMS has arrived there.
"""

from __future__ import annotations

import argparse
import os
import re
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.harness import (
    DOMAIN,
    HERE,
    SENDER,
    BenchFailure,
    CpuMeter,
    Figures,
    Smsc,
    compiled,
    configuration,
    guarded,
    ratios,
    rotated,
    running,
    service,
    show,
    smsc,
    tell,
    until,
)
from bench.queues import KINDS, BenchQueue, queues
from support.places import accepts, folder, free_port, wait_until
from support.postfix import Postfix

PEERS = ("c_do_nothing", "c_same_steps", "pymilter_do_nothing")
SCRAPED = "sms_milter_scraped"
_ASK = "while sleep 1; do curl --silent --fail http://127.0.0.1:$0/metrics; done"
_STARTED = re.compile(r"started role=(\w+)\S* pid=(\d+)")
_PHONE = f"447973100000@{DOMAIN}"
_RATIOS = {
    "vs_c_do_nothing": ("sms_milter_mails_per_second", "c_do_nothing_mails_per_second"),
    "vs_c_same_steps": ("sms_milter_mails_per_second", "c_same_steps_mails_per_second"),
    "vs_pymilter_do_nothing": ("sms_milter_mails_per_second", "pymilter_do_nothing_mails_per_second"),
    "scraped_vs_not": ("sms_milter_scraped_mails_per_second", "sms_milter_mails_per_second"),
    "postgresql_vs_sqlite": ("sms_milter_postgresql_mails_per_second", "sms_milter_mails_per_second"),
    "postgresql_vs_sqlite_100_recipients": (
        "postgresql_sms_per_second_100_recipients",
        "sms_per_second_100_recipients",
    ),
}


@dataclass(frozen=True)
class Load:
    """How much of it: `mails` per run and `rounds` of each peer, `sessions` of smtp-source at a time."""

    mails: int
    rounds: int
    sessions: int
    octets: int
    keep_connections: bool
    recipients: int = 100
    recipient_mails: int = 100
    singles: int = 50
    idle_seconds: float = 10.0


@dataclass(frozen=True)
class Stage:
    """All that runs: listeners by peer, process ids by the name that their CPU time is shown under."""

    ports: Mapping[str, int]
    pids: Mapping[str, Mapping[str, int]]  # by peer
    ours: tuple[str, ...]  # those of the peers that send SMS
    smsc: Smsc

    @property
    def peers(self) -> tuple[str, ...]:
        return tuple(self.pids)

    def meter(self, peer: str) -> CpuMeter:
        smsc = {"smsc": self.smsc.pid} if peer in self.ours else {}
        return CpuMeter({**self.pids[peer], **smsc})


@contextmanager
def stage(place: Path, *, postgresql: bool, scraped: bool) -> Iterator[Stage]:
    """Postfix, its milters, ours with a dispatcher for each queue, and the SMSC. `scraped`: ours once more,
    with metrics that somebody asks for every second.
    """
    with ExitStack() as stack:
        start = stack.enter_context
        center = start(smsc(place))
        ways = start(queues(place, postgresql=postgresql))
        ours = (*ways, SCRAPED) if scraped else tuple(ways)
        sockets = {peer: free_port() for peer in (*ours, *PEERS)}
        milters = {peer: f"inet:127.0.0.1:{port}" for peer, port in sockets.items()}
        postfix = start(Postfix(place / "postfix", milters))
        master = {"postfix": int((place / "postfix/queue/pid/master.pid").read_text())}
        pids = {
            name: {**master, **start(_service(place, name, queue, sockets[name], center))}
            for name, queue in ways.items()
        }
        if scraped:
            pids[SCRAPED] = {**master, **start(_scraped_service(place, sockets[SCRAPED], center))}
        pids |= {name: {**master, "milter": pid} for name, pid in start(_do_nothings(place, sockets)).items()}
        yield Stage(postfix.ports, pids, ours, center)


@contextmanager
def _service(place: Path, name: str, queue: BenchQueue, port: int, center: Smsc) -> Iterator[dict[str, int]]:
    """Ours, with this queue: its processes, once they can do their work."""
    log = place / f"{name}.log"
    config = configuration(place, smsc_port=center.port, milter_port=port, queue=queue.url, name=name)
    binds = center.binds
    with service(config, "milter", log) as milter:
        until(lambda: accepts(port), "our milter to listen", seconds=30, log=log)
        with service(config, "dispatch", log) as dispatcher:
            until(lambda: center.binds > binds, "our dispatcher to bind", seconds=30, log=log)
            yield {"milter": milter, "dispatcher": dispatcher, **queue.pids()}


@contextmanager
def _scraped_service(place: Path, port: int, center: Smsc) -> Iterator[dict[str, int]]:
    """Ours, all in one ("service"), while its metrics are asked for."""
    log, asked, binds = place / f"{SCRAPED}.log", free_port(), center.binds
    config = configuration(
        place,
        smsc_port=center.port,
        milter_port=port,
        queue=f"sqlite:{place}/{SCRAPED}.db",
        name=SCRAPED,
        metrics_port=asked,
    )
    with service(config, "milter", log, more=["dispatch"]) as whole:
        until(
            lambda: accepts(port) and accepts(asked), "our milter and metrics to listen", seconds=30, log=log
        )
        until(lambda: center.binds > binds, "our dispatcher to bind", seconds=30, log=log)
        with running("sh", "-c", _ASK, str(asked), log=place / "scrapes"):
            roles = {name: int(pid) for name, pid in _STARTED.findall(log.read_text())}
            yield {"service": whole, "dispatcher": roles["dispatch"], "metrics": roles["metrics"]}
            if "sms_milter_stored_parts" not in (place / "scrapes").read_text():
                raise BenchFailure("nobody was told metrics")


@contextmanager
def _do_nothings(place: Path, sockets: Mapping[str, int]) -> Iterator[dict[str, int]]:
    with ExitStack() as stack:
        start = stack.enter_context
        c_milter = compiled("do_nothing.c", "-lmilter", "-lpthread")
        yield {
            "c_do_nothing": start(
                running(c_milter, f"inet:{sockets['c_do_nothing']}@127.0.0.1", log=place / "c.log")
            ),
            "c_same_steps": start(
                running(
                    c_milter,
                    f"inet:{sockets['c_same_steps']}@127.0.0.1",
                    "same-steps",
                    log=place / "c-same-steps.log",
                )
            ),
            "pymilter_do_nothing": start(
                running(
                    sys.executable,
                    HERE / "do_nothing.py",
                    f"inet:{sockets['pymilter_do_nothing']}@127.0.0.1",
                    log=place / "pymilter.log",
                )
            ),
        }


# --- many mails ---------------------------------------------------------------------------------------------


def mails_per_second(port: int, load: Load, mails: int) -> tuple[float, float]:
    """Drive one listener; mails per second, and smtp-source's own CPU in milliseconds per mail."""
    command = ["smtp-source", "-s", str(load.sessions), "-m", str(mails), "-l", str(load.octets)]
    command += ["-d"] if load.keep_connections else []
    before = os.times()
    started = time.monotonic()
    done = subprocess.run(
        [*command, "-f", SENDER, "-t", _PHONE, f"inet:127.0.0.1:{port}"],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    seconds = time.monotonic() - started
    after = os.times()
    if done.returncode:
        raise BenchFailure(f"smtp-source: {done.stderr[-500:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return mails / seconds, cpu * 1000 / mails


def one_run(on: Stage, peer: str, load: Load, parts: int, figures: Figures) -> None:
    """One peer's turn. Ours counts when the SMSC has every SMS."""
    expected = on.smsc.submits + load.mails * parts
    meter = on.meter(peer)
    rate, source_cpu = mails_per_second(on.ports[peer], load, load.mails)
    if peer in on.ours:
        on.smsc.wait_for(expected, seconds=60)
    figures.add(f"{peer}_mails_per_second", rate)
    for name, value in meter.milliseconds_per(load.mails).items():
        figures.add(f"{peer}_cpu_ms_per_mail_{name}", value)
    figures.add(f"{peer}_cpu_ms_per_mail_smtp_source", source_cpu)
    tell(f"{peer}: {rate:.0f} mails/s")


def parts_of_one_mail(on: Stage, load: Load) -> int:
    """How many SMS one of smtp-source's mails becomes."""
    before = on.smsc.submits
    mails_per_second(on.ports["sms_milter"], load, 1)
    wait_until(lambda: on.smsc.submits > before, "the first SMS at the SMSC")
    time.sleep(0.5)
    return on.smsc.submits - before


# --- many recipients, and one mail alone --------------------------------------------------------------------


def recipients_run(on: Stage, peer: str, load: Load, figures: Figures) -> None:
    """Mails with many recipients each, over one connection: SMS stored per second, until the last reply."""
    expected = on.smsc.submits + load.recipients * load.recipient_mails
    phones = [f"4479731{number:05d}@{DOMAIN}" for number in range(load.recipients)]
    meter = on.meter(peer)
    with smtplib.SMTP("127.0.0.1", on.ports[peer]) as client:
        started = time.monotonic()
        for number in range(load.recipient_mails):
            client.sendmail(SENDER, phones, alert(f"r{number}"))
        seconds = time.monotonic() - started
    on.smsc.wait_for(expected, seconds=60)
    stored = load.recipients * load.recipient_mails
    of = _prefix(peer)
    figures.add(f"{of}sms_per_second_{load.recipients}_recipients", stored / seconds)
    for name, value in meter.milliseconds_per(stored).items():
        figures.add(f"{of}cpu_ms_per_sms_{load.recipients}_recipients_{name}", value)


def _prefix(peer: str) -> str:
    """What the names of figures that only ours have begin with."""
    return peer.removeprefix("sms_milter").removeprefix("_") + "_" if peer != "sms_milter" else ""


def latency_run(on: Stage, peer: str, load: Load, figures: Figures) -> None:
    """One mail at a time, nothing else going on: from connect, and from the final dot, to the SMSC."""
    for number in range(load.singles):
        time.sleep(0.02)
        before = on.smsc.submits
        started = time.monotonic()
        with smtplib.SMTP("127.0.0.1", on.ports[peer]) as client:
            client.ehlo()
            client.mail(SENDER)
            client.rcpt(_PHONE)
            client.docmd("DATA")
            dot = time.monotonic()
            client.send(alert(f"l{number}").replace("\n", "\r\n") + "\r\n.\r\n")
            code, text = client.getreply()
        if code != 250:
            raise BenchFailure(f"{code} {text!r}")
        wait_until(lambda before=before: on.smsc.submits > before, "an SMS at the SMSC")
        figures.add(f"{_prefix(peer)}idle_mail_to_wire_ms", (on.smsc.last_submit - started) * 1000)
        figures.add(f"{_prefix(peer)}idle_final_dot_to_wire_ms", (on.smsc.last_submit - dot) * 1000)


def idle_run(on: Stage, load: Load, figures: Figures) -> None:
    """What our processes cost while nothing happens."""
    meters = {peer: on.meter(peer) for peer in on.ours}
    time.sleep(load.idle_seconds)
    for peer, meter in meters.items():
        spent = meter.milliseconds_per(1)
        ours = spent["service"] if "service" in spent else spent["milter"] + spent["dispatcher"]
        percent = ours / 1000 / load.idle_seconds * 100
        figures.add(f"{_prefix(peer)}idle_cpu_percent", percent)


def alert(name: str) -> str:
    """A mail as a monitoring script sends it."""
    unique = f"{name}.{time.monotonic_ns()}@acme.example"
    return f"From: {SENDER}\nSubject: disk\nMessage-ID: <{unique}>\n\n/var on db3 is 91 % full\n"


# --- the bench ----------------------------------------------------------------------------------------------


def bench(load: Load, *, postgresql: bool, scraped: bool, as_json: bool) -> None:
    """Everything once around, `load.rounds` times."""
    figures = Figures()
    with folder("intake") as place:
        (place / "postfix").mkdir()
        with stage(place, postgresql=postgresql, scraped=scraped) as on:
            parts = parts_of_one_mail(on, load)
            for peer in on.peers:  # warm: processes forked, pages and caches filled
                mails_per_second(on.ports[peer], load, max(100, load.mails // 10))
            wait_for_calm(on.smsc)
            for turn in range(load.rounds):
                for peer in rotated(on.peers, turn):
                    one_run(on, peer, load, parts, figures)
                for peer in rotated(on.ours, turn):
                    recipients_run(on, peer, load, figures)
            for peer in on.ours:
                latency_run(on, peer, load, figures)
            idle_run(on, load, figures)
    print(f"{load.rounds} rounds of {load.mails} mails of {load.octets} octets ({parts} SMS each),", end=" ")
    print(f"{load.sessions} sessions, {'kept open' if load.keep_connections else 'one mail each'}")
    print("all milters: the same listener settings, in_flow_delay = 0")
    print("c_do_nothing: libmilter as it negotiates by itself, one process; c_same_steps: with the protocol")
    print("steps and macros of sms_milter; pymilter_do_nothing: its class layer and negotiation, one process")
    print(f"sms_milter: SQLite queue, {os.cpu_count()} workers, the dispatcher submits meanwhile")
    if postgresql:
        print("sms_milter_postgresql: the same with a PostgreSQL of its own on this machine, fsync on")
    show(figures, ratios(figures.medians(), _RATIOS), as_json=as_json)


def wait_for_calm(center: Smsc) -> None:
    """Until nothing more arrives."""
    last = -1
    while center.submits != last:
        last = center.submits
        time.sleep(0.5)


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(prog="intake", description=__doc__)
    options.add_argument("--json", action="store_true", help="one JSON object as the last line")
    options.add_argument("--quick", action="store_true", help="within 60 seconds")
    options.add_argument("--mails", type=int, help="mails per run")
    options.add_argument("--rounds", type=int, help="runs of each peer")
    options.add_argument("--sessions", type=int, default=20, help="SMTP sessions at a time")
    options.add_argument("--octets", type=int, default=100, help="octets in the body of a mail")
    options.add_argument("--queue", choices=KINDS, default=KINDS[0], help="postgresql: beside SQLite")
    options.add_argument("--scraped", action="store_true", help="ours once more, with metrics asked for")
    options.add_argument("--keep-connections", action="store_true", help="many mails over one connection")
    given = options.parse_args()
    load = Load(
        mails=given.mails or (2000 if given.quick else 6000),
        rounds=given.rounds or (2 if given.quick else 5),
        sessions=given.sessions,
        octets=given.octets,
        keep_connections=given.keep_connections,
        idle_seconds=5.0 if given.quick else 10.0,
    )
    bench(load, postgresql=given.queue == "postgresql", scraped=given.scraped, as_json=given.json)


if __name__ == "__main__":
    sys.exit(guarded(main))
