"""Tools beside the service: hash-password, simulate."""

from __future__ import annotations

import sys
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
    system_id: Annotated[str | None, typer.Option(help="Take binds of this system_id only.")] = None,
    password: Annotated[str | None, typer.Option(help="Take binds with this password only.")] = None,
    receipt_delay: Annotated[float, typer.Option(help="Seconds until a receipt.")] = 0.0,
    response_delay: Annotated[float, typer.Option(help="Seconds until each response.")] = 0.0,
    refuse_binds: Annotated[int, typer.Option(help="Refuse so many binds at first.")] = 0,
    rate: Annotated[int, typer.Option(help="Throttle above so many submit_sm a second; 0 never.")] = 0,
    faults: Annotated[bool, typer.Option(help="Let destinations order faults.")] = True,
    count: Annotated[int, typer.Option(help="End after so many complete SMS; 0 never.")] = 0,
    as_json: AsJson = False,
) -> None:
    """An SMSC to try and test against: shows each SMS as a phone would."""
    from sms_milter.simulate import Options, run_simulate

    options = Options(
        system_id=system_id,
        password=password,
        refuse_binds=refuse_binds,
        response_delay=response_delay,
        receipt_delay=receipt_delay,
        rate=rate,
        faults=faults,
    )
    code = run_simulate(host=host, port=port, options=options, as_json=as_json, sms_count=count)
    raise typer.Exit(code)
