"""The ways that a wish may go, as the account and its routes have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sms_milter.gate import Gate
from sms_milter.model import EMAIL, SMS, Kind, SmsRequest, Wish
from sms_milter.policy.accounts import Member
from sms_milter.sms.terms import Terms


def terms_of(
    gate: Gate, member: Member, sender: str, request: SmsRequest, unlocked: Callable[[str], bool]
) -> Callable[[Wish], Iterator[Terms]]:
    """The terms of each SMSC that a wish may go by, the preferred one first; they raise Rejected where
    there is none, and Denied.
    """
    account = member.account
    own = account.sender_originators.get(sender.lower()) or account.default_originator or ""

    def terms(wish: Wish) -> Iterator[Terms]:
        channel = wish.channel
        gate.check_text(member, wish.text)
        way = gate.way(member, wish.destination, channel)
        if wish.originator is not None or channel == EMAIL:
            wanted = wish.originator or ""
            originator = gate.originator(member, wanted, channel, unlocked=unlocked)
        else:
            originator = own if wish.default_originator is None else wish.default_originator
        append = request.append_text and wish.kind is Kind.TEXT
        languages = gate.languages(member, way) if channel == SMS else ()
        for smsc in way.smscs:
            yield gate.terms(
                member.name,
                originator,
                request.max_parts,
                append,
                request.punctuation,
                languages,
                smsc,
                channel,
                wish.max_parts,
                way.follows_delivery,
            )

    return terms
