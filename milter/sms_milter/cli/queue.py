"""`sms-milter queue`: look into the queue, hold and cancel."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from sms_milter.cli.common import (
    DEFAULT_CONFIG,
    EX_UNAVAILABLE,
    AsJson,
    ConfigFile,
    complain,
    existing_queue,
    operator_of,
    print_rows,
    print_tree,
)
from sms_milter.cli.migrate import queue_migrate
from sms_milter.cli.move import queue_move
from sms_milter.config.load import load
from sms_milter.model import Deed, PartState, Selection

queue_app = typer.Typer(
    no_args_is_help=True, help="Look into the queue, hold and cancel. Message texts are never shown."
)

queue_app.command("move")(queue_move)
queue_app.command("migrate")(queue_migrate)


@queue_app.command("list")
def queue_list(
    config: ConfigFile = DEFAULT_CONFIG,
    state: Annotated[
        list[str] | None, typer.Option(help="Only parts in this state; may be given again.")
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many, newest first.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """List parts, newest first."""
    states = [_state(one) for one in state or []]
    parts = existing_queue(config).list_parts(states=states, limit=limit)
    if as_json:
        print(json.dumps(parts, indent=2))
        return
    _list(parts)


@queue_app.command("show")
def queue_show(
    name: Annotated[str, typer.Argument(help="Our queue id, the MTA's, or the client's id of a message.")],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show one mail with its messages, parts and receipts."""
    mail = existing_queue(config).show_mail(name)
    if mail is None:
        raise typer.Exit(complain(f"no mail {name} in the queue", EX_UNAVAILABLE))
    if as_json:
        print(json.dumps(mail, indent=2))
        return
    print_tree(mail)


@queue_app.command("mobile")
def queue_mobile(
    config: ConfigFile = DEFAULT_CONFIG,
    limit: Annotated[int, typer.Option(help="At most so many, newest first.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """List messages from phones, newest first."""
    messages = existing_queue(config).list_mobile(limit)
    if as_json:
        print(json.dumps(messages, indent=2))
        return
    now = time.time()
    print_rows(
        ("mobile", "from", "to", "parts", "state", "age", "smsc"),
        (
            (
                str(one["mobile_id"]),
                one["source"],
                one["destination"],
                f"{one['arrived']}/{one['parts']}",
                one["state"],
                _age(now - one["at"]),
                one["smsc"],
            )
            for one in messages
        ),
    )


# What each deed is for, and what has become of the parts that it changed.
_DEEDS = {
    Deed.HOLD: ("Send nothing of these mails until `release`; their validity runs on.", "held"),
    Deed.RELEASE: ("Send what was held.", "released"),
    Deed.RETRY: (
        "Send now what waits for its next try, and again what has failed, expired or is uncertain (the phone"
        " may then get it twice).",
        "to be sent now",
    ),
    Deed.CANCEL: (
        "Never send what waits here, and ask the SMSC to cancel what it has not delivered yet (cancel_sm)."
        " The sender is told as of any failure.",
        "cancelled",
    ),
}


def _offer(deed: Deed, purpose: str, word: str) -> None:
    """Make the command for a deed; they all choose their parts in the same way."""

    @queue_app.command(deed.value, help=purpose)
    def command(
        names: Annotated[
            list[str] | None,
            typer.Argument(help="Queue ids, ours or the MTA's, or clients' ids of messages."),
        ] = None,
        account: Annotated[str, typer.Option(help="Only this account's.")] = "",
        smsc: Annotated[str, typer.Option(help="Only what waits for this SMSC, or went there.")] = "",
        to: Annotated[str, typer.Option(help="Only numbers that begin with these digits.")] = "",
        state: Annotated[str, typer.Option(help="Only parts in this state.")] = "",
        everything: Annotated[bool, typer.Option("--all", help="Really all.")] = False,
        config: ConfigFile = DEFAULT_CONFIG,
    ) -> None:
        chosen = Selection("", account, smsc, to, _state(state) if state else None)
        if chosen == Selection() and not names and not everything:
            raise typer.BadParameter(
                "name mails, or say which by --account, --smsc, --to or --state, or --all"
            )
        _change(config, deed, word, [replace(chosen, name=name) for name in names or [""]], named=bool(names))


for _deed, _told in _DEEDS.items():
    _offer(_deed, *_told)


def _state(name: str) -> PartState:
    try:
        return PartState(name)
    except ValueError:
        raise typer.BadParameter(f"states are {', '.join(map(str, PartState))}") from None


def _change(config: Path, deed: Deed, word: str, selections: list[Selection], *, named: bool) -> None:
    operator = operator_of(load(config).configuration, existing_queue(config))
    now = time.time()
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(word, total=None)
        done = [operator.change(deed, one, now, lambda parts: bar.advance(task, parts)) for one in selections]
    count, asked = (sum(numbers) for numbers in zip(*done, strict=True))
    print(f"{count} part{'' if count == 1 else 's'} {word}")
    if asked:
        print(f"{asked} more to be cancelled by the SMSC; the log and `queue show` tell whether it could")
    if not count and not asked and named:
        raise typer.Exit(complain("nothing of that could be changed: see `queue show`", EX_UNAVAILABLE))


def _list(parts: list[dict[str, Any]]) -> None:
    """A line a part, as narrow as it can be."""
    now = time.time()
    print_rows(
        ("queue", "mta id", "to", "part", "state", "age", "smsc", "message id", "why"),
        (
            (
                str(part["queue_id"]),
                part["mta_queue_id"],
                part["destination"],
                f"{part['number']}/{part['total']}",
                part["state"],
                _age(now - part["received_at"]),
                part["smsc"],
                part["smsc_message_id"] or "",
                part["why"] or part["stat"] or "",
            )
            for part in parts
        ),
    )


def _age(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f}{unit}"
    return f"{max(seconds, 0):.0f}s"
