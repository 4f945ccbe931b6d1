"""The queue cannot be written: the mail stays with the client; and all is well again without a restart."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.clients import Clients
from support.host import Host
from support.smtp_dialogue import SmtpDialogue

pytestmark = [pytest.mark.mta, pytest.mark.smsc, pytest.mark.slow]

DISK_OCTETS = 64_000_000


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot mount here: {done.stderr.strip()}")


@contextmanager
def mounted(where: Path, *arguments: str) -> Iterator[None]:
    owner = where.stat().st_uid
    mount(*arguments, str(where))
    os.chown(where, owner, -1)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", where], check=True)


def send(host: Host, number: str) -> str:
    """One mail; the reply that refuses it, or the last one."""
    client = SmtpDialogue(host.port)
    client.greet(as_client="192.0.2.10")
    replies = client.mail("bob@customer.example", [f"{number}@sms.example.com"], b"Subject: Hi\r\n\r\n")
    client.close()
    return next((reply for reply in replies if reply[0] in "45"), replies[-1])


def test_the_queue_is_read_only() -> None:
    with Host() as host:
        queue = host.service.queue_directory
        with mounted(queue, "--bind", str(queue)):
            mount("-o", "remount,bind,ro", str(queue))
            host.service.start()
            assert send(host, "447973100000").startswith("451 4.3.0")
            mount("-o", "remount,bind,rw", str(queue))
            with Clients(host.port, ["447973100001"], threads=1) as clients:
                pass
            assert clients.accepted == {"447973100001"}
            host.wait_for_all(clients.accepted)
            assert host.arrived().keys() == {"447973100001"}
            host.service.stop()


def test_the_disk_is_full() -> None:
    with Host() as host:
        queue = host.service.queue_directory
        with mounted(queue, "-t", "tmpfs", "-o", f"size={DISK_OCTETS}", "tmpfs"):
            host.start()
            assert send(host, "447973100000").startswith("250")
            host.wait_for_all({"447973100000"})
            filler = queue / "filler"
            fill(filler)
            replies = {f"4479731{number:05}": "" for number in range(1, 200)}
            for number in replies:
                replies[number] = send(host, number)
                if not replies[number].startswith("250"):
                    break
            refused = replies[number]
            assert refused.startswith(("451 4.3.0", "452 4.3.1")), refused
            taken = {number for number, reply in replies.items() if reply.startswith("250")}
            filler.unlink()
            with Clients(host.port, ["447973200000"], threads=1) as clients:
                pass
            host.wait_for_all(taken | clients.accepted)
            assert host.arrived().keys() == {"447973100000"} | taken | {"447973200000"}
            host.service.stop()


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65536))
        except OSError:
            return
