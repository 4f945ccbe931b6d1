"""Tools beside the service: hash-password, simulate."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sms_milter.cli.common import AsJson
from sms_milter.config.secrets import hash_password


def hash_password_command(
    md5: Annotated[
        bool, typer.Option("--md5", help="So that the password's MD5 will do too (SMSCentre: accept_md5).")
    ] = False,
) -> None:
    """Read a password from the terminal or standard input and print the value for `password_hash`."""
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    if not password:
        raise typer.BadParameter("the password is empty")
    print(hash_password(password, of_md5=md5))


def simulate(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="TCP port; 0 takes a free one.")] = 2775,
    script: Annotated[
        Path | None, typer.Option(help="How it behaves, in YAML; the options below win over it.")
    ] = None,
    system_id: Annotated[str | None, typer.Option(help="Take binds of this system_id only.")] = None,
    password: Annotated[str | None, typer.Option(help="Take binds with this password only.")] = None,
    receipt_delay: Annotated[float | None, typer.Option(help="Seconds until a receipt.")] = None,
    response_delay: Annotated[float | None, typer.Option(help="Seconds until each response.")] = None,
    refuse_binds: Annotated[int | None, typer.Option(help="Refuse so many binds at first.")] = None,
    rate: Annotated[
        int | None, typer.Option(help="Throttle above so many submit_sm a second; 0 never.")
    ] = None,
    faults: Annotated[bool | None, typer.Option(help="Let destinations order faults.")] = None,
    count: Annotated[int, typer.Option(help="End after so many complete SMS; 0 never.")] = 0,
    as_json: AsJson = False,
) -> None:
    """An SMSC to try and test against: shows each SMS as a phone would."""
    from sms_milter.config.load import load_section
    from sms_milter.simulate import BindRefusal, Options, run_simulate

    refusals = None if refuse_binds is None else (BindRefusal(times=refuse_binds),) if refuse_binds else ()
    given = {
        "system_id": system_id,
        "password": password,
        "receipt_delay": receipt_delay,
        "response_delay": response_delay,
        "refuse_binds": refusals,
        "rate": rate,
        "faults": faults,
    }
    options = Options() if script is None else load_section(script, Options)
    options = options.model_copy(update={name: value for name, value in given.items() if value is not None})
    code = run_simulate(host=host, port=port, options=options, as_json=as_json, sms_count=count)
    raise typer.Exit(code)
