"""Rules about Sendmail, from its sendmail.cf: what milter.md §8.6 asks of it.

Reads the file alone: what a mailertable says is in none of its lines, and is said to be unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sms_milter.config.schema import Configuration
from sms_milter.doctor.finding import Finding, Severity
from sms_milter.doctor.times import seconds

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_SECONDS_BY_DEFAULT = {"R": 10.0, "E": 300.0}
# Mailers that deliver, and error, which refuses at RCPT before the milter is asked.
_NO_FAIL_SAFE = frozenset({"local", "prog", "smtp", "esmtp", "smtp8", "dsmtp", "relay", "error", "discard"})


@dataclass(frozen=True, slots=True)
class SendmailFacts:
    """A sendmail.cf. `filters`: name to its X line's equates, such as S, F, T; `order`: InputMailFilters."""

    file: str
    filters: Mapping[str, Mapping[str, str]]
    order: tuple[str, ...]
    options: Mapping[str, str]
    routes: Mapping[str, str]  # domain to the mailer that a rule of the file names for its class
    mailertable: bool


def parse(file: str, text: str) -> SendmailFacts:
    """From the text of a sendmail.cf."""
    text = re.sub(r"\n[ \t]+", " ", text)  # a line that begins with white space goes on
    options = dict(re.findall(r"^O[ \t]+([\w.]+)[ \t]*=[ \t]*(.*)$", text, re.M))
    filters = {name.strip(): _equates(rest) for name, rest in re.findall(r"^X([^,\n]+),(.*)$", text, re.M)}
    order = tuple(one.strip() for one in options.get("InputMailFilters", "").split(",") if one.strip())
    members: dict[str, list[str]] = {}
    for braced, short, words in re.findall(r"^C(?:\{(\w+)\}|(\w))[ \t]*(.*)$", text, re.M):
        members.setdefault(braced or short, []).extend(words.lower().split())
    routes = {}
    for line in re.findall(r"^R.*\$#.*$", text, re.M):
        mailer = re.search(r"\$#[ \t]*([\w-]+)", line)
        for braced, short in re.findall(r"\$=(?:\{(\w+)\}|(\w))", line.partition("$#")[0]):
            if mailer and braced:  # the one-letter classes are Sendmail's own
                routes.update(dict.fromkeys(members.get(braced or short, ()), mailer[1]))
    mailertable = re.search(r"^Kmailertable\b", text, re.M) is not None
    return SendmailFacts(file, filters, order, options, routes, mailertable)


def _equates(rest: str) -> dict[str, str]:
    pairs = (one.strip().partition("=") for one in rest.split(","))
    return {name.strip(): value.strip() for name, _, value in pairs}


def findings(facts: SendmailFacts, ours: Configuration) -> list[Finding]:
    """All that is wrong with this Sendmail."""
    found = list(_routes(facts, ours))
    name = next((one for one in facts.order if _is_ours(facts.filters.get(one, {}), ours)), None)
    if name is None:
        return [*found, _not_asked(facts, ours)]
    for rule in (_order, _flags, _timeouts, _size_limit):
        found += rule(facts, ours, name)
    return found


def _is_ours(equates: Mapping[str, str], ours: Configuration) -> bool:
    kind, _, place = equates.get("S", "").partition(":")
    own_kind, _, own_place = ours.milter.socket.partition(":")
    if own_kind == "unix":
        return kind in ("unix", "local") and place == own_place
    port, _, host = place.partition("@")
    own_port, _, own_host = own_place.partition("@")
    same = host == own_host or own_host in ("0.0.0.0", "::") or {host, own_host} <= _LOOPBACK
    return kind.startswith("inet") and port == own_port and same


def _mend(line: str) -> str:
    return f"in sendmail.mc: {line}, then make -C /etc/mail and restart Sendmail"


def _filter(ours: Configuration, flag: str = "T") -> str:
    patience = int(ours.milter.decision_timeout) + 10
    times = f"T=C:10s;S:30s;R:{patience}s;E:{patience + 90}s"
    return f"INPUT_MAIL_FILTER(`sms-milter', `S={ours.milter.socket}, F={flag}, {times}')dnl"


def _not_asked(facts: SendmailFacts, ours: Configuration) -> Finding:
    says = f"no filter in InputMailFilters is {ours.milter.socket}: no SMS is taken"
    return Finding(Severity.CRITICAL, "not-asked", facts.file, says, _mend(_filter(ours)))


def _routes(facts: SendmailFacts, ours: Configuration) -> Iterator[Finding]:
    mend = "put deploy/sendmail/sms-milter.m4 into sendmail.mc with your domains, then make -C /etc/mail"
    for domain in ours.domains:
        mailer = facts.routes.get(domain, "")
        if mailer in _NO_FAIL_SAFE:
            says = f"mail for {domain} goes to mailer {mailer}, which does not keep what no milter takes"
            yield Finding(Severity.CRITICAL, "fail-safe-route", domain, says, mend)
        elif not mailer and facts.mailertable:
            says = f"no rule of {facts.file} keeps mail for {domain} that no milter takes; a mailertable may"
            yield Finding(Severity.UNKNOWN, "fail-safe-route", domain, says, mend)
        elif not mailer:
            says = f"mail for {domain} that no milter takes would be delivered elsewhere"
            yield Finding(Severity.CRITICAL, "fail-safe-route", domain, says, mend)


def _order(facts: SendmailFacts, _: Configuration, name: str) -> Iterator[Finding]:
    after = facts.order[facts.order.index(name) + 1 :]
    if after:
        says = f"{', '.join(after)} runs after {name} and could refuse a mail whose SMS is already on its way"
        mend = _mend(f"INPUT_MAIL_FILTER(`{name}', …) as the last of its kind")
        yield Finding(Severity.CRITICAL, "milter-order", facts.file, says, mend)


def _flags(facts: SendmailFacts, ours: Configuration, name: str) -> Iterator[Finding]:
    flag = facts.filters[name].get("F", "")
    if flag not in ("T", "4"):
        what = "refused for good" if flag == "R" else "passed unseen"
        says = f"F={flag or 'nothing'} of {name}: mail is {what} while sms-milter is away"
        yield Finding(Severity.CRITICAL, "default-action", facts.file, says, _mend(_filter(ours)))


def _timeouts(facts: SendmailFacts, ours: Configuration, name: str) -> Iterator[Finding]:
    patience = ours.milter.decision_timeout
    written = dict(one.strip().partition(":")[::2] for one in facts.filters[name].get("T", "").split(";"))
    for letter, default in _SECONDS_BY_DEFAULT.items():
        limit = seconds(written[letter]) if letter in written else default
        if limit is not None and limit <= patience:
            says = (
                f"T={letter}:{limit:g}s of {name} is not longer than our milter.decision_timeout of"
                f" {patience:g} s: Sendmail may give up a mail that we take, and its client sends it again"
            )
            yield Finding(Severity.CRITICAL, f"timeout-{letter}", facts.file, says, _mend(_filter(ours)))


def _size_limit(facts: SendmailFacts, ours: Configuration, _: str) -> Iterator[Finding]:
    limit, ceiling = facts.options.get("MaxMessageSize", "0"), ours.milter.max_message_size
    if limit.isdigit() and 0 < int(limit) < ceiling:
        says = f"MaxMessageSize={limit} is below our milter.max_message_size of {ceiling} octets"
        mend = _mend(f"define(`confMAX_MESSAGE_SIZE', `{ceiling + 100_000}')dnl")
        yield Finding(Severity.WARNING, "size-limit", facts.file, says, mend)
