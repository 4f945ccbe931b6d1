"""Plays one mail through the gate without storing anything: `sms-milter preview` and the golden tests.

What it prints is DESIGN §7's JSON object; it goes the very way a mail from the MTA goes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from sms_milter.channels import errand
from sms_milter.config.schema import Configuration, Smsc
from sms_milter.config.secrets import Passwords
from sms_milter.errors import Refusal
from sms_milter.gate import Gate
from sms_milter.intake import Transaction, Verdict
from sms_milter.mail.address import esmtp_parameters
from sms_milter.model import (
    Answer,
    Certificate,
    Client,
    CreditRule,
    Errand,
    LoginRule,
    NewMail,
    PartFate,
    PlannedMessage,
    QuotaLeft,
    QuotaRule,
    Record,
    Stored,
    SubmitSm,
)
from sms_milter.ports import Intake, Journal, SenderProofs
from sms_milter.reply import Reply
from sms_milter.sms.explain import explained
from sms_milter.sms.terms import SmscTraits
from sms_milter.sms.times import retold


class QueueView(Protocol):
    """The part of the queue that a preview may look at."""

    def refusal(self, mail: NewMail, now: float) -> Refusal | None:
        """As `IntakeQueue.refusal`."""

    def quota_left(self, account: str, sender: str, rule: QuotaRule, now: float) -> QuotaLeft:
        """As `IntakeQueue.quota_left`."""

    def credit_left(self, account: str, rule: CreditRule) -> int:
        """As `IntakeQueue.credit_left`."""

    def suppressed(self, account: str, number: str) -> bool:
        """As `IntakeQueue.suppressed`."""

    def login_blocked(self, who: str, now: float) -> bool:
        """As `IntakeQueue.login_blocked`."""

    def last_number(self, account: str) -> int:
        """The last number that `IntakeQueue.next_number` has given, 0 before the first."""

    def find_record(self, account: str, kind: str, name: str, now: float) -> Record | None:
        """As `IntakeQueue.find_record`."""

    def fates(self, account: str, references: Sequence[str]) -> dict[str, list[PartFate]]:
        """As `IntakeQueue.fates`."""


class SilentJournal:
    """A journal that writes nothing: what is only rehearsed is not logged."""

    def debug(self, line: str) -> None:
        """Nothing."""

    info = warning = error = critical = debug


class Rehearsal:
    """An `Intake` that stores nothing: the queue is looked at as of `now`, and that is all."""

    def __init__(self, queue: QueueView, now: float) -> None:
        self._queue, self._now = queue, now

    def quota_left(self, account: str, sender: str, rule: QuotaRule) -> QuotaLeft:
        """As the queue stands."""
        return self._queue.quota_left(account, sender, rule, self._now)

    def credit_left(self, account: str, rule: CreditRule) -> int:
        """As the queue stands."""
        return self._queue.credit_left(account, rule)

    def suppressed(self, account: str, number: str) -> bool:
        """As the queue stands."""
        return self._queue.suppressed(account, number)

    def login_blocked(self, who: str) -> bool:
        """As the queue stands."""
        return self._queue.login_blocked(who, self._now)

    def next_number(self, account: str) -> int:
        """As the queue stands; it is not taken away."""
        return self._queue.last_number(account) + 1

    def find_record(self, account: str, kind: str, name: str) -> Record | None:
        """As the queue stands."""
        return self._queue.find_record(account, kind, name, self._now)

    def fates(self, account: str, references: Sequence[str]) -> dict[str, list[PartFate]]:
        """As the queue stands."""
        return self._queue.fates(account, references)

    def login_failed(self, who: str, rule: LoginRule) -> bool:
        """Nothing is counted."""
        del who, rule
        return False

    def count_refused(self) -> None:
        """Nothing is counted."""

    def put(self, mail: NewMail, progress: Callable[[], None] | None = None) -> Stored:
        """As if stored. Raises what the queue would raise beyond a limit."""
        del progress
        refusal = None if mail.limits is None else self.refusal(mail)
        if refusal is not None:
            raise refusal
        return Stored(0)

    def refusal(self, mail: NewMail) -> Refusal | None:
        """As the queue stands."""
        return self._queue.refusal(mail, self._now)


def describe(
    transaction: Transaction,
    verdict: Verdict,
    leaving: Callable[[PlannedMessage], PlannedMessage] = lambda message: message,
) -> dict[str, Any]:
    """The JSON object of `sms-milter preview` (DESIGN §7); keys are always present. `leaving` makes of a
    message what leaves of it.
    """
    plan_ = verdict.plan
    domain, member = transaction.judged_by
    return {
        "action": str(verdict.action),
        "stage": str(verdict.stage),
        "reply": _reply_json(verdict.reply),
        "recipients": [
            {"address": one.raw.strip("<>"), "ours": one.ours, "reply": _reply_json(one.reply)}
            for one in transaction.recipients
        ],
        "dialect": domain,
        "account": member,
        "messages": [_message_json(leaving(message)) for message in plan_.messages] if plan_ else [],
        "answers": [
            {"to": a.to, "subject": a.subject, "body": a.body} for a in plan_.answers if isinstance(a, Answer)
        ]
        if plan_
        else [],
    }


def _reply_json(why: Reply | None) -> dict[str, Any] | None:
    return None if why is None else {"code": why.code, "enhanced": why.enhanced, "text": why.text}


def _message_json(message: PlannedMessage) -> dict[str, Any]:
    moment = message.not_before
    return {
        "destination": message.destination,
        "originator": message.originator,
        "channel": message.channel,
        "kind": str(message.kind),
        "text": message.text,
        "flash": message.flash,
        "reference": message.reference,
        "priority": message.priority.name.lower(),
        "not_before": None
        if moment is None
        else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "validity": message.validity_seconds,
        "receipt": message.receipt,
        "route": message.route,
        "parts": [
            errand.shown(part)
            if isinstance(part, Errand)
            else {
                "source_addr": part.source_addr,
                "source_addr_ton": part.source_addr_ton,
                "source_addr_npi": part.source_addr_npi,
                "dest_addr_ton": part.dest_addr_ton,
                "dest_addr_npi": part.dest_addr_npi,
                "destination_addr": part.destination_addr,
                "service_type": part.service_type,
                "priority_flag": part.priority_flag,
                "esm_class": part.esm_class,
                "protocol_id": part.protocol_id,
                "data_coding": part.data_coding,
                "registered_delivery": part.registered_delivery,
                "schedule_delivery_time": part.schedule_delivery_time,
                "validity_period": part.validity_period,
                "short_message": part.short_message.hex().upper(),
                "tlvs": {f"{tag:04X}": value.hex().upper() for tag, value in part.tlvs},
            }
            for part in message.parts
        ],
    }


def split_message(octets: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    """A mail file as the MTA would hand it over: header fields (folding as LF, one leading blank removed) and
    body with CR LF.
    """
    text = octets.replace(b"\r\n", b"\n")
    fields: list[tuple[str, bytes]] = []
    while text:
        first, _, rest = text.partition(b"\n")
        if not first:
            text = rest
            break
        name, colon, value = first.partition(b":")
        if fields and first[:1] in b" \t":
            fields[-1] = (fields[-1][0], fields[-1][1] + b"\n" + first)
        elif colon and name.strip() and not name.strip(b" \t").count(b" "):
            fields.append((name.rstrip().decode("latin-1"), value.removeprefix(b" ")))
        else:
            break  # the first line that is no header field starts the body
        text = rest
    return fields, text.replace(b"\n", b"\r\n")


def rehearse(
    gate: Gate,
    intake: Intake,
    journal: Journal,
    *,
    client: str,
    sender: str,
    recipients: Sequence[str],
    mail: bytes,
    now: float,
    sasl_user: str = "",
    macros: Mapping[str, str] | None = None,
    mail_parameters: Sequence[str] = (),
    recipient_parameters: Sequence[str] = (),
    chance: Callable[[int], int] = secrets.randbelow,
) -> tuple[Transaction, Verdict]:
    """Play one mail through a gate, as `milterd` would. `macros` as the MTA names them (`i`, `{tls_version}`,
    …), `chance` as in `dialects.context.Context`.
    """
    known = macros or {}
    transaction = Transaction(
        gate,
        intake,
        journal,
        Client(client, helo=known.get("s", "")),
        sender,
        esmtp_parameters(mail_parameters),
        sasl_user=sasl_user or known.get("{auth_authen}", ""),
        tls_version=known.get("{tls_version}", ""),
        certificate=Certificate(
            known.get("{cert_subject}", ""), known.get("{cert_issuer}", ""), known.get("{cert_fp}", "")
        ),
        mta_queue_id=known.get("i", ""),
        clock=lambda: now,
        chance=chance,
    )
    for recipient in recipients:
        transaction.recipient(recipient, esmtp_parameters(recipient_parameters))
    if transaction.concerns_us:
        fields, body = split_message(mail)
        for name, value in fields:
            transaction.header(name, value)
        transaction.body(body)
    return transaction, transaction.decide()


def preview(
    configuration: Configuration,
    queue: QueueView,
    *,
    now: float,
    proofs: SenderProofs | None = None,
    **dialogue: Any,
) -> dict[str, Any]:
    """What would become of a mail, as DESIGN §7's JSON object; limits as `queue` stands. For `dialogue` see
    `rehearse`.
    """
    gate = Gate(configuration, Passwords(), proofs)
    rehearsed = rehearse(gate, Rehearsal(queue, now), SilentJournal(), now=now, **dialogue)
    return describe(*rehearsed, lambda message: _leaving(message, configuration.smscs, now))


def _leaving(message: PlannedMessage, smscs: Mapping[str, Smsc], now: float) -> PlannedMessage:
    """With its times as its SMSC takes them."""
    if message.smsc not in smscs:
        return message
    form = smscs[message.smsc].time_format
    start = now if message.not_before is None else message.not_before
    end = start + (message.validity_seconds or 0)

    def leaving(part: SubmitSm) -> SubmitSm:
        times = part.schedule_delivery_time, part.validity_period
        schedule, validity = retold(*times, form, received_at=now, expires_at=end, now=start)
        return part._replace(schedule_delivery_time=schedule, validity_period=validity)

    parts = [leaving(part) for part in message.parts if isinstance(part, SubmitSm)]
    return message._replace(parts=tuple(parts)) if parts else message


def explain(
    configuration: Configuration,
    queue: QueueView,
    *,
    now: float,
    proofs: SenderProofs | None = None,
    **dialogue: Any,
) -> list[str]:
    """The same in lines for a person: whose the mail is and why, the verdict, and how each message becomes
    the SMS that it costs.
    """
    gate = Gate(configuration, Passwords(), proofs)
    transaction, verdict = rehearse(gate, Rehearsal(queue, now), SilentJournal(), now=now, **dialogue)
    lines = transaction.explained()
    lines += [
        f"{one.raw.strip('<>')}: {one.reply}" for one in transaction.recipients if one.reply is not None
    ]
    lines.append(f"{verdict.action}: {verdict.reply}" if verdict.reply else str(verdict.action))
    for message in verdict.plan.messages if verdict.plan else ():
        traits = gate.traits.get(message.smsc, SmscTraits())
        lines += explained(message, traits.alphabet)
    return lines
