"""What main.cf says for the whole instance, and the listener that takes our own mail."""

from __future__ import annotations

from collections.abc import Iterator

from sms_milter.config.schema import Configuration
from sms_milter.doctor.finding import Finding, Severity
from sms_milter.doctor.postfix.facts import PostfixFacts
from sms_milter.doctor.postfix.listeners import listeners


def original_recipient(facts: PostfixFacts, _: Configuration) -> Iterator[Finding]:
    """Without it our removal of a recipient removes nothing."""
    if facts.main.get("enable_original_recipient") == "no":
        yield Finding(
            Severity.CRITICAL,
            "original-recipient",
            "main.cf",
            "enable_original_recipient = no: recipients that became SMS stay in mail to others too",
            facts.change(None, "enable_original_recipient", "yes"),
        )


def soft_bounce(facts: PostfixFacts, _: Configuration) -> Iterator[Finding]:
    """What we refuse for good is refused for good."""
    if facts.main.get("soft_bounce") == "yes":
        yield Finding(
            Severity.WARNING,
            "soft-bounce",
            "main.cf",
            "soft_bounce = yes: our permanent refusals become temporary, and clients try for days",
            facts.change(None, "soft_bounce", "no"),
        )


def copies(facts: PostfixFacts, ours: Configuration) -> Iterator[Finding]:
    """Copies that are lost with what we discard."""
    for name in ("always_bcc", "recipient_bcc_maps", "sender_bcc_maps"):
        if facts.main.get(name) and ours.milter.claim == "discard":
            yield Finding(
                Severity.WARNING,
                "copies",
                name,
                f"{name} keeps no copy of mail that becomes SMS while milter.claim is discard",
                "in sms-milter.yaml: milter.claim: remove-recipients",
            )


def reports_listener(facts: PostfixFacts, ours: Configuration) -> Iterator[Finding]:
    """Our own mail does not come back to us."""
    address, _, port = ours.reports.submit_to.rpartition(":")
    for listener in listeners(facts, ours.milter.socket):
        service = listener.service
        # Over the loopback interface we come from the address that we ask; elsewhere ours is not known.
        if listener.clients is not None and not listener.clients.include(address.strip("[]")):
            continue
        if port and service.kind == "inet" and service.name.rpartition(":")[2] == port:
            yield Finding(
                Severity.WARNING,
                "reports-through-milter",
                service.label,
                f"reports.submit_to {ours.reports.submit_to} is a listener that asks us about our own mail",
                facts.change(service, "smtpd_milters", "")
                if listener.clients is None
                else facts.change(service, "smtpd_milter_maps", ""),
            )
