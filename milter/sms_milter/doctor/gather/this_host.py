"""This host: accounts, files, sockets, the clock, names."""

from __future__ import annotations

import contextlib
import os
import pwd
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sms_milter.config.load import Loaded
from sms_milter.config.schema import Configuration
from sms_milter.doctor.gather.asking import CannotLook, run
from sms_milter.doctor.gather.smscs import try_bind
from sms_milter.doctor.host import Entry, HostFacts, Identity, Names, Space

_CONNECT_SECONDS: Final = 10.0
_ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def host_facts(loaded: Loaded, mail_owner: str, *, bind: bool) -> HostFacts:
    """What the rules ask of it; `mail_owner` is the MTA's account, with `bind` SMSCs are asked too."""
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
            if bind
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
        done = run("timedatectl", "show", "--property=NTPSynchronized", "--value")
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


def _unresolved(ours: Configuration) -> Iterator[tuple[str, str, str]]:
    for name, smsc in ours.smscs.items():
        for one in (smsc.host, *smsc.other_hosts):
            try:
                socket.getaddrinfo(one, smsc.port, type=socket.SOCK_STREAM)
            except (OSError, UnicodeError) as error:
                yield name, one, (isinstance(error, OSError) and error.strerror) or str(error)
