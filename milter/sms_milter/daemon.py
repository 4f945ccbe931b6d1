"""The service put together: a parts list. Every concrete class meets the others here and nowhere else."""

from __future__ import annotations

import contextlib
import gc
import math
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from sms_milter import __version__, handover
from sms_milter.callbacks import Callbacks
from sms_milter.calls import Caller
from sms_milter.channels.endpoint import Endpoint
from sms_milter.channels.mailing import Mailing
from sms_milter.channels.pool import Pool
from sms_milter.config.difference import changes
from sms_milter.config.load import Loaded, load
from sms_milter.config.schema import (
    Configuration,
    EmailChannel,
    HttpChannel,
    SmppChannel,
    Smsc,
)
from sms_milter.config.secrets import Passwords
from sms_milter.courier import Courier, Lane
from sms_milter.dispatch import Dispatcher
from sms_milter.errors import ConfigError
from sms_milter.gate import Gate, secret_senders
from sms_milter.listening import Place, Sockets, http_place, milter_place
from sms_milter.logline import Numbers, Senders, clean
from sms_milter.mail.address import domain_of
from sms_milter.mail.charset import load_codecs
from sms_milter.metering import Wire
from sms_milter.metrics import UNMETERED
from sms_milter.model import Handed, LeasedPart
from sms_milter.notify import Notifier
from sms_milter.observe import open_journal
from sms_milter.ports import Journal, Meter
from sms_milter.privileges import account, give_up_privileges
from sms_milter.proofs import proofs_of
from sms_milter.queue import home_of
from sms_milter.queue.committer import Committer
from sms_milter.queue.home import Ear, Home
from sms_milter.queue.statements import migrations
from sms_milter.replies import Replies
from sms_milter.report.outbox import SmtpOutbox
from sms_milter.report.texts import LANGUAGES, Texts
from sms_milter.service_manager import ServiceManager
from sms_milter.smpp.codec import BindKind
from sms_milter.smpp.link import Link, Tls
from sms_milter.smpp.reconnect import Backoff
from sms_milter.smpp.session import SessionOptions
from sms_milter.smpp.trace import Trace
from sms_milter.supervisor import Control, Main, Order, Supervisor
from sms_milter.web.client import WebClient
from sms_milter.web.crowd import Crowd
from sms_milter.web.listener import Listener

Metering = Callable[[], Meter]  # makes that of a process

ROLES = ("milter", "dispatch", "report")

_STOP_SECONDS = 20.0  # how long running mails and open windows may take when the service ends
_RETIRE_SECONDS = 600.0  # the same when a replacement runs already
_URL_SECONDS = 10.0
_GATHER_SECONDS = 0.25  # between two steps of the report role
_UNBIND_SECONDS = 5.0
_CHECK_SECONDS = 60.0  # for the program of an upgrade to read the configuration
_CHANGES_SHOWN = 50


class Service:
    """`sms-milter run`: the supervisor, the listening socket, and the roles made from one configuration."""

    def __init__(self, path: Path, roles: frozenset[str]) -> None:
        self._path, self._wanted = path, roles
        self._loaded = load(path)
        self._journal = open_journal(self._loaded.configuration.log, "supervisor")
        left = handover.received()
        self._sockets = Sockets(left.sockets)
        self._upgraded = bool(left.children)
        manager = ServiceManager.from_environment(os.environ)
        self._supervisor = Supervisor(self._journal, self._reload, self._upgrade, manager, left.children)
        self._mains: dict[str, tuple[object, Main]] = {}
        self._wire = Wire()

    def run(self) -> None:
        """Serve until SIGTERM."""
        self._note()
        load_codecs()
        migrations("sqlite")
        self._take_over(self._loaded.configuration)
        what = f"upgraded, version {__version__}" if self._upgraded else "ready"
        self._journal.info(f"{what}, configuration {self._path}")
        self._supervisor.run()
        self._journal.info("stopped")

    def _reload(self) -> bool:
        """SIGHUP: a good file takes over without losing a connection; False for a bad one, which leaves the
        old in force.
        """
        before = self._loaded.configuration
        try:
            loaded = load(self._path)
            different = changes(before, loaded.configuration)
            self._take_over(loaded.configuration)
        except ConfigError as error:
            for fault in error.faults:
                self._journal.error(f"configuration: {clean(fault)}")
            self._journal.error("reload refused, the old configuration stays in force")
            return False
        except OSError as error:
            self._journal.error(f"reload refused, the old configuration stays in force ({error})")
            return False
        self._loaded = loaded
        self._note()
        for sentence in different[:_CHANGES_SHOWN]:
            self._journal.info(f"changed: {clean(sentence)}")
        self._journal.info(f"reloaded, configuration {self._path}, {len(different) or 'no'} settings changed")
        return True

    def _take_over(self, configuration: Configuration) -> None:
        """Make it the one in force. Raises ConfigError and OSError; then the one before is, as a whole."""
        if configuration.user:
            account(configuration.user)  # better now than in every child
        places = self._places(configuration)
        sockets = self._sockets.change(places.values())
        self._supervisor.replace(
            self._roles(configuration, {name: sockets[place] for name, place in places.items()})
        )

    def _upgrade(self) -> None:
        """SIGUSR2: go on as the program that is installed now. One that cannot use the configuration is not
        begun.
        """
        program = sys.orig_argv[: len(sys.orig_argv) - len(sys.argv) + 1]
        try:
            done = subprocess.run(  # noqa: S603 -- our own command line
                [sys.executable, *program[1:], "check", "--config", str(self._path)],
                capture_output=True,
                text=True,
                timeout=_CHECK_SECONDS,
                check=False,
            )
            if done.returncode == 0:
                self._journal.info(f"upgrading from version {__version__}")
                self._supervisor.become([sys.executable, *sys.orig_argv[1:]], self._sockets)
            for sentence in (done.stderr or done.stdout).strip().splitlines():
                self._journal.error(f"upgrade: {clean(sentence)}")
            why = f"`check` of the new one ends with exit code {done.returncode}"
        except (OSError, subprocess.TimeoutExpired) as error:
            why = str(error)
        self._journal.error(f"upgrade refused, version {__version__} goes on ({why})")

    def _note(self) -> None:
        for note in self._loaded.notes:
            self._journal.warning(f"configuration: {clean(note)}")

    def _places(self, configuration: Configuration) -> Mapping[str, Place]:
        """Where to listen, by the role that does."""
        places = {}
        if "milter" in self._wanted:
            milter = configuration.milter
            places["milter"] = milter_place(
                milter.socket, int(milter.socket_mode, 8), configuration.user, milter.socket_group
            )
        callbacks = configuration.callbacks if _told(_couriered(configuration)) else None
        if "dispatch" in self._wanted and callbacks is not None and callbacks.listen:
            places["courier"] = http_place(callbacks.listen)
        if configuration.metrics.listen:
            places["metrics"] = http_place(configuration.metrics.listen)
        return places

    def _roles(
        self, configuration: Configuration, sockets: Mapping[str, socket.socket]
    ) -> Mapping[str, Main]:
        mains: dict[str, Main] = {}
        meter = self._wire.meter if configuration.metrics.listen else _unmetered
        if "milter" in self._wanted:
            listening = sockets["milter"]
            for number in range(_workers(configuration)):
                main = self._main(
                    f"milter/{number}",
                    configuration,
                    _milter_role(configuration, listening, number, meter),
                    listening,
                )
                mains[f"milter/{number}"] = main
        if "dispatch" in self._wanted:
            # Binds outlive a reload that does not concern them.
            concern = (
                configuration.smscs,
                configuration.routes,
                configuration.queue,
                configuration.log,
                configuration.reports.keep,
                meter,
            )
            mains["dispatch"] = self._main(
                "dispatch", (*concern, configuration.user), _dispatch_role(configuration, meter)
            )
            self._add_courier_role(mains, configuration, sockets.get("courier"), meter)
        if "report" in self._wanted:
            self._add_report_role(mains, configuration, meter)
        if "metrics" in sockets:
            mains["metrics"] = self._main(
                "metrics",
                (configuration.metrics, configuration.queue, configuration.log, configuration.user),
                _metrics_role(configuration, sockets["metrics"], self._wire),
                sockets["metrics"],
            )
        return mains

    def _add_courier_role(
        self,
        mains: dict[str, Main],
        configuration: Configuration,
        listening: socket.socket | None,
        meter: Metering,
    ) -> None:
        channels = _couriered(configuration)
        if not channels:
            return
        concern = (
            configuration.channels,
            configuration.callbacks,
            configuration.reports.submit_to,
            configuration.queue,
            configuration.log,
            configuration.user,
            meter,
        )
        main = _courier_role(configuration, listening, meter)
        mains["courier"] = self._main("courier", concern, main, listening)

    def _add_report_role(self, mains: dict[str, Main], configuration: Configuration, meter: Metering) -> None:
        if not configuration.reports.submit_to:
            self._journal.info("reports.submit_to is empty: nobody is told by mail what became of an SMS")
            return
        concern = (
            configuration.reports,
            _texts(configuration),
            tuple(configuration.domains),
            (configuration.limits.stop_words, configuration.limits.start_words),
            configuration.queue,
            configuration.log,
            configuration.user,
            meter,
        )
        mains["report"] = self._main("report", concern, _report_role(configuration, meter))

    def _main(self, name: str, concern: object, main: Main, own: socket.socket | None = None) -> Main:
        """The main of a role; the one that runs already when nothing that concerns it has changed. `own` is
        what it listens on.
        """
        before = self._mains.get(name)
        if before is not None and before[0] == concern:
            return before[1]

        def alone(control: Control) -> None:
            # Once another role lets go of its socket, nobody must keep it open without listening.
            for other in self._sockets:
                if other is not own:
                    other.close()
            main(control)

        self._mains[name] = (concern, alone)
        return alone


def _workers(configuration: Configuration) -> int:
    workers = configuration.milter.workers
    return len(_cpus()) if workers == "auto" else workers


def _cpus() -> list[int]:
    """The CPUs that we may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _stay_on_one_cpu(number: int) -> None:
    """Keep worker `number` on one CPU, where the system can do that.

    Only one of its threads runs Python at a time; on one CPU they take turns without waking another one.
    """
    if hasattr(os, "sched_setaffinity"):
        cpus = _cpus()
        with contextlib.suppress(OSError):  # forbidden by a sandbox: then without
            os.sched_setaffinity(0, {cpus[number % len(cpus)]})


# --- roles --------------------------------------------------------------------------------------------------


def _unmetered() -> Meter:
    return UNMETERED


def _metrics_role(configuration: Configuration, listening: socket.socket, wire: Wire) -> Main:
    def main(control: Control) -> None:
        from sms_milter.web.prometheus import (
            Endpoint,
            Exposition,
            samples,
        )  # its library enters this role only

        journal = open_journal(configuration.log, "metrics")
        give_up_privileges(configuration.user)
        home = home_of(configuration.queue)
        queue = home.queue()
        exposition = Exposition(lambda: samples(queue, home.now()))
        endpoint = Endpoint(listening, exposition, journal)
        endpoint.start()

        def hear() -> None:
            for tally in wire.heard():
                exposition.add(tally)

        threading.Thread(target=hear, name="wire", daemon=True).start()
        control.read()
        endpoint.stop()

    return main


def _milter_role(
    configuration: Configuration, listening: socket.socket, number: int, metering: Metering
) -> Main:
    def main(control: Control) -> None:
        # libmilter waits for these three in a thread of its own; no other thread may take them away.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGTERM, signal.SIGINT})
        from sms_milter import milterd  # libmilter enters the worker only

        _stay_on_one_cpu(number)

        journal = open_journal(configuration.log, "milter")
        give_up_privileges(configuration.user)
        meter = metering()
        home = home_of(configuration.queue)
        senders = ("dispatch", "courier") if _couriered(configuration) else ("dispatch",)
        committer = Committer(
            home.queue,
            home.doorbell(*senders),
            journal,
            reports=home.doorbell("report") if configuration.reports.submit_to else None,
            timeout_seconds=configuration.milter.decision_timeout,
            meter=meter,
            clock=home.now,
        )
        committer.start()
        # What is made to stay need not be looked through at every search for garbage.
        gc.freeze()
        # What is made to stay need not be looked through at every search for garbage.
        gc.freeze()
        gate = Gate(configuration, Passwords(), proofs_of(configuration))
        gc.freeze()
        callbacks = milterd.Milter(gate, committer, journal, meter, clock=home.now)

        def ready(listener: milterd.Listener) -> None:
            drain = threading.Thread(
                target=_drain_milter,
                args=(control, listener, callbacks, committer, meter),
                name="control",
                daemon=True,
            )
            drain.start()

        milterd.serve(callbacks, listening, ready)

    return main


def _drain_milter(
    control: Control, listener: object, callbacks: object, committer: Committer, meter: Meter
) -> None:
    """Wait for the supervisor's word, take no more connections, leave when the open ones have ended."""
    from sms_milter import milterd

    assert isinstance(listener, milterd.Listener)
    assert isinstance(callbacks, milterd.Milter)
    order = control.read()
    listener.stop()
    started = time.monotonic()
    # A client's idle connection is cut early only when the service ends, and never within a mail.
    idle_until = started + (_RETIRE_SECONDS if order is Order.RETIRE else 0.0)
    busy_until = started + (_RETIRE_SECONDS if order is Order.RETIRE else _STOP_SECONDS)
    time.sleep(0.05)  # what libmilter accepted a moment ago must be seen in the counts
    while callbacks.open and time.monotonic() < busy_until:
        if not callbacks.busy and time.monotonic() >= idle_until:
            break
        time.sleep(0.05)
    committer.stop()
    meter.close()
    os._exit(0)


def _dispatch_role(configuration: Configuration, metering: Metering) -> Main:
    def main(control: Control) -> None:
        journal = open_journal(configuration.log, "dispatch")
        give_up_privileges(configuration.user)
        meter = metering()
        home = home_of(configuration.queue)
        bell = _Bell(home, "dispatch", journal)
        waker, woken = socket.socketpair()
        waker.setblocking(False)
        woken.setblocking(False)
        numbers = Numbers(masked=configuration.log.mask_numbers)
        trace = Trace(numbers, texts=configuration.log.message_text == "debug")
        links = [
            link
            for name, smsc in configuration.smscs.items()
            for link in _links(name, smsc, journal, trace, lambda: _wake(waker))
        ]
        dispatcher = Dispatcher(
            home.queue(),
            links,
            configuration.smscs,
            configuration.routes,
            journal,
            numbers,
            keep_seconds=configuration.reports.keep,
            reports=home.doorbell("report"),
            our_turn=home.turn("dispatch"),
            name=home.host,
            meter=meter,
        )
        _dispatch_until_told(dispatcher, links, home, bell, woken, control)
        bell.close()
        meter.close()

    return main


class _Bell:
    """The doorbell, as long as it can be had: without it the role's slow poll has to do."""

    def __init__(self, home: Home, role: str, journal: Journal) -> None:
        self._home, self._role, self._journal = home, role, journal
        self._listener: Ear | None = None
        self._missed = False

    def fileno(self) -> int:
        """The descriptor to poll, -1 while there is none."""
        if self._listener is None:
            try:
                self._listener = self._home.listener(self._role)
                self._missed = False
            except OSError as error:
                if not self._missed:
                    self._journal.error(f"no doorbell beside the queue, polling instead ({error})")
                self._missed = True
                return -1
        return self._listener.fileno()

    def clear(self) -> None:
        """Forget the rings so far."""
        if self._listener is not None:
            self._listener.clear()

    def close(self) -> None:
        """Take the doorbell away."""
        if self._listener is not None:
            self._listener.close()


class _Watch:
    """A poll set that is told anew what to watch each time, and changes only what is different."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._watched: dict[int, int] = {}

    def ready(self, wanted: dict[int, int], seconds: float) -> set[int]:
        """Descriptors of `wanted` (with their event masks; -1 is none) that have something, or time is up."""
        wanted.pop(-1, None)
        if wanted != self._watched:
            for descriptor in self._watched.keys() - wanted.keys():
                self._poll.unregister(descriptor)
            for descriptor, mask in wanted.items():
                self._poll.register(descriptor, mask)
            self._watched = wanted
        return {descriptor for descriptor, _ in self._poll.poll(seconds * 1000)}


def _dispatch_until_told(
    dispatcher: Dispatcher,
    links: list[Link],
    home: Home,
    bell: _Bell,
    woken: socket.socket,
    control: Control,
) -> None:
    """The dispatcher's loop: sleep until something happens, then one step."""
    watch = _Watch()
    deadline: float | None = None
    closing = False
    told = False
    while True:
        rest = min(dispatcher.step(home.now(), time.monotonic()), 0.1 if told else 60.0)
        wanted = dict.fromkeys((woken.fileno(), bell.fileno()), select.POLLIN)
        if not told:
            wanted[control.fileno()] = select.POLLIN
        if dispatcher.listening:
            for link in links:
                wanted[link.fileno()] = select.POLLIN | (select.POLLOUT if link.wants_write else 0)
        ready = watch.ready(wanted, rest)
        if bell.fileno() in ready:
            bell.clear()
            dispatcher.rung()
        if woken.fileno() in ready:
            with contextlib.suppress(BlockingIOError):
                woken.recv(4096)
        now = time.monotonic()
        if not told and control.fileno() in ready:
            told = True
            deadline = now + _STOP_SECONDS
            dispatcher.drain()
        if deadline is not None and not closing and (dispatcher.idle or now > deadline):
            closing = True
            deadline = now + _UNBIND_SECONDS
            dispatcher.close()
        if closing and deadline is not None and (dispatcher.closed or now > deadline):
            dispatcher.step(home.now(), now)
            dispatcher.release()
            return


def _couriered(configuration: Configuration) -> Mapping[str, EmailChannel | HttpChannel]:
    """The channels with an outlet that is no SMSC."""
    return {
        name: channel
        for name, channel in configuration.channels.items()
        if not isinstance(channel, SmppChannel)
    }


def _told(channels: Mapping[str, EmailChannel | HttpChannel]) -> list[str]:
    """The channels whose services call back."""
    return [name for name, one in channels.items() if isinstance(one, HttpChannel) and one.call_back]


def _courier_role(configuration: Configuration, listening: socket.socket | None, metering: Metering) -> Main:
    def main(control: Control) -> None:
        journal = open_journal(configuration.log, "courier")
        give_up_privileges(configuration.user)
        meter = metering()
        home = home_of(configuration.queue)
        queue = home.queue()
        numbers = Numbers(masked=configuration.log.mask_numbers)
        reports = home.doorbell("report")
        bell = _Bell(home, "courier", journal)
        waker, woken = socket.socketpair()
        waker.setblocking(False)
        woken.setblocking(False)
        channels = _couriered(configuration)
        lanes = {
            name: Lane(
                Pool(_hand(channel, configuration), channel.concurrency, lambda: _wake(waker)),
                retries_doubt=channel.on_uncertain == "retry",
            )
            for name, channel in channels.items()
        }
        courier = Courier(
            queue, lanes, journal, numbers, reports=reports, meter=meter, our_turn=home.turn("courier")
        )
        listener = None
        if listening is not None and configuration.callbacks is not None:
            ear = Callbacks(queue, _told(channels), journal, numbers, reports=reports, clock=home.now)
            listener = Listener(listening, configuration.callbacks.token, ear.hear, journal)
            listener.start()
        _carry_until_told(courier, home, bell, woken, control)
        if listener is not None:
            listener.stop()
        bell.close()
        meter.close()

    return main


def _hand(
    channel: EmailChannel | HttpChannel, configuration: Configuration
) -> Callable[[LeasedPart], Handed]:
    """How an errand of a channel is handed over."""
    if isinstance(channel, HttpChannel):
        # The postmaster chose the URL: it may well be a service of this host.
        return Endpoint(channel, WebClient(timeout_seconds=channel.timeout, private=True)).hand
    host, _, port = (channel.submit_to or configuration.reports.submit_to).rpartition(":")
    host_name = _host_name()
    return Mailing(lambda: SmtpOutbox(host.strip("[]"), int(port), host_name), host_name).hand


def _carry_until_told(
    courier: Courier, home: Home, bell: _Bell, woken: socket.socket, control: Control
) -> None:
    """The courier's loop: a step, then sleep until the doorbell rings, an outlet is done or it is time."""
    watch = _Watch()
    deadline = math.inf
    while True:
        rest = courier.step(home.now())
        if time.monotonic() > deadline or (deadline < math.inf and courier.idle):
            return
        wanted = dict.fromkeys((woken.fileno(), bell.fileno()), select.POLLIN)
        if deadline == math.inf:
            wanted[control.fileno()] = select.POLLIN
        ready = watch.ready(wanted, rest if deadline == math.inf else min(rest, 0.1))
        if bell.fileno() in ready:
            bell.clear()
            courier.rung()
        if woken.fileno() in ready:
            with contextlib.suppress(BlockingIOError):
                woken.recv(4096)
        if control.fileno() in ready and deadline == math.inf:
            deadline = time.monotonic() + _STOP_SECONDS
            courier.drain()


def _report_role(configuration: Configuration, metering: Metering) -> Main:
    def main(control: Control) -> None:
        journal = open_journal(configuration.log, "report")
        give_up_privileges(configuration.user)
        meter = metering()
        home = home_of(configuration.queue)
        bell = _Bell(home, "report", journal)
        host, _, port = configuration.reports.submit_to.rpartition(":")
        host_name = _host_name()
        numbers = Numbers(masked=configuration.log.mask_numbers)
        lock, ours = home.turn("report"), threading.Event()

        def our_turn() -> bool:
            (ours.set if lock() else ours.clear)()
            return ours.is_set()

        notifier = Notifier(
            home.queue(),
            SmtpOutbox(host.strip("[]"), int(port), host_name),
            journal,
            numbers,
            host_name=host_name,
            author=configuration.reports.sender,
            texts=_texts(configuration),
            no_subscriber={
                name: frozenset(smsc.no_subscriber_errors) for name, smsc in configuration.smscs.items()
            },
            digest_above=configuration.reports.digest_above,
            meter=meter,
            our_turn=our_turn,
            senders=Senders(secret_senders(configuration)),
        )
        rung = threading.Event()
        web = WebClient(timeout_seconds=_URL_SECONDS, private=configuration.reports.private_urls)
        caller = Caller(home.queue(), Crowd(web).ask, journal, numbers, our_turn=ours.is_set)
        # What it has under way when the role ends is asked once more by the next.
        threading.Thread(target=_call_for_ever, args=(caller, home, rung), name="urls", daemon=True).start()
        replies = Replies(
            home.queue(),
            journal,
            numbers,
            mailbox=configuration.reports.mailbox,
            domain=next(iter(configuration.domains), host_name),
            may_mail=partial(_may_mail, frozenset(configuration.domains)),
            texts=_texts(configuration),
            stop_words=configuration.limits.stop_words,
            start_words=configuration.limits.start_words,
            our_turn=our_turn,
        )
        _notify_until_told(replies, notifier, home, bell, control, rung)
        bell.close()
        meter.close()

    return main


def _host_name() -> str:
    """This host for other mail systems, as well as it knows itself."""
    name = socket.getfqdn()
    return socket.gethostname() if name.startswith("localhost") else name


def _texts(configuration: Configuration) -> Mapping[str, Texts]:
    """Of each account with a language of its own, and "" of all others."""
    reports = configuration.reports
    languages = {name: account.report_language for name, account in configuration.accounts.items()}
    chosen = {name: LANGUAGES[language] for name, language in languages.items() if language != "default"}
    return {
        name: {**texts, **reports.texts}
        for name, texts in {"": LANGUAGES[reports.language], **chosen}.items()
    }


def _may_mail(ours: frozenset[str], address: str) -> bool:
    """Whether what a phone answers may go there: not to where it would become an SMS."""
    return domain_of(address) not in ours


def _call_for_ever(caller: Caller, home: Home, rung: threading.Event) -> None:
    """The loop of the thread that requests URLs: a step, then sleep until it is time."""
    while True:
        rest = caller.step(home.now())
        pause = min(rest, _GATHER_SECONDS)
        time.sleep(pause)
        rung.wait(rest - pause)
        rung.clear()


def _notify_until_told(
    replies: Replies,
    notifier: Notifier,
    home: Home,
    bell: _Bell,
    control: Control,
    rung: threading.Event,
) -> None:
    """The report role's loop: a step, then sleep until the doorbell rings or it is time.

    Right after a step the doorbell is not heard: a step that has something to record waits for its turn to
    write, and then the dispatcher waits for its own.
    """
    watch = _Watch()
    while True:
        now = home.now()
        replies.step(now)
        rest = notifier.step(now)
        pause = min(rest, _GATHER_SECONDS)
        if watch.ready({control.fileno(): select.POLLIN}, pause):
            return
        ready = watch.ready(dict.fromkeys((control.fileno(), bell.fileno()), select.POLLIN), rest - pause)
        if control.fileno() in ready:
            return
        if bell.fileno() in ready:
            rung.set()
        bell.clear()


def _wake(waker: socket.socket) -> None:
    with contextlib.suppress(OSError):
        waker.send(b"!")


def _links(name: str, smsc: Smsc, journal: Journal, trace: Trace, wake: Callable[[], None]) -> list[Link]:
    tls = Tls(smsc.tls_ca_file, smsc.tls_certificate_file, smsc.tls_key_file, smsc.tls_server_name)

    def link(number: int, kind: BindKind, suffix: str = "") -> Link:
        return Link(
            smsc=name,
            name=f"{name}/{number}{suffix}",
            number=number,
            hosts=(smsc.host, *smsc.other_hosts),
            port=smsc.port,
            tls=tls if smsc.tls else None,
            session_options=SessionOptions(
                system_id=smsc.system_id,
                password=smsc.password,
                system_type=smsc.system_type,
                kind=kind,
                window=smsc.window,
                enquire_link_seconds=smsc.enquire_link,
                response_timeout_seconds=smsc.response_timeout,
                longest_password=64 if smsc.long_password else 8,
            ),
            backoff=Backoff(random.Random()),
            wake=wake,
            journal=journal,
            trace=trace,
        )

    links = []
    for number in range(1, smsc.binds + 1):
        receiver = link(number, "receiver", "-receiver")
        if smsc.bind == "transceiver":
            first = link(number, "transceiver")
            first.fall_back_to(receiver)
        else:
            first = link(number, "transmitter", "-transmitter")
        links += [first, receiver]
    return links


__all__ = ["ROLES", "Loaded", "Service"]
