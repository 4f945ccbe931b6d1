"""The Debian package in a Debian of its own, with systemd as it is there: built, installed, run, removed.

The machine is one for all tests here, in their order; the last one takes the package away.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.machine import Debian, Machine, why_not
from support.places import ROOT, folder, wait_until
from support.requirements import program

pytestmark = [
    pytest.mark.slow,
    pytest.mark.package,
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]

CONFIGURATION = "/etc/sms-milter/sms-milter.yaml"
EXAMPLES = "/usr/share/doc/sms-milter/examples"
MAIL = """
import smtplib
mail = (b"From: root@acme.example\\r\\nTo: 447973100000@sms.example.com\\r\\nSubject: db3\\r\\n"
    b"Disposition-Notification-To: root@acme.example\\r\\n\\r\\nDisk /var is full.\\r\\n")
with smtplib.SMTP("127.0.0.1", 2525, timeout=30) as client:
    client.ehlo()
    for command in ("MAIL FROM:<root@acme.example>", "RCPT TO:<447973100000@sms.example.com>", "DATA"):
        code, text = client.docmd(command)
        assert code < 400, (command, code, text)
    client.send(mail + b".\\r\\n")
    code, text = client.getreply()
    assert code == 250, (code, text)
    print(text.decode().split()[-1])
"""
# Where Postfix takes mail for root itself, and delivers no other.
LOCAL_MAIL = "myhostname=acme.example mydestination=acme.example alias_maps= default_transport=error:"


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with folder("package", large=True) as path:
        yield path


@pytest.fixture(scope="module")
def debian(bare_debian: Debian, place: Path) -> Debian:
    fresh = bare_debian.copied(place / "root")
    install = "apt-get install --yes --no-install-recommends dbus systemd systemd-sysv"
    fresh.run(f"apt-get update && {install}", keep=True)
    return fresh


@pytest.fixture(scope="module")
def machine(debian: Debian, packages: Path) -> Iterator[Machine]:
    """A Debian with Postfix and the package, installed as README says."""
    binds = {packages: "/packages"}
    install = "apt-get install --yes --no-install-recommends postfix /packages/sms-milter_*.deb"
    debian.run(f"{install} --download-only", binds, keep=True)
    with debian.booted(binds) as running:
        running.shell(f"{install}")
        yield running


def ours(machine: Machine) -> dict[str, str]:
    return machine.unit("sms-milter")


def test_lintian_has_nothing_to_say(packages: Path) -> None:
    changes = next(packages.glob("*.changes"))
    command = [program("lintian"), "--allow-root", "--fail-on=error,warning", str(changes)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_source_package_has_all_that_the_build_needs(packages: Path) -> None:
    wheels = subprocess.run(
        ["tar", "-tzf", str(next(packages.glob("*.orig-wheels.tar.gz")))],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    wanted = re.findall(r"^([\w-]+)==", (ROOT / "deploy/debian/vendored.txt").read_text(), re.MULTILINE)
    assert len(wanted) > 5
    for name in wanted:
        assert f"wheels/{name.replace('-', '_')}-" in wheels


def test_installed_it_runs_and_takes_no_mail_yet(machine: Machine) -> None:
    assert machine.run("sms-milter", "check") == f"{CONFIGURATION}: no faults\n"
    state = ours(machine)
    assert (state["ActiveState"], state["UnitFileState"], state["Type"]) == ("active", "enabled", "notify")
    assert re.fullmatch(
        r"dispatch, (milter/\d, )+milter/\d running|dispatch, milter/0 running", state["StatusText"]
    )
    stat = machine.run("stat", "--format=%U:%G %a", "/etc/sms-milter", CONFIGURATION, "/var/lib/sms-milter")
    assert stat.splitlines() == ["root:sms-milter 750", "root:sms-milter 640", "sms-milter:sms-milter 750"]
    for page in ("man5/sms-milter.yaml.5", "man8/sms-milter.8", "man8/sms-milter-queue.8"):
        machine.run("test", "-s", f"/usr/share/man/{page}.gz")


def test_a_mail_becomes_an_sms_and_its_report_comes_back(machine: Machine) -> None:
    machine.run(
        "systemd-run", "--unit=smsc", "sms-milter", "simulate", "--system-id", "acme", "--password", "secret"
    )
    machine.run(
        "install",
        "-m",
        "640",
        "-g",
        "sms-milter",
        "/dev/stdin",
        "/etc/sms-milter/primary.secret",
        data="secret\n",
    )
    machine.run("sed", "--in-place", "/^milter:/,$ s/^#//", CONFIGURATION)
    machine.run("sms-milter", "check")
    machine.run("systemctl", "reload", "sms-milter")
    machine.shell(
        f"postconf -e {' '.join(repr(word) for word in LOCAL_MAIL.split())}\n"
        f"cat {EXAMPLES}/postfix/main.cf >>/etc/postfix/main.cf\n"
        f"cat {EXAMPLES}/postfix/master.cf >>/etc/postfix/master.cf\n"
        "systemctl restart postfix"
    )
    send_and_see(machine)
    wait_until(
        lambda: "Disk" not in mailbox(machine) and "447973100000" in mailbox(machine), "the report", 30
    )


def send_and_see(machine: Machine) -> None:
    """A mail over Postfix's listener for SMS, until the SMSC's receipt."""
    wait_until(
        lambda: machine.status("bash", "-c", ": </dev/tcp/127.0.0.1/2525") == 0, "Postfix to listen", 20
    )
    queue_id = machine.run("python3", "-", data=MAIL).strip()
    wait_until(
        lambda: "state: delivered" in machine.run("sms-milter", "queue", "show", queue_id, check=False),
        "the receipt",
        30,
    )


def mailbox(machine: Machine) -> str:
    return machine.shell("cat /var/mail/root 2>/dev/null || true")


def test_no_process_of_it_may_do_what_it_need_not(machine: Machine) -> None:
    main = ours(machine)["MainPID"]
    user = machine.run("id", "--user", "sms-milter").strip()
    children = machine.run("cat", f"/proc/{main}/task/{main}/children").split()
    assert len(children) >= 3
    for process in (main, *children):
        shown = machine.run("cat", f"/proc/{process}/status")
        facts = {
            name: value.split() for name, _, value in (line.partition(":") for line in shown.splitlines())
        }
        assert facts["Uid"] == [user] * 4
        assert (
            facts["CapPrm"] == facts["CapEff"] == facts["CapBnd"] == facts["CapAmb"] == ["0000000000000000"]
        )
        assert (facts["NoNewPrivs"], facts["Seccomp"]) == (["1"], ["2"])
    inside = ["nsenter", "--mount", f"--target={main}"]
    for place in ("/usr", "/etc/sms-milter", "/opt", "/var/lib"):
        assert machine.status(*inside, "touch", f"{place}/new") != 0
    assert machine.run(*inside, "ls", "/home", "/root") == "/home:\n\n/root:\n"
    assert "kmsg" not in machine.run(*inside, "ls", "/dev")


PAGE = """
import socket
with socket.socket(socket.AF_UNIX) as link:
    link.connect("/run/sms-milter-web/web.sock")
    link.sendall(b"GET /login HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n")
    print(link.makefile().read())
"""


def test_the_status_page_is_off_until_it_is_wanted(machine: Machine) -> None:
    state = machine.unit("sms-milter-web")
    assert (state["ActiveState"], state["UnitFileState"]) == ("inactive", "disabled")
    machine.shell(f"cp {CONFIGURATION} /root/good.yaml")
    machine.shell(
        "echo secret | sms-milter hash-password |"
        " install -m 640 -g sms-milter /dev/stdin /etc/sms-milter/web.secret\n"
        f"cat >>{CONFIGURATION} <<END\n"
        "web:\n"
        "  listen: unix:/run/sms-milter-web/web.sock\n"
        "  password_hash_file: /etc/sms-milter/web.secret\n"
        "END\n"
        "sms-milter check\n"
        "systemctl start sms-milter-web"
    )
    wait_until(
        lambda: machine.status("test", "-S", "/run/sms-milter-web/web.sock") == 0, "the page to be served", 20
    )
    assert "<h1>Status page</h1>" in machine.run("python3", "-", data=PAGE)
    machine.run("systemctl", "stop", "sms-milter-web")
    state = machine.unit("sms-milter-web")
    assert (state["ActiveState"], state["ExecMainStatus"], state["NRestarts"]) == ("inactive", "0", "0")
    machine.shell(f"cp /root/good.yaml {CONFIGURATION}; rm /etc/sms-milter/web.secret")


def test_postgresql_can_be_asked_where_no_memory_may_be_written_and_executed(machine: Machine) -> None:
    """psycopg lets libpq call it back, by libffi."""
    ask = (
        "import sys; sys.path.insert(0, '/usr/lib/sms-milter')\n"
        "import psycopg; psycopg.connect('host=127.0.0.1 port=1')"
    )
    sandbox = (
        "--quiet",
        "--pipe",
        "--wait",
        "--property=MemoryDenyWriteExecute=yes",
        "--property=User=sms-milter",
    )
    said = machine.shell(f"systemd-run {' '.join(sandbox)} python3 -I -c {shlex.quote(ask)} 2>&1 || true")
    assert "psycopg.OperationalError: connection failed" in said
    assert "refused" in said


def test_a_reload_waits_for_the_service_and_a_bad_file_is_refused(machine: Machine) -> None:
    main = ours(machine)["MainPID"]
    machine.shell(f"cp {CONFIGURATION} /root/good.yaml; echo nonsense: true >>{CONFIGURATION}")
    assert machine.status("systemctl", "reload", "sms-milter") != 0
    machine.run("systemctl", "kill", "--kill-whom=main", "--signal=HUP", "sms-milter")
    wait_until(lambda: "reload refused" in ours(machine)["StatusText"], "the refusal to be shown")
    machine.run("cp", "/root/good.yaml", CONFIGURATION)
    machine.run("systemctl", "reload", "sms-milter")
    wait_until(lambda: "refused" not in ours(machine)["StatusText"], "the reload to be shown")
    assert ours(machine)["MainPID"] == main
    assert ours(machine)["ActiveState"] == "active"


def test_the_mtas_group_may_have_the_socket(machine: Machine) -> None:
    drop_in = "/etc/systemd/system/sms-milter.service.d/socket.conf"
    machine.run(
        "install", "-D", "-m", "644", "/dev/stdin", drop_in, data="[Service]\nSupplementaryGroups=postfix\n"
    )
    socket = "unix:/run/sms-milter/milter.sock\\n  socket_group: postfix"
    machine.run("sed", "--in-place", f"s|inet:8891@127.0.0.1|{socket}|", CONFIGURATION)
    machine.run(
        "sed", "--in-place", "s|inet:127.0.0.1:8891|unix:/run/sms-milter/milter.sock|", "/etc/postfix/main.cf"
    )
    machine.shell("systemctl daemon-reload; systemctl restart sms-milter; postfix reload")
    stat = machine.run("stat", "--format=%U:%G %a", "/run/sms-milter/milter.sock")
    assert stat == "sms-milter:postfix 660\n"
    send_and_see(machine)


def test_a_service_that_hangs_is_started_again(machine: Machine) -> None:
    drop_in = "/etc/systemd/system/sms-milter.service.d/watchdog.conf"
    machine.run(
        "install", "-m", "644", "/dev/stdin", drop_in, data="[Service]\nWatchdogSec=2\nTimeoutAbortSec=2\n"
    )
    machine.shell("systemctl daemon-reload; systemctl restart sms-milter")
    main = ours(machine)["MainPID"]
    time.sleep(3)  # longer than it waits
    assert ours(machine)["MainPID"] == main
    machine.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "sms-milter")
    wait_until(lambda: ours(machine)["NRestarts"] == "1", "systemd to start it again", 30)
    machine.shell(f"rm {drop_in}; systemctl daemon-reload; systemctl restart sms-milter")
    assert "Watchdog timeout" in machine.run("journalctl", "--unit=sms-milter", "--output=cat")
    send_and_see(machine)


def test_faults_in_the_configuration_are_no_reason_to_try_for_ever(machine: Machine) -> None:
    machine.shell(f"cp {CONFIGURATION} /root/good.yaml; echo nonsense: true >>{CONFIGURATION}")
    assert machine.status("systemctl", "restart", "sms-milter") != 0
    state = ours(machine)
    assert (state["ActiveState"], state["NRestarts"], state["ExecMainStatus"]) == ("failed", "0", "78")
    assert "nonsense" in machine.run("journalctl", "--unit=sms-milter", "--lines=20", "--output=cat")
    machine.run("cp", "/root/good.yaml", CONFIGURATION)
    machine.run("systemctl", "start", "sms-milter")


def test_an_upgrade_is_taken_by_the_running_service(machine: Machine) -> None:
    main = ours(machine)["MainPID"]
    machine.shell("apt-get install --yes --reinstall /packages/sms-milter_*.deb")
    log = ("journalctl", "--unit=sms-milter", "--output=cat")
    wait_until(lambda: "upgraded, version" in machine.run(*log), "the upgrade", 20)
    assert (ours(machine)["MainPID"], ours(machine)["ActiveState"]) == (main, "active")
    machine.run("cmp", CONFIGURATION, "/root/good.yaml")
    send_and_see(machine)


def test_removed_it_leaves_the_configuration_and_purged_nothing(machine: Machine) -> None:
    queue = "/var/lib/sms-milter/queue.db"
    machine.run("systemctl", "stop", "smsc")
    machine.run(
        "rm", "/etc/sms-milter/primary.secret", "--recursive", "/etc/systemd/system/sms-milter.service.d"
    )
    machine.run("apt-get", "remove", "--yes", "sms-milter")
    assert "sms-milter" not in machine.shell("cat /proc/[0-9]*/cmdline 2>/dev/null || true")
    machine.run("test", "-e", CONFIGURATION, "-a", "-e", queue, "-a", "!", "-e", "/usr/lib/sms-milter")
    machine.run("apt-get", "purge", "--yes", "sms-milter")
    left = machine.shell(
        "find / -xdev -name '*sms-milter*' -not -path '/proc/*' -not -path '/packages/*'"
    ).splitlines()
    assert [path for path in left if not path.startswith(("/var/log/", "/var/lib/apt/", "/var/cache/"))] == []
