"""What `sms-milter simulate` prints: each SMS as a phone would show it, or as one JSON object on a line."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any, TextIO

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from sms_milter.simulate.phone import ReceivedSms
from sms_milter.simulate.script import Options
from sms_milter.simulate.server import Simulator

_LAST_RECEIPTS_SECONDS = 5.0  # how long the end waits for them beyond their delay

# A message must not speak to the terminal: control characters are shown as pictures of themselves.
_PICTURES = {c: chr(0x2400 + c) for c in range(0x20) if c != 0x0A}
_PICTURES |= dict.fromkeys((0x7F, *range(0x80, 0xA0)), "\ufffd")


def run_simulate(
    *,
    host: str = "127.0.0.1",
    port: int = 2775,
    options: Options | None = None,
    as_json: bool = False,
    sms_count: int = 0,
    output: TextIO | None = None,
) -> int:
    """Print SMS until SIGINT, SIGTERM or `sms_count` complete ones (0: no end); gives the exit code.

    For the main thread. Where it listens goes to standard error. Raises OSError when it cannot listen there.
    """
    options = options or Options()
    ended = threading.Event()
    _set_on_signals(ended)
    printer = Printer(output or sys.stdout, as_json=as_json, sms_count=sms_count, ended=ended)
    with Simulator(host, port, options, printer.show) as simulator:
        print(f"SMSC listening on {host} port {simulator.port}", file=sys.stderr, flush=True)
        ended.wait()
        _await_receipts(simulator, options)
        for destination, came, total in simulator.incomplete:
            print(f"incomplete: {came} of {total} parts for {destination}", file=sys.stderr)
    return 0


def _set_on_signals(ended: threading.Event) -> None:
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())


def _await_receipts(simulator: Simulator, options: Options) -> None:
    """What was asked for is still sent, as long as somebody takes it."""
    until = monotonic() + options.receipt_delay + _LAST_RECEIPTS_SECONDS
    while simulator.is_connected and not simulator.is_idle and monotonic() < until:
        sleep(0.02)


class Printer:
    """Prints at most `sms_count` SMS (0: all) and sets `ended` with the last."""

    def __init__(self, output: TextIO, *, as_json: bool, sms_count: int, ended: threading.Event) -> None:
        self._output = output
        self._console = Console(file=output, highlight=False)
        self._print: Callable[[ReceivedSms], None] = self._print_json if as_json else self._print_phone
        self._left = sms_count or -1
        self._ended = ended

    def show(self, sms: ReceivedSms) -> None:
        """Print one SMS."""
        if self._left == 0:
            return
        try:
            self._print(sms)
        except BrokenPipeError:  # nobody reads on
            self._left = 1
        self._left -= 1
        if self._left == 0:
            self._ended.set()

    def _print_json(self, sms: ReceivedSms) -> None:
        print(json.dumps(as_fields(sms), ensure_ascii=False), file=self._output, flush=True)

    def _print_phone(self, sms: ReceivedSms) -> None:
        self._console.print(as_screen(sms))


def as_fields(sms: ReceivedSms) -> dict[str, Any]:
    """`sms` for JSON: octets in hex, times in ISO 8601 UTC."""
    return {
        "originator": sms.originator,
        "destination": sms.destination,
        "text": sms.text,
        "binary": sms.binary.hex().upper(),
        "parts": sms.parts,
        "order": sms.order,
        "alphabet": sms.alphabet,
        "data_coding": sms.data_coding,
        "flash": sms.flash,
        "ports": sms.ports,
        "registered_delivery": sms.registered_delivery,
        "message_ids": sms.message_ids,
        "pdus": [pdu.hex().upper() for pdu in sms.pdus],
        "received_at": datetime.fromtimestamp(sms.received_at, UTC).isoformat().replace("+00:00", "Z"),
    }


def as_screen(sms: ReceivedSms) -> Panel:
    """`sms` as a phone would show it, with what a postmaster wants to know in the frame."""
    shown = sms.binary.hex(" ").upper() if sms.binary else sms.text
    title = f"{sms.originator or '(no originator)'} → {sms.destination}"
    return Panel(
        Text(shown.translate(_PICTURES)),
        title=Text(title.translate(_PICTURES), style="bold"),
        subtitle=Text(" · ".join(_details(sms)), style="dim"),
        title_align="left",
        subtitle_align="left",
        border_style="red" if sms.flash else "green",
        width=64,
    )


def _details(sms: ReceivedSms) -> list[str]:
    details = [f"{sms.parts} part{'s' * (sms.parts > 1)}"]
    if sms.order != tuple(range(1, sms.parts + 1)):
        details[0] += f", came {' '.join(map(str, sms.order))}"
    details += [sms.alphabet, f"dcs {sms.data_coding:02X}"]
    if sms.flash:
        details.append("flash")
    if sms.ports:
        details.append(f"port {sms.ports[0]}")
    if sms.registered_delivery:
        details.append("receipt")
    return details
