"""What the commands share: their options, exit codes and ways to print."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sms_milter.config.load import load
from sms_milter.config.schema import Configuration
from sms_milter.errors import ConfigError
from sms_milter.logline import Numbers
from sms_milter.operate import Operator

# Exit codes of sysexits(3).
EX_USAGE, EX_NOINPUT, EX_UNAVAILABLE, EX_OSERR, EX_TEMPFAIL, EX_CONFIG = 64, 66, 69, 71, 75, 78


class PluginExit(SystemExit):
    """An exit code of a Nagios plug-in, which means something else than typer's and sysexits' numbers."""


ConfigFile = Annotated[
    Path,
    typer.Option("--config", envvar="SMS_MILTER_CONFIG", help="The configuration file."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DEFAULT_CONFIG = Path("/etc/sms-milter/sms-milter.yaml")


def complain(text: str, code: int) -> int:
    """Say on standard error what is wrong; gives the exit code."""
    print(f"sms-milter: {text}", file=sys.stderr)
    return code


def print_faults(error: ConfigError) -> None:
    """Every fault of a configuration, and how many there are."""
    for fault in error.faults:
        print(fault, file=sys.stderr)
    count = len(error.faults)
    print(f"sms-milter: {count} fault{'s' if count > 1 else ''} in the configuration", file=sys.stderr)


def existing_queue(config: Path) -> Any:
    """The queue that the configuration names; ends the command when there is none yet."""
    from sms_milter.queue import open_queue

    url = load(config).configuration.queue
    if url.kind == "sqlite" and not Path(url.path).exists():
        raise typer.Exit(complain(f"there is no queue at {url.path} yet", EX_UNAVAILABLE))
    return open_queue(url)


def operator_of(configuration: Configuration, queue: Any) -> Operator:
    """Who changes what waits in this queue, and wakes the roles for it."""
    from sms_milter.observe import open_journal
    from sms_milter.queue import home_of

    home = home_of(configuration.queue)
    return Operator(
        queue,
        open_journal(configuration.log, "operator"),
        Numbers(masked=configuration.log.mask_numbers),
        dispatch=home.doorbell("dispatch", "courier"),
        reports=home.doorbell("report"),
    )


def print_rows(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A line each, as narrow as it can be."""
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, no_wrap=name != "why")
    for row in rows:
        table.add_row(*map(escape, row))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def print_tree(value: dict[str, Any], indent: str = "") -> None:
    """A nested record as indented lines; lists of records as tables."""
    for name, content in value.items():
        label = f"{indent}{name.replace('_', ' ')}:"
        if isinstance(content, dict):
            print(label)
            print_tree(content, indent + "  ")
        elif isinstance(content, list) and content and isinstance(content[0], dict):
            for number, record in enumerate(content, 1):
                print(f"{label[:-1]} {number}:")
                print_tree(record, indent + "  ")
        else:
            print(label, _shown(name, content))


def shown_time(moment: float) -> str:
    """Seconds since the epoch in UTC (ISO 8601)."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _shown(name: str, content: object) -> object:
    if content is None or content == []:
        return "-"
    if isinstance(content, float) and (name.endswith("at") or name in ("since", "not_before")):
        return shown_time(content)
    return content
