"""docs/install-postfix.md and docs/install-sendmail.md from top to bottom, each command as it is printed:
beside Debian's Postfix, and then beside Debian's Sendmail in its place.

Done in a machine of its own. Instead of systemd a few lines of shell do what its unit says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.host_copy import Machine, unavailable
from support.opendkim import OpenDkim
from support.places import ROOT, accepts, folder, wait_until
from support.requirements import missing
from support.smtp_dialogue import SmtpDialogue

pytestmark = [pytest.mark.mta, pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "-")]

# What Debian's Postfix asks at its installation, and a log without syslog.
POSTFIX = """
cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf
postconf -e myhostname=mail.example.com 'mydestination=$myhostname, localhost' mynetworks=127.0.0.0/8
postconf -e maillog_file=/var/log/mail.log compatibility_level=3.6 alias_maps= \
    'transport_maps=inline:{{elsewhere.example=discard:}}'
postfix start
"""
SYSTEMCTL = r"""#!/bin/bash
unit=/etc/systemd/system/sms-milter.service
said() { sed -n "s/^$1=//p" $unit; }
start() {
    install -d -o "$(said User)" -m "$(said RuntimeDirectoryMode)" "/run/$(said RuntimeDirectory)"
    (cd / && exec runuser -u "$(said User)" -- $(said ExecStart)) >>/var/log/service.log 2>&1 </dev/null &
    echo $! >/run/service.pid
}
running() { [ -n "$(tr -d "\\0" 2>/dev/null <"/proc/$(cat /run/service.pid)/cmdline")" ]; } # nobody reaps it
stop() {
    kill "$(cat /run/service.pid)"
    while running; do sleep 0.1; done
}
case "$*" in
daemon-reload) ;;
'enable --now sms-milter') start ;;
'disable --now sms-milter') stop ;;
'restart sms-milter') if running; then stop; fi; start ;;
'restart sendmail') /etc/init.d/sendmail restart ;;
*) echo "not known here: systemctl $*" >&2; exit 1 ;;
esac
"""
# Debian's Sendmail, which asks files what others ask the DNS; nothing starts it but we.
SENDMAIL = """
postfix stop
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
echo '127.0.0.1 mail.example.com localhost' >/etc/hosts
echo '192.0.2.7 acme.example' >>/etc/hosts
echo '192.0.2.8 sms.example.com' >>/etc/hosts
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends sendmail-bin sendmail-cf m4 make
cp /etc/mail/service.switch-nodns /etc/mail/service.switch
"""
BEFORE = ["1. Install", "2. Configure", "3. Start", "4. Connect Postfix", "5. Examine"]
EVERY, SOME, ALONE = (
    "The ordinary listeners and sendmail(1)",
    "The ordinary listeners, for some clients",
    "A server for SMS alone",
)
WELL = "sms-milter: no findings\n"
SENDER, DOMAIN = "alerts@acme.example", "sms.example.com"


def printed(page: Path) -> dict[str, list[str]]:
    """The commands of a page, by the heading that they stand below."""
    found: dict[str, list[str]] = {}
    for title, text in re.findall(r"^#+ (.+)\n((?:(?!#+ ).*\n?)*)", page.read_text(), re.M):
        if commands := re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S):
            found[title] = commands
    return found


PAGE = printed(ROOT / "docs" / "install-postfix.md")
BESIDE_SENDMAIL = printed(ROOT / "docs" / "install-sendmail.md")


class Installed:
    """The machine once sections 1 to 5 are done, with a phone that shows each SMS."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def do(self, title: str, page: Mapping[str, Sequence[str]] = PAGE) -> str:
        """Type the commands of a section; what they print."""
        online = title == BEFORE[0]
        return "".join(self.machine.run(command, online=online).stdout for command in page[title])

    def listens(self, port: int) -> None:
        wait_until(lambda: self.machine.inside(lambda: accepts(port)), f"port {port} to be open")

    def phone(self, number: str, text: str) -> None:
        """Wait for that SMS."""
        shown = re.compile(rf"{number}\b[^→]*{re.escape(text)}", re.S)
        wait_until(lambda: shown.search(self.machine.text("/tmp/phone")), f"an SMS to {number}: {text}")

    def mail(self, port: int, number: str, source: str = "", tls: bool = False) -> str:
        """A mail of that client; the last reply."""

        def talk() -> str:
            client = SmtpDialogue(port, source=source)
            client.greet()
            if tls:
                assert client.say("STARTTLS").startswith("220")
                client.start_tls()
                client.say("EHLO tests.example")
            *_, last = client.mail(SENDER, [f"{number}@{DOMAIN}"], b"Subject: to you\r\n\r\n")
            client.close()
            return last

        return self.machine.inside(talk)

    def afresh(self) -> None:
        """Postfix as it was after section 5."""
        self.machine.run(
            "postfix stop; rm -rf /etc/postfix && cp -a /etc/postfix.done /etc/postfix; postfix start"
        )
        self.listens(25)


@pytest.fixture(scope="module")
def installed() -> Iterator[Installed]:
    if why := missing("postfix"):
        pytest.skip(why)
    with Machine() as machine:
        host = Installed(machine)
        machine.path("/usr/local/bin/systemctl").write_text(SYSTEMCTL)
        machine.run("chmod 755 /usr/local/bin/systemctl")
        machine.run(POSTFIX)
        for title in BEFORE[:2]:
            host.do(title)
        machine.start("exec sms-milter simulate", "/tmp/phone")
        host.do(BEFORE[2])
        host.listens(8891)
        host.do(BEFORE[3])
        host.listens(2525)
        machine.run("cp -a /etc/postfix /etc/postfix.done")
        yield host


def test_each_section_with_commands_is_run_here() -> None:
    done = [*BEFORE, "6. The first SMS", EVERY, SOME, ALONE, "Out of the way again"]
    assert list(PAGE) == done


def test_the_configuration_is_explained_and_doctor_finds_nothing(installed: Installed) -> None:
    assert "447973100000" in installed.machine.run(PAGE[BEFORE[1]][-1]).stdout
    assert installed.do(BEFORE[4]) == WELL
    assert installed.machine.run("postconf -h transport_maps").stdout.split() == [
        "$sms_unclaimed",
        "inline:{{elsewhere.example=discard:}}",
    ]


def test_the_first_sms(installed: Installed) -> None:
    installed.do("6. The first SMS")
    installed.phone("447973100000", "db3: disk /var is full")


def test_the_ordinary_listeners(installed: Installed) -> None:
    installed.afresh()
    with ExitStack() as stack:
        place = stack.enter_context(folder("dkim"))
        dkim = OpenDkim(place)
        installed.machine.inside(dkim.__enter__)
        stack.push(dkim.__exit__)
        installed.machine.run(f"postconf -e smtpd_milters=inet:127.0.0.1:{dkim.port}")
        installed.do(EVERY)
        asked = installed.machine.run("postconf -hx smtpd_milters").stdout
        assert re.match(rf"inet:127\.0\.0\.1:{dkim.port}, \{{ inet:127\.0\.0\.1:8891,", asked)
        assert installed.do(BEFORE[4]) == WELL
        assert installed.mail(25, "447973100001").startswith("250")
        installed.phone("447973100001", "to you")
        installed.machine.run(
            f"printf 'Subject: from here\\n\\n' | sendmail -f {SENDER} 447973100002@{DOMAIN}", check=True
        )
        installed.phone("447973100002", "from here")


def test_some_clients(installed: Installed) -> None:
    installed.afresh()
    installed.do(SOME)
    assert installed.do(BEFORE[4]) == WELL
    assert installed.mail(25, "447973100003", source="127.0.2.5").startswith("250")
    installed.phone("447973100003", "to you")
    assert installed.mail(25, "447973100004", source="127.0.3.5").startswith("250")
    wait_until(
        lambda: "447973100004" in installed.machine.run("postqueue -j").stdout, "mail on the fail-safe route"
    )
    assert "447973100004" not in installed.machine.text("/tmp/phone")


def test_a_server_for_sms_alone(installed: Installed) -> None:
    installed.afresh()
    installed.do(ALONE)
    installed.listens(587)
    assert installed.do(BEFORE[4]) == WELL
    for port, number in ((25, "447973100005"), (587, "447973100006")):
        assert installed.mail(port, number, tls=True).startswith("250")
        installed.phone(number, "to you")
    assert not installed.machine.inside(lambda: accepts(2525))


def test_out_of_the_way_again(installed: Installed) -> None:
    installed.afresh()
    installed.do("Out of the way again")
    assert installed.machine.inside(lambda: accepts(25))
    assert not installed.machine.inside(lambda: accepts(2525))


def test_beside_sendmail(installed: Installed) -> None:
    """The last one: Postfix is gone then."""
    machine = installed.machine
    machine.run(SENDMAIL, online=True)
    where, connect, first = BESIDE_SENDMAIL
    installed.do(where, BESIDE_SENDMAIL)
    wait_until(machine.path("/run/sms-milter/milter.sock").exists, "the milter's socket")
    installed.do(connect, BESIDE_SENDMAIL)
    installed.listens(25)
    said = installed.do(first, BESIDE_SENDMAIL)
    assert said.startswith(WELL), said
    installed.phone("447973100000", "(db3) disk /var is full")
    assert installed.mail(25, "447973100007", source="127.0.2.5").startswith("250")
    installed.phone("447973100007", "to you")
