"""`sms-milter queue move`: everything goes into another queue."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sms_milter.cli.common import DEFAULT_CONFIG, EX_UNAVAILABLE, ConfigFile, complain
from sms_milter.config.load import load
from sms_milter.config.values import QueueUrl, parse_queue_url
from sms_milter.errors import QueueError


def queue_move(
    old_url: Annotated[
        str, typer.Option("--from", help="The queue that everything leaves: sqlite:/PATH or postgresql://….")
    ],
    new_url: Annotated[
        str,
        typer.Option("--to", help="The queue that everything comes into; the configuration's if not given."),
    ] = "",
    config: ConfigFile = DEFAULT_CONFIG,
    give_up: Annotated[
        bool, typer.Option("--give-up", help="Use the old queue again, while the move has not ended.")
    ] = False,
) -> None:
    """Move everything into another queue, which must be empty. No sms-milter may use either of them.

    What was interrupted goes on where it ended when it is given once more.
    """
    from sms_milter.queue.move import give_up as give_up_move
    from sms_milter.queue.move import move
    from sms_milter.queue.moving import new_queue, old_queue

    from_url = _url(old_url, "--from")
    to_url = _url(new_url, "--to") if new_url else load(config).configuration.queue
    if from_url == to_url:
        raise typer.BadParameter("the two queues are one")
    columns = (TextColumn("moving"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
    task = bar.add_task("moving", total=None)
    try:
        with old_queue(from_url) as old, new_queue(to_url) as new, bar:
            if give_up:
                give_up_move(old, new)
            else:
                move(
                    old, new, lambda rows: bar.update(task, total=rows), lambda rows: bar.advance(task, rows)
                )
    except QueueError as error:
        raise typer.Exit(complain(str(error), EX_UNAVAILABLE)) from None
    if give_up:
        print(f"the move is given up; {from_url} may be used again")
    else:
        print(f"everything has moved from {from_url} to {to_url}; nobody can use the old one any more")


def _url(text: str, option: str) -> QueueUrl:
    try:
        return parse_queue_url(text)
    except ValueError:
        raise typer.BadParameter(f"{option}: expected sqlite:/PATH or postgresql://…") from None
