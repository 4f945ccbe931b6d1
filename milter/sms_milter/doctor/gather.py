"""The facts, as this machine tells them: programs of the MTA, files, sockets, names, SMSCs.

Asks and looks; changes nothing. What cannot be looked at becomes a finding of severity UNKNOWN.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import select
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sms_milter.config.load import Loaded
from sms_milter.config.schema import Configuration, Smsc
from sms_milter.doctor import host, postfix, sendmail
from sms_milter.doctor.finding import Finding, Severity
from sms_milter.doctor.host import Entry, HostFacts, Identity, Names, Space
from sms_milter.doctor.postfix import tables
from sms_milter.doctor.postfix.facts import PostfixFacts, items, parse
from sms_milter.errors import GatewayError
from sms_milter.smpp.dialling import Tls, connect
from sms_milter.smpp.events import BindRefused, Bound, Broken, Unbound
from sms_milter.smpp.options import SessionOptions
from sms_milter.smpp.session import Session
from sms_milter.smpp.status import classify

_PROGRAM_SECONDS: Final = 60.0
_CONNECT_SECONDS: Final = 10.0
_CLASSES: Final = ("mydestination", "relay_domains", "virtual_alias_domains", "virtual_mailbox_domains")
_PATTERNS: Final = (
    "regexp",
    "pcre",
    "cidr",
)  # such tables have no shorter keys; postmap lists none of them
_ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_NUMBER: Final = "447973100000"  # stands for any in look-ups
SENDMAIL_CF: Final = Path("/etc/mail/sendmail.cf")


class CannotLook(Exception):
    """Why facts could not be had."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What to examine. `postfix`: its configuration directory, "" for the default one; `sendmail`: its file,
    None for the usual one, if there is one. `bind`: try a bind at each SMSC.
    """

    mta: bool = True
    postfix: str = ""
    sendmail: Path | None = None
    bind: bool = False


def examine(loaded: Loaded, scope: Scope) -> list[Finding]:
    """All that is wrong with the MTA and on this host."""
    ours = loaded.configuration
    found: list[Finding] = []
    mail_owner = ""
    if scope.mta:
        try:
            mail_owner = _examine_mta(ours, scope, found)
        except CannotLook as error:
            found.append(_not_seen(str(error)))
    return found + host.findings(_host_facts(loaded, mail_owner, scope), ours)


def _not_seen(why: str) -> Finding:
    mend = (
        "sms-milter doctor as root, with --postfix DIRECTORY or --sendmail FILE; --no-mta where there is none"
    )
    return Finding(Severity.UNKNOWN, "mta", "mta", f"the MTA could not be examined: {why}", mend)


def _examine_mta(ours: Configuration, scope: Scope, found: list[Finding]) -> str:
    """Adds what is wrong with the MTAs of this host; the account that Postfix runs as, "" without Postfix."""
    file = scope.sendmail or (SENDMAIL_CF if SENDMAIL_CF.exists() else None)
    if scope.sendmail is not None or (file is not None and not _has_postfix()):
        found += sendmail.findings(sendmail.parse(str(file), _text(Path(str(file)))), ours)
    if scope.sendmail is not None and not scope.postfix:
        return ""
    if not _has_postfix():
        if file is None:
            raise CannotLook("neither postconf nor a sendmail.cf is here")
        return ""
    facts = postfix_facts(scope.postfix, ours.domains)
    found += postfix.findings(facts, ours)
    return facts.main.get("mail_owner", "")


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError as error:
        raise CannotLook(f"{path}: {error.strerror}") from None


# --- Postfix ------------------------------------------------------------------------------------------------


def _has_postfix() -> bool:
    return shutil.which("postconf", path=_path()) is not None


def _path() -> str:
    return os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin"


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    found = shutil.which(program, path=_path())
    if found is None:
        raise CannotLook(f"{program} is not installed")
    try:
        return subprocess.run(  # noqa: S603 -- no shell; the arguments are the MTA's own
            [found, *arguments], capture_output=True, text=True, timeout=_PROGRAM_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotLook(f"{program}: {error}") from None


def postfix_facts(directory: str, domains: Iterable[str]) -> PostfixFacts:
    """What the Postfix of that configuration directory does with those domains. Raises CannotLook."""
    where = ("-c", str(Path(directory).resolve())) if directory else ()
    main, services, settings = (_postconf(*where, option) for option in ("-x", "-M", "-Px"))
    facts = parse("", main, services, settings)
    facts = replace(
        facts, directory=where[1] if where else facts.main.get("config_directory", "/etc/postfix")
    )
    return replace(
        facts,
        routes={domain: _route(facts, where, domain) for domain in domains},
        classes={domain: _classes(facts, where, domain) for domain in domains},
        client_tables={
            table: _rows(where, table)
            for service in facts.services
            for table in tables.consulted(facts, service)
        },
    )


def _postconf(*arguments: str) -> str:
    done = _run("postconf", *arguments)
    if done.returncode:
        raise CannotLook(done.stderr.strip() or "postconf failed")
    return done.stdout


def _route(facts: PostfixFacts, where: Sequence[str], domain: str) -> str:
    """What transport_maps says of a number in the domain, by the keys of transport(5) in their order."""
    labels = domain.split(".")
    parents = ["." + ".".join(labels[at:]) for at in range(1, len(labels))]
    whole = f"{_NUMBER}@{domain}"
    tables = items(facts.value(facts.service("rewrite"), "transport_maps"))
    for key in (whole, domain, *parents, "*"):
        for table in tables:
            if key == whole or table.partition(":")[0] not in _PATTERNS:
                found = _look_up(where, table, key)
                if found:
                    return found
    return ""


def _classes(facts: PostfixFacts, where: Sequence[str], domain: str) -> tuple[str, ...]:
    return tuple(name for name in _CLASSES if _holds(where, items(facts.main.get(name, "")), domain))


def _holds(where: Sequence[str], listed: list[str], domain: str) -> bool:
    for one in listed:
        if one.lower() == domain:
            return True
        if one.startswith("/"):
            lines = _text(Path(one)).lower().split("\n")
            if any(line.split("#")[0].strip() == domain for line in lines):
                return True
        elif ":" in one and _look_up(where, one, domain):
            return True
    return False


def _rows(where: Sequence[str], table: str) -> tuple[tables.Row, ...] | None:
    """What a table of smtpd_milter_maps holds, None where that cannot be listed."""
    kind, _, place = table.removeprefix("proxy:").partition(":")
    if kind == "static":
        return tables.static(place)
    if kind in _PATTERNS:
        try:
            return tables.in_place(place) if place.startswith("{") else tables.in_file(_text(Path(place)))
        except CannotLook:
            return None
    done = _run("postmap", *where, "-s", f"{kind}:{place}")
    return None if done.returncode else tables.from_postmap(done.stdout)


def _look_up(where: Sequence[str], table: str, key: str) -> str:
    done = _run("postmap", *where, "-q", key, table)
    # Said of main.cf, not of the table: the later entry counts, as for Postfix itself.
    problems = [line for line in done.stderr.splitlines() if "overriding earlier entry" not in line]
    if done.returncode and problems:
        raise CannotLook("; ".join(problems))
    return done.stdout.strip()


# --- this host ----------------------------------------------------------------------------------------------


def _host_facts(loaded: Loaded, mail_owner: str, scope: Scope) -> HostFacts:
    ours = loaded.configuration
    kind, _, socket_path = ours.milter.socket.partition(":")
    queue = ours.queue.path
    files = [path for path in (*map(str, loaded.files), queue) if os.path.exists(path)]
    changed = {path: os.stat(path).st_mtime for path in files}
    newest = max(changed, key=lambda path: changed[path], default="")
    return HostFacts(
        now=time.time(),
        us=_ourselves(ours),
        mta=_identity(mail_owner),
        socket_path=_way(socket_path) if kind == "unix" else (),
        queue_path=_way(queue) if queue else (),
        queue_beside=tuple(_entry(queue + suffix) for suffix in ("-wal", "-shm")) if queue else (),
        space=_space(os.path.dirname(queue)) if queue else None,
        newest=(newest, changed.get(newest, 0.0)),
        synchronised=_synchronised(),
        milter=_milter_answers(ours.milter.socket),
        reports=_greeting(ours.reports.submit_to) if ours.reports.submit_to else "",
        names=Names(
            tuple(_unresolved(ours)),
            tuple((name, why) for name, smsc in ours.smscs.items() if (why := try_bind(smsc)))
            if scope.bind
            else (),
        ),
    )


def _identity(name: str) -> Identity | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Identity(name, entry.pw_uid, frozenset(os.getgrouplist(name, entry.pw_gid)))


def _ourselves(ours: Configuration) -> Identity:
    """Whom the service runs as: its `user`, or, asked by root, the owner of the queue's directory."""
    found = _identity(ours.user) if ours.user else None
    if found is None and os.geteuid() == 0 and ours.queue.path:
        folder = _entry(os.path.dirname(ours.queue.path))
        with contextlib.suppress(KeyError):
            found = _identity(pwd.getpwuid(folder.uid).pw_name)
    uid = os.geteuid()
    return found or Identity(str(uid), uid, frozenset({os.getegid(), *os.getgroups()}))


def _way(path: str) -> tuple[Entry, ...]:
    return tuple(_entry(str(one)) for one in (*reversed(Path(path).parents), Path(path)))


def _entry(path: str) -> Entry:
    try:
        found = os.stat(path)
    except OSError:
        return Entry(path, exists=False)
    return Entry(path, mode=found.st_mode & 0o7777, uid=found.st_uid, gid=found.st_gid)


def _space(folder: str) -> Space | None:
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return Space(found.f_bavail * found.f_frsize, found.f_favail if found.f_files else None)


def _synchronised() -> bool | None:
    """What systemd knows of the clock; None where it does not say."""
    try:
        done = _run("timedatectl", "show", "--property=NTPSynchronized", "--value")
    except CannotLook:
        return None
    return {"yes": True, "no": False}.get(done.stdout.strip()) if not done.returncode else None


def _milter_answers(where: str) -> str:
    kind, _, place = where.partition(":")
    port, _, address = place.partition("@")
    address = _ANY_ADDRESS.get(address, address)
    try:
        if kind == "unix":
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(_CONNECT_SECONDS)
                probe.connect(place)
        else:
            socket.create_connection((address, int(port)), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _greeting(where: str) -> str:
    """Why no MTA greets there; "" if one does."""
    address, _, port = where.rpartition(":")
    try:
        with socket.create_connection((address.strip("[]"), int(port)), timeout=_CONNECT_SECONDS) as client:
            greeting = client.recv(1000)
            client.sendall(b"QUIT\r\n")
    except OSError as error:
        return error.strerror or str(error)
    return "" if greeting.startswith(b"220") else f"it greets with {greeting[:80]!r}"


# --- SMSCs --------------------------------------------------------------------------------------------------


def _unresolved(ours: Configuration) -> Iterator[tuple[str, str, str]]:
    for name, smsc in ours.smscs.items():
        for one in (smsc.host, *smsc.other_hosts):
            try:
                socket.getaddrinfo(one, smsc.port, type=socket.SOCK_STREAM)
            except (OSError, UnicodeError) as error:
                yield name, one, (isinstance(error, OSError) and error.strerror) or str(error)


def try_bind(smsc: Smsc) -> str:
    """Bind as transmitter, so that nothing is delivered to us, and unbind; why not, "" if it went well."""
    tls = Tls(smsc.tls_ca_file, smsc.tls_certificate_file, smsc.tls_key_file, smsc.tls_server_name)
    failures = []
    for one in (smsc.host, *smsc.other_hosts):
        try:
            link = connect(one, smsc.port, tls if smsc.tls else None, _CONNECT_SECONDS)
            with contextlib.closing(link):
                return _bind_and_unbind(link, smsc)
        except (OSError, GatewayError) as error:
            failures.append(str(error))
    return "; ".join(failures)


def _bind_and_unbind(link: socket.socket, smsc: Smsc) -> str:
    session = Session(
        SessionOptions(
            system_id=smsc.system_id,
            password=smsc.password,
            longest_password=64 if smsc.long_password else 8,
            system_type=smsc.system_type,
            kind="transmitter",
        )
    )
    session.connected(time.monotonic())
    bound = False
    while not session.finished:
        try:
            events = _exchange(link, session)
        except OSError:
            if bound:  # it closed instead of answering our unbind
                return ""
            raise
        for event in events:
            match event:
                case Bound():
                    bound = True
                    session.unbind(time.monotonic())
                case BindRefused(status):
                    return str(classify(status))
                case Broken(why) | Unbound(why) if not bound:
                    return why
                case _:
                    pass
    return ""


def _exchange(link: socket.socket, session: Session) -> list[object]:
    """Write what waits, read what comes within a moment."""
    octets = session.outbound()
    link.settimeout(_CONNECT_SECONDS)
    link.sendall(octets)
    now = time.monotonic()
    events: list[object] = list(session.tick(now))
    pending = getattr(link, "pending", int)()  # TLS may hold octets that no poll shows
    if pending or select.select([link], [], [], 0.2)[0]:
        data = link.recv(65536)
        if not data:
            raise OSError("connection closed by the SMSC")
        events += session.receive(data, now)
    return events
