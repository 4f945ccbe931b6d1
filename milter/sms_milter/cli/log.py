"""`sms-milter log`: the story of a mail, a number, an account or a message, out of logs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from sms_milter.cli.common import EX_NOINPUT, AsJson, complain
from sms_milter.config.values import parse_duration
from sms_milter.logbook.entry import Entry
from sms_milter.logbook.files import (
    STANDARD_INPUT,
    USUAL,
    Files,
    Spool,
    Tail,
    decoded,
    journal,
    with_rotated,
)
from sms_milter.logbook.story import By, Question, Story, digits
from sms_milter.logbook.telling import Lines, followed, told
from sms_milter.logline import as_record


def log(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...",
            help="Log files, each with what rotated out of it (.1, .gz, .xz, .bz2); - is standard input."
            " Without any the system's mail log.",
        ),
    ] = None,
    mail: Annotated[str, typer.Option(help="A queue id, the MTA's or ours.")] = "",
    number: Annotated[str, typer.Option(help="A phone number, as you write it.")] = "",
    account: Annotated[str, typer.Option(help="An account's name.")] = "",
    message: Annotated[str, typer.Option(help="The id that an SMSC gave a message.")] = "",
    since: Annotated[str, typer.Option(help="Nothing older: 30m, 24h, 7d, or a moment in ISO 8601.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    from_journal: Annotated[
        bool, typer.Option("--journal", help="Read systemd's journal, by journalctl, instead of files.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell the story of one mail, number, account or message: our lines and the MTA's, joined by queue ids.

    Without a question, all lines of sms-milter. Exit code 1 when the logs have nothing of it.
    """
    now = datetime.now().astimezone()
    story = Story(_question(mail, number, account, message))
    start = _moment(since, now) if since else None
    count = 0
    past, coming = (
        _journal(start, now, follow=follow) if from_journal else _files(files or [], start, follow=follow)
    )
    for entry in told(story, past, now, start):
        _show(entry, as_json=as_json)
        count += 1
    sys.stdout.flush()
    try:
        for entry in followed(story, coming, now):
            _show(entry, as_json=as_json)
            sys.stdout.flush()
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    if story.guessed:
        complain("the log masks numbers: what is shown may be about others that look alike", 0)
    if not count:
        raise typer.Exit(complain("the log has nothing of it", 1))


def _question(mail: str, number: str, account: str, message: str) -> Question:
    asked = [
        Question(by, name)
        for by, name in (
            (By.MAIL, mail),
            (By.NUMBER, number),
            (By.ACCOUNT, account),
            (By.MESSAGE, message),
        )
        if name
    ]
    if len(asked) > 1:
        raise typer.BadParameter("one of --mail, --number, --account and --message at a time")
    if number and not digits(number):
        raise typer.BadParameter(f"{number!r} is no phone number")
    return asked[0] if asked else Question(By.EVERYTHING)


def _moment(text: str, now: datetime) -> float:
    try:
        return now.timestamp() - parse_duration(text)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"--since takes 30m, 24h, 7d, or ISO 8601 such as 2026-11-21T12:00:00Z, not {text!r}"
        ) from None
    return (at if at.tzinfo else at.replace(tzinfo=now.tzinfo)).timestamp()


def _files(files: list[Path], since: float | None, *, follow: bool) -> tuple[Lines, Iterable[str]]:
    """What the files have, and what comes."""
    paths = files or [one for one in USUAL if one.exists()]
    if not paths:
        usual = " nor ".join(map(str, USUAL))
        raise typer.Exit(complain(f"there is neither {usual}: name a file, or use --journal", EX_NOINPUT))
    if STANDARD_INPUT in paths:
        if follow or len(paths) > 1:
            raise typer.BadParameter("standard input (-) stands alone, and cannot be followed")
        return Spool(sys.stdin.buffer), ()
    for path in paths:
        if not path.is_file():
            raise typer.Exit(complain(f"{path}: no such file", EX_NOINPUT))
    if not follow:
        return Files(with_rotated(paths, since)), ()
    tail = Tail(paths)
    return Files(with_rotated(paths, since), tail.begins), tail


def _journal(since: float | None, now: datetime, *, follow: bool) -> tuple[Lines, Iterable[str]]:
    """The same of the journal."""
    moment = now.timestamp()
    try:
        if not follow:
            return Spool(journal(since)), ()
        return Spool(journal(since, moment)), decoded(journal(moment, follow=True))
    except FileNotFoundError:
        raise typer.Exit(complain("there is no journalctl on this machine", EX_NOINPUT)) from None


def _show(entry: Entry, *, as_json: bool) -> None:
    if not as_json:
        print(entry.shown)
        return
    at = (
        None if entry.at is None else datetime.fromtimestamp(entry.at, UTC).isoformat().replace("+00:00", "Z")
    )
    record: dict[str, object] = {"at": at, "host": entry.host, "program": entry.program, "pid": entry.pid}
    if entry.ours:
        record |= as_record(entry.text)
    else:
        record |= {"mta_queue_id": entry.queue_id, "text": entry.text}
    print(json.dumps(record))
