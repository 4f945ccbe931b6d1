"""Why a mail was this account's and no other's, in lines for a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sms_milter.gate import Gate
from sms_milter.model import Caller
from sms_milter.policy.accounts import Candidate

_MOST = 10  # accounts that are named


def explained(gate: Gate, caller: Caller, sender: str, domains: Iterable[str]) -> Iterator[str]:
    """For each of our domains the accounts that the envelope might have been of, the most specific first."""
    for domain in domains:
        candidates = list(gate.accounts.explained(caller, sender=sender, domain=domain))
        if not candidates:
            yield f"{domain}: no account has this sender, client, SASL user or certificate"
        winner = None
        for one in candidates[:_MOST]:
            yield f"{domain}: account {one.name}: {_said(one, winner)}"
            winner = winner or (one.name if one.obstacle is None else None)
        if len(candidates) > _MOST:
            yield f"{domain}: and {len(candidates) - _MOST} more accounts, none before these"


def _said(one: Candidate, winner: str | None) -> str:
    by = f"its sender {one.pattern} fits" if one.pattern else "it requires no sender"
    if one.obstacle == "senders":
        return "not this sender's, else it might be"
    if one.obstacle == "password":
        return "only of mail that names it and proves it"
    if one.obstacle is not None:
        return f"{by}, but not its `{one.obstacle}`"
    if winner is None:
        return f"{by} and all that it requires of the envelope: found"
    return f"{by}, but {winner} is more specific or stands before it"
