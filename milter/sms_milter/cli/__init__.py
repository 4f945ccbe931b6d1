"""The command line (DESIGN §7). Exit codes are those of sysexits(3)."""

from __future__ import annotations

import os
import sys

import typer

from sms_milter.cli.account import account_app
from sms_milter.cli.common import (
    EX_CONFIG,
    EX_OSERR,
    EX_UNAVAILABLE,
    EX_USAGE,
    PluginExit,
    complain,
    print_faults,
)
from sms_milter.cli.doctor import doctor
from sms_milter.cli.log import log
from sms_milter.cli.preview import preview
from sms_milter.cli.queue import queue_app
from sms_milter.cli.receipts import app as receipts_app
from sms_milter.cli.service import check, run, status, version
from sms_milter.cli.tools import hash_password_command, simulate
from sms_milter.cli.trace import trace
from sms_milter.cli.web import web
from sms_milter.errors import ConfigError, QueueUnavailable
from sms_milter.simulate.faults import TABLE as FAULTS

_TYPERS_USAGE = 2  # what typer exits with; sysexits has another number

# click keeps the line ends of a paragraph that begins with \\b.
_FAULTS = f"A destination that ends in these digits orders a fault:\n\n\b\n{FAULTS}"

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Mail becomes SMS inside the SMTP dialogue."
)
for command in (run, check, doctor, version, preview, status, log, trace, web):
    app.command()(command)
app.add_typer(queue_app, name="queue")
app.add_typer(receipts_app, name="receipts")
app.add_typer(account_app, name="account")
app.command("hash-password")(hash_password_command)
app.command(epilog=_FAULTS)(simulate)


def main() -> None:
    """Entry point of the `sms-milter` command: no traceback reaches a user."""
    code = 0
    try:
        app()
    except PluginExit:
        raise
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
        code = EX_USAGE if code == _TYPERS_USAGE else code
    except ConfigError as error:
        print_faults(error)
        code = EX_CONFIG
    except QueueUnavailable as error:
        code = complain(f"queue not available: {error}", EX_UNAVAILABLE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # `| head` is no error of ours
    except OSError as error:
        code = complain(str(error), EX_OSERR)
    raise SystemExit(code)
