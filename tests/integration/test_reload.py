"""Reload and upgrade are transactions: they happen as a whole, or not at all and the log says why."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.mta import Mta
from support.places import accepts, folder, free_port, wait_until
from support.service import Service

NOBODY = 9  # the port of no SMSC


@pytest.fixture
def service() -> Iterator[Service]:
    with folder("reload") as place, Service(place, NOBODY, {"milter": {"workers": 1}}) as running:
        yield running


def added(service: Service, before: str) -> str:
    """What it has logged since."""
    return service.log[len(before) :]


def in_service(port: int) -> bool:
    """Whether a worker answers there, not only the socket."""
    with Mta(port) as mta:
        mta.negotiate()
        return True


def test_a_reload_says_what_it_changes_and_no_secret(service: Service) -> None:
    before = service.log
    service.configure(
        {
            "milter": {"max_recipients": 5},
            "accounts": {
                "fresh": {"clients": ["192.0.2.99"]},
                "acme": {"senders": ["c4c3f1@customer.example"]},
            },
            "smscs": {"primary": {"password": "other"}},
        }
    )
    service.reload()
    said = [line.partition("]: ")[2] for line in added(service, before).splitlines() if "changed: " in line]
    assert sorted(said) == [
        "changed: accounts.acme.senders: 1 added, 1 removed",
        "changed: accounts.fresh: added",
        "changed: milter.max_recipients: 1000 -> 5",
        "changed: smscs.primary.password: changed",
    ]
    assert "4 settings changed" in added(service, before)
    assert "other" not in added(service, before)
    before, pids = service.log, service.pids()
    service.reload()
    assert "no settings changed" in added(service, before)
    assert service.pids() == pids, "what stays as it was goes on as it was"


def test_a_bad_file_changes_nothing(service: Service) -> None:
    before, pids = service.log, service.pids()
    service.file.write_text("domains: {sms.example.com: {dialect: none}}\n")
    service.reload()
    assert "error: reload refused, the old configuration stays in force" in added(service, before)
    assert "sms-milter.yaml:1" in added(service, before)
    service.upgrade()
    assert "error: upgrade refused, version" in added(service, before)
    assert service.pids() == pids
    assert in_service(service.port)


def test_an_address_that_is_taken_leaves_the_other_as_it_was(service: Service) -> None:
    before, pids = service.log, service.pids()
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        service.configure(
            {
                "milter": {"socket": f"inet:{free_port()}@127.0.0.1"},
                "callbacks": {"listen": taken, "token": "0123456789abcdef"},
                "channels": {"voice": {"outlet": "http", "url": "http://127.0.0.1:9/", "call_back": True}},
            }
        )
        service.reload()
    assert "the old configuration stays in force (" in added(service, before)
    assert service.pids() == pids
    # A worker that starts now still finds the socket of before.
    service.kill("milter")
    wait_until(lambda: "started role=milter/0" in added(service, before), "another worker")
    assert in_service(service.port)


def test_who_may_connect_changes_without_a_new_socket() -> None:
    with folder("reload") as place, Service(place, NOBODY, {"milter": {"workers": 1}}, unix=True) as service:
        path = service.configuration["milter"]["socket"].removeprefix("unix:")
        inode = os.stat(path).st_ino
        service.configure({"milter": {"socket_mode": "0600"}})
        service.reload()
        assert os.stat(path).st_mode & 0o777 == 0o600
        assert os.stat(path).st_ino == inode


def test_a_socket_of_systemd_is_listened_on() -> None:
    with folder("socket") as place, socket.create_server(("127.0.0.1", 0)) as given:
        port = given.getsockname()[1]
        service = Service(place, NOBODY, {"milter": {"workers": 1}}, port=port)
        service.configure({})
        command = (Path(sys.executable).parent / "sms-milter", "run", "--config", service.file)
        script = f'exec 3<&{given.fileno()}; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"'
        with (place / "service.log").open("wb") as log:
            process = subprocess.Popen(
                ["bash", "-c", script, "sh", *command], pass_fds=[given.fileno()], stderr=log
            )
        try:
            wait_until(lambda: ": ready, " in service.log, service.log or "the service to be ready", 20)
            assert in_service(port)
        finally:
            process.terminate()
            process.wait()
        assert accepts(port), "the socket is systemd's: who connects while we are away waits for us"
