"""Our entry among a listener's milters: its place, and the settings that count for us."""

from __future__ import annotations

from collections.abc import Iterator

from sms_milter.config.schema import Configuration
from sms_milter.doctor.finding import Finding, Severity
from sms_milter.doctor.postfix.facts import MilterEntry, PostfixFacts
from sms_milter.doctor.postfix.listeners import Listener, for_postfix, listeners
from sms_milter.doctor.postfix.tables import unlisted
from sms_milter.doctor.times import seconds

_SHUTDOWN_SINCE = (3, 11)
_PROTOCOL = 6  # what libmilter speaks; below it our removal of recipients or list of macros is missing
_TIMEOUTS = {"content_timeout": 100, "command_timeout": 10}  # how many seconds more than ours they should be
_LISTS = ("smtpd_milters", "non_smtpd_milters")


def not_asked(facts: PostfixFacts, ours: Configuration) -> Iterator[Finding]:
    """No listener has us among its milters, nor has a table that could not be listed."""
    if not unlisted(facts) and not any(listeners(facts, ours.milter.socket)):
        yield Finding(
            Severity.CRITICAL,
            "not-asked",
            facts.directory,
            f"no listener of Postfix asks {for_postfix(ours.milter.socket)} about its mail: no SMS is taken",
            facts.change(None, "smtpd_milters", "$smtpd_milters, " + _entry(ours, facts))
            if facts.main.get("smtpd_milters")
            else facts.change(None, "smtpd_milters", _entry(ours, facts)),
        )


def _entry(ours: Configuration, facts: PostfixFacts) -> str:
    entry = MilterEntry("", for_postfix(ours.milter.socket), {})
    return entry.rewritten(content_timeout="120s", default_action=_right_action(facts))


def order(facts: PostfixFacts, ours: Configuration, at: Listener) -> Iterator[Finding]:
    """Another milter runs after ours."""
    after = [one.address for one in at.milters[at.position + 1 :]]
    if after:
        yield Finding(
            Severity.CRITICAL,
            "milter-order",
            at.label,
            f"{', '.join(after)} runs after sms-milter: it could refuse a mail whose SMS is on its way",
            _put_right(facts, ours, at),
        )


def default_action(facts: PostfixFacts, ours: Configuration, at: Listener) -> Iterator[Finding]:
    """What Postfix does while we are away."""
    right = _right_action(facts)
    action = _setting(facts, at, "default_action")
    if action == right:
        return
    only_worse = action == "tempfail"  # right until 3.11
    why = {
        "accept": "mail passes unseen while sms-milter is away",
        "reject": "mail is refused for good while sms-milter is away",
        "quarantine": "mail is put on hold while sms-milter is away",
        "tempfail": "a client whose connection lost its milter gets 451 until it connects anew",
        "shutdown": "this Postfix does not know it and answers 451 4.3.5",
    }.get(action, "this is no action")
    yield Finding(
        Severity.WARNING if only_worse else Severity.CRITICAL,
        "default-action",
        at.label,
        f"milter_default_action is {action}: {why}; right for Postfix {facts.main.get('mail_version', '')} is"
        f" {right}",
        _put_right(facts, ours, at),
    )


def timeouts(facts: PostfixFacts, ours: Configuration, at: Listener) -> Iterator[Finding]:
    """Postfix must wait for us longer than we take."""
    patience = ours.milter.decision_timeout
    for name in _TIMEOUTS:
        written = _setting(facts, at, name)
        limit = seconds(written)
        if limit is not None and limit <= patience:
            yield Finding(
                Severity.CRITICAL,
                name.replace("_", "-"),
                at.label,
                f"{name} is {written}, not longer than our milter.decision_timeout of {patience:g} s: Postfix"
                " may give up a mail that we take, and its client sends it again",
                _put_right(facts, ours, at),
            )


def protocol(facts: PostfixFacts, ours: Configuration, at: Listener) -> Iterator[Finding]:
    """The version that libmilter speaks."""
    protocol = _setting(facts, at, "protocol")
    if protocol == str(_PROTOCOL):
        return
    low = protocol.isdigit() and int(protocol) < _PROTOCOL
    why = "replies cannot be left out, every mail takes longer" if low else "libmilter does not speak that"
    yield Finding(
        Severity.WARNING if low else Severity.CRITICAL,
        "protocol",
        at.label,
        f"milter_protocol is {protocol}, not {_PROTOCOL}: {why}",
        _put_right(facts, ours, at),
    )


def _right_action(facts: PostfixFacts) -> str:
    return "shutdown" if facts.version >= _SHUTDOWN_SINCE else "tempfail"


def _setting(facts: PostfixFacts, at: Listener, name: str) -> str:
    """What counts for us: the entry's own setting, else the service's."""
    return at.ours.own.get(name, facts.value(at.service, f"milter_{name}"))


def _put_right(facts: PostfixFacts, ours: Configuration, at: Listener) -> str:
    """The command that mends all that is wrong with our entry and its place, so that no two commands undo
    each other.
    """
    repairs = _repairs(facts, ours, at)
    entry = at.ours.rewritten(**repairs) if repairs else at.ours.written
    if at.ours is at.milters[-1]:
        for place, named in ((at.service, at.service.settings), (None, facts.main)):
            for name, value in named.items():
                if value == at.ours.written and name not in _LISTS:
                    return facts.change(place, name, entry)
    chain = ", ".join((*(one.written for one in at.milters if one is not at.ours), entry))
    if at.clients is not None:
        return f"in {at.clients.table}, for {at.clients}: {chain}"
    return facts.change_where_set(at.service, at.parameter, chain)


def _repairs(facts: PostfixFacts, ours: Configuration, at: Listener) -> dict[str, str]:
    """The settings that our entry should have instead."""
    wanted = {}
    if _setting(facts, at, "default_action") != _right_action(facts):
        wanted["default_action"] = _right_action(facts)
    if _setting(facts, at, "protocol") != str(_PROTOCOL):
        wanted["protocol"] = str(_PROTOCOL)
    patience = ours.milter.decision_timeout
    for name, more in _TIMEOUTS.items():
        limit = seconds(_setting(facts, at, name))
        if limit is not None and limit <= patience:
            wanted[name] = f"{int(patience) + more}s"
    return wanted
