"""What is looked at on this host: real sockets, files and binds; the command that shows it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sms_milter.config.schema import Smsc
from sms_milter.doctor.gather.smscs import try_bind
from sms_milter.simulate import BindRefusal, Options, Simulator
from support.gate import BASE
from support.places import free_port

COMMAND = str(Path(sys.executable).parent / "sms-milter")


@pytest.fixture
def simulator(options: Options) -> Iterator[Simulator]:
    simulator = Simulator(options=options, on_sms=lambda _: None)
    simulator.start()
    yield simulator
    simulator.stop()


def there(port: int, **more: object) -> Smsc:
    return Smsc.model_validate(
        {"host": "127.0.0.1", "port": port, "system_id": "acme", "password": "secret", **more}
    )


@pytest.mark.parametrize("options", [Options(system_id="acme", password="secret")])
def test_a_bind_that_is_taken_and_given_back(simulator: Simulator) -> None:
    assert try_bind(there(simulator.port)) == ""
    assert try_bind(there(simulator.port, host="127.0.0.2", other_hosts=["127.0.0.1"])) == ""


@pytest.mark.parametrize("options", [Options(system_id="acme", password="other")])
def test_a_wrong_password(simulator: Simulator) -> None:
    why = try_bind(there(simulator.port))
    assert "RINVPASWD" in why
    assert "secret" not in why


@pytest.mark.parametrize("options", [Options(refuse_binds=(BindRefusal(times=1),))])
def test_a_bind_that_is_refused_once(simulator: Simulator) -> None:
    assert try_bind(there(simulator.port)) != ""
    assert try_bind(there(simulator.port)) == ""


def test_nobody_and_somebody_who_hangs_up() -> None:
    assert "Connection refused" in try_bind(there(free_port()))
    with socket.create_server(("127.0.0.1", 0)) as server:
        pid = os.fork()
        if not pid:
            server.accept()[0].close()
            os._exit(0)
        assert try_bind(there(server.getsockname()[1])) != ""
        os.waitpid(pid, 0)


def doctor(folder: Path, *arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    file = folder / "sms-milter.yaml"
    file.write_text(yaml.safe_dump(BASE | {"queue": f"sqlite:{folder}/queue.db"} | settings))
    command = [COMMAND, "doctor", "--config", str(file), "--no-mta", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_what_it_prints_for_a_person(tmp_path: Path) -> None:
    port = free_port()
    done = doctor(tmp_path, milter={"socket": f"inet:{port}@127.0.0.1"})
    assert done.returncode == 2
    assert done.stdout.startswith(
        "critical: milter-down: nobody answers at milter.socket (Connection refused): mail is put off\n"
        "    systemctl start sms-milter\n"
    )
    assert done.stderr == ""


def test_a_wrong_option_is_no_finding(tmp_path: Path) -> None:
    assert doctor(tmp_path, "--no-such-option").returncode == 64


def test_the_milter_may_listen_on_a_file(tmp_path: Path) -> None:
    path = tmp_path / "m.sock"
    with socket.socket(socket.AF_UNIX) as milter:
        milter.bind(str(path))
        milter.listen()
        found = json.loads(doctor(tmp_path, "--json", milter={"socket": f"unix:{path}"}).stdout)
        assert "milter-down" not in {one["name"] for one in found}
    found = json.loads(doctor(tmp_path, "--json", milter={"socket": f"unix:{path}"}).stdout)
    assert list(found[0]) == ["severity", "name", "where", "says", "mend"]
    assert found[0]["name"] == "milter-down"


def test_a_file_from_the_future(tmp_path: Path) -> None:
    queue = tmp_path / "queue.db"
    queue.touch()
    os.utime(queue, (4_000_000_000, 4_000_000_000))
    found = json.loads(doctor(tmp_path, "--json").stdout)
    assert str(queue) in {one["where"] for one in found if one["name"] == "clock"}


def test_an_mta_that_does_not_greet(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        pid = os.fork()
        if not pid:
            client = server.accept()[0]
            client.sendall(b"554 no\r\n")
            client.close()
            os._exit(0)
        where = f"127.0.0.1:{server.getsockname()[1]}"
        found = json.loads(doctor(tmp_path, "--json", reports={"submit_to": where}).stdout)
        os.waitpid(pid, 0)
    assert ["554 no" in one["says"] for one in found if one["name"] == "reports"] == [True]


def test_a_configuration_with_faults_is_told_as_check_does(tmp_path: Path) -> None:
    done = doctor(tmp_path, milter={"sockett": "x"})
    assert done.returncode == 78
    assert "sockett" in done.stderr
