"""`sms-milter queue migrate`: the tables of a PostgreSQL queue are brought up to date by their owner."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from sms_milter.cli.common import DEFAULT_CONFIG, EX_TEMPFAIL, EX_UNAVAILABLE, ConfigFile, complain
from sms_milter.config.load import load
from sms_milter.errors import QueueError

if TYPE_CHECKING:
    from sms_milter.queue.postgresql.tables import PostgresqlTables

_LOOK_SECONDS = 1.0


def queue_migrate(
    config: ConfigFile = DEFAULT_CONFIG,
    finish: Annotated[
        bool,
        typer.Option(
            "--finish",
            help="Then wait until no host runs an older version any more, and remove what only these need.",
        ),
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Change nothing: exit 69 if this version cannot work with the tables as they are, 75 if the"
            " database is away.",
        ),
    ] = False,
) -> None:
    """Bring the tables of a PostgreSQL queue up to this version, as their owner, before any host gets it.

    Hosts with older versions work on beside it.
    """
    url = load(config).configuration.queue
    if url.kind != "postgresql":
        print(f"{url}: nothing to do, the service brings its file up to date by itself")
        return
    from sms_milter.queue.postgresql.tables import PostgresqlTables

    tables = PostgresqlTables(url.dsn)
    if check:
        _check(tables)
        return
    try:
        if added := tables.add():
            print(f"{tables.place}: {_versions(added)} added; next, as the owner too: grants.sql")
        else:
            print(f"{tables.place}: up to date, version {tables.version}")
        if finish:
            _finish(tables)
        elif remaining := tables.remaining():
            older = ", ".join(tables.in_the_way()) or "nobody"
            print(f"older versions need what {_versions(remaining)} did away with (now at work: {older});")
            print("`sms-milter queue migrate --finish` removes it, and no older version can come back then")
    except QueueError as error:
        raise typer.Exit(complain(str(error), EX_UNAVAILABLE)) from None


def _check(tables: PostgresqlTables) -> None:
    try:
        why = tables.unfit()
    except QueueError as error:
        raise typer.Exit(complain(str(error), EX_TEMPFAIL)) from None
    if why:
        raise typer.Exit(complain(f"{tables.place}: {why}", EX_UNAVAILABLE))
    print(f"{tables.place}: fit for version {tables.version}")


def _finish(tables: PostgresqlTables) -> None:
    removed: list[int] = []
    told: list[str] = []
    while True:
        removed += tables.remove()
        if not tables.remaining():
            break
        older = tables.in_the_way()
        if older != told:
            print(f"waiting for {', '.join(older)}", file=sys.stderr)
            told = older
        time.sleep(_LOOK_SECONDS)
    what = f"what {_versions(removed)} did away with is removed" if removed else "nothing is left to remove"
    print(f"{tables.place}: {what}")


def _versions(numbers: list[int]) -> str:
    return f"version{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers))}"
