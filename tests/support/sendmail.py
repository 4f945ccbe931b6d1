"""A private Sendmail from Debian's packages, unpacked beside Postfix and not installed.

Runs as root in its own UTS and mount namespaces (its host is mx.sms.test there, no DNS is asked), with the
snippet that an operator includes (deploy/sendmail). It only queues: what it would deliver stays in its queue.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from support import debian_packages
from support.places import DEPLOY, accepts, free_port, wait_until
from support.postfix import WaitingMail
from support.sendmail_packages import libraries, program, unpacked

_DEFAULT_DOMAIN = "sms.example.com"  # as it stands in the snippet
_HOST = "mx.sms.test"
_SASLPASSWD = "usr/sbin/saslpasswd2"
_LOGIN = """define(`confAUTH_MECHANISMS', `PLAIN')dnl
TRUST_AUTH_MECH(`PLAIN')dnl
"""
_TABLES = """
FEATURE(`mailertable', `hash {here}/mailertable')dnl
FEATURE(`access_db', `hash -T<TMPF> {here}/access')dnl
"""


@dataclass
class Sendmail:
    """`milters`: listener name to milter socket, Sendmail's notation (`inet:8891@127.0.0.1`, `unix:/path`).

    `before` are other milters, asked first. With `tables` mailertable and access name our domains in place of
    rules in sendmail.cf. After the start `ports` holds a listener for each of `milters`, and "every", an
    ordinary one without a milter. `users` may log in (AUTH PLAIN) with these passwords.
    """

    directory: Path
    milters: Mapping[str, str]
    domains: Sequence[str] = (_DEFAULT_DOMAIN,)
    before: Mapping[str, str] = field(default_factory=dict)
    tables: bool = False
    mc: str = ""  # more of sendmail.mc
    users: Mapping[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Sendmail:
        root = unpacked()
        assert root is not None, "Debian's sendmail packages cannot be downloaded"
        self._root = root
        self._write()
        self._process = self._start("-bD", "-d0")
        try:
            wait_until(lambda: self._ended or all(map(accepts, self.ports.values())), "Sendmail to listen")
            assert not self._ended, f"Sendmail does not start:\n{self.log}"
        except AssertionError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if not self._ended:
            os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait()

    def queue(self) -> list[WaitingMail]:
        """What is in the queue now, ordinary mail included."""
        return [_waiting(path) for path in sorted((self.directory / "queue").glob("qf*"))]

    def content(self, mail: WaitingMail) -> bytes:
        """The body of a waiting mail."""
        return (self.directory / "queue" / f"df{mail.queue_id}").read_bytes()

    def run_queue(self, domain: str) -> None:
        """Try to deliver what waits for `domain`."""
        self._start("-v", f"-qR{domain}").wait(30)

    def empty(self) -> None:
        """Throw away whatever waits."""
        for path in (self.directory / "queue").iterdir():
            path.unlink(missing_ok=True)

    @property
    def log(self) -> str:
        """What it printed; Sendmail logs to syslog, which nobody reads here."""
        return (self.directory / "output").read_text(errors="replace")

    @property
    def _ended(self) -> bool:
        return self._process.poll() is not None

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        files = self.directory
        script = f"hostname {_HOST} && " + " && ".join(
            f"mount --bind {files}/{name} /etc/{name}" for name in ("hosts", "nsswitch.conf", "resolv.conf")
        )
        if self.users:
            script += f" && mount -t overlay overlay -o lowerdir={files}/etc:/etc /etc"
        with (self.directory / "output").open("ab") as output:
            return subprocess.Popen(
                [
                    *("unshare", "--uts", "--mount", "sh", "-c", f'{script} && exec "$0" "$@"'),
                    *(program(self._root), "-C", files / "sendmail.cf", *arguments),
                ],
                env={**os.environ, "LD_LIBRARY_PATH": libraries(self._root)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    # --- configuration --------------------------------------------------------------------------------------

    def _write(self) -> None:
        (self.directory / "queue").mkdir(mode=0o700)
        (self.directory / "hosts").write_text(f"127.0.0.1 {_HOST} localhost\n::1 localhost\n")
        (self.directory / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
        (self.directory / "resolv.conf").write_text("")
        (self.directory / "switch").write_text("hosts files\naliases files\n")
        shutil.copy(DEPLOY / "sendmail" / "sms-unclaimed", self.directory)
        (self.directory / "sms-milter.m4").write_text(self._snippet())
        (self.directory / "sendmail.mc").write_text(self._mc())
        if self.tables:
            self._make_tables()
        if self.users:
            self._make_users()
        cf = self._root / "usr/share/sendmail/cf"
        made = subprocess.run(
            [self._root / "usr/bin/m4", "-I", f"{cf}/", f"-D_CF_DIR_={cf}/", self.directory / "sendmail.mc"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        (self.directory / "sendmail.cf").write_text(made.stdout)

    def _snippet(self) -> str:
        """deploy/sendmail/sms-milter.m4 with our domains and one filter for each listener."""
        text = (DEPLOY / "sendmail" / "sms-milter.m4").read_text()
        text = _replaced(text, "/etc/mail/sms-unclaimed", str(self.directory / "sms-unclaimed"))
        [line] = [line for line in text.splitlines(True) if line.startswith("INPUT_MAIL_FILTER(")]
        filters = [
            _replaced(_replaced(line, "`sms-milter'", f"`{name}'"), "inet:8891@127.0.0.1", socket)
            for name, socket in self.milters.items()
        ]
        text = _replaced(text, line, "".join(filters))
        if self.tables:
            return f"define(`SMS_TABLES')dnl\n{text}"
        return _replaced(text, f" {_DEFAULT_DOMAIN}\n", f" {' '.join(self.domains)}\n")

    def _make_tables(self) -> None:
        """deploy/sendmail/mailertable and access with our domains, as maps."""
        for file in (DEPLOY / "sendmail" / "mailertable", DEPLOY / "sendmail" / "access"):
            lines = file.read_text().splitlines(True)
            [line] = [line for line in lines if _DEFAULT_DOMAIN in line]
            for domain in self.domains:
                lines.append(line.replace(_DEFAULT_DOMAIN, domain))
            lines.remove(line)
            makemap = program(self._root).with_name("makemap")
            subprocess.run(
                [makemap, "-C", "/dev/null", "hash", self.directory / file.name],
                env={**os.environ, "LD_LIBRARY_PATH": libraries(self._root)},
                input="".join(lines), text=True, check=True,
            )  # fmt: skip

    def _make_users(self) -> None:
        """/etc/sasldb2, where Cyrus SASL looks unless it is told otherwise."""
        tools = debian_packages.unpacked("sasl2-bin", _SASLPASSWD)
        assert tools is not None, "Debian's sasl2-bin cannot be downloaded"
        (self.directory / "etc").mkdir()
        for user, password in self.users.items():
            subprocess.run(
                [tools / _SASLPASSWD, "-p", "-c", "-f", self.directory / "etc/sasldb2", "-u", _HOST, user],
                input=password, text=True, check=True,
            )  # fmt: skip

    def _mc(self) -> str:
        def daemon(name: str, filters: str) -> str:
            self.ports[name] = free_port()
            options = f"Name={name}, Addr=127.0.0.1, Port={self.ports[name]}, InputMailFilters={filters}"
            return f"DAEMON_OPTIONS(`{options}')dnl\n"

        here = self.directory
        return (
            f"""divert(0)dnl
include(`m4/cf.m4')dnl
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `{_HOST}')dnl
define(`confSERVICE_SWITCH_FILE', `{here}/switch')dnl
define(`confHOSTS_FILE', `{here}/hosts')dnl
define(`confPID_FILE', `{here}/pid')dnl
define(`QUEUE_DIR', `{here}/queue')dnl
define(`STATUS_FILE', `{here}/statistics')dnl
undefine(`ALIAS_FILE')dnl
define(`confDELIVERY_MODE', `queueonly')dnl
define(`confTO_IDENT', `0')dnl
define(`confBAD_RCPT_THROTTLE', `0')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
{self.mc}{_LOGIN if self.users else ""}"""
            + (f"{_TABLES}\n".format(here=here) if self.tables else "")
            + daemon("every", "")
            + "".join(daemon(name, ";".join([*self.before, name])) for name in self.milters)
            + "".join(
                f"INPUT_MAIL_FILTER(`{name}', `S={socket}, F=T')dnl\n" for name, socket in self.before.items()
            )
            + f"""include(`{here}/sms-milter.m4')dnl
LOCAL_CONFIG
# Clients on loopback addresses play all clients; Sendmail knows no XCLIENT.
CR 127.0.2 127.0.0.1
MAILER(`local')dnl
MAILER(`smtp')dnl
"""
        )


def _replaced(text: str, old: str, new: str) -> str:
    assert old in text, f"{old} is no longer in the snippet"
    return text.replace(old, new)


def _waiting(path: Path) -> WaitingMail:
    """A qf file: one fact per line, named by its first letter (S sender, R recipient, M why it waits)."""
    lines = path.read_text(errors="replace").splitlines()
    why = next((line[1:] for line in lines if line.startswith("M")), "")
    recipients = {line.split(":", 1)[1].strip("<>"): why for line in lines if line.startswith("R")}
    sender = next((line[1:].strip("<>") for line in lines if line.startswith("S")), "")
    return WaitingMail("deferred" if why else "queued", path.name[2:], sender, recipients)
