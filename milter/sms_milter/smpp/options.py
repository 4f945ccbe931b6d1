"""How a session binds, how much it has under way and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass, field

from sms_milter.smpp import codec
from sms_milter.smpp.codec import BindKind


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How to bind, how much to have under way, how long to wait (SMPP 3.4 §4.1, §7.2)."""

    system_id: str
    password: str = field(default="", repr=False)
    longest_password: int = 8  # more only for an SMSC that takes more
    system_type: str = ""
    kind: BindKind = "transceiver"
    window: int = 10  # open submits at most
    enquire_link_seconds: float = 30.0  # without traffic, then we enquire; 0: never
    enquire_timeout_seconds: float = 10.0
    response_timeout_seconds: float = 60.0
    bind_timeout_seconds: float = 10.0
    drain_timeout_seconds: float = 5.0  # for open submits, before and after an unbind
    unbind_timeout_seconds: float = 5.0
    partial_timeout_seconds: float = 10.0  # for the rest of a PDU that has begun to arrive
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""

    def bind(self, sequence: int) -> bytes:
        """The bind that asks for all this. Raises LocalProtocolError unless every option fits."""
        return codec.bind(
            self.kind,
            sequence,
            system_id=self.system_id,
            password=self.password,
            system_type=self.system_type,
            interface_version=self.interface_version,
            addr_ton=self.addr_ton,
            addr_npi=self.addr_npi,
            address_range=self.address_range,
            longest_password=self.longest_password,
        )
