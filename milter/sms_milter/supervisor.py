"""Keeps child processes running: forks, restarts with a growing delay, drains, replaces. Knows nothing of
what they do.

On an upgrade it goes on as another program, and its children with it (`handover`).

The supervisor stays single-threaded, so that a fork copies no held lock. It handles nothing that comes from
outside; each child gives up its privileges before it does. Children are told what to do through a line, not
by signals, because libmilter keeps TERM, HUP and INT for itself; a closed line means that the supervisor is
gone and the child must end too. Through the same line a child shows that it lives: one that hangs is as good
as dead, and nobody but the supervisor would notice.
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
from dataclasses import dataclass
from enum import Enum

from sms_milter import handover
from sms_milter.handover import Runner
from sms_milter.ports import Journal
from sms_milter.service_manager import ServiceManager

_RESTART_SECONDS = (0.1, 30.0)  # first and longest delay before a role is started again
_LIVED_SECONDS = 60.0  # a child that lived so long starts afresh in the counting
_SETTLED_SECONDS = 5.0  # a child started again lives, for the service manager, when it has lived so long
_STOP_SECONDS = 45.0  # after that a draining child is killed
_LOOK_SECONDS = 30.0  # between two looks whether children show life

LIFE_SECONDS = 10.0  # a child that has nothing to do says as often that it lives
_SIGNS = 30  # so many of them are within a child's patience; there is no need for more
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2, signal.SIGCHLD)


class Order(Enum):
    """What the supervisor tells a child through its pipe."""

    STOP = b"S"  # the service ends: finish what is under way, soon
    RETIRE = b"R"  # a replacement runs already: finish at leisure


class Control:
    """A child's end of its line to the supervisor."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._often, self._said_at = 0.0, float("-inf")

    def fileno(self) -> int:
        """For select and poll: readable when there is an order."""
        return self._line.fileno()

    def told(self, seconds: float) -> Order | None:
        """Wait so long for the supervisor's word; its end reads as STOP."""
        if not select.select([self._line], [], [], seconds)[0]:
            return None
        try:
            octets = self._line.recv(1)
        except ConnectionResetError:  # its end, and what we said last was not heard
            return Order.STOP
        return Order.RETIRE if octets == Order.RETIRE.value else Order.STOP

    def ready(self, patience_seconds: float) -> None:
        """The role does its work from now on; whenever it does not call `alive` for so long, it hangs."""
        self._often = patience_seconds / _SIGNS
        self._say(f"{patience_seconds}\n".encode())

    def alive(self) -> None:
        """Show life; to be called every `LIFE_SECONDS`, or as often as one likes."""
        now = time.monotonic()
        if now - self._said_at >= self._often:
            self._said_at = now
            self._say(b".")

    def _say(self, octets: bytes) -> None:
        with contextlib.suppress(OSError):  # the supervisor is gone, or does not listen
            self._line.send(octets, socket.MSG_DONTWAIT)


Main = Callable[[Control], None]


@dataclass(slots=True)
class _Child:
    name: str
    pid: int
    line: int
    started: float
    retired: bool = False
    patience: float | None = None  # None: is not ready, or of a program whose children do not say
    said: bytes = b""
    silent_looks: int = 0

    def hear(self) -> bool:
        """Whether it has said anything since the last time."""
        try:
            octets = os.read(self.line, 4096)
        except OSError:  # nothing; or a pipe of the program before us, which is for writing only
            return False
        if self.patience is None:
            self.said += octets
            if b"\n" in self.said:
                self.patience = float(self.said.partition(b"\n")[0])
        return bool(octets)


@dataclass(slots=True)
class _Role:
    main: Main | None  # None: of the program before us
    child: _Child | None = None
    delay: float = 0.0
    start_at: float = 0.0

    def lives(self, now: float) -> bool:
        """Whether it runs; one whose child keeps dying does not, though there is a new one now and then."""
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
        self._children = {one.pid: _Child(*one[:3], now, one.retired, one.patience) for one in children}
        self._roles = {
            child.name: _Role(None, child) for child in self._children.values() if not child.retired
        }
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def replace(self, roles: Mapping[str, Main]) -> None:
        """Make `roles` the roles to run: new and changed ones start, then those they replace retire."""
        for name in [name for name in self._roles if name not in roles]:
            self._retire(self._roles.pop(name).child)
        for name, main in roles.items():
            before = self._roles.get(name)
            if before is not None and before.main is main:
                continue
            self._roles[name] = _Role(main)
            self._start(name)
            if before is not None:
                self._retire(before.child)

    def run(self) -> None:
        """Supervise until told to stop; returns when every child has ended."""
        wanted = _Wanted()
        with self._signals():
            self._manager.ready()
            while not wanted.stop:
                self._reap()
                self._start_due()
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
        # They would end the new program before it can hear them; until then they wait.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
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
        role.child = _Child(name, pid, ours.detach(), time.monotonic())
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

    def _retire(self, child: _Child | None, order: Order = Order.RETIRE) -> None:
        if child is not None:
            child.retired = True
            with contextlib.suppress(OSError):
                os.write(child.line, order.value)

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            child = self._children.pop(pid, None)
            if child is not None:
                os.close(child.line)
                self._ended(child, os.waitstatus_to_exitcode(status))

    def _ended(self, child: _Child, code: int) -> None:
        how = f"exit {code}" if code >= 0 else f"signal {-code}"
        role = self._roles.get(child.name)
        if child.retired or role is None or role.child is not child:
            self._journal.info(f"ended role={child.name} pid={child.pid} ({how})")
            return
        now = time.monotonic()
        lived = now - child.started
        role.child = None
        role.delay = (
            _RESTART_SECONDS[0] if lived > _LIVED_SECONDS else min(role.delay * 2 or 0.1, _RESTART_SECONDS[1])
        )
        role.start_at = now + role.delay
        self._journal.warning(
            f"role={child.name} pid={child.pid} died ({how}), started again in {role.delay:.1f} s"
        )

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
            self._retire(child, Order.STOP)
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
        select.select([self._wake_read], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            for number in os.read(self._wake_read, 4096):
                wanted.stop |= number in (signal.SIGTERM, signal.SIGINT)
                wanted.reload |= number == signal.SIGHUP
                wanted.upgrade |= number == signal.SIGUSR2

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
