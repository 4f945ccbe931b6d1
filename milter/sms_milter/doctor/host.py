"""Rules about our own side: socket, queue, space, clock, names, the ways to SMSCs and to the MTA."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from sms_milter.config.schema import Configuration
from sms_milter.doctor.finding import Finding, Severity

_CRITICAL, _WARNING = Severity.CRITICAL, Severity.WARNING
_LOOPBACK = ("127.", "localhost", "::1", "[::1]")
_SPACE: Final = ((_CRITICAL, 64 << 20), (_WARNING, 512 << 20))  # octets free
_FEWEST_FILES: Final = 1000
_CLOCK_SECONDS: Final = 60.0  # how far ahead of the clock a file may be
READ, WRITE, SEARCH = 4, 2, 1


@dataclass(frozen=True, slots=True)
class Identity:
    """An account of the machine, with all its groups."""

    name: str
    uid: int
    gids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or directory: permission bits and owner. `exists` is False for one that is not there."""

    path: str
    exists: bool = True
    mode: int = 0
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True)
class Space:
    """What is free to other users than root; `files` None where the file system does not count them."""

    octets: int
    files: int | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """What could not be resolved, or bound: SMSC to why; and those that were tried."""

    unresolved: tuple[tuple[str, str, str], ...] = ()  # SMSC, host, why
    refused: tuple[tuple[str, str], ...] = ()  # SMSC, why


@dataclass(frozen=True, slots=True)
class HostFacts:
    """`socket_path` and `queue_path`: the directories on the way, from the root on, then the thing itself.

    `queue_beside`: -wal and -shm as far as there. `newest`: a file of ours and when it was changed last.
    `synchronised` None: the system does not tell. `milter` and `reports`: why they do not answer, "" if they
    do.
    """

    now: float
    us: Identity
    mta: Identity | None = None
    socket_path: tuple[Entry, ...] = ()
    queue_path: tuple[Entry, ...] = ()
    queue_beside: tuple[Entry, ...] = ()
    space: Space | None = None
    newest: tuple[str, float] = ("", 0.0)
    synchronised: bool | None = None
    milter: str = ""
    reports: str = ""
    names: Names = Names()


def findings(facts: HostFacts, ours: Configuration) -> list[Finding]:
    """All that is wrong on our side."""
    return [one for rule in _RULES for one in rule(facts, ours)]


def may(who: Identity, entry: Entry, wanted: int) -> bool:
    """Whether the permission bits let somebody do that; the first class that fits counts (POSIX)."""
    if who.uid == 0:
        return True
    shift = 6 if who.uid == entry.uid else 3 if entry.gid in who.gids else 0
    return entry.mode >> shift & wanted == wanted


# --- the milter's socket ------------------------------------------------------------------------------------


def _milter_answers(facts: HostFacts, ours: Configuration) -> Iterator[Finding]:
    if facts.milter:
        yield Finding(
            _CRITICAL,
            "milter-down",
            ours.milter.socket,
            f"nobody answers at milter.socket ({facts.milter}): mail is put off",
            "systemctl start sms-milter",
        )


def _socket_permissions(facts: HostFacts, _: Configuration) -> Iterator[Finding]:
    if facts.mta is None or not facts.socket_path or not facts.socket_path[-1].exists:
        return  # that nobody answers has been said
    *directories, socket = facts.socket_path
    closed = next((one for one in directories if not may(facts.mta, one, SEARCH)), None)
    if closed is not None:
        yield Finding(
            _CRITICAL,
            "socket-directory",
            closed.path,
            f"{closed.path} (mode {closed.mode:04o}) does not let {facts.mta.name} through to the socket",
            f"chmod o+x {closed.path}",
        )
    if not may(facts.mta, socket, WRITE):
        yield Finding(
            _CRITICAL,
            "socket-permissions",
            socket.path,
            f"{facts.mta.name} may not connect to {socket.path} (mode {socket.mode:04o})",
            f"in sms-milter.yaml: milter.socket_group: {facts.mta.name}; then systemctl restart sms-milter",
        )


def _open_to_all(_: HostFacts, ours: Configuration) -> Iterator[Finding]:
    host = ours.milter.socket.partition("@")[2]
    if host and not host.startswith(_LOOPBACK):
        yield Finding(
            _WARNING,
            "socket-open",
            ours.milter.socket,
            f"milter.socket listens on {host}: whoever reaches it may play the MTA of any client",
            "in sms-milter.yaml: milter.socket: inet:8891@127.0.0.1, or let a firewall admit the MTA alone",
        )


# --- the queue ----------------------------------------------------------------------------------------------


def _queue_writable(facts: HostFacts, _: Configuration) -> Iterator[Finding]:
    if not facts.queue_path:
        return
    *directories, file = facts.queue_path
    folder, name = directories[-1], facts.us.name
    if not folder.exists:
        mend = f"install -d -o {name} -m 0750 {folder.path}"
        says = f"{folder.path}, where the queue should be, is not there"
        yield Finding(_CRITICAL, "queue-directory", folder.path, says, mend)
        return
    closed = next((one for one in directories[:-1] if not may(facts.us, one, SEARCH)), None)
    if closed is not None:
        says = f"{closed.path} does not let {name} through to the queue"
        yield Finding(_CRITICAL, "queue-directory", closed.path, says, f"chmod o+x {closed.path}")
    if not may(facts.us, folder, READ | WRITE | SEARCH):
        says = f"{name} may not write into {folder.path}, where the queue keeps its files"
        yield Finding(_CRITICAL, "queue-directory", folder.path, says, f"chown {name} {folder.path}")
    for one in (file, *facts.queue_beside):
        if one.exists and not may(facts.us, one, READ | WRITE):
            says = f"{name} may not write {one.path}: all SMS mail is put off"
            yield Finding(_CRITICAL, "queue-file", one.path, says, f"chown {name} {one.path}")


def _free_space(facts: HostFacts, ours: Configuration) -> Iterator[Finding]:
    if facts.space is None:
        return
    where = ours.queue.path
    for severity, least in _SPACE:
        if facts.space.octets < least:
            says = f"{facts.space.octets >> 20} MB are free for the queue, less than {least >> 20} MB"
            yield Finding(severity, "disk-space", where, says, f"df -h {where.rpartition('/')[0]}")
            break
    if facts.space.files is not None and facts.space.files < _FEWEST_FILES:
        says = f"only {facts.space.files} more files fit on the queue's file system"
        yield Finding(_WARNING, "disk-files", where, says, f"df -i {where.rpartition('/')[0]}")


# --- the clock ----------------------------------------------------------------------------------------------


def _clock(facts: HostFacts, _: Configuration) -> Iterator[Finding]:
    path, changed = facts.newest
    ahead = changed - facts.now
    if ahead > _CLOCK_SECONDS:
        says = f"{path} was changed {ahead:.0f} s after now: the clock is wrong, or was"
        yield Finding(_CRITICAL, "clock", path, says, "timedatectl set-ntp true")
    if facts.synchronised is False:
        says = "the clock is not synchronised: validity periods and times in reports may be wrong"
        yield Finding(_WARNING, "clock-sync", "system", says, "timedatectl set-ntp true")


# --- others -------------------------------------------------------------------------------------------------


def _reports(facts: HostFacts, ours: Configuration) -> Iterator[Finding]:
    if facts.reports:
        where = ours.reports.submit_to
        says = f"the MTA does not take our reports at reports.submit_to {where}: {facts.reports}"
        mend = "add the listener of deploy/postfix/master.cf (127.0.0.1:10026) and postfix reload"
        yield Finding(_CRITICAL, "reports", where, says, mend)


def _smscs(facts: HostFacts, _: Configuration) -> Iterator[Finding]:
    for smsc, host, why in facts.names.unresolved:
        says = f"the name {host} of SMSC {smsc} cannot be resolved: {why}"
        yield Finding(_CRITICAL, "smsc-name", smsc, says, f"getent hosts {host}")
    for smsc, why in facts.names.refused:
        mend = f"sms-milter trace {smsc}, and check host, port, system_id and password in smscs.{smsc}"
        yield Finding(_CRITICAL, "smsc-bind", smsc, f"SMSC {smsc} takes no bind of ours: {why}", mend)


_RULES: tuple[Callable[[HostFacts, Configuration], Iterator[Finding]], ...] = (
    _milter_answers,
    _socket_permissions,
    _open_to_all,
    _queue_writable,
    _free_space,
    _clock,
    _reports,
    _smscs,
)
