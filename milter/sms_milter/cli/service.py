"""The commands around the service itself: run, check, status, version."""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer

from sms_milter import __version__
from sms_milter.cli.common import DEFAULT_CONFIG, AsJson, ConfigFile, existing_queue, print_faults, print_tree
from sms_milter.config.load import load
from sms_milter.errors import ConfigError


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


def status(config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show links, windows and the backlog by priority and age."""
    summary = existing_queue(config).summary(time.time())
    if as_json:
        print(json.dumps(summary, indent=2))
        return
    print_tree(summary)
