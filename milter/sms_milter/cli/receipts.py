"""`sms-milter receipts`: those that found no part, and what the log teaches of their message ids."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from sms_milter.cli.common import DEFAULT_CONFIG, AsJson, ConfigFile, existing_queue, print_rows, shown_time
from sms_milter.smpp.learn import learn

app = typer.Typer(no_args_is_help=True, help="Delivery receipts.")


@app.command("list")
def receipts_list(
    config: ConfigFile = DEFAULT_CONFIG,
    limit: Annotated[int, typer.Option(help="So many at most.", min=1)] = 100,
    as_json: AsJson = False,
) -> None:
    """Show receipts that belong to no part we know, newest first; they are kept for a week."""
    parked = existing_queue(config).parked_receipts(limit)
    if as_json:
        print(json.dumps(parked, indent=2))
        return
    rows = [
        (shown_time(one["at"]), one["smsc"], one["smsc_message_id"], one["source"], one["stat"], one["error"])
        for one in parked
    ]
    print_rows(("at", "smsc", "message id", "from", "stat", "err"), rows)


@app.command("learn")
def receipts_learn(
    logs: Annotated[list[Path] | None, typer.Argument(help="Log files; standard input without any.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find out from the log which `receipt_ids` each SMSC needs."""
    learnt = learn(_lines(logs or []))
    if as_json:
        told = {
            smsc: {"receipts": one.receipts, "explained": one.explained, "best": one.best}
            for smsc, one in learnt.items()
        }
        print(json.dumps(told, indent=2))
        return
    if not learnt:
        print("the log has no receipts")
    for smsc, one in learnt.items():
        counts = ", ".join(f"{rule} {count}" for rule, count in one.explained.items())
        print(f"{smsc}: of {one.receipts} receipts are explained by {counts}")
        print(f"  receipt_ids: {one.best}" if one.best else "  no rule explains any of them")


def _lines(logs: list[Path]) -> Iterator[str]:
    if not logs:
        yield from sys.stdin
    for log in logs:
        with log.open(encoding="utf-8", errors="replace") as lines:
            yield from lines
