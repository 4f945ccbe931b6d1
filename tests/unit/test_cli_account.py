"""`sms-milter account`, as an operator calls it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.builders import mail, message
from sms_milter.model import CreditRule, Limits, LoginRule, QuotaRule
from sms_milter.queue.sqlite import SqliteQueue
from support.gate import BASE
from unit.test_cli import run

HASH = "$argon2id$v=19$m=8,t=1,p=1$syzmwLy3FWvGPNZ/njuwOg$/m0ghT1QOPlLAB50ztaiYuUTdfY90aLNAVhM3CHPxUs"
ACME = BASE["accounts"]["acme"] | {"credits": 10, "quota": {"messages": 5}}
SHOP = {"require": ["password"], "logins": {"user": "shop"}, "password_hash": HASH}
LIMITS = Limits(quota=QuotaRule(5, None, 86400.0, defer=False), credits=CreditRule(10_000))


@pytest.fixture
def queue(tmp_path: Path) -> SqliteQueue:
    return SqliteQueue(str(tmp_path / "queue.db"))


@pytest.fixture
def config(tmp_path: Path, queue: SqliteQueue) -> str:
    now = time.time()
    queue.put([mail(message(parts=2, price=1500), at=now, limits=LIMITS)], now)
    queue.close()
    path = tmp_path / "sms-milter.yaml"
    whole = BASE | {"queue": f"sqlite:{queue.path}", "accounts": {"acme": ACME, "shop": SHOP}}
    path.write_text(yaml.safe_dump(whole))
    return str(path)


def told(*arguments: str) -> Any:
    done = run("account", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_accounts_are_listed_with_what_is_left(config: str) -> None:
    acme, shop = told("list", "--config", config)
    assert (acme["account"], acme["credits"], acme["quota_left"]) == ("acme", "7", 3)
    assert (shop["account"], shop["credits"], shop["quota_left"]) == ("shop", None, None)
    plain = run("account", "list", "--config", config).stdout.decode()
    assert [line.split()[:2] for line in plain.splitlines()[1:]] == [["acme", "7"], ["shop", "-"]]


def test_one_account_is_shown_without_secrets(config: str) -> None:
    shown = told("show", "shop", "--config", config)
    assert (shown["require"], shown["logins"]) == (["password"], {"user": "shop"})
    plain = run("account", "show", "shop", "--config", config).stdout.decode()
    assert "user: shop" in plain
    assert "argon2" not in plain + json.dumps(shown)


def test_credits_are_booked_and_stand_in_the_history(config: str) -> None:
    done = run("account", "credit", "acme", "2.5", "--note", "invoice 7", "--config", config)
    assert (done.returncode, done.stdout) == (0, b"acme has 9.5 credits\n")
    newest, oldest = told("history", "acme", "--config", config)
    assert (newest["amount"], newest["note"], newest["queue_id"]) == ("2.5", "invoice 7", None)
    assert (oldest["amount"], oldest["note"], oldest["queue_id"]) == ("-3", "2 SMS", 1)
    plain = run("account", "history", "acme", "--config", config).stdout.decode()
    assert "invoice 7" in plain


def test_more_than_there_is_cannot_be_taken_away(config: str) -> None:
    done = run("account", "credit", "--config", config, "--", "acme", "-7.001")
    assert (done.returncode, done.stderr) == (69, b"sms-milter: acme has fewer credits than that\n")
    assert run("account", "credit", "--config", config, "--", "acme", "-7").stdout == b"acme has 0 credits\n"


def test_phones_are_suppressed_and_not(config: str) -> None:
    done = run("account", "suppress", "acme", "+447973100000", "--config", config)
    assert (done.returncode, done.stderr[:40]) == (64, b"sms-milter: nobody would ask that list w")
    with Path(config).open("a") as file:
        file.write("limits: {stop_words: [STOP]}\n")
    done = run("account", "suppress", "acme", "+447973100000", "--note", "by letter", "--config", config)
    assert done.stdout == b"447973100000 gets nothing more from acme\n"
    (one,) = told("suppressed", "acme", "--config", config)
    assert (one["number"], one["why"]) == ("447973100000", "by letter")
    assert b"by letter" in run("account", "suppressed", "acme", "--config", config).stdout
    done = run("account", "unsuppress", "acme", "447973100000", "--config", config)
    assert done.stdout == b"447973100000 may be written to again\n"
    done = run("account", "unsuppress", "acme", "447973100000", "--config", config)
    assert done.returncode == 69
    assert run("account", "suppress", "acme", "0800", "--config", config).returncode == 64


def test_blocks_are_shown_and_lifted(config: str, queue: SqliteQueue) -> None:
    queue.login_failed("client 192.0.2.1", LoginRule(1, 60, 3600), time.time())
    queue.close()
    (block,) = told("blocks", "--config", config)
    assert (block["who"], round((block["until"] - time.time()) / 60)) == ("client 192.0.2.1", 60)
    assert b"client 192.0.2.1" in run("account", "blocks", "--config", config).stdout
    done = run("account", "unblock", "client 192.0.2.1", "--config", config)
    assert done.stdout == b"client 192.0.2.1 may log in again\n"
    assert told("blocks", "--config", config) == []
    done = run("account", "unblock", "client 192.0.2.1", "--config", config)
    assert (done.returncode, done.stderr[:40]) == (69, b"sms-milter: client 192.0.2.1 is not bloc")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("credit", "shop", "5"), b"shop is not metered: it has no `credits`"),
        (("credit", "nobody", "5"), b"there is no account nobody"),
        (("show", "nobody"), b"there is no account nobody"),
        (("history", "nobody"), b"there is no account nobody"),
        (("credit", "acme", "a lot"), b"three decimals at most"),
        (("credit", "acme", "0.0001"), b"three decimals at most"),
    ],
)
def test_what_makes_no_sense_is_refused(config: str, arguments: tuple[str, ...], complaint: bytes) -> None:
    done = run("account", *arguments, "--config", config)
    assert done.returncode == 64
    assert complaint in done.stderr
