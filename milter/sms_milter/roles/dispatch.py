"""The dispatch role: one thread that keeps the links and submits."""

from __future__ import annotations

import contextlib
import random
import select
import socket
import time
from collections.abc import Callable

from sms_milter.config.schema import Configuration, Smsc
from sms_milter.dispatch import Dispatcher
from sms_milter.lifeline import LIFE_SECONDS, Control, Main
from sms_milter.logline import Numbers
from sms_milter.policy.quiet import hours, rules_of
from sms_milter.ports import Journal
from sms_milter.queue.home import Home
from sms_milter.roles.common import STOP_SECONDS, Bell, Metering, Watch, begin, entered, wake
from sms_milter.smpp.codec import BindKind
from sms_milter.smpp.dialling import Tls
from sms_milter.smpp.link import Link
from sms_milter.smpp.options import SessionOptions
from sms_milter.smpp.reconnect import Backoff
from sms_milter.smpp.trace import Trace

_UNBIND_SECONDS = 5.0


def dispatch_role(configuration: Configuration, metering: Metering) -> Main:
    """What the dispatcher does."""

    def main(control: Control) -> None:
        journal, home = entered(configuration, "dispatch")
        meter = metering()
        bell = Bell(home, "dispatch", journal)
        waker, woken = socket.socketpair()
        waker.setblocking(False)
        woken.setblocking(False)
        numbers = Numbers(masked=configuration.log.mask_numbers)
        trace = Trace(numbers, texts=configuration.log.message_text == "debug")
        links = [
            link
            for name, smsc in configuration.smscs.items()
            for link in _links(name, smsc, journal, trace, lambda: wake(waker))
        ]
        queue = home.queue()
        dispatcher = Dispatcher(
            queue,
            links,
            configuration.smscs,
            configuration.routes,
            journal,
            numbers,
            keep_seconds=configuration.reports.keep,
            reports=home.doorbell("report"),
            our_turn=home.turn("dispatch"),
            quiet=hours(rules_of(configuration.accounts)),
            name=home.host,
            meter=meter,
            clock=time.monotonic,
        )
        begin(control, queue)
        _dispatch_until_told(dispatcher, links, home, bell, woken, control)
        bell.close()
        meter.close()

    return main


def _dispatch_until_told(
    dispatcher: Dispatcher,
    links: list[Link],
    home: Home,
    bell: Bell,
    woken: socket.socket,
    control: Control,
) -> None:
    """The dispatcher's loop: sleep until something happens, then one step."""
    watch = Watch()
    deadline: float | None = None
    closing = False
    told = False
    while True:
        control.alive()
        rest = min(dispatcher.step(home.now(), time.monotonic()), 0.1 if told else LIFE_SECONDS)
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
            deadline = now + STOP_SECONDS
            dispatcher.drain()
        if deadline is not None and not closing and (dispatcher.idle or now > deadline):
            closing = True
            deadline = now + _UNBIND_SECONDS
            dispatcher.close()
        if closing and deadline is not None and (dispatcher.closed or now > deadline):
            dispatcher.step(home.now(), now)
            dispatcher.release()
            return


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
