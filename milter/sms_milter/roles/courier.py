"""The courier role: messages by other channels than SMS, and what their services tell."""

from __future__ import annotations

import contextlib
import math
import select
import socket
import time
from collections.abc import Callable, Mapping

from sms_milter.callbacks import Callbacks
from sms_milter.channels.endpoint import Endpoint
from sms_milter.channels.mailing import Mailing
from sms_milter.channels.pool import Pool
from sms_milter.config.schema import Configuration, EmailChannel, HttpChannel, SmppChannel
from sms_milter.courier import Courier, Lane
from sms_milter.lifeline import LIFE_SECONDS, Control, Main
from sms_milter.logline import Numbers
from sms_milter.model import Handed, LeasedPart
from sms_milter.policy.quiet import hours, rules_of
from sms_milter.queue.home import Home
from sms_milter.report.outbox import SmtpOutbox
from sms_milter.roles.common import STOP_SECONDS, Bell, Metering, Watch, begin, entered, our_name, wake
from sms_milter.web.client import WebClient
from sms_milter.web.listener import Listener


def couriered(configuration: Configuration) -> Mapping[str, EmailChannel | HttpChannel]:
    """The channels with an outlet that is no SMSC."""
    return {
        name: channel
        for name, channel in configuration.channels.items()
        if not isinstance(channel, SmppChannel)
    }


def calling_back(channels: Mapping[str, EmailChannel | HttpChannel]) -> list[str]:
    """The channels whose services call back."""
    return [name for name, one in channels.items() if isinstance(one, HttpChannel) and one.call_back]


def courier_role(configuration: Configuration, listening: socket.socket | None, metering: Metering) -> Main:
    """What the courier does; `listening` is where the services call back."""

    def main(control: Control) -> None:
        journal, home = entered(configuration, "courier")
        meter = metering()
        queue = home.queue()
        numbers = Numbers(masked=configuration.log.mask_numbers)
        reports = home.doorbell("report")
        bell = Bell(home, "courier", journal)
        waker, woken = socket.socketpair()
        waker.setblocking(False)
        woken.setblocking(False)
        channels = couriered(configuration)
        lanes = {
            name: Lane(
                Pool(_hand(channel, configuration), channel.concurrency, lambda: wake(waker)),
                retries_doubt=channel.on_uncertain == "retry",
            )
            for name, channel in channels.items()
        }
        courier = Courier(
            queue,
            lanes,
            journal,
            numbers,
            reports=reports,
            meter=meter,
            our_turn=home.turn("courier"),
            quiet=hours(rules_of(configuration.accounts)),
        )
        listener = None
        if listening is not None and configuration.callbacks is not None:
            ear = Callbacks(queue, calling_back(channels), journal, numbers, reports=reports, clock=home.now)
            listener = Listener(listening, configuration.callbacks.token, ear.hear, journal)
            listener.start()
        begin(control, queue)
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
    host_name = our_name()
    return Mailing(lambda: SmtpOutbox(host.strip("[]"), int(port), host_name), host_name).hand


def _carry_until_told(
    courier: Courier, home: Home, bell: Bell, woken: socket.socket, control: Control
) -> None:
    """The courier's loop: a step, then sleep until the doorbell rings, an outlet is done or it is time."""
    watch = Watch()
    deadline = math.inf
    while True:
        control.alive()
        rest = min(courier.step(home.now()), LIFE_SECONDS)
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
            deadline = time.monotonic() + STOP_SECONDS
            courier.drain()
