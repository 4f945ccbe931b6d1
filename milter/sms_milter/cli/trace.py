"""`sms-milter trace`: all PDUs of an SMSC in the log, for a while."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from sms_milter.cli.common import DEFAULT_CONFIG, ConfigFile, existing_queue
from sms_milter.config.load import load


def trace(
    smsc: Annotated[str, typer.Argument(help="Its name in the configuration.")],
    config: ConfigFile = DEFAULT_CONFIG,
    minutes: Annotated[float, typer.Option(help="For so long.", min=0)] = 10.0,
    off: Annotated[bool, typer.Option("--off", help="No more.")] = False,
) -> None:
    """Log all PDUs of an SMSC for a while, decoded and in hexadecimal. Begins within ten seconds, without a
    new bind; passwords never show, texts only with `log.message_text: debug`.
    """
    names = load(config).configuration.smscs
    if smsc not in names:
        raise typer.BadParameter(f"there is no SMSC {smsc!r}; there are {', '.join(names) or 'none'}")
    until = time.time() + (0 if off else minutes * 60)
    existing_queue(config).trace(smsc, until)
    end = datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    print(f"PDUs of {smsc} are not logged any more" if off else f"PDUs of {smsc} are logged until {end}")
