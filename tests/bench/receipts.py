"""Whether receipts and the mails about them delay submission: a backlog leaves with 10,000 a minute of them,
and without.

The whole of dispatch and report roles runs. Each receipt ends a message whose sender is told, so that each
becomes a delivery status notification, which Postfix's smtp-sink takes. A run only counts when the queue
knows of most receipts that were due.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import sys
import time
from pathlib import Path

from bench.harness import (
    DOMAIN,
    SENDER,
    BenchFailure,
    CpuMeter,
    Figures,
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
from sms_milter.model import NewMail, NewMessage, Notify, Original, PlannedMessage, SubmitSm
from sms_milter.queue.sqlite import SqliteQueue
from sms_milter.smpp.codec import compose
from support.places import accepts, folder, free_port

RECEIPTS_PER_MINUTE = 10_000
_TOLD = Notify.LOST | Notify.FAILURE | Notify.SUCCESS
_TEXT = "/var on db3 is 91 % full since 04:10 and grows by 2 % per hour. Please look at it now."
_HEADER = b"From: monitor@acme.example\nReturn-Receipt-To: monitor@acme.example\n"
_SINK = shutil.which("smtp-sink", path="/usr/sbin:/usr/local/sbin") or "smtp-sink"
_USER = ("-u", "nobody") if os.geteuid() == 0 else ()  # it will not be root
_RATES = {"quiet": 0, "receipts": RECEIPTS_PER_MINUTE // 60}
_RATIOS = {"receipts_vs_quiet": ("receipts_parts_per_second", "quiet_parts_per_second")}


def filled_queue(path: Path, backlog: int) -> None:
    """A queue with `backlog` mails of one SMS each, whose sender asks for notifications."""
    queue = SqliteQueue(str(path))
    for first in range(0, backlog, 1000):
        queue.put(
            [_mail(number) for number in range(first, min(first + 1000, backlog))],
            time.time(),
        )
    queue.close()


def _mail(number: int) -> NewMail:
    phone = f"4479731{number:05d}"
    part = SubmitSm(
        source_addr_ton=5,
        source_addr="ACME",
        destination_addr=phone,
        registered_delivery=1,
        short_message=_TEXT.encode("ascii"),
    )
    plan = PlannedMessage(
        phone,
        "ACME",
        _TEXT,
        (part,),
        smsc="bench",
        recipient=f"{phone}@{DOMAIN}",
        receipt=True,
        notify=_TOLD,
    )
    return NewMail(
        messages=(NewMessage(plan, (compose(part),), time.time() + 86400),),
        received_at=time.time(),
        account="bench",
        dialect="hsl",
        sender=SENDER,
        client="127.0.0.1",
        mta_queue_id=f"{number:X}",
        mail_message_id=f"<{number}@acme.example>",
        original=Original("", _HEADER),
    )


def run(place: Path, name: str, backlog: int, figures: Figures) -> None:
    """One backlog, with the SMSC telling its receipts meanwhile."""
    rate = _RATES[name]
    for left in place.glob("queue.db*"):
        left.unlink()
    shutil.copy(place / "filled.db", place / "queue.db")
    mta = free_port()
    with (
        running(_SINK, *_USER, f"127.0.0.1:{mta}", "100", log=place / "sink.log"),
        smsc(place, receipts=rate) as center,
    ):
        until(lambda: accepts(mta), "smtp-sink to listen", seconds=10)
        config = configuration(place, smsc_port=center.port)
        with config.open("a") as more:
            more.write(f"reports: {{submit_to: 127.0.0.1:{mta}}}\n")
        with (
            service(config, "report", place / "report.log") as report,
            service(config, "dispatch", place / "dispatch.log") as dispatch,
        ):
            meter = CpuMeter({"dispatcher": dispatch, "report": report})
            until(lambda: center.submits >= backlog, f"{backlog} SMS to leave", seconds=180)
            seconds = center.last_submit - center.first_submit
            figures.add(f"{name}_parts_per_second", center.submits_per_second)
            for process, value in meter.milliseconds_per(backlog).items():
                figures.add(f"{name}_cpu_ms_per_part_{process}", value)
            if rate:
                figures.add("receipts_known_per_minute", _receipts(place) / seconds * 60)
                until(lambda: _told(place) >= 0.8 * rate * seconds, "the notifications to leave", seconds=120)
    if rate and _receipts(place) < 0.8 * rate * seconds:
        raise BenchFailure(f"{_receipts(place)} receipts are known of {rate * seconds:.0f}")
    tell(f"{name}: {figures.medians()[f'{name}_parts_per_second']:.0f} parts/s")


def _receipts(place: Path) -> int:
    return _count(place, "SELECT delivered FROM counter")


def _told(place: Path) -> int:
    return _count(place, "SELECT count(*) FROM report WHERE finished_at IS NOT NULL AND why IS NULL")


def _count(place: Path, sql: str) -> int:
    with sqlite3.connect(f"file:{place}/queue.db?mode=ro", uri=True) as db:
        found: int = db.execute(sql).fetchone()[0]
    db.close()
    return found


def bench(backlog: int, rounds: int, *, as_json: bool) -> None:
    """Quiet and with receipts by turns."""
    figures = Figures()
    with folder("receipts") as place:
        filled_queue(place / "filled.db", backlog)
        for turn in range(rounds):
            for name in rotated(tuple(_RATES), turn):
                run(place, name, backlog, figures)
    print(
        f"{rounds} rounds, backlog of {backlog} SMS; {RECEIPTS_PER_MINUTE} receipts a minute, each one a mail"
    )
    show(figures, ratios(figures.medians(), _RATIOS), as_json=as_json)


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(prog="receipts", description=__doc__)
    options.add_argument("--json", action="store_true", help="one JSON object as the last line")
    options.add_argument("--quick", action="store_true", help="within 60 seconds")
    options.add_argument("--backlog", type=int, help="SMS waiting at the start")
    options.add_argument("--rounds", type=int, help="runs of each")
    given = options.parse_args()
    backlog = given.backlog or (20_000 if given.quick else 50_000)
    rounds = given.rounds or (2 if given.quick else 5)
    bench(backlog, rounds, as_json=given.json)


if __name__ == "__main__":
    sys.exit(guarded(main))
