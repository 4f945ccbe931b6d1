"""`sms-milter web`: the status page."""

from __future__ import annotations

import typer

from sms_milter.cli.common import (
    DEFAULT_CONFIG,
    EX_UNAVAILABLE,
    ConfigFile,
    complain,
    existing_queue,
    operator_of,
)
from sms_milter.config.load import load
from sms_milter.errors import ConfigError, Fault

_NOT_INSTALLED = "the status page needs more libraries: pip install 'sms-milter[web]'"


def web(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Serve the status page in the foreground, where `web` says; it is off without that. SIGTERM ends it."""
    configuration = load(config).configuration
    if configuration.web is None:
        raise ConfigError([Fault(str(config), 0, "web", "the status page is off; see docs/status-page.md")])
    try:
        from sms_milter.statuspage.serving import serve
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "sms_milter":
            raise
        raise typer.Exit(complain(f"{_NOT_INSTALLED} ({missing} is missing)", EX_UNAVAILABLE)) from None
    queue = existing_queue(config)
    serve(configuration, queue, operator_of(configuration, queue))
