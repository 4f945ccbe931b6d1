"""The report role: our mails, and the URLs that are requested."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Mapping
from functools import partial

from sms_milter.calls import Caller
from sms_milter.config.schema import Configuration
from sms_milter.gate import secret_senders
from sms_milter.lifeline import Control, Main
from sms_milter.logline import Numbers, Senders
from sms_milter.mail.address import domain_of
from sms_milter.notify import Notifier
from sms_milter.queue.home import Home
from sms_milter.replies import Replies
from sms_milter.report.outbox import SmtpOutbox
from sms_milter.report.texts import LANGUAGES, Texts
from sms_milter.roles.common import Bell, Metering, Watch, begin, entered, our_name
from sms_milter.web.client import WebClient
from sms_milter.web.crowd import Crowd

_URL_SECONDS = 10.0
# An MTA may take five minutes for each of its replies (RFC 5321 §4.5.3.2), and a report has up to six.
_PATIENCE_SECONDS = 2400.0
_GATHER_SECONDS = 0.25  # between two steps of the report role


def report_role(configuration: Configuration, metering: Metering) -> Main:
    """What the report role does; `reports.submit_to` must be set."""

    def main(control: Control) -> None:
        journal, home = entered(configuration, "report")
        meter = metering()
        bell = Bell(home, "report", journal)
        host, _, port = configuration.reports.submit_to.rpartition(":")
        host_name = our_name()
        numbers = Numbers(masked=configuration.log.mask_numbers)
        lock, ours = home.turn("report"), threading.Event()

        def our_turn() -> bool:
            (ours.set if lock() else ours.clear)()
            return ours.is_set()

        queue = home.queue()
        notifier = Notifier(
            queue,
            SmtpOutbox(host.strip("[]"), int(port), host_name),
            journal,
            numbers,
            host_name=host_name,
            author=configuration.reports.sender,
            texts=texts_of(configuration),
            no_subscriber={
                name: frozenset(smsc.no_subscriber_errors) for name, smsc in configuration.smscs.items()
            },
            digest_above=configuration.reports.digest_above,
            meter=meter,
            our_turn=our_turn,
            alive=control.alive,
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
            texts=texts_of(configuration),
            stop_words=configuration.limits.stop_words,
            start_words=configuration.limits.start_words,
            our_turn=our_turn,
        )
        begin(control, queue, _PATIENCE_SECONDS)
        _notify_until_told(replies, notifier, home, bell, control, rung)
        bell.close()
        meter.close()

    return main


def texts_of(configuration: Configuration) -> Mapping[str, Texts]:
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
    bell: Bell,
    control: Control,
    rung: threading.Event,
) -> None:
    """The report role's loop: a step, then sleep until the doorbell rings or it is time.

    Right after a step the doorbell is not heard: a step that has something to record waits for its turn to
    write, and then the dispatcher waits for its own.
    """
    watch = Watch()
    while True:
        control.alive()
        now = home.now()
        replies.step(now)
        rest = notifier.step(now)
        pause = min(rest, _GATHER_SECONDS)
        if watch.ready({control.fileno(): select.POLLIN}, pause):
            return
        ready = watch.ready(dict.fromkeys((control.fileno(), bell.fileno()), select.POLLIN), rest - pause)
        if control.fileno() in ready:
            return
        if bell.fileno() in ready:  # what rings after this look rings for both threads next time
            bell.clear()
            rung.set()
