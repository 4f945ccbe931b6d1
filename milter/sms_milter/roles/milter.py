"""The milter role: a worker that judges mail."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import threading
import time

from sms_milter.config import secrets
from sms_milter.config.schema import Configuration
from sms_milter.dialects import DIALECTS
from sms_milter.gate import Gate
from sms_milter.lifeline import LIFE_SECONDS, Control, Main, Order
from sms_milter.ports import Meter
from sms_milter.proofs import proofs_of
from sms_milter.queue.committer import Committer
from sms_milter.roles.common import PATIENCE_SECONDS, STOP_SECONDS, Metering, entered
from sms_milter.roles.courier import couriered
from sms_milter.verifying import Aside

_RETIRE_SECONDS = 600.0  # how long a worker may take whose replacement runs already


def workers(configuration: Configuration) -> int:
    """How many there are."""
    wanted = configuration.milter.workers
    return len(_cpus()) if wanted == "auto" else wanted


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


def _asks_for_passwords(configuration: Configuration) -> bool:
    """Whether mail may name its account itself."""
    return any(DIALECTS[domain.dialect].login is not None for domain in configuration.domains.values())


def milter_role(
    configuration: Configuration, listening: socket.socket, number: int, metering: Metering
) -> Main:
    """What worker `number` does."""

    def main(control: Control) -> None:
        # libmilter waits for these three in a thread of its own; no other thread may take them away.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGTERM, signal.SIGINT})
        from sms_milter import milterd  # libmilter enters the worker only

        journal, home = entered(configuration, "milter")
        # Before the first thread, and free to run on any CPU.
        aside = Aside(secrets.verify) if _asks_for_passwords(configuration) else None
        _stay_on_one_cpu(number)
        meter = metering()
        senders = ("dispatch", "courier") if couriered(configuration) else ("dispatch",)
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
        passwords = secrets.Passwords(
            aside,
            spent=time.process_time if aside is None else aside.spent,
            timeout_seconds=configuration.milter.decision_timeout,
        )
        gate = Gate(configuration, passwords, proofs_of(configuration))
        # What is made to stay need not be looked through at every search for garbage.
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
    """Show life until the supervisor's word, then take no more connections; leave when the open ones have
    ended.

    The worker lives as long as its committer gets on: libmilter's threads have deadlines of their own.
    """
    from sms_milter import milterd

    assert isinstance(listener, milterd.Listener)
    assert isinstance(callbacks, milterd.Milter)
    order = None
    while order is None and not committer.open:
        order = control.told(0.05)
    control.ready(PATIENCE_SECONDS)
    while order is None:
        order = control.told(LIFE_SECONDS)
        if committer.gets_on():
            control.alive()
    listener.stop()
    started = time.monotonic()
    # A client's idle connection is cut early only when the service ends, and never within a mail.
    idle_until = started + (_RETIRE_SECONDS if order is Order.RETIRE else 0.0)
    busy_until = started + (_RETIRE_SECONDS if order is Order.RETIRE else STOP_SECONDS)
    time.sleep(0.05)  # what libmilter accepted a moment ago must be seen in the counts
    while callbacks.open and time.monotonic() < busy_until:
        if not callbacks.busy and time.monotonic() >= idle_until:
            break
        if committer.gets_on():
            control.alive()
        time.sleep(0.05)
    committer.stop()
    meter.close()
    os._exit(0)
