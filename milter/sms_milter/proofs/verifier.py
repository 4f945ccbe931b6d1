"""`ports.SenderProofs` by the DNS."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sms_milter.config.schema import Authentication
from sms_milter.model import Client
from sms_milter.proofs import signatures, spf
from sms_milter.proofs.resolver import Resolver


class Proofs:
    """Verifies SPF and DKIM; any number of threads may ask."""

    def __init__(self, settings: Authentication) -> None:
        self._resolver = Resolver(settings.dns, settings.timeout)

    def spf(self, client: Client, sender: str) -> bool:
        """See `ports.SenderProofs.spf`."""
        if not client.address or not (sender or client.helo):
            return False
        return spf.passes(self._resolver.check(), client=client.address, sender=sender, helo=client.helo)

    def dkim(self, fields: Sequence[tuple[str, bytes]], body: bytes, domains: Collection[str]) -> bool:
        """See `ports.SenderProofs.dkim`."""
        return signatures.signed(self._resolver.check(), fields, body, domains)
