"""Large mails through a real Postfix: many SMS of one mail in one transaction, in bounded memory."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.host import Host
from support.requirements import missing

pytestmark = [pytest.mark.mta, pytest.mark.smsc, pytest.mark.slow]

RECIPIENTS = 1000
LINES = 50_000
# $argon2id$ of "pw1", made cheaply.
HASH = "$argon2id$v=19$m=8,t=1,p=1$jI6VEdDI8mnPkawOEEFWzw$tnBhkh74gBppD1ZSnZPj9cLpudYzYVB6JLf0mQq5u9k"
SHOP = {
    "require": ["password"],
    "logins": {"user": "demo", "api_id": "1234"},
    "password_hash": HASH,
    "default_originator": "SHOP",
}
SENDER = "load@load.example"


@contextmanager
def host(settings: dict[str, Any]) -> Iterator[Host]:
    if why := missing("postfix"):
        pytest.skip(why)
    with Host(settings=settings) as running:
        running.start()
        yield running


def send(port: int, recipients: list[str], mail: str) -> dict[str, tuple[int, bytes]]:
    """Which recipients were refused, if any."""
    with smtplib.SMTP("127.0.0.1", port, timeout=120) as client:
        return client.sendmail(SENDER, recipients, mail)


def megabytes(running: Host) -> float:
    """The largest that any of our processes has been in memory."""
    peaks = []
    for pid in running.service.pids().values():
        status = Path(f"/proc/{pid}/status").read_text()
        peaks += [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")]
    return max(peaks)


def test_a_mail_of_100_kilobytes_to_1000_recipients() -> None:
    account = {"clients": ["127.0.0.1"], "senders": [SENDER], "default_originator": "LOAD"}
    with host({"accounts": {"load": account}}) as running:
        phones = [f"4479731{number:05}@sms.example.com" for number in range(RECIPIENTS)]
        padding = "".join(f"X-Padding-{number}: {'x' * 900}\r\n" for number in range(110))
        assert send(running.port, phones, f"Subject: disk\r\n{padding}\r\n/var is full\r\n") == {}
        (line,) = [line for line in running.service.log.splitlines() if "status=discard (stored)" in line]
        assert f"messages={RECIPIENTS}, parts={RECIPIENTS}, queue=1, size=10" in line
        running.smsc.wait_for(RECIPIENTS, 60)
        assert set(running.arrived()) == {phone.partition("@")[0] for phone in phones}
        assert megabytes(running) < 200


def test_a_batch_of_50_000_lines() -> None:
    settings = {"domains": {"sms.example.com": {"dialect": "clickatell"}}, "accounts": {"shop": SHOP}}
    with host(settings) as running:
        lines = "".join(f"csv:4479{number:08},name{number}\r\n" for number in range(LINES))
        head = "user:demo\r\npassword:pw1\r\napi_id:1234\r\ntext:Hello #field1#\r\n"
        assert send(running.port, ["sms@sms.example.com"], f"Subject: batch\r\n\r\n{head}{lines}") == {}
        (line,) = [line for line in running.service.log.splitlines() if "status=discard (stored)" in line]
        assert f"messages={LINES}, parts={LINES}, queue=1," in line
        assert megabytes(running) < 500
