"""Rules about Postfix: what milter.md §8 and the promise (DESIGN §3, §4) ask of it.

A rule that is about a listener is asked for each service that has us among its milters.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sms_milter.config.schema import Configuration
from sms_milter.doctor.finding import Finding, Severity
from sms_milter.doctor.postfix_facts import MilterEntry, PostfixFacts, Service, items, milters, seconds

_CRITICAL, _WARNING = Severity.CRITICAL, Severity.WARNING
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_ANY = frozenset({"0.0.0.0", "::"})
_SHUTDOWN_SINCE = (3, 11)
_PROTOCOL = 6  # what libmilter speaks; below it our removal of recipients or list of macros is missing
_SIZE_MARGIN = 100_000  # octets, for what Postfix adds to a mail
_TIMEOUTS = {"content_timeout": 100, "command_timeout": 10}  # how many seconds more than ours they should be
_LISTS = ("smtpd_milters", "non_smtpd_milters")
# Transports that answer at RCPT before the milter is asked, and one that loses mail in silence.
_REFUSING, _LOSING = frozenset({"error", "retry"}), "discard"


@dataclass(frozen=True, slots=True)
class Listener:
    """A service that asks us about its mail.

    `parameter` lists its milters; `cleanup` is where its mail goes on.
    `chrooted_path` is set when our unix socket is looked up below the queue directory, where it is not.
    """

    service: Service
    parameter: str
    milters: tuple[MilterEntry, ...]
    position: int
    cleanup_name: str
    cleanup: Service | None
    chrooted_path: str = ""

    @property
    def ours(self) -> MilterEntry:
        """Our own entry."""
        return self.milters[self.position]


def findings(facts: PostfixFacts, ours: Configuration) -> list[Finding]:
    """All that is wrong with this Postfix."""
    listeners = list(_listeners(facts, ours.milter.socket))
    found = [one for rule in _OF_ALL for one in rule(facts, ours)]
    found += _not_asked(facts, ours, listeners)
    found += [one for listener in listeners for rule in _OF_LISTENER for one in rule(facts, ours, listener)]
    return list(dict.fromkeys(found))


# --- who asks us --------------------------------------------------------------------------------------------


def _listeners(facts: PostfixFacts, socket: str) -> Iterator[Listener]:
    for service in facts.services:
        cleanup_name = facts.value(service, "cleanup_service_name") or "cleanup"
        cleanup = facts.service(cleanup_name)
        if service.command == "smtpd":
            yield from _asking(facts, socket, service, "smtpd_milters", cleanup_name, cleanup)
        elif service.command == "pickup" and cleanup is not None:  # sendmail(1): cleanup itself asks
            yield from _asking(facts, socket, cleanup, "non_smtpd_milters", cleanup_name, cleanup)


def _asking(
    facts: PostfixFacts,
    socket: str,
    service: Service,
    parameter: str,
    cleanup_name: str,
    cleanup: Service | None,
) -> Iterator[Listener]:
    entries = tuple(milters(facts.value(service, parameter)))
    for position, entry in enumerate(entries):
        means, chrooted_path = _is_ours(facts, service, entry.address, socket)
        if means:
            yield Listener(service, parameter, entries, position, cleanup_name, cleanup, chrooted_path)
            return


def _is_ours(facts: PostfixFacts, service: Service, address: str, socket: str) -> tuple[bool, str]:
    """Whether Postfix's address of a milter means our socket; and the path where it looks in vain."""
    kind, _, place = address.partition(":")
    own_kind, _, own_place = socket.partition(":")
    if own_kind != "unix":
        host, _, port = place.rpartition(":")
        own_port, _, own_host = own_place.partition("@")
        host, own_host = host.strip("[]"), own_host.strip("[]")
        same = host == own_host or own_host in _ANY or {host, own_host} <= _LOOPBACK
        return kind.startswith("inet") and port == own_port and same, ""
    if kind not in ("unix", "local"):
        return False, ""
    queue = facts.main.get("queue_directory", "/")
    below = posixpath.normpath(posixpath.join(queue, place.lstrip("/")))
    looked_at = below if service.chroot or not place.startswith("/") else posixpath.normpath(place)
    wanted = posixpath.normpath(own_place)
    if looked_at == wanted:
        return True, ""
    return posixpath.normpath(place) == wanted, looked_at


def _not_asked(facts: PostfixFacts, ours: Configuration, listeners: list[Listener]) -> Iterator[Finding]:
    if not listeners:
        yield Finding(
            _CRITICAL,
            "not-asked",
            facts.directory,
            f"no listener of Postfix asks {for_postfix(ours.milter.socket)} about its mail: no SMS is taken",
            facts.change(None, "smtpd_milters", "$smtpd_milters, " + _entry(ours, facts))
            if facts.main.get("smtpd_milters")
            else facts.change(None, "smtpd_milters", _entry(ours, facts)),
        )


def for_postfix(socket: str) -> str:
    """Our socket as Postfix writes it: inet:HOST:PORT, or unix:/PATH."""
    kind, _, place = socket.partition(":")
    port, _, host = place.partition("@")
    if kind == "unix":
        return socket
    host = "127.0.0.1" if host in _ANY else host
    return f"inet:[{host}]:{port}" if ":" in host else f"inet:{host}:{port}"


def _entry(ours: Configuration, facts: PostfixFacts) -> str:
    entry = MilterEntry("", for_postfix(ours.milter.socket), {})
    return entry.rewritten(content_timeout="120s", default_action=_right_action(facts))


def _right_action(facts: PostfixFacts) -> str:
    return "shutdown" if facts.version >= _SHUTDOWN_SINCE else "tempfail"


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
    others = [one.written for one in at.milters if one is not at.ours]
    return facts.change_where_set(at.service, at.parameter, ", ".join((*others, entry)))


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


def _setting(facts: PostfixFacts, at: Listener, name: str) -> str:
    """What counts for us: the entry's own setting, else the service's."""
    return at.ours.own.get(name, facts.value(at.service, f"milter_{name}"))


# --- the fail-safe route ------------------------------------------------------------------------------------


def _fail_safe_route(facts: PostfixFacts, ours: Configuration) -> Iterator[Finding]:
    transports = {domain: facts.routes.get(domain, "").partition(":")[0] for domain in ours.domains}
    wrong = {domain: _wrong_route(facts, domain, transport) for domain, transport in transports.items()}
    wrong = {domain: says for domain, says in wrong.items() if says}
    for domain, says in wrong.items():
        yield Finding(_CRITICAL, "fail-safe-route", domain, says, _route_command(facts, wrong))


def _wrong_route(facts: PostfixFacts, domain: str, transport: str) -> str:
    if not transport:
        return (
            f"mail for {domain} that no milter takes would be delivered elsewhere: it has no fail-safe route"
        )
    if transport in _REFUSING:
        return f"transport {transport}: refuses mail for {domain} at RCPT, before the milter is asked"
    if transport == _LOSING:
        return f"transport {transport}: loses mail for {domain} in silence when no milter takes it"
    service = facts.service(transport)
    if service is None:
        return f"mail for {domain} goes to transport {transport}, which is not in master.cf"
    if service.command != "pipe":
        return f"mail for {domain} that no milter takes is delivered by {service.command} ({transport})"
    return ""


def _route_command(facts: PostfixFacts, domains: Iterable[str]) -> str:
    """For all of them at once: each command gives transport_maps a new value."""
    pairs = ", ".join(f"{{ {domain} = sms-unclaimed: }}" for domain in domains)
    entry = f"inline:{{ {pairs} }}"
    before = facts.main.get("transport_maps", "")
    route = facts.change(None, "transport_maps", f"{entry} {before}".strip())
    if facts.service("sms-unclaimed") is not None:
        return route
    line = (
        "sms-unclaimed unix - n n - 2 pipe flags=q user=nobody"
        ' argv=/bin/sh -c {echo "4.3.5 SMS mail that sms-milter has not seen"; exit 75}'
    )
    return f"{facts.command('postconf', '-Me', f'sms-unclaimed/unix={line}')} && {route}"


def _domain_class(facts: PostfixFacts, ours: Configuration) -> Iterator[Finding]:
    for domain in ours.domains:
        for name in facts.classes.get(domain, ()):
            relayed = name == "relay_domains"
            says = (
                f"{domain} is in relay_domains: every listener takes mail for it from strangers"
                if relayed
                else f"{domain} is in {name}: Postfix refuses numbers as unknown, or delivers them itself"
            )
            left = " ".join(one for one in items(facts.main.get(name, "")) if one.lower() not in ours.domains)
            mend = (
                facts.change(None, name, left)
                if domain in map(str.lower, items(facts.main.get(name, "")))
                else f"take {domain} out of the tables that {facts.command('postconf', name)} names"
            )
            yield Finding(_WARNING if relayed else _CRITICAL, "domain-class", domain, says, mend)


# --- other rules about the whole Postfix --------------------------------------------------------------------


def _original_recipient(facts: PostfixFacts, _: Configuration) -> Iterator[Finding]:
    if facts.main.get("enable_original_recipient") == "no":
        yield Finding(
            _CRITICAL,
            "original-recipient",
            "main.cf",
            "enable_original_recipient = no: recipients that became SMS stay in mail to others too",
            facts.change(None, "enable_original_recipient", "yes"),
        )


def _soft_bounce(facts: PostfixFacts, _: Configuration) -> Iterator[Finding]:
    if facts.main.get("soft_bounce") == "yes":
        yield Finding(
            _WARNING,
            "soft-bounce",
            "main.cf",
            "soft_bounce = yes: our permanent refusals become temporary, and clients try for days",
            facts.change(None, "soft_bounce", "no"),
        )


def _copies(facts: PostfixFacts, ours: Configuration) -> Iterator[Finding]:
    for name in ("always_bcc", "recipient_bcc_maps", "sender_bcc_maps"):
        if facts.main.get(name) and ours.milter.claim == "discard":
            yield Finding(
                _WARNING,
                "copies",
                name,
                f"{name} keeps no copy of mail that becomes SMS while milter.claim is discard",
                "in sms-milter.yaml: milter.claim: remove-recipients",
            )


def _reports_listener(facts: PostfixFacts, ours: Configuration) -> Iterator[Finding]:
    port = ours.reports.submit_to.rpartition(":")[2]
    for listener in _listeners(facts, ours.milter.socket):
        service = listener.service
        if port and service.kind == "inet" and service.name.rpartition(":")[2] == port:
            yield Finding(
                _WARNING,
                "reports-through-milter",
                service.label,
                f"reports.submit_to {ours.reports.submit_to} is a listener that asks us about our own mail",
                facts.change(service, "smtpd_milters", ""),
            )


# --- rules about a listener ---------------------------------------------------------------------------------


def _order(facts: PostfixFacts, ours: Configuration, at: Listener) -> Iterator[Finding]:
    after = [one.address for one in at.milters[at.position + 1 :]]
    if after:
        yield Finding(
            _CRITICAL,
            "milter-order",
            at.service.label,
            f"{', '.join(after)} runs after sms-milter: it could refuse a mail whose SMS is on its way",
            _put_right(facts, ours, at),
        )


def _flow_delay(facts: PostfixFacts, ours: Configuration, at: Listener) -> Iterator[Finding]:
    # With remove-recipients the queue manager sees each mail and gives its token back.
    if at.cleanup is None or ours.milter.claim != "discard":
        return
    delay = facts.value(at.cleanup, "in_flow_delay")
    if seconds(delay) != 0:
        yield Finding(
            _CRITICAL,
            "flow-delay",
            at.cleanup.label,
            f"in_flow_delay = {delay} at {at.cleanup.name}, which serves {at.service.name}: after some"
            " hundred SMS every further mail waits so long",
            facts.change(at.cleanup, "in_flow_delay", "0s"),
        )


def _cleanup_exists(facts: PostfixFacts, ours: Configuration, at: Listener) -> Iterator[Finding]:
    if at.cleanup is None:
        size = f"-o message_size_limit={ours.milter.max_message_size + _SIZE_MARGIN}"
        line = f"{at.cleanup_name} unix n - n - 0 cleanup -o in_flow_delay=0s {size}"
        yield Finding(
            _CRITICAL,
            "no-cleanup",
            at.service.label,
            f"cleanup_service_name = {at.cleanup_name} is not in master.cf: every mail is refused",
            f"{facts.command('postconf', '-Me', f'{at.cleanup_name}/unix={line}')}"
            f" && {facts.command('postfix', 'reload')}",
        )


def _chroot(facts: PostfixFacts, _: Configuration, at: Listener) -> Iterator[Finding]:
    if at.chrooted_path:
        yield Finding(
            _CRITICAL,
            "chroot",
            at.service.label,
            f"{at.service.name} is chrooted and looks for {at.ours.address} at {at.chrooted_path}",
            f"{facts.command('postconf', '-F', f'{at.service.label}/chroot=n')}"
            f" && {facts.command('postfix', 'reload')}",
        )


def _default_action(facts: PostfixFacts, ours: Configuration, at: Listener) -> Iterator[Finding]:
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
        _WARNING if only_worse else _CRITICAL,
        "default-action",
        at.service.label,
        f"milter_default_action is {action}: {why}; right for Postfix {facts.main.get('mail_version', '')} is"
        f" {right}",
        _put_right(facts, ours, at),
    )


def _timeouts(facts: PostfixFacts, ours: Configuration, at: Listener) -> Iterator[Finding]:
    patience = ours.milter.decision_timeout
    for name in _TIMEOUTS:
        written = _setting(facts, at, name)
        limit = seconds(written)
        if limit is not None and limit <= patience:
            yield Finding(
                _CRITICAL,
                name.replace("_", "-"),
                at.service.label,
                f"{name} is {written}, not longer than our milter.decision_timeout of {patience:g} s: Postfix"
                " may give up a mail that we take, and its client sends it again",
                _put_right(facts, ours, at),
            )


def _protocol(facts: PostfixFacts, ours: Configuration, at: Listener) -> Iterator[Finding]:
    protocol = _setting(facts, at, "protocol")
    if protocol == str(_PROTOCOL):
        return
    low = protocol.isdigit() and int(protocol) < _PROTOCOL
    why = "replies cannot be left out, every mail takes longer" if low else "libmilter does not speak that"
    yield Finding(
        _WARNING if low else _CRITICAL,
        "protocol",
        at.service.label,
        f"milter_protocol is {protocol}, not {_PROTOCOL}: {why}",
        _put_right(facts, ours, at),
    )


def _size_limit(facts: PostfixFacts, ours: Configuration, at: Listener) -> Iterator[Finding]:
    ceiling = ours.milter.max_message_size
    for service in dict.fromkeys((at.service.label, at.cleanup.label if at.cleanup else at.service.label)):
        holder = next(one for one in facts.services if one.label == service)
        limit = facts.value(holder, "message_size_limit")
        if limit.isdigit() and 0 < int(limit) < ceiling:  # 0 is no limit
            yield Finding(
                _WARNING,
                "size-limit",
                service,
                f"message_size_limit = {limit} is below our milter.max_message_size of {ceiling} octets:"
                " Postfix refuses first, and logs it alone",
                facts.change(holder, "message_size_limit", str(ceiling + _SIZE_MARGIN)),
            )


def _content_withheld(facts: PostfixFacts, _: Configuration, at: Listener) -> Iterator[Finding]:
    if at.parameter != "smtpd_milters":
        return
    proxy = facts.value(at.service, "smtpd_proxy_filter")
    if proxy:
        yield Finding(
            _CRITICAL,
            "proxy-filter",
            at.service.label,
            f"smtpd_proxy_filter = {proxy}: milters of this listener never see the content of a mail",
            facts.change(at.service, "smtpd_proxy_filter", ""),
        )
    overrides = items(facts.value(at.service, "receive_override_options"))
    if "no_milters" in overrides:
        left = ",".join(one for one in overrides if one != "no_milters")
        yield Finding(
            _CRITICAL,
            "no-milters",
            at.service.label,
            "receive_override_options has no_milters: this listener asks no milter at all",
            facts.change_where_set(at.service, "receive_override_options", left),
        )


_OF_ALL: tuple[Callable[[PostfixFacts, Configuration], Iterator[Finding]], ...] = (
    _fail_safe_route,
    _domain_class,
    _original_recipient,
    _soft_bounce,
    _copies,
    _reports_listener,
)
_OF_LISTENER: tuple[Callable[[PostfixFacts, Configuration, Listener], Iterator[Finding]], ...] = (
    _order,
    _cleanup_exists,
    _flow_delay,
    _chroot,
    _default_action,
    _timeouts,
    _protocol,
    _size_limit,
    _content_withheld,
)
