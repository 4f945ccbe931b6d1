"""What people watch the service by, after some seconds in which a little of everything has happened.

Every line of the log has its form, `sms-milter log` joins the MTA's lines with ours, Prometheus is answered,
and what contrib/ brings reads all that with the real fail2ban, logwatch and promtool.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sms_milter.config.secrets import hash_password
from sms_milter.metrics import ALL, exposed
from support.debian_packages import unpacked
from support.expressions import RULES, alerts, names, panels
from support.host import Host
from support.log_forms import forms
from support.places import ROOT, free_port, wait_until
from support.requirements import missing
from support.smtp_dialogue import SmtpDialogue

pytestmark = [pytest.mark.mta, pytest.mark.smsc]

# What the SMSC makes of each number is written in support.smsc.
DELIVERED, EXPIRED, REFUSED, ANSWERING = "447973100000", "447973100003", "447973100011", "447970070707"
GUESSER, STRANGER, CUSTOMER = "192.0.2.66", "192.0.2.99", "192.0.2.60"
ASKS = b"Disposition-Notification-To: x@other.example\r\n"
SHOP = {
    "require": ["password"],
    "logins": {"login": "shop"},
    "password_hash": hash_password("secret"),
    "default_originator": "SHOP",
}
SETTINGS: dict[str, Any] = {
    "domains": {"send.example": {"dialect": "smscentre"}},
    "accounts": {
        "open": {"clients": [CUSTOMER], "senders": ["*"], "default_originator": "+447700900001"},
        "shop": SHOP,
    },
    "limits": {"failed_logins": {"count": 3}},
    "reports": {"mailbox": "replies@customer.example"},
}


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """A service that has seen a little of everything; its log is complete."""
    if why := missing("postfix"):
        pytest.skip(why)
    port = free_port()
    with Host(settings={**SETTINGS, "metrics": {"listen": f"127.0.0.1:{port}"}}) as host:
        host.service.configuration["reports"]["submit_to"] = f"127.0.0.1:{host.postfix.ports['report']}"
        host.start()
        live(host)
        yield host


def live(host: Host) -> None:
    recipients = [f"{number}@sms.example.com" for number in (DELIVERED, EXPIRED, REFUSED, ANSWERING)]
    send(host, CUSTOMER, "bob@customer.example", recipients, ASKS + b"\r\nHello\r\n")
    send(host, STRANGER, '"x, denied=wrong password"@customer.example', recipients[:1], b"\r\nHello\r\n")
    for login in ("shop:guess", "shop:again", "nobody:guess"):
        text = f"\r\n{login}:::,,:{DELIVERED}:Hello\r\n".encode()
        send(host, GUESSER, '"y, client=[192.0.2.1], z"@customer.example', ["send@send.example"], text)
    wait_until(lambda: host.service.log.count("status=report sent") == 5, "four reports and an answer", 30)
    # Each role hands on what it has counted every second; what is killed before has counted for nobody.
    last = {
        ("sms_milter_reports_total", "sent"): 5,
        ("sms_milter_receipts_total", "delivered", "primary"): 2,
        ("sms_milter_mobile_messages_total", "primary"): 1,
    }
    wait_until(lambda: last.items() <= counted(host).items(), "the counts")
    host.service.reload()
    host.service.kill("dispatch")
    wait_until(lambda: host.service.log.count(": bound to ") > 1, "the dispatcher to be back", 30)
    bind = "sms_milter_link_up", "primary", "primary/1"
    wait_until(lambda: counted(host).get(bind) == 1, "the bind to be shown")


def send(host: Host, client: str, sender: str, recipients: list[str], data: bytes) -> None:
    dialogue = SmtpDialogue(host.port)
    dialogue.greet(as_client=client)
    dialogue.mail(sender, recipients, data)
    dialogue.close()


def scrape(host: Host) -> str:
    where = host.service.configuration["metrics"]["listen"]
    with urllib.request.urlopen(f"http://{where}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def counted(host: Host) -> dict[tuple[str, ...], float]:
    """Samples by name and the values of their labels, in alphabetical order."""
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(scrape(host))
        for sample in family.samples
    }


def messages(log: str) -> list[str]:
    """What our programs wrote, without what syslog writes before it."""
    return re.findall(r"^\w{3} [ \d]\d [\d:]{8} sms-milter/\w+\[\d+\]: (.*)$", log, re.MULTILINE)


def test_every_line_is_documented(host: Host) -> None:
    written = messages(host.service.log)
    assert len(written) > 25
    telling = [form for form in forms() if not form.empty]
    strange = []
    for text in written:
        found = re.fullmatch(r"(?:(warning|error|critical): )?(.*)", text)
        assert found is not None
        severity = found[1] or "info"
        if not any(form.severity == severity and form.whole.fullmatch(found[2]) for form in telling):
            strange.append(text)
    # How a link came to be down is in the SMSC's words, or the system's.
    assert [one for one in strange if " bind=" not in one] == []


def test_the_story_of_a_mail_has_the_mtas_lines_too(host: Host, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.log", tmp_path / "mail.log"
    ours.write_text(host.service.log)
    theirs.write_text(host.postfix.log)
    found = re.search(rf"\]: (\w+): to={DELIVERED}, .*status=accepted", host.service.log)
    assert found is not None
    by_id, by_number = (
        story(how, ours, theirs) for how in (("--mail", found[1]), ("--number", f"+{DELIVERED}"))
    )
    for text in (by_id, by_number):
        assert f"{found[1]}: client=" in text  # Postfix's, and ours
        assert re.search(rf"postfix/.*{found[1]}: milter-discard: END-OF-MESSAGE", text)
        assert f"{found[1]}: to={DELIVERED}, " in text
        assert "status=delivered (stat=DELIVRD" in text
        queued = re.search(rf"about={DELIVERED}, .*queued as (\w+), status=report sent \(delivered\)", text)
        assert queued is not None
        assert re.search(rf"postfix/smtp\[\d+\]: {queued[1]}: to=<bob@customer.example>, .*status=sent", text)
    assert f"to={REFUSED}" in by_id
    assert f"to={REFUSED}" not in by_number


def story(how: tuple[str, str], *logs: Path) -> str:
    command = [str(Path(sys.executable).parent / "sms-milter"), "log", *how, *map(str, logs)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_prometheus_is_told(host: Host) -> None:
    told = counted(host)
    assert told["sms_milter_mails_total", "discard", "hsl"] == 1
    assert told["sms_milter_refusals_total", "550 5.7.1", "rcpt"] == 1
    assert told["sms_milter_login_blocks_total",] == 1
    assert sum(value for (name, *_), value in told.items() if name == "sms_milter_mails_total") == 4
    assert told["sms_milter_parts_total", "accepted", "primary"] == 3
    assert told["sms_milter_parts_total", "primary", "refused"] == 1
    assert told["sms_milter_command_statuses_total", "RINVDSTADR", "primary"] == 1
    assert told["sms_milter_response_seconds_count", "primary"] == 3
    assert told["sms_milter_receipts_total", "delivered", "primary"] == 2
    assert told["sms_milter_receipts_total", "expired", "primary"] == 1
    assert told["sms_milter_mobile_messages_total", "primary"] == 1
    assert told["sms_milter_commit_seconds_count",] >= 1
    assert told["sms_milter_stored_parts", "delivered"] == 2
    assert told["sms_milter_link_up", "primary", "primary/1"] == 1
    assert told["sms_milter_dispatchers",] == 1
    assert sum(value for (name, *_), value in told.items() if name == "sms_milter_smsc_limited") == 1


def test_dashboard_and_alerts_ask_for_what_there_is(host: Host) -> None:
    there = set(re.findall(r"^# TYPE (\w+) ", scrape(host), re.MULTILINE))
    there |= {name for one in ALL for name in exposed(one) if one.name in there}
    assert {name for one in ALL for name in exposed(one)} <= there
    for text in (*alerts(), *panels()):
        assert names(text) <= there


def test_promtool_finds_nothing_wrong(host: Host, tmp_path: Path) -> None:
    root = unpacked("prometheus", "usr/bin/promtool")
    if root is None:
        pytest.skip("Debian's package prometheus cannot be downloaded")
    rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(panels())]
    dashboard = tmp_path / "dashboard.yml"
    dashboard.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool = str(root / "usr/bin/promtool")
    for words, given in (
        (["check", "rules", str(RULES), str(dashboard)], ""),
        (["check", "metrics"], scrape(host)),
    ):
        done = subprocess.run([promtool, *words], input=given, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_the_check_of_nagios(host: Host) -> None:
    said = host.service.command("status", "--check")
    assert said.startswith("SMS-MILTER OK - 1 of 1 binds stand, 0 parts wait")


def test_fail2ban_finds_who_guesses_and_nobody_else(host: Host, tmp_path: Path) -> None:
    root = unpacked("fail2ban", "usr/bin/fail2ban-regex")
    if root is None:
        pytest.skip("Debian's package fail2ban cannot be downloaded")
    log = tmp_path / "mail.log"
    log.write_text(with_host(host.service.log))
    shutil.copytree(root / "etc/fail2ban", tmp_path / "etc")
    shutil.copy(ROOT / "contrib/fail2ban/filter.d/sms-milter.conf", tmp_path / "etc/filter.d")
    for mode, clients in (("normal", [GUESSER] * 3), ("aggressive", [STRANGER, *[GUESSER] * 3])):
        done = subprocess.run(
            [
                *(
                    "/usr/bin/python3",
                    str(root / "usr/bin/fail2ban-regex"),
                    "--config",
                    str(tmp_path / "etc"),
                ),
                *("--out", "ip", str(log), f"sms-milter[mode={mode}]"),
            ],
            env={"PYTHONPATH": str(root / "usr/lib/python3/dist-packages"), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
        )
        assert done.stdout.split() == clients, done.stdout + done.stderr


def with_host(log: str) -> str:
    """As syslog writes it: with the host's name."""
    return re.sub(r"^(\w{3} [ \d]\d [\d:]{8}) ", rf"\1 {socket.gethostname()} ", log, flags=re.MULTILINE)


def test_logwatch_tells_the_day(host: Host, tmp_path: Path) -> None:
    root = unpacked("logwatch", "usr/share/logwatch/scripts/logwatch.pl")
    if root is None:
        pytest.skip("Debian's package logwatch cannot be downloaded")
    (tmp_path / "log").mkdir()
    (tmp_path / "log/mail.log").write_text(with_host(host.service.log) + host.postfix.log)
    (tmp_path / "cache").mkdir()
    shutil.copytree(ROOT / "contrib/logwatch", tmp_path / "etc")
    script = (root / "usr/share/logwatch/scripts/logwatch.pl").read_text()
    script = script.replace("/usr/share/logwatch", f"{root}/usr/share/logwatch")
    script = script.replace('"/etc/logwatch"', f'"{tmp_path}/etc"').replace(
        "/var/cache/logwatch", f"{tmp_path}/cache"
    )
    (tmp_path / "logwatch.pl").write_text(script)
    done = subprocess.run(
        [
            *("perl", str(tmp_path / "logwatch.pl"), "--service", "sms-milter", "--range", "all"),
            *("--logdir", str(tmp_path / "log"), "--output", "stdout", "--format", "text"),
        ],
        capture_output=True,
        text=True,
    )
    told = {" ".join(line.split()) for line in done.stdout.splitlines()}
    assert {
        "1 open by hsl: discard",
        "1 -: 550 5.7.1 not authorised",
        "3 primary: accepted",
        "1 primary: refused (RINVDSTADR 0x0000000B (destination address invalid))",
        "2 primary: delivered",
        "1 primary: expired",
        "5 sent",
        "1 received",
        "2 bound to primary",
        "1 reloaded",
    } <= told, done.stdout + done.stderr
    assert any(line.startswith("1 warning: login=client") for line in told), done.stdout
