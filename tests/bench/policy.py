"""What a mail costs that is authorised among 10,000 accounts with 100,000 numbers in closed groups, and what
each limit adds where mails are stored. CPU time of one core.

The peer is the same gate with a single account: what many accounts cost is the difference.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.harness import BenchFailure, Figures, guarded, ratios, rotated, show
from contract.builders import NOW, mail, message
from sms_milter.config.load import load
from sms_milter.config.secrets import Passwords
from sms_milter.gate import Gate
from sms_milter.intake import Transaction
from sms_milter.model import (
    Action,
    Client,
    CreditRule,
    DuplicateRule,
    FloodRule,
    Limits,
    NewMail,
    QuotaLeft,
    QuotaRule,
    Stored,
)
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.rehearsal import Rehearsal, SilentJournal
from support.memory_queue import MemoryQueue

_HEAD = """
domains: {sms.example.com: {dialect: hsl}}
smscs: {primary: {host: 127.0.0.1, system_id: bench, password: bench}}
routes: {default: [{to: "+41", via: [primary]}, {to: "*", via: [primary]}]}
limits: {duplicates: {window: 60s, allow: 2}, flood: {messages: 50, gap: 2m}}
accounts:
"""
_ACCOUNT = """  a{n}:
    clients: [10.{high}.{low}.0/24]
    senders: [alerts{n}@acme{n}.example, "@ops{n}.example"]
    originators: [ACME, "+41790000000"]
    default_originator: ACME
    quota: {{messages: 1000, per_sender: 100}}
    closed_group: [file:{file}]
"""
_BATCH = 50
LIMITS: Mapping[str, Limits | None] = {
    "none": None,
    "quota": Limits(quota=QuotaRule(10**9, 10**9, 86400.0, defer=False)),
    "duplicates": Limits(duplicates=DuplicateRule(2, 60.0)),
    "flood": Limits(flood=FloodRule(50, 120.0, per_account=False)),
    "credits": Limits(credits=CreditRule(10**15)),
    "all_of_them": Limits(
        QuotaRule(10**9, 10**9, 86400.0, defer=False),
        DuplicateRule(2, 60.0),
        FloodRule(50, 120.0, per_account=False),
        CreditRule(10**15),
    ),
}


def number(account: int, place: int) -> str:
    """One of the numbers that an account may reach."""
    return f"4179{account:05}{place:02}"


def configuration_of(folder: Path, accounts: int, numbers: int) -> Path:
    """The file of so many accounts, each of which may reach so many numbers."""
    path = folder / f"{accounts}.yaml"
    with path.open("w") as file:
        file.write(_HEAD)
        for n in range(accounts):
            group = folder / f"{n}.numbers"
            group.write_text("".join(f"{number(n, place)}\n" for place in range(numbers)))
            file.write(_ACCOUNT.format(n=n, high=n // 256, low=n % 256, file=group))
    return path


def gate_of(path: Path) -> tuple[Gate, float, float]:
    """The gate of a configuration, with the CPU seconds that reading it and compiling it took."""
    started = time.process_time()
    configuration = load(path).configuration
    read = time.process_time()
    gc.freeze()  # as the service does
    gate = Gate(configuration, Passwords())
    return gate, read - started, time.process_time() - read


def judged(gate: Gate, accounts: int, count: int) -> tuple[float, float]:
    """Microseconds a mail until RCPT is answered (its account, closed group, route), and in all."""
    intake, journal = Rehearsal(_Unlimited(), NOW), SilentJournal()
    at_rcpt = in_all = 0.0
    for turn in range(count):
        n, place = turn * 7919 % accounts, turn % 10
        client, sender = Client(f"10.{n // 256}.{n % 256}.{place + 1}"), f"<alerts{n}@acme{n}.example>"
        started = time.process_time_ns()
        transaction = Transaction(gate, intake, journal, client, sender, {})
        why = transaction.recipient(f"<{number(n, place)}@sms.example.com>", {})
        at_rcpt += time.process_time_ns() - started
        transaction.body(f"Alarm {turn}\r\n".encode())
        verdict = transaction.decide()
        in_all += time.process_time_ns() - started
        if verdict.action is not Action.DISCARD:
            raise BenchFailure(f"{sender} from {client.address}: {why or verdict.reply}")
    return at_rcpt / count / 1000, in_all / count / 1000


class _Unlimited(MemoryQueue):
    """A queue in which every limit leaves enough, at no cost."""

    def quota_left(self, account: str, sender: str, rule: QuotaRule, now: float) -> QuotaLeft:
        return QuotaLeft(1000, now, 1000)

    def refusal(self, mail: NewMail, now: float) -> None:
        return None


def stored(folder: Path, name: str, limits: Limits | None, count: int) -> float:
    """Microseconds a mail that is stored, in transactions of 50."""
    queue = SqliteQueue(str(folder / f"{name}.db"))
    batches = [_batch(first, limits) for first in range(0, count, _BATCH)]
    started = time.process_time()
    for at, batch in enumerate(batches):
        if not all(isinstance(one, Stored) for one in queue.put(batch, NOW + at)):
            raise BenchFailure(f"{name}: a mail was refused")
    seconds = time.process_time() - started
    queue.close()
    for leftover in folder.glob(f"{name}.db*"):
        leftover.unlink()
    return seconds / count * 1e6


def _batch(first: int, limits: Limits | None) -> Sequence[NewMail]:
    return [
        mail(
            message(number(n % 10_000, n % 10), price=1000),
            limits=limits,
            identity=str(n).encode(),
            account=f"a{n % 10_000}",
            sender=f"alerts{n % 10_000}@acme.example",
        )
        for n in range(first, first + _BATCH)
    ]


def bench(accounts: int, count: int, rounds: int, *, as_json: bool) -> None:
    """Each figure `rounds` times, in turns."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gates: dict[str, tuple[Gate, int]] = {}
        for which, many in (("many_accounts", accounts), ("one_account", 1)):
            gate, load_seconds, gate_seconds = gate_of(configuration_of(folder, many, 10))
            gates[which] = (gate, many)
            if many > 1:
                figures.add("load_seconds", load_seconds)
                figures.add("gate_seconds", gate_seconds)
        runs: dict[str, Callable[[], float | tuple[float, float]]] = {
            which: lambda gate=gate, many=many: judged(gate, many, count)
            for which, (gate, many) in gates.items()
        }
        runs |= {
            f"store_us_{which}": lambda which=which, limits=limits: stored(folder, which, limits, count)
            for which, limits in LIMITS.items()
        }
        for turn in range(rounds):
            for which in rotated(list(runs), turn):
                found = runs[which]()
                if isinstance(found, float):
                    figures.add(which, found)
                else:
                    figures.add(f"rcpt_us_{which}", found[0])
                    figures.add(f"judge_us_{which}", found[1])
    print(f"microseconds of CPU a mail, {rounds} rounds of {count} mails, {accounts} accounts")
    pairs = {"many_vs_one_account": ("judge_us_many_accounts", "judge_us_one_account")}
    pairs |= {
        f"{which}_vs_no_limit": (f"store_us_{which}", "store_us_none") for which in LIMITS if which != "none"
    }
    show(figures, ratios(figures.medians(), pairs), as_json=as_json)


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(prog="policy", description=__doc__)
    options.add_argument("--json", action="store_true", help="one JSON object as the last line")
    options.add_argument("--quick", action="store_true", help="within 30 seconds")
    options.add_argument("--accounts", type=int, default=10_000, help="how many, with ten numbers each")
    options.add_argument("--mails", type=int, help="mails per run")
    options.add_argument("--rounds", type=int, help="runs of each")
    given = options.parse_args()
    bench(
        given.accounts,
        given.mails or (2000 if given.quick else 20_000),
        given.rounds or (3 if given.quick else 7),
        as_json=given.json,
    )


if __name__ == "__main__":
    sys.exit(guarded(main))
