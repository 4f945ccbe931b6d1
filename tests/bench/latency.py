"""How long a mail that comes alone takes from the end of DATA to its submit_sm at the SMSC.

One client, one mail at a time, nothing else going on: Postfix, milter, commit, doorbell, dispatcher, its
mark, the wire. The SMSC notes when the octets arrive, on the clock that the client uses too.
"""

from __future__ import annotations

import argparse
import json
import smtplib
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from bench.harness import (
    DOMAIN,
    SENDER,
    BenchFailure,
    Smsc,
    configuration,
    guarded,
    service,
    smsc,
    tell,
    until,
)
from support.places import accepts, folder, free_port, wait_until
from support.postfix import Postfix

_PHONE = f"447973100000@{DOMAIN}"
_PAUSE_SECONDS = 0.05  # between two mails: what the first one left behind has ended


def one_mail(port: int, center: Smsc, number: int) -> tuple[float, float]:
    """Milliseconds from the end of DATA to the reply, and to the wire."""
    before = center.submits
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.ehlo()
        client.mail(SENDER)
        client.rcpt(_PHONE)
        client.docmd("DATA")
        client.send(f"Subject: Alarm {number}\r\n\r\nDisk {number} is full.\r\n.\r\n")
        dot = time.monotonic()
        code, text = client.getreply()
        replied = time.monotonic()
    if code != 250:
        raise BenchFailure(f"{code} {text!r}")
    wait_until(lambda: center.submits > before, "an SMS at the SMSC")
    return (replied - dot) * 1000, (center.last_submit - dot) * 1000


def measured(place: Path, mails: int) -> list[tuple[float, float]]:
    """One after the other, the first few not counted."""
    with ExitStack() as stack:
        start = stack.enter_context
        center = start(smsc(place))
        milter, log = free_port(), place / "service.log"
        config = configuration(place, smsc_port=center.port, milter_port=milter)
        start(service(config, "milter", log))
        start(service(config, "dispatch", log))
        until(lambda: accepts(milter), "our milter to listen", seconds=30, log=log)
        until(lambda: center.binds, "our dispatcher to bind", seconds=30, log=log)
        postfix = start(Postfix(place / "postfix", {"sms_milter": f"inet:127.0.0.1:{milter}"}))
        port = postfix.ports["sms_milter"]
        times = []
        for number in range(mails + 10):
            time.sleep(_PAUSE_SECONDS)
            times.append(one_mail(port, center, number))
        if center.submits != len(times):
            raise BenchFailure(f"the SMSC got {center.submits} SMS instead of {len(times)}")
        return times[10:]


def percentile(values: list[float], share: float) -> float:
    """The smallest value that so many are not above."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def bench(mails: int, *, as_json: bool) -> None:
    """All of it."""
    with folder("latency") as place:
        times = measured(place, mails)
    replies, wires = ([one[which] for one in times] for which in (0, 1))
    figures = {
        "median_ms": statistics.median(wires),
        "p99_ms": percentile(wires, 0.99),
        "worst_ms": max(wires),
        "reply_median_ms": statistics.median(replies),
        "reply_p99_ms": percentile(replies, 0.99),
    }
    figures = {name: float(f"{value:.4g}") for name, value in figures.items()}
    tell(f"{mails} mails, one at a time, through Postfix; end of DATA to submit_sm at the SMSC")
    for name, value in figures.items():
        print(f"{name:24}{value:10g}")
    if as_json:
        print(json.dumps({"figures": figures, "ratios": {}}))


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(prog="latency", description=__doc__)
    options.add_argument("--json", action="store_true", help="one JSON object as the last line")
    options.add_argument("--quick", action="store_true", help="within 60 seconds")
    options.add_argument("--mails", type=int, help="how many")
    given = options.parse_args()
    bench(given.mails or (200 if given.quick else 1000), as_json=given.json)


if __name__ == "__main__":
    sys.exit(guarded(main))
