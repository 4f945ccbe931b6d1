"""`sms-milter account`: who may send, and what is left of their credits and quotas."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from sms_milter.cli.common import (
    DEFAULT_CONFIG,
    EX_UNAVAILABLE,
    EX_USAGE,
    AsJson,
    ConfigFile,
    complain,
    existing_queue,
    print_rows,
    print_tree,
)
from sms_milter.config.load import load
from sms_milter.config.schema import Account, Configuration
from sms_milter.credits import credits_of, thousandths, written
from sms_milter.model import CreditRule
from sms_milter.standing import standings

account_app = typer.Typer(no_args_is_help=True, help="Who may send, and what is left to send for.")

OneAccount = Annotated[str, typer.Argument(help="Its name in the configuration.")]


@account_app.command("list")
def account_list(config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List the accounts with what is left of their credits and quotas."""
    accounts = load(config).configuration.accounts
    found = _left(accounts, existing_queue(config))
    if as_json:
        print(json.dumps(found, indent=2))
        return
    print_rows(
        ("account", "credits", "quota left", "free again"),
        (
            (one["account"], one["credits"] or "-", _shown(one["quota_left"]), one["free_again"] or "")
            for one in found
        ),
    )


@account_app.command("show")
def account_show(name: OneAccount, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show one account: who may send, and what is left. No secrets."""
    account = _account(load(config).configuration, name)
    (left,) = _left({name: account}, existing_queue(config))
    shown = left | {
        "require": list(account.require),
        "clients": [str(one) for one in account.clients],
        "senders": [str(one) for one in account.senders],
        "sasl_users": list(account.sasl_users),
        "logins": {kind: login for kind, login in account.logins.model_dump().items() if login},
        "originators": list(account.originators),
        "route": account.route,
    }
    if as_json:
        print(json.dumps(shown, indent=2))
        return
    print_tree({name: content for name, content in shown.items() if content != {}})


@account_app.command("credit")
def account_credit(
    name: OneAccount,
    amount: Annotated[str, typer.Argument(help="Credits to add, such as 500; less than 0 takes away.")],
    note: Annotated[str, typer.Option(help="What it is for; stands in the history.")] = "",
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Book credits for an account. To take some away write `-- NAME -5`."""
    account = _account(load(config).configuration, name)
    if account.credits is None:
        raise typer.Exit(complain(f"{name} is not metered: it has no `credits`", EX_USAGE))
    rule = CreditRule(thousandths(account.credits))
    added = _amount(amount)
    after = existing_queue(config).book(name, rule, added, note, time.time())
    if after is None:
        raise typer.Exit(complain(f"{name} has fewer credits than that", EX_UNAVAILABLE))
    print(f"{name} has {written(credits_of(after))} credits")


@account_app.command("history")
def account_history(
    name: OneAccount,
    limit: Annotated[int, typer.Option(help="At most so many, newest first.")] = 100,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """List what an account has bought, paid and got back, newest first."""
    _account(load(config).configuration, name)
    bookings = [
        one | {"amount": written(credits_of(one["amount"]))}
        for one in existing_queue(config).bookings(name, limit)
    ]
    if as_json:
        print(json.dumps(bookings, indent=2))
        return
    print_rows(
        ("at", "credits", "queue", "note"),
        ((_moment(one["at"]), one["amount"], _shown(one["queue_id"]), one["note"]) for one in bookings),
    )


@account_app.command("suppress")
def account_suppress(
    name: OneAccount,
    number: Annotated[str, typer.Argument(help="International, such as 447973100000.")],
    note: Annotated[str, typer.Option(help="Why; stands in the list.")] = "by the operator",
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Send nothing more from an account to a phone."""
    configuration = load(config).configuration
    _account(configuration, name)
    if not configuration.limits.stop_words:
        raise typer.Exit(complain("nobody would ask that list while limits.stop_words is empty", EX_USAGE))
    fresh = existing_queue(config).suppress(name, _phone(number), note, time.time())
    print(f"{_phone(number)} gets nothing {'more ' if fresh else ''}from {name}")


@account_app.command("unsuppress")
def account_unsuppress(
    name: OneAccount,
    number: Annotated[str, typer.Argument(help="As `account suppressed` shows it.")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Let an account write to a phone again."""
    _account(load(config).configuration, name)
    if not existing_queue(config).unsuppress(name, _phone(number)):
        raise typer.Exit(complain(f"{number} is not among the suppressed of {name}", EX_UNAVAILABLE))
    print(f"{_phone(number)} may be written to again")


@account_app.command("suppressed")
def account_suppressed(
    name: OneAccount, config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False
) -> None:
    """List the phones that want nothing more from an account."""
    _account(load(config).configuration, name)
    found = existing_queue(config).list_suppressed(name)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    print_rows(("number", "since", "why"), ((one["number"], _moment(one["at"]), one["why"]) for one in found))


@account_app.command("blocks")
def account_blocks(config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """List who may not log in after too many failures, and until when."""
    blocks = existing_queue(config).blocks(time.time())
    if as_json:
        print(json.dumps(blocks, indent=2))
        return
    print_rows(("who", "until"), ((one["who"], _moment(one["until"])) for one in blocks))


@account_app.command("unblock")
def account_unblock(
    who: Annotated[str, typer.Argument(help="As `account blocks` names it, such as 'client 192.0.2.1'.")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Let somebody try to log in again."""
    if not existing_queue(config).lift_block(who, time.time()):
        raise typer.Exit(complain(f"{who} is not blocked: see `account blocks`", EX_UNAVAILABLE))
    print(f"{who} may log in again")


def _account(configuration: Configuration, name: str) -> Account:
    try:
        return configuration.accounts[name]
    except KeyError:
        raise typer.Exit(complain(f"there is no account {name}", EX_USAGE)) from None


def _phone(number: str) -> str:
    digits = number.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15):
        raise typer.BadParameter(f"a number has 7 to 15 digits, such as 447973100000, not {number!r}")
    return digits


def _left(accounts: Mapping[str, Account], queue: Any) -> list[dict[str, Any]]:
    return [
        {
            "account": one.account,
            "credits": None if one.credits is None else written(one.credits),
            "quota_left": one.quota_left,
            "free_again": None if one.free_at is None else _moment(one.free_at),
        }
        for one in standings(accounts, queue, time.time())
    ]


def _amount(text: str) -> int:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount != round(amount, 3) or abs(amount) > 10**12:
        raise typer.BadParameter(f"an amount has three decimals at most, not {text!r}")
    return thousandths(amount)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _shown(value: object) -> str:
    return "" if value is None else str(value)
