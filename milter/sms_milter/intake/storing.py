"""What the queue takes of a judged mail: its composed messages, or an answer alone."""

from __future__ import annotations

from sms_milter.credits import thousandths
from sms_milter.gate import Gate
from sms_milter.intake.dialogue import Dialogue
from sms_milter.logline import clean
from sms_milter.mail.fingerprint import fingerprint
from sms_milter.mail.head import header_block
from sms_milter.mail.parse import Mail
from sms_milter.model import Limits, NewMail, Notify, Original, Plan, SmsRequest
from sms_milter.policy.repeats import identity


def new_mail(
    gate: Gate,
    said: Dialogue,
    judged: Plan,
    mail: Mail,
    request: SmsRequest,
    limits: Limits | None,
    *,
    body: bytes,
    received_at: float,
    mta_queue_id: str,
    envelope_id: str,
) -> NewMail:
    """A mail with its messages; `body` and `envelope_id` (ENVID) are as they came."""
    ours = [recipient.address for _, recipient, _ in said.ours]
    metered = limits is not None and limits.credits is not None
    storms = None if limits is None else limits.storms
    messages = tuple(
        [gate.composed(one, received_at, metered=metered, storms=storms) for one in judged.messages]
    )
    counted = limits is not None and limits.duplicates is not None
    return NewMail(
        messages=messages,
        received_at=received_at,
        account=judged.account,
        dialect=judged.dialect,
        sender=said.sender,
        client=said.client.address,
        mta_queue_id=mta_queue_id,
        mail_message_id=_message_id(mail),
        fingerprint=fingerprint(
            mail.fields, body, sender=said.sender, recipients=ours, mta_queue_id=mta_queue_id
        ),
        limits=limits,
        identity=identity(request, messages) if counted else b"",
        fee=thousandths(request.fee) if request.fee else 0,
        original=_original(judged, mail, envelope_id),
        answers=judged.answers,
        records=judged.records,
        listeners=judged.listeners,
        left_out=judged.left_out,
        failed=judged.failed,
    )


def new_complaint(
    said: Dialogue, judged: Plan, mail: Mail, *, received_at: float, mta_queue_id: str
) -> NewMail:
    """Only an answer. Without fingerprint: the same mail may be right when it comes again."""
    return NewMail(
        messages=(),
        received_at=received_at,
        account=judged.account,
        dialect=judged.dialect,
        sender=said.sender,
        client=said.client.address,
        mta_queue_id=mta_queue_id,
        mail_message_id=_message_id(mail),
        answers=judged.answers,
    )


def _original(judged: Plan, mail: Mail, envelope_id: str) -> Original | None:
    """What reports will repeat; kept only if the sender asks for any."""
    if any(message.notify > Notify.LOST for message in judged.messages):
        return Original(clean(envelope_id), header_block(mail.fields))
    return None


def _message_id(mail: Mail) -> str:
    return clean((mail.first("message-id") or b"").decode("latin-1"))
