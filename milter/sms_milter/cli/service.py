"""The commands around the service itself: run, check, status, version."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from sms_milter import __version__
from sms_milter.cli.common import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    PluginExit,
    existing_queue,
    print_faults,
    print_tree,
)
from sms_milter.config.load import load
from sms_milter.config.values import parse_duration
from sms_milter.errors import ConfigError, QueueUnavailable
from sms_milter.statuspage.words import lasting
from sms_milter.vitals import Threshold, Verdict, judge


def run(
    config: ConfigFile = DEFAULT_CONFIG,
    role: Annotated[
        list[str] | None, typer.Option(help="milter, dispatch or report; all when not given.")
    ] = None,
) -> None:
    """Run the service in the foreground. SIGTERM drains, SIGHUP reloads the configuration."""
    from sms_milter.daemon import ROLES, Service

    wanted = frozenset(role or ROLES)
    if not wanted <= set(ROLES):
        raise typer.BadParameter(f"roles are {', '.join(ROLES)}")
    Service(config, wanted).run()


def check(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Read the configuration and print every fault with its place; exit code 1 if there is one."""
    try:
        loaded = load(config)
    except ConfigError as error:
        print_faults(error)
        raise typer.Exit(1) from None
    for note in loaded.notes:
        print(f"note: {note}")
    print(f"{config}: no faults")


def version() -> None:
    """Print the version."""
    print(f"sms-milter {__version__}")


def status(
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="As a Nagios plug-in: one line, exit code 0, 1, 2, or 3 for unknown."),
    ] = False,
    backlog_age: Annotated[
        str,
        typer.Option(
            metavar="WARNING,CRITICAL", help="--check: how long the oldest due part may have waited."
        ),
    ] = "5m,30m",
    uncertain: Annotated[
        str, typer.Option(metavar="WARNING,CRITICAL", help="--check: how many parts may be in doubt.")
    ] = "10,100",
) -> None:
    """Show links, windows and the backlog by priority and age."""
    if check:
        verdict = _vitals(config, backlog_age, uncertain)
        print(verdict)
        raise PluginExit(verdict.code)
    now = time.time()
    summary = existing_queue(config).summary(now)
    if as_json:
        print(json.dumps(summary, indent=2))
        return
    for row in [*summary["smscs"], *summary["links"]]:
        if row.pop("stale"):
            row["last_heard"] = f"{lasting(now - row['reported_at'])} ago"
    print_tree(summary)


def _vitals(config: Path, backlog_age: str, uncertain: str) -> Verdict:
    """What the plug-in says, whatever is wrong."""
    try:
        age = Threshold(*_pair("--backlog-age", backlog_age, parse_duration))
        doubts = Threshold(*_pair("--uncertain", uncertain, float))
    except ValueError as error:
        return Verdict("UNKNOWN", str(error))
    try:
        configuration = load(config).configuration
        summary = existing_queue(config).summary(time.time())
    except ConfigError as error:
        return Verdict("UNKNOWN", f"the configuration has faults: {error.faults[0]}")
    except QueueUnavailable as error:
        return Verdict("CRITICAL", f"the queue is not available: {error}")
    except typer.Exit:
        return Verdict("UNKNOWN", "there is no queue yet")
    return judge(summary, configuration.smscs.keys(), time.time(), age=age, uncertain=doubts)


def _pair(name: str, text: str, read: Callable[[str], float]) -> tuple[float, float]:
    try:
        warning, critical = map(read, text.split(","))
    except ValueError:
        raise ValueError(f"{name} takes two values with a comma between them, not {text!r}") from None
    return warning, critical
