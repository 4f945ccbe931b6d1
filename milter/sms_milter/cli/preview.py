"""`sms-milter preview`: what would become of a mail."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sms_milter.cli.common import DEFAULT_CONFIG, EX_NOINPUT, ConfigFile, complain
from sms_milter.config.load import Loaded, load

if TYPE_CHECKING:
    from sms_milter.rehearsal import QueueView


def preview(
    mail: Annotated[Path, typer.Argument(help="The mail as a file; - for standard input.")],
    sender: Annotated[str, typer.Option(help="MAIL FROM; '<>' is the null sender.")],
    recipient: Annotated[list[str], typer.Option(help="RCPT TO; may be given again.")],
    client: Annotated[str, typer.Option(help="IP address of the SMTP client.")] = "127.0.0.1",
    sasl_user: Annotated[str, typer.Option(help="The user that the MTA authenticated.")] = "",
    now: Annotated[
        str, typer.Option(help="The moment to assume, ISO 8601; UTC when no offset is given.")
    ] = "",
    macro: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE: a macro of the MTA, such as i=4ABC.")
    ] = None,
    mail_parameter: Annotated[
        list[str] | None, typer.Option(help="A parameter of MAIL, such as SIZE=2000.")
    ] = None,
    rcpt_parameter: Annotated[
        list[str] | None, typer.Option(help="A parameter of RCPT: NOTIFY=NEVER.")
    ] = None,
    in_words: Annotated[
        bool,
        typer.Option("--explain", help="For a person: whose it is and why; alphabet, length, parts, cost."),
    ] = False,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Show what would become of a mail, as JSON; nothing is stored or sent."""
    from sms_milter import preview as rehearsal
    from sms_milter.proofs import proofs_of

    loaded = load(config)
    octets = sys.stdin.buffer.read() if str(mail) == "-" else _read(mail)
    with _view(loaded) as queue:
        result = (rehearsal.explain if in_words else rehearsal.preview)(
            loaded.configuration,
            queue,
            proofs=proofs_of(loaded.configuration),
            now=_moment(now),
            client=client,
            sender=sender,
            recipients=recipient,
            mail=octets,
            sasl_user=sasl_user,
            macros=_macros(macro or []),
            mail_parameters=mail_parameter or [],
            recipient_parameters=rcpt_parameter or [],
        )
    print("\n".join(result) if in_words else json.dumps(result, indent=2, ensure_ascii=False))


@contextlib.contextmanager
def _view(loaded: Loaded) -> Iterator[QueueView]:
    """The queue as it stands; one that does not exist yet is not made, and an empty one looked at instead."""
    from sms_milter.queue import open_queue

    url = loaded.configuration.queue
    with tempfile.TemporaryDirectory() as nowhere:
        missing = url.kind == "sqlite" and not Path(url.path).exists()
        there = replace(url, path=f"{nowhere}/queue.db") if missing else url
        with contextlib.closing(open_queue(there)) as queue:
            yield queue


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise typer.Exit(complain(f"{path}: {error.strerror}", EX_NOINPUT)) from None


def _moment(text: str) -> float:
    if not text:
        return time.time()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"--now takes ISO 8601, such as 2026-11-21T12:00:00Z, not {text!r}"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _macros(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise typer.BadParameter(f"--macro takes NAME=VALUE, not {pair!r}")
    return dict(pair.split("=", 1) for pair in pairs)
