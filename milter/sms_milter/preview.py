"""What would become of a mail: `sms-milter preview` and the golden tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sms_milter.channels import errand
from sms_milter.config.schema import Configuration, Smsc
from sms_milter.config.secrets import Passwords
from sms_milter.gate import Gate
from sms_milter.intake import Transaction, Verdict
from sms_milter.model import Answer, Errand, PlannedMessage, SubmitSm
from sms_milter.ports import SenderProofs
from sms_milter.rehearsal import QueueView, Rehearsal, SilentJournal, rehearse
from sms_milter.reply import Reply
from sms_milter.sms.explain import explained
from sms_milter.sms.terms import SmscTraits
from sms_milter.sms.times import retold


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
