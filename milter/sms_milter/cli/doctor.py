"""`sms-milter doctor`: what is wrong with the MTA, this host and the ways to the SMSCs, and what mends it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sms_milter.cli.common import DEFAULT_CONFIG, AsJson, ConfigFile, PluginExit
from sms_milter.config.load import load


def doctor(
    config: ConfigFile = DEFAULT_CONFIG,
    postfix: Annotated[
        str, typer.Option(help="Postfix's configuration directory; by default the one postconf reads.")
    ] = "",
    sendmail: Annotated[
        Path | None,
        typer.Option(help="The sendmail.cf; by default /etc/mail/sendmail.cf where there is no Postfix."),
    ] = None,
    no_mta: Annotated[bool, typer.Option("--no-mta", help="The MTA is on another host.")] = False,
    bind: Annotated[
        bool,
        typer.Option("--bind", help="Bind at each SMSC and unbind again; takes a bind of the account."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Examine the MTA, this host and the SMSCs; print every mistake with what mends it.

    Changes nothing. Exit codes as of a Nagios plug-in: 0 all well, 1 warnings, 2 something critical,
    3 something could not be examined.
    """
    from sms_milter.doctor.finding import exit_code
    from sms_milter.doctor.gather import Scope, examine

    loaded = load(config)
    found = examine(loaded, Scope(mta=not no_mta, postfix=postfix, sendmail=sendmail, bind=bind))
    if as_json:
        print(json.dumps([asdict(one) for one in found], indent=2))
    else:
        for one in found:
            print(f"{one.severity}: {one.name}: {one.says}\n    {one.mend}")
        print(f"sms-milter: {len(found) or 'no'} finding{'' if len(found) == 1 else 's'}")
    raise PluginExit(exit_code(found))
