"""The command line (DESIGN §7). Exit codes are those of sysexits(3)."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from sms_milter import __version__
from sms_milter.config.load import Loaded, load
from sms_milter.config.secrets import hash_password
from sms_milter.errors import ConfigError, QueueUnavailable
from sms_milter.model import PartState, QuotaRule
from sms_milter.simulate.faults import TABLE as FAULTS

_TYPERS_USAGE = 2  # what typer exits with; sysexits has another number
EX_USAGE, EX_NOINPUT, EX_UNAVAILABLE, EX_OSERR, EX_CONFIG = 64, 66, 69, 71, 78

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Mail becomes SMS inside the SMTP dialogue."
)
queue_app = typer.Typer(no_args_is_help=True, help="Look into the queue. Message texts are never shown.")
app.add_typer(queue_app, name="queue")

# click keeps the line ends of a paragraph that begins with \\b.
_FAULTS = f"A destination that ends in these digits orders a fault:\n\n\b\n{FAULTS}"

ConfigFile = Annotated[
    Path,
    typer.Option("--config", envvar="SMS_MILTER_CONFIG", help="The configuration file."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DEFAULT_CONFIG = Path("/etc/sms-milter/sms-milter.yaml")


def main() -> None:
    """Entry point of the `sms-milter` command: no traceback reaches a user."""
    code = 0
    try:
        app()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
        code = EX_USAGE if code == _TYPERS_USAGE else code
    except ConfigError as error:
        _print_faults(error)
        code = EX_CONFIG
    except QueueUnavailable as error:
        code = _complain(f"queue not available: {error}", EX_UNAVAILABLE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # `| head` is no error of ours
    except OSError as error:
        code = _complain(str(error), EX_OSERR)
    raise SystemExit(code)


def _complain(text: str, code: int) -> int:
    print(f"sms-milter: {text}", file=sys.stderr)
    return code


def _print_faults(error: ConfigError) -> None:
    for fault in error.faults:
        print(fault, file=sys.stderr)
    count = len(error.faults)
    print(f"sms-milter: {count} fault{'s' if count > 1 else ''} in the configuration", file=sys.stderr)


@app.command()
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


@app.command()
def check(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Read the configuration and print every fault with its place; exit code 1 if there is one."""
    try:
        loaded = load(config)
    except ConfigError as error:
        _print_faults(error)
        raise typer.Exit(1) from None
    for note in loaded.notes:
        print(f"note: {note}")
    print(f"{config}: no faults")


@app.command()
def version() -> None:
    """Print the version."""
    print(f"sms-milter {__version__}")


@app.command()
def preview(
    mail: Annotated[Path, typer.Argument(help="The mail as a file; - for standard input.")],
    sender: Annotated[str, typer.Option(help="MAIL FROM; '<>' is the null sender.")],
    recipient: Annotated[list[str], typer.Option(help="RCPT TO; may be given again.")],
    client: Annotated[str, typer.Option(help="IP address of the SMTP client.")] = "127.0.0.1",
    sasl_user: Annotated[str, typer.Option(help="The user that the MTA authenticated.")] = "",
    now: Annotated[
        str, typer.Option(help="The moment to assume, ISO 8601; UTC when no offset is given.")
    ] = "",
    macro: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE: a macro of the MTA, such as i=4ABC.")
    ] = None,
    mail_parameter: Annotated[
        list[str] | None, typer.Option(help="A parameter of MAIL, such as SIZE=2000.")
    ] = None,
    rcpt_parameter: Annotated[
        list[str] | None, typer.Option(help="A parameter of RCPT: NOTIFY=NEVER.")
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Show what would become of a mail, as JSON; nothing is stored or sent."""
    from sms_milter.preview import preview as rehearse_mail

    loaded = load(config)
    octets = sys.stdin.buffer.read() if str(mail) == "-" else _read(mail)
    result = rehearse_mail(
        loaded.configuration,
        _Usage(loaded),
        now=_moment(now),
        client=client,
        sender=sender,
        recipients=recipient,
        mail=octets,
        sasl_user=sasl_user,
        macros=_macros(macro or []),
        mail_parameters=mail_parameter or [],
        recipient_parameters=rcpt_parameter or [],
    )
    print(json.dumps(result, indent=2, ensure_ascii=False))


class _Usage:
    """Limits as the queue stands; a queue that does not exist yet has no usage."""

    def __init__(self, loaded: Loaded) -> None:
        self._url = loaded.configuration.queue

    def quota_left(self, account: str, sender: str, rule: QuotaRule, now: float) -> tuple[int, float]:
        if not Path(self._url.path).exists():
            limits = [limit for limit in (rule.messages, rule.per_sender) if limit is not None]
            return min(limits, default=sys.maxsize), now
        from sms_milter.queue import open_queue

        return open_queue(self._url).quota_left(account, sender, rule, now)

    def login_blocked(self, who: str, now: float) -> bool:
        if not Path(self._url.path).exists():
            return False
        from sms_milter.queue import open_queue

        return open_queue(self._url).login_blocked(who, now)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise typer.Exit(_complain(f"{path}: {error.strerror}", EX_NOINPUT)) from None


def _moment(text: str) -> float:
    if not text:
        return time.time()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"--now takes ISO 8601, such as 2026-11-21T12:00:00Z, not {text!r}"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _macros(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise typer.BadParameter(f"--macro takes NAME=VALUE, not {pair!r}")
    return dict(pair.split("=", 1) for pair in pairs)


# --- the queue ----------------------------------------------------------------------------------------------


def _open(config: Path) -> Any:
    from sms_milter.queue import open_queue

    url = load(config).configuration.queue
    if not Path(url.path).exists():
        raise typer.Exit(_complain(f"there is no queue at {url.path} yet", EX_UNAVAILABLE))
    return open_queue(url)


@queue_app.command("list")
def queue_list(
    config: ConfigFile = DEFAULT_CONFIG,
    state: Annotated[
        list[str] | None, typer.Option(help="Only parts in this state; may be given again.")
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many, newest first.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """List parts, newest first."""
    states = [str(one) for one in PartState]
    if any(one not in states for one in state or []):
        raise typer.BadParameter(f"states are {', '.join(states)}")
    parts = _open(config).list_parts(states=state or [], limit=limit)
    if as_json:
        print(json.dumps(parts, indent=2))
        return
    _list(parts)


@queue_app.command("show")
def queue_show(
    name: Annotated[str, typer.Argument(help="Our queue id, or the MTA's.")],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show one mail with its messages, parts and receipts."""
    mail = _open(config).show_mail(name)
    if mail is None:
        raise typer.Exit(_complain(f"no mail {name} in the queue", EX_UNAVAILABLE))
    if as_json:
        print(json.dumps(mail, indent=2))
        return
    _tree(mail)


@app.command()
def status(config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show links, windows and the backlog by priority and age."""
    summary = _open(config).summary(time.time())
    if as_json:
        print(json.dumps(summary, indent=2))
        return
    _tree(summary)


def _list(parts: list[dict[str, Any]]) -> None:
    """A line a part, as narrow as it can be."""
    table = Table(box=None, pad_edge=False)
    for name in ("queue", "mta id", "to", "part", "state", "age", "smsc", "message id", "why"):
        table.add_column(name, no_wrap=name != "why")
    now = time.time()
    for part in parts:
        table.add_row(
            str(part["queue_id"]),
            part["mta_queue_id"],
            part["destination"],
            f"{part['number']}/{part['total']}",
            part["state"],
            _age(now - part["received_at"]),
            part["smsc"],
            part["smsc_message_id"] or "",
            part["why"] or part["stat"] or "",
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _age(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f}{unit}"
    return f"{max(seconds, 0):.0f}s"


def _tree(value: dict[str, Any], indent: str = "") -> None:
    """A nested record as indented lines; lists of records as tables."""
    for name, content in value.items():
        label = f"{indent}{name.replace('_', ' ')}:"
        if isinstance(content, dict):
            print(label)
            _tree(content, indent + "  ")
        elif isinstance(content, list) and content and isinstance(content[0], dict):
            for number, record in enumerate(content, 1):
                print(f"{label[:-1]} {number}:")
                _tree(record, indent + "  ")
        else:
            print(label, _shown(name, content))


def _shown(name: str, content: object) -> object:
    if content is None or content == []:
        return "-"
    if isinstance(content, float) and (name.endswith("at") or name in ("since", "not_before")):
        return datetime.fromtimestamp(content, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return content


# --- tools --------------------------------------------------------------------------------------------------


@app.command("hash-password")
def hash_password_command() -> None:
    """Read a password from the terminal or standard input and print the value for `password_hash`."""
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    if not password:
        raise typer.BadParameter("the password is empty")
    print(hash_password(password))


@app.command(epilog=_FAULTS)
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
