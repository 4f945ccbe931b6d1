"""The services that a mail of a listener passes: smtpd itself, and the cleanup behind it."""

from __future__ import annotations

from collections.abc import Iterator

from sms_milter.config.schema import Configuration
from sms_milter.doctor.finding import Finding, Severity
from sms_milter.doctor.postfix.facts import PostfixFacts, items
from sms_milter.doctor.postfix.listeners import Listener
from sms_milter.doctor.times import seconds

_SIZE_MARGIN = 100_000  # octets, for what Postfix adds to a mail


def cleanup_exists(facts: PostfixFacts, ours: Configuration, at: Listener) -> Iterator[Finding]:
    """The cleanup service that a listener names is in master.cf."""
    if at.cleanup is None:
        size = f"-o message_size_limit={ours.milter.max_message_size + _SIZE_MARGIN}"
        line = f"{at.cleanup_name} unix n - n - 0 cleanup -o in_flow_delay=0s {size}"
        yield Finding(
            Severity.CRITICAL,
            "no-cleanup",
            at.service.label,
            f"cleanup_service_name = {at.cleanup_name} is not in master.cf: every mail is refused",
            f"{facts.command('postconf', '-Me', f'{at.cleanup_name}/unix={line}')}"
            f" && {facts.command('postfix', 'reload')}",
        )


def flow_delay(facts: PostfixFacts, ours: Configuration, at: Listener) -> Iterator[Finding]:
    """A discarded mail never gives back its token of flow control."""
    # With remove-recipients the queue manager sees each mail and gives its token back.
    if at.cleanup is None or ours.milter.claim != "discard":
        return
    delay = facts.value(at.cleanup, "in_flow_delay")
    if seconds(delay) != 0:
        yield Finding(
            Severity.CRITICAL,
            "flow-delay",
            at.cleanup.label,
            f"in_flow_delay = {delay} at {at.cleanup.name}, which serves {at.service.name}: after some"
            " hundred SMS every further mail waits so long",
            facts.change(at.cleanup, "in_flow_delay", "0s"),
        )


def chroot(facts: PostfixFacts, _: Configuration, at: Listener) -> Iterator[Finding]:
    """A jailed listener sees our socket."""
    if at.chrooted_path:
        yield Finding(
            Severity.CRITICAL,
            "chroot",
            at.service.label,
            f"{at.service.name} is chrooted and looks for {at.ours.address} at {at.chrooted_path}",
            f"{facts.command('postconf', '-F', f'{at.service.label}/chroot=n')}"
            f" && {facts.command('postfix', 'reload')}",
        )


def size_limit(facts: PostfixFacts, ours: Configuration, at: Listener) -> Iterator[Finding]:
    """We refuse too large mail ourselves."""
    ceiling = ours.milter.max_message_size
    for service in dict.fromkeys((at.service.label, at.cleanup.label if at.cleanup else at.service.label)):
        holder = next(one for one in facts.services if one.label == service)
        limit = facts.value(holder, "message_size_limit")
        if limit.isdigit() and 0 < int(limit) < ceiling:  # 0 is no limit
            yield Finding(
                Severity.WARNING,
                "size-limit",
                service,
                f"message_size_limit = {limit} is below our milter.max_message_size of {ceiling} octets:"
                " Postfix refuses first, and logs it alone",
                facts.change(holder, "message_size_limit", str(ceiling + _SIZE_MARGIN)),
            )


def content_withheld(facts: PostfixFacts, _: Configuration, at: Listener) -> Iterator[Finding]:
    """Nothing keeps a mail from milters."""
    if at.service.command != "smtpd":
        return
    proxy = facts.value(at.service, "smtpd_proxy_filter")
    if proxy:
        yield Finding(
            Severity.CRITICAL,
            "proxy-filter",
            at.service.label,
            f"smtpd_proxy_filter = {proxy}: milters of this listener never see the content of a mail",
            facts.change(at.service, "smtpd_proxy_filter", ""),
        )
    overrides = items(facts.value(at.service, "receive_override_options"))
    if "no_milters" in overrides:
        left = ",".join(one for one in overrides if one != "no_milters")
        yield Finding(
            Severity.CRITICAL,
            "no-milters",
            at.service.label,
            "receive_override_options has no_milters: this listener asks no milter at all",
            facts.change_where_set(at.service, "receive_override_options", left),
        )
