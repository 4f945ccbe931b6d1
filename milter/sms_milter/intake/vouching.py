"""Asks SPF and DKIM for accounts that require them; nobody else's mail comes here."""

from __future__ import annotations

from collections.abc import Sequence

from sms_milter import reply
from sms_milter.errors import Deferred, Rejected
from sms_milter.gate import Gate
from sms_milter.mail import proofs
from sms_milter.mail.proofs import DKIM, SPF
from sms_milter.model import Client
from sms_milter.policy.accounts import Member
from sms_milter.ports import SenderProofs


def check_envelope(gate: Gate, member: Member, client: Client, sender: str) -> bool:
    """What can be asked before the mail is there: SPF, unless results in the mail may say it. Whether it was.
    Raises as `check_mail`.
    """
    if SPF not in member.account.require or gate.trusted_results:
        return False
    _check_spf(gate, client, sender)
    return True


def check_mail(
    gate: Gate,
    member: Member,
    client: Client,
    sender: str,
    fields: Sequence[tuple[str, bytes]],
    body: bytes,
    *,
    spf_holds: bool,
) -> None:
    """Whether what the account requires beyond the envelope is proved, by results that we trust or by the
    DNS; `spf_holds`: SPF is. Raises Rejected, and Deferred when the DNS does not answer.
    """
    account = member.account
    found = tuple(proofs.vouched(fields, gate.trusted_results, client.address))
    if SPF in account.require and not spf_holds and not proofs.spf_holds(found, sender):
        _check_spf(gate, client, sender)
    if DKIM in account.require:
        domains = proofs.signers(account, sender)
        if not proofs.dkim_holds(found, domains) and not _verifier(gate).dkim(fields, body, domains):
            raise Rejected(reply.DKIM_FAILED)


def _check_spf(gate: Gate, client: Client, sender: str) -> None:
    if not _verifier(gate).spf(client, sender):
        raise Rejected(reply.SPF_FAILED)


def _verifier(gate: Gate) -> SenderProofs:
    if gate.proofs is None:
        raise Deferred(reply.DNS_UNAVAILABLE, "nobody here can ask it")
    return gate.proofs
