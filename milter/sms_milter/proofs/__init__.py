"""SPF and DKIM by the DNS, where an account requires them: nobody else loads these libraries."""

from __future__ import annotations

from sms_milter.config.schema import Configuration
from sms_milter.mail.proofs import DKIM, SPF
from sms_milter.ports import SenderProofs


def proofs_of(configuration: Configuration) -> SenderProofs | None:
    """What verifies them; None where no account requires any."""
    if all({SPF, DKIM}.isdisjoint(account.require) for account in configuration.accounts.values()):
        return None
    from sms_milter.proofs.verifier import Proofs

    return Proofs(configuration.authentication)
