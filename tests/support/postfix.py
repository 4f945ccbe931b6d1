"""A private Postfix: own folder, own ports, made of the snippets that an operator installs (deploy/postfix).

Needs root and Debian's package, but neither its running service nor systemd nor syslog. Starts at once.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from support.places import DEPLOY, accepts, free_port, make_certificate, wait_until
from support.secrecy import RUN

_DEFAULT_DOMAIN = "sms.example.com"  # as it stands in the snippets
_SERVICES = """
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
virtual   unix  -       n       n       -       -       virtual
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
"""
_QUEUES = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"),
    *("maildrop", "private", "public", "saved", "trace"),
)


@dataclass(frozen=True)
class WaitingMail:
    """One mail in the MTA's queue: its recipients and why each waits."""

    queue: str  # incoming, active, deferred, hold
    queue_id: str
    sender: str
    recipients: Mapping[str, str]


@dataclass
class Postfix:
    """`milters`: listener name to milter socket, Postfix's notation (`inet:127.0.0.1:8891`, `unix:/path`).

    Each gets an SMS listener of its own, a copy of that in deploy/postfix/master.cf. `everywhere` names the
    milter of all other listeners and of sendmail(1) (deploy/postfix/main.cf.every-listener). After the start
    `ports` holds the listeners' ports; "every" is the ordinary one, "report" the one without a milter.
    """

    directory: Path
    milters: Mapping[str, str]
    domains: Sequence[str] = (_DEFAULT_DOMAIN,)
    next_hop: int = 9  # port on 127.0.0.1 for ordinary mail
    everywhere: str = ""
    tls: bool = False
    main_cf: str = ""
    ports: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Postfix:
        self._write()
        self._run("postfix", "start")
        wait_until(lambda: all(map(accepts, self.ports.values())), "Postfix to listen")
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._run("postfix", "stop", check=False)
        RUN.saw("log of Postfix", self.log)

    def queue(self) -> list[WaitingMail]:
        """What is in the queue now."""
        listing = self._run("postqueue", "-j").splitlines()
        return [_waiting(json.loads(line)) for line in listing]

    def flush(self) -> None:
        """Try what is deferred once more."""
        self._run("postqueue", "-f")

    def empty(self) -> None:
        """Throw away whatever waits."""
        self._run("postsuper", "-d", "ALL")

    def sendmail(self, *arguments: str, data: bytes) -> None:
        """Hand a mail to the sendmail(1) command."""
        subprocess.run(
            ["/usr/sbin/sendmail", "-C", str(self._config), *arguments],
            input=data, check=True, capture_output=True,
        )  # fmt: skip

    @property
    def log(self) -> str:
        """All that it has logged so far."""
        path = self.directory / "mail.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def _config(self) -> Path:
        return self.directory / "config"

    def _run(self, command: str, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            [f"/usr/sbin/{command}", "-c", str(self._config), *arguments], capture_output=True, text=True
        )
        if check and done.returncode:
            raise RuntimeError(f"{command} {' '.join(arguments)}: {done.stderr}\n{self.log}")
        return done.stdout

    # --- configuration --------------------------------------------------------------------------------------

    def _write(self) -> None:
        for name in ("config", "queue/pid", "data"):
            (self.directory / name).mkdir(parents=True)
        for name in _QUEUES:  # `postfix start` makes them too, but takes two seconds for it
            (self.directory / "queue" / name).mkdir(mode=0o700)
        for name, mode in {"public": 0o710, "maildrop": 0o730}.items():
            shutil.chown(self.directory / "queue" / name, group="postdrop")
            (self.directory / "queue" / name).chmod(mode)
        for path in [self.directory / "data", *(self.directory / "queue" / name for name in _QUEUES)]:
            shutil.chown(path, "postfix")
        (self._config / "master.cf").write_text(self._master())
        (self._config / "main.cf").write_text(self._main())

    def _main(self) -> str:
        lines = f"""
compatibility_level = 3.6
config_directory = {self._config}
queue_directory = {self.directory}/queue
data_directory = {self.directory}/data
maillog_file = {self.directory}/mail.log
maillog_file_prefixes = /tmp, {self.directory}
myhostname = mx.sms.test
mydestination =
local_recipient_maps =
alias_maps =
inet_interfaces = 127.0.0.1, ::1
mynetworks = 127.0.0.0/8, [::1]/128, 192.0.2.0/24, [2001:db8::]/32
smtpd_authorized_xclient_hosts = 127.0.0.0/8, [::1]/128
smtpd_peername_lookup = no
disable_dns_lookups = yes
default_transport = smtp:[127.0.0.1]:{self.next_hop}
relay_transport = $default_transport
notify_classes =
minimal_backoff_time = 600s
"""
        if self.tls:
            certificate, key = make_certificate(self._config, "mx.sms.test")
            lines += f"smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {certificate}\n"
            lines += f"smtpd_tls_key_file = {key}\n"
        snippet = self._with_domains((DEPLOY / "postfix" / "main.cf").read_text())
        if self.everywhere:
            snippet = _replaced(snippet, "inet:127.0.0.1:8891", self.everywhere)
            snippet += (DEPLOY / "postfix" / "main.cf.every-listener").read_text()
        return lines + snippet + self.main_cf

    def _with_domains(self, snippet: str) -> str:
        """The domain of the snippet's inline maps, written once for each of ours."""
        entry = re.compile(r"\{ " + re.escape(_DEFAULT_DOMAIN) + r" = (\S+) \}")
        return entry.sub(lambda m: ", ".join(f"{{ {d} = {m[1]} }}" for d in self.domains), snippet)

    def _master(self) -> str:
        snippet = (DEPLOY / "postfix" / "master.cf").read_text()
        listener = re.search(r"^2525 .*\n(?:  .*\n)+", snippet, re.M)
        assert listener is not None
        copies = "".join(self._listener(listener[0], name, socket) for name, socket in self.milters.items())
        self.ports["report"] = free_port()
        snippet = _replaced(snippet, "127.0.0.1:10026", f"127.0.0.1:{self.ports['report']}")
        self.ports["every"] = free_port()
        ordinary = f"127.0.0.1:{self.ports['every']} inet n - n - - smtpd\n"
        return _SERVICES + ordinary + snippet.replace(listener[0], copies)

    def _listener(self, text: str, name: str, socket: str) -> str:
        self.ports[name] = free_port()
        default = re.search(r"^sms_milter = (.*)$", (DEPLOY / "postfix" / "main.cf").read_text(), re.M)
        assert default is not None
        milter = _replaced(default[1], "inet:127.0.0.1:8891", socket)
        return _replaced(text, "2525 ", f"{self.ports[name]} ") + f"  -o {{ sms_milter = {milter} }}\n"


def _replaced(text: str, old: str, new: str) -> str:
    assert old in text, f"{old} is no longer in the snippet"
    return text.replace(old, new)


def _waiting(entry: dict[str, object]) -> WaitingMail:
    recipients = entry["recipients"]
    assert isinstance(recipients, list)
    return WaitingMail(
        queue=str(entry["queue_name"]),
        queue_id=str(entry["queue_id"]),
        sender=str(entry["sender"]),
        recipients={r["address"]: r.get("delay_reason", "") for r in recipients},
    )
