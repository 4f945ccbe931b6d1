"""The service: the supervisor, what it listens on, and the roles made from one configuration."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from sms_milter import __version__, handover
from sms_milter.config.difference import changes
from sms_milter.config.load import load
from sms_milter.config.schema import Configuration
from sms_milter.errors import ConfigError
from sms_milter.lifeline import Control, Main
from sms_milter.listening import Place, Sockets, http_place, milter_place
from sms_milter.logline import clean
from sms_milter.mail.charset import load_codecs
from sms_milter.metering import Wire
from sms_milter.observe import open_journal
from sms_milter.policy.quiet import rules_of
from sms_milter.privileges import account
from sms_milter.queue import learn
from sms_milter.roles.common import Metering, unmetered
from sms_milter.roles.courier import calling_back, courier_role, couriered
from sms_milter.roles.dispatch import dispatch_role
from sms_milter.roles.metrics import metrics_role
from sms_milter.roles.milter import milter_role, workers
from sms_milter.roles.report import report_role, texts_of
from sms_milter.service_manager import ServiceManager
from sms_milter.supervisor import Supervisor

ROLES = ("milter", "dispatch", "report")

_CHECK_SECONDS = 60.0  # for the program of an upgrade to read the configuration
_UNFIT = 69  # what the program says then that cannot work with a queue's tables
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
        learn(configuration.queue)
        places = self._places(configuration)
        sockets = self._sockets.change(places.values())
        self._supervisor.replace(
            self._roles(configuration, {name: sockets[place] for name, place in places.items()})
        )

    def _upgrade(self) -> None:
        """SIGUSR2: go on as the program that is installed now. One that cannot use the configuration, or the
        queue as it stands, is not begun.
        """
        try:
            why = self._question("check", lambda code: code == 0)
            if not why and self._loaded.configuration.queue.kind == "postgresql":
                # A database that is away is no reason: without it the old program could do no more.
                why = self._question("queue migrate --check", lambda code: code != _UNFIT)
            if not why:
                self._journal.info(f"upgrading from version {__version__}")
                self._supervisor.become([sys.executable, *sys.orig_argv[1:]], self._sockets)
        except (OSError, subprocess.TimeoutExpired) as error:
            why = str(error)
        self._journal.error(f"upgrade refused, version {__version__} goes on ({why})")

    def _question(self, command: str, good: Callable[[int], bool]) -> str:
        """Ask the program that is installed now; why it is not to be begun, "" if it is, by its exit code."""
        program = sys.orig_argv[: len(sys.orig_argv) - len(sys.argv) + 1]
        done = subprocess.run(  # noqa: S603 -- our own command line
            [sys.executable, *program[1:], *command.split(), "--config", str(self._path)],
            capture_output=True,
            text=True,
            timeout=_CHECK_SECONDS,
            check=False,
        )
        if good(done.returncode):
            return ""
        for sentence in (done.stderr or done.stdout).strip().splitlines():
            self._journal.error(f"upgrade: {clean(sentence)}")
        return f"`{command}` of the new one ends with exit code {done.returncode}"

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
        callbacks = configuration.callbacks if calling_back(couriered(configuration)) else None
        if "dispatch" in self._wanted and callbacks is not None and callbacks.listen:
            places["courier"] = http_place(callbacks.listen)
        if configuration.metrics.listen:
            places["metrics"] = http_place(configuration.metrics.listen)
        return places

    def _roles(
        self, configuration: Configuration, sockets: Mapping[str, socket.socket]
    ) -> Mapping[str, Main]:
        mains: dict[str, Main] = {}
        meter = self._wire.meter if configuration.metrics.listen else unmetered
        if "milter" in self._wanted:
            listening = sockets["milter"]
            for number in range(workers(configuration)):
                main = self._main(
                    f"milter/{number}",
                    configuration,
                    milter_role(configuration, listening, number, meter),
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
                rules_of(configuration.accounts),
                meter,
            )
            mains["dispatch"] = self._main(
                "dispatch", (*concern, configuration.user), dispatch_role(configuration, meter)
            )
            self._add_courier_role(mains, configuration, sockets.get("courier"), meter)
        if "report" in self._wanted:
            self._add_report_role(mains, configuration, meter)
        if "metrics" in sockets:
            mains["metrics"] = self._main(
                "metrics",
                (configuration.metrics, configuration.queue, configuration.log, configuration.user),
                metrics_role(configuration, sockets["metrics"], self._wire),
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
        channels = couriered(configuration)
        if not channels:
            return
        concern = (
            configuration.channels,
            configuration.callbacks,
            configuration.reports.submit_to,
            rules_of(configuration.accounts),
            configuration.queue,
            configuration.log,
            configuration.user,
            meter,
        )
        main = courier_role(configuration, listening, meter)
        mains["courier"] = self._main("courier", concern, main, listening)

    def _add_report_role(self, mains: dict[str, Main], configuration: Configuration, meter: Metering) -> None:
        if not configuration.reports.submit_to:
            self._journal.info("reports.submit_to is empty: nobody is told by mail what became of an SMS")
            return
        concern = (
            configuration.reports,
            texts_of(configuration),
            tuple(configuration.domains),
            (configuration.limits.stop_words, configuration.limits.start_words),
            configuration.queue,
            configuration.log,
            configuration.user,
            meter,
        )
        mains["report"] = self._main("report", concern, report_role(configuration, meter))

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
