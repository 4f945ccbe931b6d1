"""The golden cases once more, through a real Postfix: same replies to the client, same submit_sm at the SMSC.

`tests/golden` shows what `sms-milter preview` says of a mail; this shows that the service does what preview
says. The first of each dialect run against both SMSCs, because npm's smpp shows fields that smpp34 hides; the
others run against either in turn.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

from support.places import ROOT, folder, free_port, wait_until
from support.postfix import Postfix
from support.requirements import missing
from support.service import Service, merged
from support.smsc import Smsc, Submitted, node_is_missing
from support.smtp_dialogue import SmtpDialogue
from support.smtp_sink import SmtpSink

GOLDEN = ROOT / "tests" / "golden"
PASSING = re.compile(r"\d{4}-\d\d-\d\dT[\d:]+Z|(?<=ID - )\d+")
BARE_CR = re.compile(rb"\r(?!\n)")
NOT_OURS = ("replace_if_present_flag", "sm_default_msg_id")  # never set, and preview does not show them
SENTINELS = count(1)
# The end of a case is marked by one more SMS, to a domain of its own whatever the dialect of the case.
SENTINEL_DOMAIN = "sentinel.example"
SENTINEL = {
    "clients": ["127.0.0.1"],
    "senders": ["sentinel@sentinel.example"],
    "default_originator": "SENTINEL",
    "route": "sentinel",
}

pytestmark = [pytest.mark.mta, pytest.mark.smsc]

Library = Literal["smpp34", "node"]


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content


def cannot_be_played(path: Path, case: Mapping[str, Any]) -> str:
    """Why a case needs more than a client that says what stands in it."""
    if "macros" in case:
        return "depends on macros of the MTA"
    if case.get("by_chance"):
        return "holds what chance has chosen"
    if any("receipt" in one for one in case.get("before", ())):
        return "speaks of what was delivered earlier"
    if case.get("by_the_clock"):
        return "means something else at another hour"
    if BARE_CR.search(path.with_suffix(".eml").read_bytes()):
        return "has a bare CR, of which Postfix makes a blank"
    messages = case["expect"]["messages"] or ()
    if any("short_message" not in part for message in messages for part in message["parts"]):
        return "goes to an outlet that is no SMSC"
    validities = [part["validity_period"] for message in messages for part in message["parts"]]
    if any(one and not one.endswith("R") for one in validities):
        return "names a moment that has passed by now"
    now = datetime.fromisoformat(case["now"])
    if any(now - datetime.fromisoformat(one["now"]) > timedelta(hours=12) for one in case.get("before", ())):
        return "needs time to pass"
    return ""


def configuration(path: Path, case: Mapping[str, Any]) -> dict[str, Any]:
    return merged(read(path.parent / "base.yaml"), case.get("config", {}))


def playable() -> list[tuple[Path, dict[str, Any]]]:
    """The cases, those of one configuration together, so that the service starts once for them."""
    cases = [(path, read(path)) for path in sorted(GOLDEN.glob("*/[0-9]*.yaml"))]
    return sorted(
        (one for one in cases if not cannot_be_played(*one)),
        key=lambda one: json.dumps(configuration(*one), sort_keys=True),
    )


class Rig:
    """Postfix, an SMSC, the next hop, and the service in the configuration that was asked for last."""

    def __init__(self, stack: ExitStack, library: Library, domains: list[str]) -> None:
        self._place = stack.enter_context(folder("golden"))
        self.sink = stack.enter_context(SmtpSink())
        self.smsc = stack.enter_context(Smsc(library))
        self._port = free_port()
        (self._place / "mta").mkdir()
        self.postfix = stack.enter_context(
            Postfix(
                self._place / "mta",
                {"golden": f"inet:127.0.0.1:{self._port}"},
                domains,
                next_hop=self.sink.port,
                main_cf="mynetworks = 0.0.0.0/0, [::]/0\nlocal_header_rewrite_clients =\n",
            )
        )
        self._configuration: dict[str, Any] = {}
        self._service: Service | None = None
        self._services = 0
        stack.callback(self._stop)

    def configured(self, wanted: dict[str, Any], *, afresh: bool) -> None:
        """Run the service with this configuration; `afresh`: with an empty queue in any case."""
        if self._service is not None and wanted == self._configuration and not afresh:
            return
        self._stop()
        self._configuration = wanted
        self._services += 1
        place = self._place / f"service-{self._services}"
        place.mkdir()
        everywhere = [{"to": "*", "via": [next(iter(wanted["smscs"]))]}]
        sentinel = {
            "domains": {SENTINEL_DOMAIN: {"dialect": "hsl"}},
            "accounts": {"sentinel": SENTINEL},
            "routes": {"sentinel": everywhere},
        }
        self._service = Service(place, self.smsc.port, sentinel, wanted, port=self._port)
        self._service.start()
        self.wait_until(lambda: self.smsc.bound > 0, "the service to bind")

    def _stop(self) -> None:
        if self._service is not None:
            self._service.stop()
            wait_until(lambda: self.smsc.bound == 0, "the service to unbind")
            self._service = None

    def say(self, case: Mapping[str, Any], mail: bytes) -> list[str]:
        """One mail over its own connection; the replies to MAIL, every RCPT, and DATA or the final dot."""
        client = SmtpDialogue(self.postfix.ports["golden"])
        client.greet(as_client=case["client"], login=case.get("sasl_user", ""))
        parameters = "".join(f" {one}" for one in case.get("mail_parameters", ()))
        given = "".join(f" {one}" for one in case.get("recipient_parameters", ()))
        sender = case["sender"].strip("<>")
        replies = client.mail(
            sender, case["recipients"], mail, parameters=parameters, recipient_parameters=given
        )
        client.close()
        return replies

    @property
    def service(self) -> Service:
        """The one that runs now."""
        assert self._service is not None
        return self._service

    def told(self) -> str:
        """What its parts say of themselves, for a failure's report."""
        service = self._service.log if self._service else "none runs"
        return f"{self.smsc}\n--- the service:\n{service[-4000:]}\n--- Postfix:\n{self.postfix.log[-4000:]}"

    def came(self) -> list[Submitted]:
        """What came to the SMSC, the tests' own SMS apart."""
        return [one for one in list(self.smsc.received) if one.originator != "SENTINEL"]

    def mark_the_end(self) -> None:
        """Send one more SMS and wait for it: what was submitted before has come, or is about to."""
        destination = f"44{next(SENTINELS):010}"
        end = {"client": "127.0.0.1", "sender": "sentinel@sentinel.example"}
        replies = self.say(
            end | {"recipients": [f"{destination}@{SENTINEL_DOMAIN}"]}, b"Subject: the end\r\n\r\n"
        )
        assert replies[-1].startswith("250"), replies
        self.wait_until(
            lambda: any(one.destination == destination for one in list(self.smsc.received)),
            "the sentinel's SMS",
        )

    def wait_until(self, condition: Callable[[], object], what: str) -> None:
        """As `places.wait_until`, but in vain as soon as the SMSC has ended."""
        wait_until(lambda: self.smsc.check() or condition(), what)


class Rigs:
    """One rig for each SMSC, made when first asked for; another after a failure, so that it stays alone."""

    def __init__(self) -> None:
        self._rigs: dict[Library, tuple[Rig, ExitStack]] = {}

    @contextmanager
    def borrowed(self, library: Library) -> Iterator[Rig]:
        """For one case."""
        if library not in self._rigs:
            self._rigs[library] = self._made(library)
        rig, stack = self._rigs[library]
        try:
            yield rig
        except BaseException:
            del self._rigs[library]
            print(rig.told())
            with suppress(AssertionError):  # a part that fails does not end well either
                stack.close()
            raise

    def close(self) -> None:
        """End them all."""
        for _, stack in self._rigs.values():
            stack.close()

    def _made(self, library: Library) -> tuple[Rig, ExitStack]:
        if why := missing("postfix") or (node_is_missing() if library == "node" else ""):
            pytest.skip(why)
        domains = {name for path, case in CASES for name in configuration(path, case)["domains"]}
        stack = ExitStack()
        try:
            return Rig(stack, library, sorted({*domains, SENTINEL_DOMAIN})), stack
        except BaseException:
            stack.close()
            raise


@pytest.fixture(scope="module")
def rigs() -> Iterator[Rigs]:
    rigs = Rigs()
    yield rigs
    rigs.close()


CASES = playable()
AGAINST_BOTH = 20  # of each dialect


def played() -> Iterator[Any]:
    """Cases with the library of the SMSC that they are played to."""
    seen: Counter[str] = Counter()
    libraries: tuple[Library, Library] = ("smpp34", "node")
    for path, case in CASES:
        dialect = path.parent.name
        seen[dialect] += 1
        chosen = libraries if seen[dialect] <= AGAINST_BOTH else (libraries[seen[dialect] % 2],)
        for library in chosen:
            yield pytest.param(path, case, library, id=f"{dialect}-{path.stem}-{library}")


@pytest.mark.parametrize(("path", "case", "library"), list(played()))
def test_the_service_does_what_preview_says(
    rigs: Rigs, path: Path, case: dict[str, Any], library: Library
) -> None:
    with rigs.borrowed(library) as rig:
        play(rig, path, case)


def play(rig: Rig, path: Path, case: Mapping[str, Any]) -> None:
    """Say the mails of a case and compare what comes of the last with what it expects."""
    wanted = configuration(path, case)
    rig.configured(wanted, afresh="before" in case)
    if "before" in case:
        for earlier in case["before"]:
            for _ in range(earlier.get("times", 1)):
                rig.say(case | earlier, with_crlf((path.parent / earlier["mail"]).read_bytes()))
        wait_until(lambda: not rig.service.backlog(), "the earlier mails to be sent")
        rig.mark_the_end()
    rig.smsc.clear()
    rig.sink.clear()
    _, *replies = rig.say(case, with_crlf(path.with_suffix(".eml").read_bytes()))
    rig.mark_the_end()
    messages = case["expect"]["messages"] or ()
    # smpp34 handles requests side by side: the last may be told of first.
    rig.wait_until(
        lambda: len(rig.came()) >= sum(len(one["parts"]) for one in messages), "all parts at the SMSC"
    )
    assert_as_expected(case["expect"], replies, rig.came())
    others = [one["address"] for one in case["expect"]["recipients"] if not one["ours"]]
    if case["expect"]["action"] in ("strip", "pass"):
        rig.sink.wait_for(1)
    assert sorted(to for mail in rig.sink.mails for to in mail.recipients) == sorted(others)


def assert_as_expected(expected: Mapping[str, Any], replies: list[str], came: list[Submitted]) -> None:
    *at_rcpt, last = replies
    for judged, reply in zip(expected["recipients"], at_rcpt, strict=True):
        assert same_reply(judged["reply"], reply), f"{judged['address']}: {reply}"
    if any(judged["reply"] is None for judged in expected["recipients"]):
        assert same_reply(expected["reply"], last), last
    else:
        assert last.startswith("554 5.5.1"), last
    parts = [part for message in expected["messages"] or () for part in message["parts"]]
    wanted = sorted(map(comparable, parts), key=by_phone)
    got = sorted((comparable(one.fields) for one in came), key=by_phone)
    known = got[0].keys() if got else set()
    assert got == [{name: part[name] for name in part if name in known} for part in wanted]


def same_reply(expected: Mapping[str, Any] | None, reply: str) -> bool:
    """Whether the client saw this reply; moments in it are those of the day on which it was given, numbers
    of requests go on from case to case.
    """
    if expected is None:
        return reply.startswith("250")
    words = f"{expected['code']} {expected['enhanced']} {expected['text']}"
    return PASSING.sub("", words) == PASSING.sub("", reply)


def comparable(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a submit_sm without the reference number that ties its parts together."""
    message = fields["short_message"].lower()
    if fields["esm_class"] & 0x40:
        message = without_reference(message)
    compared = dict(fields, short_message=message)
    for name in NOT_OURS:
        compared.pop(name, None)
    return compared


def without_reference(message: str) -> str:
    """Hexadecimal user data with its header (GSM 03.40 §9.2.3.24), element 00's first octet masked."""
    at, end = 2, 2 + 2 * int(message[:2], 16)
    while at < end:
        element, length = message[at : at + 2], int(message[at + 2 : at + 4], 16)
        if element == "00":
            return message[: at + 4] + "**" + message[at + 6 :]
        at += 4 + 2 * length
    return message


def by_phone(part: Mapping[str, Any]) -> tuple[str, str]:
    return part["destination_addr"], part["short_message"]


def with_crlf(mail: bytes) -> bytes:
    """A mail file with the line ends of SMTP."""
    return mail.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
