"""A gateway in the middle of its day: what a page for operators has to show at its best and its worst."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import yaml
from argon2 import PasswordHasher

from contract.builders import mail, message
from contract.fates import accepted, queued, receipt, uncertain
from sms_milter.config.load import load
from sms_milter.config.schema import Configuration
from sms_milter.model import (
    CreditRule,
    Deed,
    Limits,
    LinkState,
    LinkStatus,
    NewMail,
    Outcome,
    PartState,
    Priority,
    QuotaRule,
    Selection,
    SmscLoad,
)
from sms_milter.queue.sqlite import SqliteQueue

PASSWORD = "correct horse"
PHONE = "41790000017"  # a message to it has failed
WAITING_PHONE = "41790000018"  # one of two parts waits for its next try
_DAY = 86400.0


def configured(folder: Path, **web: Any) -> Configuration:
    """Four SMSCs, some accounts and a status page, with the queue in `folder`."""
    smscs = ("swisscom", "sunrise", "bulk-eu", "backup")
    quota = {"messages": 1000, "period": "24h"}
    accounts: dict[str, Any] = {
        name: {"senders": [f"@{name}.example"], "require": ["sender"]}
        for name in ("acme", "hospital", "shop", "monitoring")
    }
    accounts["acme"]["quota"] = quota
    accounts["shop"] |= {"credits": 20, "quota": {"messages": 40}}
    accounts["monitoring"]["credits"] = 2500
    whole = {
        "queue": f"sqlite:{folder}/queue.db",
        "log": {"to": "stderr"},
        "domains": {"sms.example.com": {"dialect": "hsl"}},
        "accounts": accounts,
        "smscs": {name: {"host": f"{name}.example.net", "system_id": "acme"} for name in smscs},
        "routes": {"default": [{"to": "*", "via": ["swisscom", "backup"]}]},
        "web": {"password_hash": PasswordHasher(1, 8, 1).hash(PASSWORD), **web},
    }
    path = folder / "sms-milter.yaml"
    path.write_text(yaml.safe_dump(whole))
    return load(path).configuration


def fill(queue: SqliteQueue, now: float) -> None:
    """An hour of mail for three SMSCs, one of which is down and one throttled."""
    chance = random.Random(9)
    begin = now - 3600
    for minute in range(60):
        at = begin + 60 * minute
        busy = 4 + int(10 * abs((minute % 40) - 20) / 20) + (30 if minute == 41 else 0)
        queue.put([_mail(chance, at) for _ in range(busy)], at)
        if chance.random() < 0.3:
            queue.count_refused(chance.randrange(1, 4), at)
        for smsc in ("swisscom", "sunrise"):
            _send(queue, chance, smsc, at + 10, limit=40 if smsc == "swisscom" else 3)
    _some_trouble(queue, now)
    _report(queue, now)


def _mail(chance: random.Random, at: float) -> NewMail:
    smsc = chance.choices(("swisscom", "sunrise", "bulk-eu"), (7, 2, 1))[0]
    account = chance.choice(("acme", "hospital", "shop", "monitoring"))
    limits = {
        "acme": Limits(QuotaRule(1000, None, _DAY, defer=False)),
        "shop": Limits(QuotaRule(40, None, _DAY, defer=False), credits=CreditRule(20_000)),
        "monitoring": Limits(credits=CreditRule(2_500_000)),
    }
    one = message(
        f"4179{chance.randrange(10**7):07d}",
        parts=chance.choice((1, 1, 1, 2)),
        smsc=smsc,
        expires_at=at + 2 * _DAY,
        price=1000 if account in ("shop", "monitoring") else 0,
        priority=chance.choice((Priority.HIGH, *[Priority.NORMAL] * 4, Priority.LOW)),
        originator=account.upper()[:11],
        validity_seconds=int(2 * _DAY),
    )
    queue_id = f"4{chance.randrange(16**9):09X}"
    return mail(one, at=at, account=account, limits=limits.get(account), mta_queue_id=queue_id)


def _send(queue: SqliteQueue, chance: random.Random, smsc: str, at: float, limit: int) -> None:
    with queue.transaction() as work:
        parts = work.lease(smsc, f"{smsc}/1", range(1, limit + 1), at)
    outcomes = []
    for part in parts:
        outcome = accepted(part.part_id, f"{part.part_id + 0x3FA000:x}", at + 0.2)
        if chance.random() < 0.03:
            outcome = Outcome(part.part_id, PartState.FAILED, at + 0.2, command_status=0x0B)
        outcomes.append(outcome)
    with queue.transaction() as work:
        work.record(outcomes)
    with queue.transaction() as work:
        for part, outcome in zip(parts, outcomes, strict=True):
            if outcome.state is PartState.ACCEPTED and chance.random() < 0.9:
                done = chance.random() < 0.96
                state, stat = (PartState.DELIVERED, "DELIVRD") if done else (PartState.FAILED, "UNDELIV")
                later = at + chance.expovariate(1 / 8)
                told = receipt(
                    outcome.smsc_key, state, stat=stat, source=part.destination, smsc=smsc, at=later
                )
                work.settle([told])


def _some_trouble(queue: SqliteQueue, now: float) -> None:
    """One message that failed by a receipt, one with a part in doubt and one to be tried again, one held and
    one timed.
    """
    at = now - 120
    ours = {"smsc": "backup", "expires_at": now + _DAY, "validity_seconds": int(_DAY)}
    reference = {"reference": "order-17", "public_id": "c0ffee17"}
    queue.put([mail(message(PHONE, **ours, **reference), at=at, mta_queue_id="4FAILED0001")], at)
    queue.put([mail(message(WAITING_PHONE, parts=2, **ours), at=at, mta_queue_id="4WAITS00001")], at)
    with queue.transaction() as work:
        failed, first, second = work.lease("backup", "backup/1", (1, 2, 3), at + 1)
    key = "beef01"
    told = receipt(key, PartState.FAILED, stat="UNDELIV", source=PHONE, smsc="backup", at=at + 40)
    later = queued(first.part_id, now + 180, command_status=0x58)
    with queue.transaction() as work:
        work.record([accepted(failed.part_id, key, at + 1.3), later, uncertain(second.part_id, at + 61)])
        work.settle([told])
    queue.put([mail(message("41790000019", **ours), at=at)], at)
    queue.change(Deed.HOLD, Selection(destination="41790000019"), now)
    queue.put([mail(message("41790000020", not_before=now + 7200, **ours), at=at)], at)


def _report(queue: SqliteQueue, now: float) -> None:
    """What the dispatcher would say of its links."""
    bound, down = LinkState.BOUND, LinkState.CONNECTING
    queue.hold_binds("swisscom", 2, "host", now, now + _DAY)
    queue.report_links(
        [
            LinkStatus("swisscom", "swisscom/1", bound, now - 86400 * 3, 7, 10, 812, 805, 7, 0),
            LinkStatus("swisscom", "swisscom/2", bound, now - 5400, 4, 10, 790, 786, 4, 0),
            LinkStatus("sunrise", "sunrise/1", bound, now - 7200, 3, 10, 190, 180, 2, 0),
            LinkStatus(
                "bulk-eu",
                "bulk-eu/1",
                down,
                now - 1560,
                0,
                20,
                0,
                0,
                0,
                0,
                "Connection refused, again in 24 s",
            ),
            LinkStatus("backup", "backup/1", bound, now - 40000, 0, 10, 3, 1, 0, 1),
        ],
        now,
    )
    queue.report_loads(
        [
            SmscLoad(
                "swisscom", "window",
                "20 on the wire at 140 ms each allow 143/s; twice the window or the binds: 286/s",
                131.4, 200.0, 200.0, 20, 11, 140.0, None,
            ),
            SmscLoad(
                "sunrise", "throttling", "slowed to 2.5/s of 10/s after complaints; it rises by itself",
                2.4, 2.5, 10.0, 10, 3, 480.0, now - 25,
            ),
            SmscLoad("bulk-eu", "bind", "Connection refused, again in 24 s", 0.0, 0.0, 0.0, 0, 0, None, None),
            SmscLoad("backup", "empty queue", "nothing waits", 0.0, 50.0, 50.0, 10, 0, 92.0, None),
        ],
        now,
    )  # fmt: skip
