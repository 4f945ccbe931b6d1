"""Keeps child processes running: forks, restarts with a growing delay, drains, replaces. Knows nothing of
what they do.

On an upgrade it goes on as another program, and its children with it (`handover`).

The supervisor stays single-threaded, so that a fork copies no held lock. It handles nothing that comes from
outside; each child gives up its privileges before it does. Each has a line to the supervisor (`lifeline`).
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sms_milter import handover
from sms_milter.handover import Runner
from sms_milter.lifeline import Child, Control, Main, Order
from sms_milter.ports import Journal
from sms_milter.service_manager import ServiceManager

_RESTART_SECONDS = (0.1, 30.0)  # first and longest delay before a role is started again
_LIVED_SECONDS = 60.0  # a child that lived so long starts afresh in the counting
_SETTLED_SECONDS = 5.0  # a child started again lives, for the service manager, when it has lived so long
_STOP_SECONDS = 45.0  # after that a draining child is killed
_LOOK_SECONDS = 30.0  # between two looks whether children show life

_READY_SECONDS = 60.0  # a child that takes longer than that to become ready is told of
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2, signal.SIGCHLD)


@dataclass(slots=True)
class _Role:
    main: Main | None  # None: of the program before us
    child: Child | None = None
    former: list[Child] = field(default_factory=list)  # they go on until `child` is ready
    delay: float = 0.0
    start_at: float = 0.0
    begun: float = 0.0
    complained: bool = False  # that it does not become ready

    def children(self) -> list[Child]:
        """All that play it."""
        return [*self.former, *([self.child] if self.child else [])]

    def is_ready(self) -> bool:
        """Whether its child does its work."""
        return self.child is not None and self.child.patience is not None

    def lives(self, now: float) -> bool:
        """Whether it runs; one whose child keeps dying does not, though there is a new one now and then,
        unless the one before goes on.
        """
        if self.former:
            return True
        return self.child is not None and (not self.delay or now - self.child.started >= _SETTLED_SECONDS)


@dataclass(slots=True)
class _Wanted:
    stop: bool = False
    reload: bool = False
    upgrade: bool = False


class Supervisor:
    """Runs named roles as child processes until SIGTERM; SIGHUP calls `reload`, which may `replace` roles and
    says whether it was done; SIGUSR2 calls `upgrade`, which may `become` another program. `manager` hears of
    all that, and that the service lives while every role does.
    """

    def __init__(
        self,
        journal: Journal,
        reload: Callable[[], bool],
        upgrade: Callable[[], None],
        manager: ServiceManager,
        children: Iterable[Runner] = (),
        *,
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        """`children` run already: those of the program before us. Every `look_seconds` we look after all."""
        self._journal = journal
        self._reload, self._upgrade = reload, upgrade
        self._manager = manager
        self._refused = False  # the last reload
        now = time.monotonic()
        self._look_seconds, self._look_at = look_seconds, now + look_seconds
        self._children = {one.pid: Child(*one[:3], now, one.retired, one.patience) for one in children}
        self._roles: dict[str, _Role] = {}
        for child in self._children.values():
            if not child.retired:
                role = self._roles.setdefault(child.name, _Role(None))
                role.former += [role.child] if role.child else []
                role.child = child
        self._leaving: list[Child] = []  # of roles that are not wanted any more
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def replace(self, roles: Mapping[str, Main]) -> None:
        """Make `roles` the roles to run: new and changed ones start. Each child that is replaced retires when
        its successor is ready, one whose role is gone when they all are.
        """
        for name in [name for name in self._roles if name not in roles]:
            self._leaving += self._roles.pop(name).children()
        for name, main in roles.items():
            before = self._roles.get(name)
            if before is not None and before.main is main:
                continue
            former = [] if before is None else before.children()
            self._roles[name] = _Role(main, former=former, begun=time.monotonic())
            self._start(name)

    def run(self) -> None:
        """Supervise until told to stop; returns when every child has ended."""
        wanted = _Wanted()
        with self._signals():
            self._manager.ready()
            while not wanted.stop:
                self._reap()
                self._start_due()
                self._succeed()
                self._look_after()
                if wanted.reload:
                    wanted.reload = False
                    self._manager.reloading()
                    self._refused = not self._reload()
                    self._manager.ready()
                if wanted.upgrade:
                    wanted.upgrade = False
                    self._manager.reloading()
                    self._upgrade()
                    self._manager.ready()
                self._wait(wanted, self._rest(self._tell()))
            self._manager.stopping()
            self._manager.status("stopping: mails and windows under way are finished")
            self._stop()

    def become(self, program: Sequence[str], sockets: Iterable[socket.socket]) -> None:
        """Go on as `program`, which finds our children and `sockets` where they are. Raises OSError when that
        fails; then nothing has changed.
        """
        runners = [
            Runner(one.name, one.pid, one.line, one.retired, one.patience) for one in self._children.values()
        ]
        # They would end the new program before it can hear them; until then they wait, and so do those that
        # have come already.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        for number in self._caught():
            os.kill(os.getpid(), number)
        try:
            handover.become(program, sockets, runners, self._manager.environment)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    # --- children -------------------------------------------------------------------------------------------

    def _start(self, name: str) -> None:
        role = self._roles[name]
        assert role.main is not None
        ours, its = socket.socketpair()
        # What exists now lives as long as the child: no collection need look there, and pages stay shared.
        gc.collect()
        gc.freeze()
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._become(name, role.main, its)
        its.close()
        ours.setblocking(False)
        role.child = Child(name, pid, ours.detach(), time.monotonic())
        self._children[pid] = role.child
        self._journal.info(f"started role={name} pid={pid}")

    def _become(self, name: str, main: Main, line: socket.socket) -> None:
        """The child's life; never returns."""
        code = 70  # EX_SOFTWARE
        try:
            signal.set_wakeup_fd(-1)
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            os.setpgid(0, 0)  # a terminal's Ctrl-C is for the supervisor, which drains
            for other in self._children.values():
                os.close(other.line)
            os.close(self._wake_read)
            os.close(self._wake_write)
            self._manager.close()
            _name_process(name)
            faulthandler.enable(2)  # SIGABRT shows where it hangs, without any values
            main(Control(line))
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 70
        except BaseException:  # noqa: BLE001 -- the child's last word; nothing is above it
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            child = self._children.pop(pid, None)
            if child is not None:
                os.close(child.line)
                self._ended(child, os.waitstatus_to_exitcode(status))

    def _ended(self, child: Child, code: int) -> None:
        how = f"exit {code}" if code >= 0 else f"signal {-code}"
        role = self._roles.get(child.name)
        if child in self._leaving:
            self._leaving.remove(child)
        if role is not None and child in role.former:
            role.former.remove(child)
            if not child.retired:
                self._journal.warning(
                    f"role={child.name} pid={child.pid} died ({how}) before its successor was ready"
                )
                return
        elif role is not None and child is role.child:
            role.child = None
            if not child.retired:
                self._start_again(role, child, how)
                return
        self._journal.info(f"ended role={child.name} pid={child.pid} ({how})")

    def _start_again(self, role: _Role, child: Child, how: str) -> None:
        now = time.monotonic()
        lived = now - child.started
        role.delay = (
            _RESTART_SECONDS[0] if lived > _LIVED_SECONDS else min(role.delay * 2 or 0.1, _RESTART_SECONDS[1])
        )
        role.start_at = now + role.delay
        self._journal.warning(
            f"role={child.name} pid={child.pid} died ({how}), started again in {role.delay:.1f} s"
        )
        if child.patience is None:
            self._complain(child.name)

    def _succeed(self) -> None:
        """Let those retire whose successors are ready."""
        for name, role in self._roles.items():
            if role.child is not None and not role.is_ready():
                role.child.hear()
            if role.is_ready():
                for child in role.former:
                    child.tell(Order.RETIRE)
                role.former = []
            elif time.monotonic() - role.begun > _READY_SECONDS:
                self._complain(name)
        if not any(role.former for role in self._roles.values()):
            for child in self._leaving:
                child.tell(Order.RETIRE)
            self._leaving = []

    def _complain(self, name: str) -> None:
        role = self._roles[name]
        if role.former and not role.complained:
            role.complained = True
            self._journal.error(f"role={name} does not become ready, the one before goes on")

    def _start_due(self) -> None:
        now = time.monotonic()
        for name, role in self._roles.items():
            if role.child is None and role.start_at <= now:
                self._start(name)

    def _look_after(self) -> None:
        """End a child that hangs. Its silence is counted in looks, so that a machine that has slept is not
        mistaken for a child that does.
        """
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + self._look_seconds
        for child in self._children.values():
            child.silent_looks = 0 if child.hear() else child.silent_looks + 1
            silence = child.silent_looks * self._look_seconds
            if child.patience is None or silence <= child.patience:
                continue
            if silence - self._look_seconds <= child.patience:
                self._journal.error(
                    f"role={child.name} pid={child.pid} has shown no life for {silence:.0f} s, ended"
                )
                os.kill(child.pid, signal.SIGABRT)
            else:
                os.kill(child.pid, signal.SIGKILL)

    def _stop(self) -> None:
        for child in self._children.values():
            child.tell(Order.STOP)
        deadline = time.monotonic() + _STOP_SECONDS
        wanted = _Wanted()
        while self._children and time.monotonic() < deadline:
            self._wait(wanted, 0.5)
            self._reap()
        for child in self._children.values():
            self._journal.error(f"role={child.name} pid={child.pid} did not end in time, killed")
            os.kill(child.pid, signal.SIGKILL)
            os.waitpid(child.pid, 0)

    # --- the service manager --------------------------------------------------------------------------------

    def _tell(self) -> float:
        """Say how it stands; gives the seconds until that must be said again."""
        now = time.monotonic()
        silent = [name for name, role in self._roles.items() if not role.lives(now)]
        said = [f"{', '.join(sorted(self._roles.keys() - silent)) or 'nothing'} running"]
        if silent:
            said.append(f"{', '.join(sorted(silent))} died and started again")
        said += [
            f"{name} does not become ready, the one before goes on"
            for name, role in sorted(self._roles.items())
            if role.former and role.complained
        ]
        if self._refused:
            said.append("reload refused, the old configuration is in force")
        self._manager.status("; ".join(said))
        if not silent:
            self._manager.alive()
        # systemd advises half of it; a third leaves room for a busy machine (sd_watchdog_enabled(3)).
        often = self._manager.watchdog_seconds / 3 or 3600.0
        return min(often, _SETTLED_SECONDS) if silent else often

    # --- waiting --------------------------------------------------------------------------------------------

    def _rest(self, longest: float) -> float:
        """Seconds until there is something to do even if nothing happens."""
        starts = [role.start_at for role in self._roles.values() if role.child is None]
        return min(longest, max(0.0, min([*starts, self._look_at]) - time.monotonic()))

    def _wait(self, wanted: _Wanted, seconds: float) -> None:
        starting = [
            role.child.line for role in self._roles.values() if role.child is not None and not role.is_ready()
        ]
        select.select([self._wake_read, *starting], [], [], seconds)
        for number in self._caught():
            wanted.stop |= number in (signal.SIGTERM, signal.SIGINT)
            wanted.reload |= number == signal.SIGHUP
            wanted.upgrade |= number == signal.SIGUSR2

    def _caught(self) -> bytes:
        """The numbers of the signals since the last time."""
        with contextlib.suppress(BlockingIOError):
            return os.read(self._wake_read, 4096)
        return b""

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)


def _name_process(name: str) -> None:
    """Show the role in process lists, where the system has a file for that."""
    with contextlib.suppress(OSError), open("/proc/self/comm", "w") as comm:
        comm.write(f"sms-{name}")
