"""`sms-milter doctor` at a real Postfix made of the shipped snippets.

Quiet when all is well; each mistake is found, and gone after the command that it names.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.places import folder, free_port, wait_until
from support.postfix import Postfix
from support.requirements import missing
from support.service import BASE, USER, merged
from support.smsc import Smsc

pytestmark = pytest.mark.mta

COMMAND = str(Path(sys.executable).parent / "sms-milter")
DOMAIN = "sms.example.com"
# What a machine of the tests may lack; nothing of the set-up.
OF_THE_MACHINE = {"clock-sync"}


@dataclass
class Practice:
    """A running Postfix, a socket in the milter's place, and a configuration that fits both."""

    place: Path
    postfix: Postfix
    socket: str
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def directory(self) -> Path:
        return self.place / "postfix" / "config"

    @property
    def listener(self) -> str:
        return f"{self.postfix.ports['sms']}/inet"

    def examine(self, *arguments: str, **settings: Any) -> tuple[int, list[dict[str, str]]]:
        """The exit code, and what it finds."""
        here = {
            "milter": {"socket": self.socket},
            "domains": {
                DOMAIN: {"dialect": "hsl"},
                "strict.sms.example.com": None,
                "small.sms.example.com": None,
            },
            "queue": f"sqlite:{self.place}/queue/queue.db",
            "user": USER,
            "log": {"to": "stderr"},
            "smscs": {"primary": {"host": "127.0.0.1", "port": 9, "password": "secret"}},
            "reports": {"submit_to": f"127.0.0.1:{self.postfix.ports['report']}"},
        }
        whole = merged(merged(yaml.safe_load(BASE.read_text()), here), settings)
        whole["domains"] = {DOMAIN: {"dialect": "hsl"}}
        file = self.place / "sms-milter.yaml"
        file.write_text(yaml.safe_dump(whole))
        command = [COMMAND, "doctor", "--config", str(file), "--postfix", str(self.directory), "--json"]
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=120, check=False
        )
        assert not done.stderr, done.stderr
        found = [one for one in json.loads(done.stdout) if one["name"] not in OF_THE_MACHINE]
        return done.returncode, found

    def postconf(self, *arguments: str) -> None:
        subprocess.run(["postconf", "-c", str(self.directory), *arguments], check=True, capture_output=True)

    def find(self, name: str, severity: str = "critical", **settings: Any) -> dict[str, str]:
        """The only kind of finding there is; it must be that one."""
        _, found = self.examine(**settings)
        assert {(one["name"], one["severity"]) for one in found} == {(name, severity)}, found
        return found[0]

    def mend(self, **settings: Any) -> None:
        """Run the commands of all findings as they are printed; then nothing is wrong any more."""
        _, found = self.examine(**settings)
        for mend in dict.fromkeys(one["mend"] for one in found):
            done = subprocess.run(mend, shell=True, capture_output=True, text=True, check=False)
            assert done.returncode == 0, (mend, done.stderr)
        assert self.examine(**settings)[1] == []


@pytest.fixture(scope="module")
def running() -> Iterator[Practice]:
    if why := missing("postfix"):
        pytest.skip(why)
    with folder("doctor") as place, socket.create_server(("127.0.0.1", 0)) as milter:
        port = milter.getsockname()[1]
        (place / "queue").mkdir()
        if USER:
            shutil.chown(place / "queue", USER)
        (place / "postfix").mkdir()
        with Postfix(place / "postfix", {"sms": f"inet:127.0.0.1:{port}"}) as postfix:
            yield Practice(place, postfix, f"inet:{port}@127.0.0.1")


@pytest.fixture
def practice(running: Practice) -> Iterator[Practice]:
    """The same Postfix for all, with its files as they were."""
    before = {name: (running.directory / name).read_text() for name in ("main.cf", "master.cf")}
    yield running
    for name, text in before.items():
        (running.directory / name).write_text(text)


def test_the_shipped_snippets_are_well(practice: Practice) -> None:
    code, found = practice.examine()
    assert found == []
    assert code in (0, 1)  # 1 where the machine's clock is not synchronised


def with_milter(practice: Practice, change: str, into: str) -> None:
    """Change the entry of our milter in master.cf."""
    path = practice.directory / "master.cf"
    text = path.read_text()
    assert change in text
    path.write_text(text.replace(change, into))


ENTRY = "default_action=tempfail }"
IN_THE_ENTRY = {
    "accept": ("default-action", "critical", "default_action=tempfail", "default_action=accept"),
    "reject": ("default-action", "critical", "default_action=tempfail", "default_action=reject"),
    "quarantine": ("default-action", "critical", "default_action=tempfail", "default_action=quarantine"),
    "unknown to this version": (
        "default-action",
        "critical",
        "default_action=tempfail",
        "default_action=shutdown",
    ),
    "content timeout": ("content-timeout", "critical", "content_timeout=120s", "content_timeout=20s"),
    "command timeout": ("command-timeout", "critical", "command_timeout=30s", "command_timeout=5s"),
    "old protocol": ("protocol", "warning", ENTRY, "default_action=tempfail, protocol=4 }"),
    "no such protocol": ("protocol", "critical", ENTRY, "default_action=tempfail, protocol=7 }"),
}


@pytest.mark.parametrize("case", IN_THE_ENTRY)
def test_each_mistake_in_the_entry_of_our_milter(practice: Practice, case: str) -> None:
    name, severity, right, wrong = IN_THE_ENTRY[case]
    with_milter(practice, right, wrong)
    practice.find(name, severity)
    practice.mend()


OF_SERVICES = {
    "flow delay": ("flow-delay", "critical", "sms-cleanup/unix/in_flow_delay=1s"),
    "size limit of smtpd": ("size-limit", "warning", "{listener}/message_size_limit=10240000"),
    "size limit of cleanup": ("size-limit", "warning", "sms-cleanup/unix/message_size_limit=10240000"),
    "another cleanup": ("no-cleanup", "critical", "{listener}/cleanup_service_name=none-cleanup"),
    "proxy filter": ("proxy-filter", "critical", "{listener}/smtpd_proxy_filter=127.0.0.1:10025"),
    "no milters": ("no-milters", "critical", "{listener}/receive_override_options=no_milters"),
}


@pytest.mark.parametrize("case", OF_SERVICES)
def test_each_mistake_in_a_service(practice: Practice, case: str) -> None:
    name, severity, setting = OF_SERVICES[case]
    practice.postconf("-P", setting.format(listener=practice.listener))
    practice.find(name, severity)
    practice.mend()


IN_MAIN = {
    "error transport": ("fail-safe-route", "critical", "transport_maps=inline:{{" + DOMAIN + "=error:no}}"),
    "retry transport": ("fail-safe-route", "critical", "transport_maps=inline:{{" + DOMAIN + "=retry:no}}"),
    "discard transport": ("fail-safe-route", "critical", "transport_maps=inline:{{" + DOMAIN + "=discard:}}"),
    "delivering transport": (
        "fail-safe-route",
        "critical",
        "transport_maps=inline:{{" + DOMAIN + "=smtp:[::1]}}",
    ),
    "unknown transport": ("fail-safe-route", "critical", "transport_maps=inline:{{" + DOMAIN + "=none:}}"),
    "no transport": ("fail-safe-route", "critical", "transport_maps="),
    "local domain": ("domain-class", "critical", f"mydestination={DOMAIN}, localhost"),
    "mailbox domain": ("domain-class", "critical", f"virtual_mailbox_domains={DOMAIN}"),
    "relay domain": ("domain-class", "warning", f"relay_domains={DOMAIN} other.example"),
    "original recipient": ("original-recipient", "critical", "enable_original_recipient=no"),
    "soft bounce": ("soft-bounce", "warning", "soft_bounce=yes"),
}


@pytest.mark.parametrize("case", IN_MAIN)
def test_each_mistake_in_main_cf(practice: Practice, case: str) -> None:
    name, severity, setting = IN_MAIN[case]
    practice.postconf("-e", setting)
    practice.find(name, severity)
    practice.mend()


def test_a_parent_domain_or_a_pattern_may_have_the_route(practice: Practice) -> None:
    practice.postconf("-e", "transport_maps=inline:{{.example.com=sms-unclaimed:}}")
    assert practice.examine()[1] == []
    (practice.directory / "route").write_text(r"/^[0-9]+@sms\.example\.com$/ sms-unclaimed:" + "\n")
    practice.postconf("-e", f"transport_maps=regexp:{practice.directory}/route")
    assert practice.examine()[1] == []


def test_a_milter_after_ours(practice: Practice) -> None:
    practice.postconf("-P", f"{practice.listener}/smtpd_milters=$sms_milter,inet:127.0.0.1:11332")
    assert "inet:127.0.0.1:11332 runs after" in practice.find("milter-order")["says"]
    practice.mend()


def test_a_milter_before_ours_is_well(practice: Practice) -> None:
    practice.postconf("-P", f"{practice.listener}/smtpd_milters=inet:127.0.0.1:11332,$sms_milter")
    assert practice.examine()[1] == []


def clients(practice: Practice, kind: str, text: str) -> None:
    """Give the listener a table of milters for clients."""
    table = practice.directory / "clients"
    table.write_text(text)
    named = f"{kind}:{table}"
    if kind.endswith("hash"):
        where = ["-c", str(practice.directory)]
        subprocess.run(["postmap", *where, f"hash:{table}"], check=True, capture_output=True)
    practice.postconf("-P", f"{practice.listener}/smtpd_milter_maps={named}")


@pytest.mark.parametrize("kind", ["cidr", "proxy:hash"])
def test_clients_whose_mail_we_are_not_asked_about(practice: Practice, kind: str) -> None:
    clients(practice, kind, "192.0.2.1 DISABLE\n")
    assert "192.0.2.1" in practice.find("client-milters", "warning")["says"]
    clients(practice, kind, f"192.0.2.1 {practice.postfix.milters['sms']}\n")
    assert practice.examine()[1] == []


def test_tables_in_place_and_out_of_reach(practice: Practice) -> None:
    practice.postconf("-P", f"{practice.listener}/smtpd_milter_maps=inline:{{{{192.0.2.1=DISABLE}}}}")
    assert "192.0.2.1" in practice.find("client-milters", "warning")["says"]
    practice.postconf("-P", f"{practice.listener}/smtpd_milter_maps=cidr:/nowhere")
    practice.find("client-milters", "unknown")


def test_nobody_asks_us(practice: Practice) -> None:
    practice.postconf("-P", f"{practice.listener}/smtpd_milters=inet:127.0.0.1:11332")
    found = practice.find("not-asked")
    assert subprocess.run(found["mend"], shell=True, capture_output=True, check=False).returncode == 0
    # Every listener asks now, so the common cleanup and that of the reports matter too.
    _, after = practice.examine()
    assert "not-asked" not in {one["name"] for one in after}


def test_copies_that_discard_does_not_keep(practice: Practice) -> None:
    practice.postconf("-e", "always_bcc=archive@elsewhere.example")
    practice.find("copies", "warning")
    assert practice.examine(milter={"claim": "remove-recipients"})[1] == []


def test_flow_delay_does_not_matter_where_nothing_is_discarded(practice: Practice) -> None:
    practice.postconf("-P", "sms-cleanup/unix/in_flow_delay=1s")
    assert practice.examine(milter={"claim": "remove-recipients"})[1] == []


def test_reports_that_come_back_to_us(practice: Practice) -> None:
    report = f"127.0.0.1:{practice.postfix.ports['report']}/inet"
    entry = re.search(r"\{ sms_milter = (.*) \}$", (practice.directory / "master.cf").read_text(), re.M)
    assert entry is not None
    for setting in (
        f"smtpd_milters={entry[1].replace(' ', '')}", "message_size_limit=10600000",
        "cleanup_service_name=sms-cleanup",
    ):  # fmt: skip
        practice.postconf("-P", f"{report}/{setting}")
    practice.find("reports-through-milter", "warning")
    practice.mend()


def test_a_chrooted_listener_does_not_see_the_socket(practice: Practice) -> None:
    path = practice.place / "milter.sock"
    with socket.socket(socket.AF_UNIX) as milter:
        milter.bind(str(path))
        milter.listen()
        path.chmod(0o666)
        with_milter(practice, practice.postfix.milters["sms"], f"unix:{path}")
        here = {"milter": {"socket": f"unix:{path}"}}
        assert practice.examine(**here)[1] == []
        practice.postconf("-F", f"{practice.listener}/chroot=y")
        assert f"queue{path}" in practice.find("chroot", **here)["says"]
        practice.mend(**here)
        path.chmod(0o600)
        practice.find("socket-permissions", **here)
        path.chmod(0o666)
        practice.place.chmod(0o711)
        assert practice.examine(**here)[1] == []
        practice.place.chmod(0o700)
        assert "socket-directory" in {one["name"] for one in practice.examine(**here)[1]}
        practice.place.chmod(0o755)
    path.unlink()


def test_our_own_side(practice: Practice) -> None:
    port = free_port()
    with_milter(practice, practice.postfix.milters["sms"], f"inet:127.0.0.1:{port}")
    practice.find("milter-down", milter={"socket": f"inet:{port}@127.0.0.1"})


def test_names_and_places(practice: Practice) -> None:
    practice.find("smsc-name", smscs={"primary": {"host": "smsc.invalid", "port": 9, "password": "secret"}})
    practice.find("reports", reports={"submit_to": f"127.0.0.1:{free_port()}"})
    practice.find("queue-directory", queue=f"sqlite:{practice.place}/nowhere/queue.db")


def test_a_bind_is_tried_only_when_asked_for(practice: Practice) -> None:
    nobody = {"primary": {"host": "127.0.0.1", "port": free_port(), "password": "secret"}}
    assert practice.examine(smscs=nobody)[1] == []
    code, found = practice.examine("--bind", smscs=nobody)
    assert (code, [one["name"] for one in found]) == (2, ["smsc-bind"])
    assert "secret" not in str(found)


def test_a_bind_at_an_smsc_of_others(practice: Practice) -> None:
    with Smsc() as smsc:
        there = {"primary": {"host": "127.0.0.1", "port": smsc.port, "password": "secret"}}
        assert practice.examine("--bind", smscs=there)[1] == []
        wait_until(lambda: smsc.bound == 0, "the bind to be given back")


def test_exit_code_of_no_mta_at_all(practice: Practice) -> None:
    code, found = practice.examine("--postfix", str(practice.place / "nowhere"))
    assert [one["severity"] for one in found] == ["unknown"]
    assert code in (1, 3)  # 1 where the machine's clock is not synchronised
    assert practice.examine("--postfix", "/nowhere", "--no-mta")[1] == []


def test_several_mistakes_at_once(practice: Practice) -> None:
    with_milter(practice, "content_timeout=120s", "content_timeout=5s")
    with_milter(practice, ENTRY, "default_action=accept }")
    practice.postconf("-P", f"{practice.listener}/smtpd_milters=$sms_milter,inet:127.0.0.1:11332")
    practice.postconf("-MX", "sms-unclaimed/unix")
    practice.postconf("-P", "sms-cleanup/unix/in_flow_delay=1s")
    names = {one["name"] for one in practice.examine()[1]}
    assert names == {"fail-safe-route", "milter-order", "default-action", "content-timeout", "flow-delay"}
    practice.mend()
