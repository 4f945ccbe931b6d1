"""What the log says of recipients that are refused and of mails that are decided."""

from __future__ import annotations

from sms_milter.errors import Denied, Refusal
from sms_milter.gate import Gate
from sms_milter.intake.dialogue import Dialogue
from sms_milter.intake.verdict import Verdict
from sms_milter.logline import clean, line
from sms_milter.mail.address import parse_path
from sms_milter.reply import Reply


def recipient(gate: Gate, said: Dialogue, mta_queue_id: str, raw: str, why: Reply) -> str:
    """One RCPT that is refused."""
    try:
        to = gate.numbers.address(*parse_path(raw))
    except Refusal:
        to = f"<{clean(raw.strip('<>'))}>"
    return line(
        mta_queue_id,
        client=f"[{clean(said.client.address)}]",
        from_=gate.senders.shown(said.sender),
        to=to,
        account=said.asking.name if said.asking else "-",
        status=f"{'would be ' if gate.shadow else ''}refused at RCPT ({why})",
    )


def mail(
    gate: Gate,
    said: Dialogue,
    mta_queue_id: str,
    verdict: Verdict,
    denied: Denied | None,
    *,
    size: int,
    seconds: float,
) -> str:
    """A mail at its end, of so many octets; it took so many seconds."""
    judged, stored = verdict.plan, verdict.stored
    pairs: dict[str, object] = {
        "client": f"[{clean(said.client.address)}]",
        "from_": gate.senders.shown(said.sender),
        "account": said.member.name if said.member else "-",
        "dialect": said.domain.dialect.name if said.domain else "-",
        "nrcpt": len(said.ours),
    }
    if judged is not None:
        pairs["messages"] = len(judged.messages)
        pairs["parts"] = sum([len(message.parts) for message in judged.messages])
        if judged.left_out:
            pairs["left_out"] = len(judged.left_out)
        if judged.failed:
            pairs["not_sent"] = len(judged.failed)
        if folded := sum([message.folded for message in judged.messages]):
            pairs["folded"] = folded
    if stored is not None:
        pairs["queue"] = stored.queue_id
        if stored.counted_in:
            pairs["counted_in"] = "+".join(map(str, stored.counted_in))
    if denied is not None:
        pairs["denied"] = denied
    pairs["size"] = size
    pairs["delay"] = f"{seconds:.3f}"
    return line(mta_queue_id, **pairs, status=("would be " if gate.shadow else "") + _status(verdict))


def _status(verdict: Verdict) -> str:
    stored = verdict.stored
    if verdict.reply is not None and stored is not None:
        return f"refused by mail at end of message ({verdict.reply})"
    if verdict.reply is not None:
        unsaid = "" if verdict.plan is None else ", nobody is told"
        return f"refused at end of message ({verdict.reply}){unsaid}"
    if stored is not None and stored.repeat:
        return f"{verdict.action} (repeat of a stored mail, not sent again)"
    return f"{verdict.action} (stored)"
