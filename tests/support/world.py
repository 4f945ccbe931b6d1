"""One MTA with all that belongs to it: services, SMSC, next hop. Plays case files against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from support.mail_case import Case, Step, replied
from support.phone import shown
from support.places import ROOT, folder, wait_until
from support.postfix import Postfix
from support.sendmail import Sendmail
from support.service import Service
from support.smsc import Smsc
from support.smtp_dialogue import SmtpDialogue
from support.smtp_sink import SmtpSink

CONFIGS = ROOT / "tests" / "integration" / "config"
SMS_DOMAINS = ("sms.example.com", "strict.sms.example.com", "small.sms.example.com")
_SENTINEL = "sentinel@sentinel.example"
# What the case files need of Postfix beside deploy/postfix.
_MAIN_CF = """
virtual_alias_domains = alias.example
virtual_alias_maps = inline:{ { oncall@alias.example = 447973100000@sms.example.com } }
sender_bcc_maps = inline:{ { archived@customer.example = archive@elsewhere.example } }
"""


class World:
    """`mta`: postfix or sendmail. A service starts when a case first needs it; many cases share it."""

    def __init__(self, mta: str, configs: Iterable[str]) -> None:
        self.mta_name = mta
        self._configs = sorted({"base", *configs})
        self._running: set[str] = set()
        self._sentinels = 0

    def __enter__(self) -> World:
        self._stack = ExitStack()
        place = self._stack.enter_context(folder(self.mta_name))
        self.sink = self._stack.enter_context(SmtpSink())
        self.smsc = self._stack.enter_context(Smsc())
        self.services = {name: self._service(place, name) for name in self._configs}
        (place / "mta").mkdir()
        self.mta = self._stack.enter_context(self._mta(place / "mta"))
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stack.close()

    def _service(self, place: Path, name: str) -> Service:
        (place / name).mkdir()
        return Service(place / name, self.smsc.port, settings_of(name), unix=name == "unix-socket")

    def _mta(self, place: Path) -> Postfix | Sendmail:
        if self.mta_name == "sendmail":
            milters = {name: service.for_sendmail for name, service in self.services.items()}
            return Sendmail(place, milters, SMS_DOMAINS)
        return Postfix(
            place,
            {name: service.for_postfix for name, service in self.services.items()},
            SMS_DOMAINS,
            next_hop=self.sink.port,
            everywhere=self.services["base"].for_postfix,
            tls=True,
            main_cf=_MAIN_CF,
        )

    # --- playing a case -------------------------------------------------------------------------------------

    def play(self, case: Case) -> None:
        """Play the dialogue, then compare everything that came of it with what the case expects."""
        service = self._running_service(case.config)
        self.smsc.clear()
        self.sink.clear()
        self.mta.empty()
        log_before = len(service.log)
        player = _Player(self, case, service)
        player.run()
        if not service.configuration["milter"].get("shadow"):
            self._mark_the_end(case.config)
        self._compare(case, player.transcript)
        for words in case.expected["log"]:
            wait_until(lambda words=words: words in service.log[log_before:], f"{words} in the log")
        for words in case.expected["no-log"]:
            assert words not in service.log[log_before:], f"in the log: {words}"

    def _running_service(self, config: str) -> Service:
        service = self.services[config]
        if config not in self._running:
            self._running.add(config)
            self._stack.callback(service.stop)
            before = self.smsc.bound
            service.start()
            wait_until(lambda: self.smsc.bound > before, "the service to bind")
        return service

    def _mark_the_end(self, config: str) -> None:
        """Send one more SMS and wait for it: whatever the case led to has come before."""
        self._sentinels += 1
        number = f"44{self._sentinels:010}"
        source = "127.0.2.99" if self.mta_name == "sendmail" else ""
        client = SmtpDialogue(self.mta.ports[config], source=source)
        client.greet()
        *_, last = client.mail(_SENTINEL, [f"{number}@sms.example.com"], b"Subject: the end\r\n\r\n")
        assert last.startswith("250"), f"after the case: {client.transcript}\n{self.services[config].log}"
        client.close()
        wait_until(
            lambda: any(s.destination == number for s in list(self.smsc.received)), "the sentinel's SMS"
        )

    def _compare(self, case: Case, transcript: list[str]) -> None:
        expected = {name: sorted(case.expected[name]) for name in ("sms", "mail", "left")}
        came: dict[str, list[str]] = {}

        def as_expected() -> bool:
            came.clear()
            came.update(self._came())
            return came == expected

        try:
            wait_until(as_expected, "")
        except AssertionError:
            log = self.services[case.config].log[-3000:]
            told = [f"expected {expected}", f"     but {came}", *transcript, log]
            raise AssertionError("\n".join(told)) from None

    def _came(self) -> dict[str, list[str]]:
        parts = [part for part in self.smsc.received if part.originator != "SENTINEL"]
        waiting = [(mail.sender, recipient) for mail in self.mta.queue() for recipient in mail.recipients]
        left = sorted(recipient for _, recipient in waiting if _is_sms(recipient))
        ordinary = [(sender, recipient) for sender, recipient in waiting if not _is_sms(recipient)]
        if self.mta_name == "postfix":  # Sendmail keeps ordinary mail in its queue instead of delivering it
            still = [("<still queued>", recipient) for _, recipient in ordinary]
            ordinary = still + [(mail.sender, to) for mail in list(self.sink.mails) for to in mail.recipients]
        mail = sorted(f"{recipient} from {sender or '<>'}" for sender, recipient in ordinary)
        return {"sms": sorted(map(str, shown(parts))), "mail": mail, "left": left}


def _is_sms(address: str) -> bool:
    return address.rpartition("@")[2].lower() in SMS_DOMAINS


def settings_of(config: str) -> Mapping[str, Any]:
    """What a configuration of the case files says beyond base.yaml."""
    if config == "base":
        return {}
    settings: Mapping[str, Any] = yaml.safe_load((CONFIGS / f"{config}.yaml").read_text()) or {}
    return settings


class _Player:
    """Goes through the steps of one case."""

    def __init__(self, world: World, case: Case, service: Service) -> None:
        self._world, self._case, self._service = world, case, service
        self._client: SmtpDialogue | None = None
        self.transcript: list[str] = []

    def run(self) -> None:
        try:
            for step in self._case.steps:
                if step.mta in ("", self._world.mta_name):
                    self._do(step)
        finally:
            self._leave()

    def _do(self, step: Step) -> None:
        match step.kind:
            case "say":
                self._connected().send(step.octets)
            case "hear":
                reply = self._connected().reply()
                assert replied(step.text, reply), "\n".join([*self.transcript, f"expected: {step.text}"])
            case "TLS":
                self._connected().start_tls()
            case "HANG UP":
                self._leave()
            case "VANISH":
                self._connected().vanish()
                self._client = None
            case "CONNECT":
                self._leave()
                self._connected()
            case "SENDMAIL":
                assert isinstance(self._world.mta, Postfix)
                self._world.mta.sendmail(*step.text.split(), data=step.octets.replace(b"\r\n", b"\n"))
            case "STOP":
                self._service.stop()
            case "START":
                self._service.start()
            case "KILL":
                self._service.kill(step.text)

    def _connected(self) -> SmtpDialogue:
        if self._client is None:
            port = self._world.mta.ports[self._case.listener or self._case.config]
            client, login = self._case.client, self._case.login
            if self._world.mta_name == "sendmail":
                self._client = SmtpDialogue(port, source=_played(client), transcript=self.transcript)
                self._client.greet()
            else:
                address = "::1" if client == "::1" else "127.0.0.1"
                pretended = "" if client in ("::1", "127.0.0.1") else client
                self._client = SmtpDialogue(port, address, transcript=self.transcript)
                self._client.greet(as_client=pretended, login=login)
        return self._client

    def _leave(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _played(client: str) -> str:
    """The loopback address that plays a client of Sendmail, which knows no XCLIENT."""
    return f"127.{client.partition('.')[2]}" if client else ""
